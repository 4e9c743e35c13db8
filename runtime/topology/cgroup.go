package topology

import (
	"io/fs"
	"iter"
	"path"
	"strconv"
	"strings"
)

// Group is a control group that limits this process.
type Group struct {
	Dir      string // its folder below the root of the file system, such as sys/fs/cgroup/user.slice
	Version1 bool   // of version 1, where each controller has a hierarchy of its own; else of version 2
}

// Groups are the control groups that limit what this process has of a resource, by the controller's name, such as cpu or memory:
// its own, and those above it. root is the root of the file system.
func Groups(root fs.FS, controller string) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		groups, err := readFile(root, "proc/self/cgroup")
		if err != nil {
			return
		}
		mounts, err := readFile(root, "proc/self/mountinfo")
		if err != nil {
			return
		}
		for line := range strings.Lines(groups) {
			// hierarchy:controllers:path, of version 2 "0::path"
			_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
			controllers, group, ok := strings.Cut(rest, ":")
			if !ok || controllers != "" && !contains(controllers, controller) {
				continue
			}
			version1 := controllers != ""
			mount, within, ok := findMount(mounts, version1, controller, group)
			for ; ok; within = path.Dir(within) {
				if !yield(Group{path.Join(mount, within), version1}) {
					return
				}
				ok = within != "/"
			}
		}
	}
}

// quota is how many processors' time the control groups of this process leave it: the least of its own group and of those
// above it, of version 2 (cpu.max) or 1 (cpu.cfs_quota_us); 0 where none has a limit.
func quota(root fs.FS) float64 {
	least := 0.0
	for group := range Groups(root, "cpu") {
		limit := limitV2
		if group.Version1 {
			limit = limitV1
		}
		if q := limit(root, group.Dir); q > 0 && (least == 0 || q < least) {
			least = q
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

// findMount finds where the hierarchy of a group, of version 1 that with the controller, is mounted, and the group's path from there.
func findMount(mounts string, version1 bool, controller, group string) (mount, within string, ok bool) {
	for line := range strings.Lines(mounts) {
		// ID parent major:minor root mount options ... - type source options
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) < 5 || len(right) < 3 {
			continue
		}
		if version1 && (right[0] != "cgroup" || !contains(right[2], controller)) || !version1 && right[0] != "cgroup2" {
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
