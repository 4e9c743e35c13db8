//go:build !linux

package packed

// wantHugePages has nobody to ask.
func wantHugePages([]byte) {}
