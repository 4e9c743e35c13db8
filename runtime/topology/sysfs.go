package topology

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	cpuDir  = "sys/devices/system/cpu"
	nodeDir = "sys/devices/system/node"
)

// maxFile bounds what is read of a file: lists of mounts are long where there are many containers.
const maxFile = 1 << 20

// readFile is the text of a file; what goes beyond maxFile is left out. Files under /sys and /proc do not know their size.
func readFile(root fs.FS, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	return string(data), err
}

// readList is the list in a file; nil where there is no such file, or no list in it.
func readList(root fs.FS, name string) []int {
	text, err := readFile(root, name)
	if err != nil {
		return nil
	}
	list, err := parseList(text)
	if err != nil {
		return nil
	}
	return list
}

// readTree finds out what a tree of files, with sys and proc in it, tells about the processors that a process may use. What
// the tree does not tell, or tells in a way that makes no sense, is taken as unknown.
func readTree(root fs.FS, allowed []int) *Machine {
	m := &Machine{Quota: quota(root), Nodes: memoryNodes(root)}
	near := map[int]int{}
	for _, n := range readList(root, path.Join(nodeDir, "online")) {
		for _, c := range readList(root, path.Join(nodeDir, fmt.Sprintf("node%d/cpulist", n))) {
			near[c] = n
		}
	}
	for _, id := range slices.Sorted(slices.Values(allowed)) {
		c := CPU{ID: id, Core: id, Node: near[id]}
		siblings := readList(root, path.Join(cpuDir, fmt.Sprintf("cpu%d/topology/thread_siblings_list", id)))
		if slices.Contains(siblings, id) {
			c.Core = siblings[0]
		}
		m.CPUs = append(m.CPUs, c)
	}
	return m
}

// memoryNodes are the nodes that have memory and that the process may allocate from.
func memoryNodes(root fs.FS) []int {
	nodes := readList(root, path.Join(nodeDir, "has_memory"))
	if len(nodes) == 0 {
		nodes = readList(root, path.Join(nodeDir, "has_normal_memory"))
	}
	if status, err := readFile(root, "proc/self/status"); err == nil {
		for line := range strings.Lines(status) {
			text, ok := strings.CutPrefix(line, "Mems_allowed_list:")
			if !ok {
				continue
			}
			if allowed, err := parseList(text); err == nil && len(allowed) > 0 {
				nodes = slices.DeleteFunc(nodes, func(n int) bool { return !slices.Contains(allowed, n) })
			}
		}
	}
	if len(nodes) == 0 {
		return []int{0}
	}
	return nodes
}
