//go:build !amd64 || purego

package cpu

// NewMeters returns the meters of this processor.
func NewMeters() Meters { return Meters{F32: &portableMeter} }

func read(p []byte) { keep(readWords(p)) }
