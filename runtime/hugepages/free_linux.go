package hugepages

import (
	"bytes"
	"math"
	"os"
	"path"
	"slices"
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
	for line := range strings.Lines(string(data)) { // number:controllers:group
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		switch {
		case fields[1] == "": // version 2
			free = min(free, leftInAll(path.Join(root, "sys/fs/cgroup"), fields[2], version2))
		case slices.Contains(strings.Split(fields[1], ","), "memory"):
			free = min(free, leftInAll(path.Join(root, "sys/fs/cgroup/memory"), fields[2], version1))
		}
	}
	return free
}

// groupFiles are the names of what a version of control groups says of a group's memory.
type groupFiles struct {
	limit, taken string
	files        []string // keys of memory.stat: caches of files
}

var (
	version1 = groupFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", []string{"total_active_file", "total_inactive_file"}}
	version2 = groupFiles{"memory.max", "memory.current", []string{"active_file", "inactive_file"}}
)

// leftInAll is the least that a group and those above it may still take.
func leftInAll(mount, group string, names groupFiles) int64 {
	left := int64(math.MaxInt64)
	for ; ; group = path.Dir(group) {
		left = min(left, leftIn(path.Join(mount, group), names))
		if group == "/" || group == "." {
			return left
		}
	}
}

// leftIn is what a control group may still take. Caches of files count as taken there, but go when memory is wanted.
func leftIn(dir string, names groupFiles) int64 {
	limit, ok := number(path.Join(dir, names.limit))
	if !ok {
		return math.MaxInt64 // "max", or no group
	}
	taken, _ := number(path.Join(dir, names.taken))
	stat, _ := os.ReadFile(path.Join(dir, "memory.stat"))
	for _, key := range names.files {
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
