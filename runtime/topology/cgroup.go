package topology

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// quota is how many processors' time the control groups of this process leave it: the least of its own group and of those
// above it, of version 2 (cpu.max) or 1 (cpu.cfs_quota_us); 0 where none has a limit.
func quota(root fs.FS) float64 {
	groups, err := readFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	mounts, err := readFile(root, "proc/self/mountinfo")
	if err != nil {
		return 0
	}
	least := 0.0
	for line := range strings.Lines(groups) {
		// hierarchy:controllers:path, of version 2 "0::path"
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		limit := limitV2
		if controllers != "" {
			if !contains(controllers, "cpu") {
				continue
			}
			limit = limitV1
		}
		mount, within, ok := findMount(mounts, controllers != "", group)
		if !ok {
			continue
		}
		for ; ; within = path.Dir(within) {
			if q := limit(root, path.Join(mount, within)); q > 0 && (least == 0 || q < least) {
				least = q
			}
			if within == "/" {
				break
			}
		}
	}
	return least
}

// contains reports whether a word is in a list with commas.
func contains(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// findMount finds where the hierarchy of a group is mounted, and the group's path from there.
func findMount(mounts string, version1 bool, group string) (mount, within string, ok bool) {
	for line := range strings.Lines(mounts) {
		// ID parent major:minor root mount options ... - type source options
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) < 5 || len(right) < 3 {
			continue
		}
		if version1 && (right[0] != "cgroup" || !contains(right[2], "cpu")) || !version1 && right[0] != "cgroup2" {
			continue
		}
		mounted := path.Clean("/" + unescape(left[3]))
		mount = strings.TrimPrefix(path.Clean("/"+unescape(left[4])), "/")
		group = path.Clean("/" + group)
		// A container may see its group under the host's path, and the group's files at the root of what is mounted.
		if within, ok := strings.CutPrefix(group, strings.TrimSuffix(mounted, "/")); ok && (within == "" || within[0] == '/') {
			return mount, path.Clean("/" + within), true
		}
		return mount, "/", true
	}
	return "", "", false
}

// unescape undoes how mountinfo writes spaces: \040.
func unescape(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		if s[0] == '\\' && len(s) >= 4 {
			if n, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				s = s[4:]
				continue
			}
		}
		out.WriteByte(s[0])
		s = s[1:]
	}
	return out.String()
}

// limitV2 reads "max 100000" or "150000 100000": microseconds in a period.
func limitV2(root fs.FS, dir string) float64 {
	text, err := readFile(root, path.Join(dir, "cpu.max"))
	if err != nil {
		return 0
	}
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0
	}
	return ratio(f[0], f[1])
}

func limitV1(root fs.FS, dir string) float64 {
	quota, err := readFile(root, path.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return 0
	}
	period, err := readFile(root, path.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0
	}
	return ratio(strings.TrimSpace(quota), strings.TrimSpace(period))
}

// ratio is 0 for what is no limit: "max", and -1 of version 1.
func ratio(quota, period string) float64 {
	q, err := strconv.ParseInt(quota, 10, 64)
	if err != nil || q <= 0 {
		return 0
	}
	p, err := strconv.ParseInt(period, 10, 64)
	if err != nil || p <= 0 {
		return 0
	}
	return float64(q) / float64(p)
}
