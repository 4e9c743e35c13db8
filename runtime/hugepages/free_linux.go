package hugepages

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"

	"github.com/glmc/glmc/runtime/topology"
)

// Free is how many bytes this process can still take before the system has to end one: what the kernel says is
// available, caches of files included, and swap, but not more than the process's control groups allow.
func Free() int64 { return freeIn(os.DirFS("/")) }

func freeIn(root fs.FS) int64 {
	free := int64(math.MaxInt64)
	if data, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		available, ok := meminfo(data, "MemAvailable:")
		swap, _ := meminfo(data, "SwapFree:")
		if ok {
			free = available + swap
		}
	}
	for group := range topology.Groups(root, "memory") {
		names := version2
		if group.Version1 {
			names = version1
		}
		free = min(free, leftIn(root, group.Dir, names))
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

// leftIn is what a control group may still take. Caches of files count as taken there, but go when memory is wanted.
func leftIn(root fs.FS, dir string, names groupFiles) int64 {
	limit, ok := number(root, path.Join(dir, names.limit))
	if !ok {
		return math.MaxInt64 // "max", or no group
	}
	taken, _ := number(root, path.Join(dir, names.taken))
	stat, _ := fs.ReadFile(root, path.Join(dir, "memory.stat"))
	for _, key := range names.files {
		n, _ := meminfo(stat, key)
		taken -= n
	}
	return max(limit-max(taken, 0), 0)
}

func number(root fs.FS, file string) (int64, bool) {
	data, err := fs.ReadFile(root, file)
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
