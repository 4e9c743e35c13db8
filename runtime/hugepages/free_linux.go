package hugepages

import (
	"bytes"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Free is how many bytes this process can still take before the system has to end one: what the kernel says is
// available, caches of files included, and swap, but not more than the process's control groups allow.
func Free() int64 { return freeIn("/") }

func freeIn(root string) int64 {
	free := int64(math.MaxInt64)
	if data, err := os.ReadFile(path.Join(root, "proc/meminfo")); err == nil {
		available, ok := meminfo(data, "MemAvailable:")
		swap, _ := meminfo(data, "SwapFree:")
		if ok {
			free = available + swap
		}
	}
	data, err := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	if err != nil {
		return free
	}
	for line := range strings.Lines(string(data)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::") // of version 2
		if !ok {
			continue
		}
		for ; ; group = path.Dir(group) {
			free = min(free, leftIn(path.Join(root, "sys/fs/cgroup", group)))
			if group == "/" || group == "." {
				break
			}
		}
	}
	return free
}

// leftIn is what a control group may still take. Caches of files count as taken there, but go when memory is wanted.
func leftIn(dir string) int64 {
	limit, ok := number(path.Join(dir, "memory.max"))
	if !ok {
		return math.MaxInt64 // "max", or no group
	}
	taken, _ := number(path.Join(dir, "memory.current"))
	stat, _ := os.ReadFile(path.Join(dir, "memory.stat"))
	for _, key := range []string{"active_file", "inactive_file"} {
		n, _ := meminfo(stat, key)
		taken -= n
	}
	return max(limit-max(taken, 0), 0)
}

func number(file string) (int64, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64)
	return n, err == nil
}

// meminfo finds the line that begins with a key, and its number: of bytes, or of kibibytes where it says so.
func meminfo(data []byte, key string) (int64, bool) {
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != key {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if len(fields) > 2 && string(fields[2]) == "kB" {
			n <<= 10
		}
		return n, err == nil
	}
	return 0, false
}
