package hugepages

import "golang.org/x/sys/unix"

// Free is this machine's memory in bytes. The system does not tell in a call how much of it is left.
func Free() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return unknown
	}
	return int64(n)
}
