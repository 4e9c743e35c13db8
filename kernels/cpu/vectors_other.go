//go:build !amd64 || purego

package cpu

// vectorsOf is the table of a tier.
func vectorsOf(string) *vectors { return &portableVectors }
