// Package report renders what a plan holds: the pass table, remarks with like layers collapsed, memory.
package report

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/plan"
)

// Memory is what one rank needs, in bytes.
type Memory struct {
	Weights         int64
	Arena           int64 // of the largest bucket of any entry
	ArenaLowerBound int64 // the most that is alive at one step of it
	CachePerToken   int64
}

// MeasureMemory adds up a plan's memory.
func MeasureMemory(p *plan.Plan) Memory {
	var m Memory
	for _, w := range p.Module.Weights {
		m.Weights += w.Bytes()
	}
	for _, c := range p.Module.Caches {
		m.CachePerToken += int64(c.Slot() * p.Cache.DType.Size())
	}
	for _, prog := range p.Programs {
		for _, l := range prog.Layouts {
			if l.Arena <= m.Arena {
				continue
			}
			m.Arena = l.Arena
			if buffers, err := prog.Buffers(l.Max); err == nil {
				m.ArenaLowerBound = memory.Bound(buffers, prog.Shares())
			}
		}
	}
	return m
}

// Launches counts the kernels that one execution of a graph launches.
func Launches(g *ir.Graph) int {
	n := 0
	for _, of := range g.Launches() {
		n += of
	}
	return n
}

// Passes writes the pass table. Passes that changed nothing are marked.
func Passes(w io.Writer, p *plan.Plan) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "PASS\tNUMERIC\tAPPLIED\tMISSED\tNODES")
	for _, x := range p.Passes {
		if x.Disabled {
			fmt.Fprintf(t, "%s\t%s\tdisabled\t\t%d\n", x.Name, x.Numeric, x.NodesAfter)
			continue
		}
		nodes := strconv.Itoa(x.NodesAfter)
		switch {
		case x.NodesBefore != x.NodesAfter:
			nodes = fmt.Sprintf("%d -> %d", x.NodesBefore, x.NodesAfter)
		case x.Applied == 0: // every rewrite leaves a remark
			nodes += " unchanged"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\n", x.Name, x.Numeric, x.Applied, x.Missed, nodes)
	}
	return t.Flush()
}

// Bytes writes a size with a unit: 1.5 GiB.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n)/1024, 0
	for v >= 1023.95 && i < len(units)-1 { // from there on it rounds to 1024.0
		v /= 1024
		i++
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// Microseconds is a time as JSON has it.
func Microseconds(d time.Duration) float64 { return float64(d) / 1e3 }

// Duration writes microseconds with a unit: 1.24 ms.
func Duration(us float64) string {
	switch { // the borders are where the next smaller unit rounds to 1000
	case us >= 999.995e3:
		return fmt.Sprintf("%.2f s", us/1e6)
	case us >= 999.95:
		return fmt.Sprintf("%.2f ms", us/1e3)
	}
	return fmt.Sprintf("%.1f µs", us)
}
