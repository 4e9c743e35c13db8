package passes

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/plan"
)

// planMemory gives the results of every graph their places in an arena, for each of its buckets: results that are not
// alive together share bytes, and one that is computed in place has the bytes of its operand.
//
// It changes no graph. What it makes are programs (Result.Programs), which the plan takes over. It is a row of the table
// for what the table gives to every pass: a place in the order, remarks, a time, a name to require or to disable, sites to
// leave alone. Without it results lie side by side. Nothing else changes, so a plan whose results are wrong with it
// and right without it has a wrong layout, or a kernel that does not bear being in place.
//
// Why it is right: memory.Check, which knows nothing of the planner, runs over every layout here, and again when a
// plan is loaded; see there. A layout is of one list of nodes: a pass behind this one that changed a graph would
// make its layouts worthless, so it runs behind all others.
var planMemory = &Pass{
	Name:    "plan_memory",
	Doc:     "places of results in the arena: shared by those that are not alive together, in place where operators allow it",
	Numeric: Exact,
	Remarks: []RemarkKind{
		{"laid_out", true, "the arena of the largest step is no larger than what is alive at once"},
		{"above_bound", false, "the arena of the largest step is larger than what is alive at once"},
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			if len(g.Buckets) == 0 || len(g.Nodes) == 0 {
				continue // a graph that nobody is going to run
			}
			p, err := c.place(g)
			if err != nil {
				return err
			}
			c.programs = append(c.programs, p)
		}
		return nil
	},
}

// behindAll makes a pass run behind all others of a table, for that reason.
func behindAll(table []*Pass, last *Pass, why string) {
	last.After = nil
	for _, p := range table {
		if p != last {
			last.After = append(last.After, Order{p.Name, why})
		}
	}
}

// place lays a graph out for its buckets. Each is a site; a remark is about those that follow one another and are alike.
func (c *Context) place(g *ir.Graph) (*plan.Program, error) {
	p := plan.NewProgram(g)
	shares := p.Shares()
	var alike []placed
	flush := func() {
		if len(alike) > 0 {
			c.placed(p, alike)
		}
		alike = nil
	}
	for _, b := range g.Buckets {
		if !c.may(g, ir.Origin{Layer: -1, Source: g.Nodes[0].Origin.Source}) {
			flush()
			if err := p.LayOutApart(b); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.LayOut(b); err != nil {
			return nil, err
		}
		x, err := measure(p, shares)
		if err != nil {
			return nil, err
		}
		if len(alike) > 0 && !alike[0].like(x) {
			flush()
		}
		alike = append(alike, x)
	}
	flush()
	return p, nil
}

// placed is what came of one bucket.
type placed struct {
	bucket       ir.Bucket
	arena, bound int64
	total        int64 // bytes of all results
	step         int   // at which most is alive
	inPlace      int
}

func (x placed) like(y placed) bool {
	return x.bucket.Phase == y.bucket.Phase && x.step == y.step && x.inPlace == y.inPlace && (x.arena > x.bound) == (y.arena > y.bound)
}

// measure looks at the layout that was made last.
func measure(p *plan.Program, shares []memory.Share) (placed, error) {
	l := &p.Layouts[len(p.Layouts)-1]
	buffers, err := p.Buffers(l.Max)
	if err != nil {
		return placed{}, err
	}
	x := placed{bucket: l.Bucket, arena: l.Arena}
	x.bound, x.step = memory.Peak(buffers, shares)
	for _, b := range buffers {
		x.total += b.Bytes
	}
	for _, s := range shares {
		if l.Offsets[s.From] == l.Offsets[s.Into] {
			x.inPlace++
		}
	}
	return x, nil
}

// placed says how near arenas are to what they have to be.
func (c *Context) placed(p *plan.Program, alike []placed) {
	g, first, last := p.Graph, alike[0], alike[len(alike)-1]
	o, at := ir.Origin{Layer: -1, Source: g.Nodes[len(g.Nodes)-1].Origin.Source}, "at the end"
	if first.step < len(g.Nodes) {
		o.Source, at = g.Nodes[first.step].Origin.Source, "at "+g.Nodes[first.step].Op.Name
	}
	results := fmt.Sprintf("%s for %d results of %s, %d of them in place", size(first.arena, last.arena), p.Storages(), size(first.total, last.total), first.inPlace)
	if first.arena <= first.bound {
		c.applied(g, o, "laid_out", Saves{}, "%s: as little as is alive %s", results, at)
	} else {
		c.missed(g, o, "above_bound", "%s: %s are alive %s, and no order of placing that was tried leaves room for the others in one piece",
			results, size(first.bound, last.bound), at)
	}
	var buckets []ir.Bucket
	for _, x := range alike {
		buckets = append(buckets, x.bucket)
	}
	c.remarks[len(c.remarks)-1].Buckets = ir.BucketNames(buckets)
}

// size writes bytes with a unit, or a range of them.
func size(from, to int64) string {
	if from != to {
		return size(from, from) + ".." + size(to, to)
	}
	units, i := []string{"B", "KiB", "MiB", "GiB", "TiB"}, 0
	v := float64(to)
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.4g %s", v, units[i])
}
