//go:build !amd64 || purego

package cpu

// pause does nothing: Go has no way to say it without assembly.
func pause() {}
