package hugepages

import (
	"testing"
	"testing/fstest"
)

func TestFree(t *testing.T) {
	const mi = 1 << 20
	const mounts = "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n2 0 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	meminfo := "MemTotal:       1048576 kB\nMemAvailable:    524288 kB\nSwapFree:          1024 kB\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"the machine's", map[string]string{"proc/meminfo": meminfo}, 513 * mi},
		{"a group without a limit", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n"}, 513 * mi},
		{"its own group's", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "104857600\n",
			"sys/fs/cgroup/a/b/memory.current": "62914560\n", "sys/fs/cgroup/a/b/memory.stat": "anon 3\nactive_file 10485760\ninactive_file 20971520\n"}, 70 * mi},
		{"the group's above", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "1:cpu:/x\n0::/a/b\n", "sys/fs/cgroup/a/memory.max": "104857600\n",
			"sys/fs/cgroup/a/memory.current": "209715200\n"}, 0},
		{"a group's of version 1", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:cpu,memory:/x\n0::/\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "10485760\n",
			"sys/fs/cgroup/memory/x/memory.usage_in_bytes": "8388608\n", "sys/fs/cgroup/memory/x/memory.stat": "cache 5\ntotal_active_file 1048576\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 3 * mi},
		{"the root's", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576\n"}, mi},
	} {
		root := fstest.MapFS{"proc/self/mountinfo": {Data: []byte(mounts)}}
		for name, text := range tt.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := freeIn(root); got != tt.want {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.want)
		}
	}
	if n := Free(); n < 1<<20 {
		t.Errorf("this machine has %d bytes", n)
	}
}
