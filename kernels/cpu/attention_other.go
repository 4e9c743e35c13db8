//go:build !amd64 || purego

package cpu

// attnKernelsOf returns what attention with panels needs of a tier.
func attnKernelsOf(*dots) *attnKernels { return nil }
