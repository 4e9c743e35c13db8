package topology

import (
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// tree is a file system of these texts.
func tree(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

// siblings are the files that say which processors share a core.
func siblings(files map[string]string, lists ...string) map[string]string {
	for _, text := range lists {
		list, err := parseList(text)
		if err != nil {
			panic(err)
		}
		for _, id := range list {
			files[fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", id)] = text + "\n"
		}
	}
	return files
}

func TestReadTree(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   map[string]string
		allowed []int
		want    Machine
		cores   int
	}{
		{
			name:    "nothing is told",
			allowed: []int{0, 1},
			want:    Machine{CPUs: []CPU{{0, 0, 0}, {1, 1, 0}}, Nodes: []int{0}},
			cores:   2,
		},
		{
			name: "two sockets with hyperthreads",
			files: siblings(map[string]string{
				"sys/devices/system/node/online":        "0-1\n",
				"sys/devices/system/node/has_memory":    "0-1\n",
				"sys/devices/system/node/node0/cpulist": "0-1,4-5\n",
				"sys/devices/system/node/node1/cpulist": "2-3,6-7\n",
			}, "0,4", "1,5", "2,6", "3,7"),
			allowed: []int{0, 1, 2, 3, 4, 5, 6, 7},
			want: Machine{CPUs: []CPU{{0, 0, 0}, {1, 1, 0}, {2, 2, 1}, {3, 3, 1}, {4, 0, 0}, {5, 1, 0}, {6, 2, 1}, {7, 3, 1}},
				Nodes: []int{0, 1}},
			cores: 4,
		},
		{
			name: "a part of the processors and of the memory",
			files: siblings(map[string]string{
				"sys/devices/system/node/online":            "0,2\n",
				"sys/devices/system/node/has_normal_memory": "0,2\n",
				"sys/devices/system/node/node0/cpulist":     "0-1\n",
				"sys/devices/system/node/node2/cpulist":     "2-3\n",
				"proc/self/status":                          "Name:\tx\nMems_allowed_list:\t2\n",
			}, "0-1", "2-3"),
			allowed: []int{3, 1, 2},
			want:    Machine{CPUs: []CPU{{1, 0, 0}, {2, 2, 2}, {3, 2, 2}}, Nodes: []int{2}},
			cores:   2,
		},
		{
			name: "files that make no sense",
			files: map[string]string{
				"sys/devices/system/node/online":                            "0-99999999999\n",
				"sys/devices/system/node/has_memory":                        "x",
				"proc/self/status":                                          "Mems_allowed_list:\t-\n",
				"sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "7\n",
			},
			allowed: []int{0},
			want:    Machine{CPUs: []CPU{{0, 0, 0}}, Nodes: []int{0}},
			cores:   1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readTree(tree(tt.files), tt.allowed)
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Cores() != tt.cores {
				t.Errorf("%d cores, want %d", got.Cores(), tt.cores)
			}
		})
	}
}

func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6))
	four := siblings(map[string]string{}, "0,4", "1,5", "2,6", "3,7")
	cpus := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for quota, want := range map[float64]int{0: 4, 0.2: 1, 1: 1, 1.4: 1, 1.6: 2, 2: 2, 3.3: 3, 100: 4} {
		m := readTree(tree(four), cpus)
		m.Quota = quota
		if got := m.Threads(); got != want {
			t.Errorf("with the time of %g processors: %d threads, want %d", quota, got, want)
		}
	}
	if got := unknown(8).Threads(); got != 6 {
		t.Errorf("%d threads, want GOMAXPROCS", got)
	}
	if got := (&Machine{}).Threads(); got != 1 {
		t.Errorf("%d threads on a machine of which nothing is known", got)
	}
}

