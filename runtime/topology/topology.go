// Package topology finds out what of this machine's processors and memory a process may use: cores and their
// hyperthreads, memory nodes, and how much processor time its control groups leave it.
//
// Only Linux tells. Elsewhere every processor is taken for a core of its own, and memory for one node.
package topology

import "runtime"

// Machine is what of a machine this process may use.
type Machine struct {
	CPUs  []CPU   // by rising ID
	Nodes []int   // of memory, that this process may allocate from, by rising number; one where the system does not tell
	Quota float64 // processors' time that the control groups leave the process, 0.5 for half of one's; 0: no limit
}

// CPU is a processor as the system counts them: one hyperthread of a core.
type CPU struct {
	ID   int
	Core int // the least ID of the processors that share the core
	Node int // of memory, that is near to it; 0 where the system does not tell
}

// Read finds out about this machine.
func Read() *Machine { return read() }

// unknown is a machine of that many processors of which nothing else is known.
func unknown(cpus int) *Machine {
	m := &Machine{Nodes: []int{0}}
	for i := range cpus {
		m.CPUs = append(m.CPUs, CPU{ID: i, Core: i})
	}
	return m
}

// Cores is how many cores the processors are on.
func (m *Machine) Cores() int {
	cores := map[int]bool{}
	for _, c := range m.CPUs {
		cores[c.Core] = true
	}
	return len(cores)
}

// Threads is how many threads should compute: one for each core, because hyperthreads share the units that multiply;
// but no more than the processors whose time the control groups leave, to the nearest number, or than GOMAXPROCS.
//
// GOMAXPROCS follows the limit of the process's own control group by itself, and rounds it up, to two at the least. For
// threads that compute all the time, and spin while they wait for each other, that is too many: a group that has used up
// its time stops all of them for the rest of a period, 100 ms mostly. Limits of the groups above count here too.
func (m *Machine) Threads() int {
	n := min(max(m.Cores(), 1), runtime.GOMAXPROCS(0))
	if m.Quota > 0 {
		n = min(n, max(int(m.Quota+0.5), 1))
	}
	return n
}
