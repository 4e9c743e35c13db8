//go:build unix && !linux

package packed

// wantHugePages has nobody to ask.
func wantHugePages([]byte) {}