func TestQuota(t *testing.T) {
	const v2 = "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
	const v1 = "20 1 8:1 / / rw - ext4 /dev/a rw\n32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	for _, tt := range []struct {
		name           string
		groups, mounts string
		files          map[string]string
		want           float64
	}{
		{"no files", "", "", nil, 0},
		{"own group", "0::/a/b\n", v2, map[string]string{"sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 1.5},
		{"without a limit", "0::/a/b\n", v2, map[string]string{"sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 0},
		{"a group above has less", "0::/a/b\n", v2, map[string]string{"sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 2},
		{"the root of a namespace", "0::/\n", v2, map[string]string{"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5},
		{"the host's path", "0::/docker/x\n", "31 23 0:28 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup ro\n", map[string]string{"sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3},
		{"another path", "0::/../y\n", "31 23 0:28 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup ro\n", map[string]string{"sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3},
		{"version 1", "4:memory:/m\n3:cpu,cpuacct:/a\n", v1, map[string]string{"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "250000\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"}, 2.5},
		{"version 1 without a limit", "3:cpu,cpuacct:/a\n", v1, map[string]string{"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"}, 0},
		{"both versions", "1:cpu:/a\n0::/u\n", "1 1 0:1 / /c rw - cgroup cgroup rw,cpu\n2 1 0:2 / /u\\040v rw - cgroup2 cgroup2 rw\n",
			map[string]string{"c/a/cpu.cfs_quota_us": "500000", "c/a/cpu.cfs_period_us": "100000", "u v/u/cpu.max": "400000 100000"}, 4},
		{"nothing of sense", "0::/a\n:\nx\n", v2 + "1 2\n", map[string]string{"sys/fs/cgroup/a/cpu.max": "-5 0 7\n", "sys/fs/cgroup/cpu.max": "9 0"}, 0},
	} {
		files := map[string]string{"proc/self/cgroup": tt.groups, "proc/self/mountinfo": tt.mounts}
		for name, text := range tt.files {
			files[name] = text
		}
		if got := quota(tree(files)); got != tt.want {
			t.Errorf("%s: the time of %g processors, want %g", tt.name, got, tt.want)
		}
	}
}

func TestParseList(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "\n": nil, "0": {0}, "0-3,8,10-11\n": {0, 1, 2, 3, 8, 10, 11}, "5,2-3,3": {2, 3, 5}} {
		got, err := parseList(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"x", "1-", "-1", "3-2", "1,,2", "0-65536", "70000", "0-65535,0-65535", "1 2"} {
		if got, err := parseList(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestParseListReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfDistinct(rapid.IntRange(0, maxNumber-1), rapid.ID).Draw(t, "numbers")
		text := ""
		for i, n := range want {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprint(n)
		}
		slices.Sort(want)
		got, err := parseList(text)
		if err != nil || !slices.Equal(want, got) {
			t.Fatalf("%q is %v, %v", text, got, err)
		}
	})
}

// FuzzReadTree: whatever the files hold, there is a machine of the processors that are allowed, and of a node at least.
func FuzzReadTree(f *testing.F) {
	f.Add("0-1\n", "0,1\n", "0::/a\n", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "150000 100000\n")
	f.Add("1", "0-65535", "1:cpu:/../..\n", "1 1 0:1 /x /\\057 rw - cgroup cgroup rw,cpu\n", "max 1\n")
	f.Fuzz(func(t *testing.T, nodes, list, groups, mounts, limit string) {
		m := readTree(tree(map[string]string{
			"sys/devices/system/node/online":                            nodes,
			"sys/devices/system/node/has_memory":                        nodes,
			"sys/devices/system/node/node0/cpulist":                     list,
			"sys/devices/system/cpu/cpu1/topology/thread_siblings_list": list,
			"proc/self/cgroup":                                          groups,
			"proc/self/mountinfo":                                       mounts,
			"sys/fs/cgroup/cpu.max":                                     limit,
		}), []int{0, 1})
		if len(m.CPUs) != 2 || len(m.Nodes) < 1 || m.Quota < 0 || m.Threads() < 1 || m.Threads() > 2 {
			t.Errorf("%+v, %d threads", m, m.Threads())
		}
	})
}

// TestRead: this machine has what the tests run on.
func TestRead(t *testing.T) {
	m := Read()
	if len(m.CPUs) == 0 || m.Cores() < 1 || m.Cores() > len(m.CPUs) || m.Threads() > runtime.GOMAXPROCS(0) {
		t.Errorf("%+v", m)
	}
	t.Logf("%+v", m)
}
