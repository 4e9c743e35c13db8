//go:build !linux

package arena

// unknown is assumed where the system does not tell: a tebibyte.
const unknown = 1 << 40
