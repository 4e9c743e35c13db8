//go:build !linux

package hugepages

// unknown is assumed where the system does not tell: a tebibyte.
const unknown = 1 << 40
