package page

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/plan"
)

// trackBuilder makes one track.
type trackBuilder struct {
	*builder
	prog   *plan.Program
	graphs []int // place of the program's graph in each step
	track  Track
	places []placeOf // of the final program's operators
}

// placeOf says where an operator of the final program is shown.
type placeOf struct{ section, index, layer int }

func (b *builder) track(program int) error {
	prog := b.in.Plan.Programs[program]
	t := &trackBuilder{builder: b, prog: prog, graphs: make([]int, len(b.history.Steps))}
	t.track = Track{Entry: prog.Graph.Name, Inputs: []Operand{}, Layouts: []Layout{}, Sections: []Section{}, Buffers: []Buffer{}, Sizes: [][]int64{}}
	if len(b.in.Plan.Variants(prog.Graph.Name)) > 1 {
		t.track.Variant = ir.BucketNames(prog.Graph.Buckets)
	}
	at := program
	for i := len(t.graphs) - 1; i >= 0; i-- {
		if at < 0 || b.history.Steps[i].Graphs[at].Entry != prog.Graph.Name {
			return fmt.Errorf("entry %s is not in the module behind %q", prog.Graph.Name, b.history.Steps[i].Pass)
		}
		t.graphs[i] = at
		at = b.history.Steps[i].Graphs[at].Before
	}
	for _, v := range prog.Graph.Inputs {
		t.track.Inputs = append(t.track.Inputs, Operand{Name: v.Input, ID: v.ID, Type: v.Type.String(), Input: v.Input})
	}
	if err := t.layouts(); err != nil {
		return err
	}
	t.sections()
	for i := range t.graphs {
		t.track.Stages = append(t.track.Stages, t.stage(i))
	}
	t.program()
	if err := t.memory(); err != nil {
		return err
	}
	if err := t.measured(); err != nil {
		return err
	}
	b.data.Tracks = append(b.data.Tracks, t.track)
	return nil
}

func (t *trackBuilder) layouts() error {
	for _, l := range t.prog.Layouts {
		buffers, err := t.prog.Buffers(l.Max)
		if err != nil {
			return err
		}
		at := slices.Index(t.data.Buckets, Bucket{l.Phase, l.Max.Tokens, l.Max.Seqs, l.Max.Rows})
		t.track.Layouts = append(t.track.Layouts, Layout{Bucket: at, Arena: l.Arena, Bound: memory.Bound(buffers, t.prog.Shares())})
	}
	return nil
}

// sections lists the parts that the track has at any stage, in the order of the model.
func (t *trackBuilder) sections() {
	for i, at := range t.graphs {
		for _, p := range t.history.Steps[i].Graphs[at].Parts {
			if slices.ContainsFunc(t.track.Sections, func(s Section) bool { return s.key == p.Key }) {
				continue
			}
			t.track.Sections = append(t.track.Sections, Section{Label: p.Where, Layers: list(p.Layers), Count: max(1, len(p.Layers)), key: p.Key})
		}
	}
	slices.SortStableFunc(t.track.Sections, func(a, b Section) int { return a.rank() - b.rank() })
}

// rank orders sections by the layer that is shown.
func (s Section) rank() int {
	switch s.key {
	case "begin":
		return -1
	case "end":
		return 1 << 30
	}
	return s.Layers[0]
}

// stage describes the graph of a step.
func (t *trackBuilder) stage(i int) Stage {
	g := t.history.Steps[i].Graphs[t.graphs[i]]
	s := Stage{Launches: g.Launches, Micros: make([]float64, len(t.data.Buckets)), Replaced: list(g.Replaced)}
	for range t.track.Sections {
		s.Parts, s.Changes = append(s.Parts, []int{}), append(s.Changes, []Change{})
	}
	for _, p := range g.Parts {
		at := slices.IndexFunc(t.track.Sections, func(s Section) bool { return s.key == p.Key })
		s.Parts[at] = list(p.Nodes)
		for _, c := range p.Changes {
			s.Changes[at] = append(s.Changes[at], Change{slices.Index(Kinds, c.Kind), c.Before, c.After})
		}
	}
	if !t.priced {
		s.Micros = []float64{}
		return s
	}
	target := t.target
	target.Ranks = t.steps[i].Ranks
	for _, l := range t.track.Layouts {
		s.Micros[l.Bucket] = digits(6, 1e6*cost.Program(t.steps[i].Graphs[t.graphs[i]], t.sizes[l.Bucket], target).Seconds)
	}
	return s
}

// program describes the final program: where each operator is shown, where it runs, and what it does.
func (t *trackBuilder) program() {
	next := map[int]int{} // operators of a layer so far
	at := map[*ir.Node]int{}
	begun := false
	for i, n := range t.prog.Graph.Nodes {
		begun = begun || n.Origin.Layer >= 0
		p := placeOf{section: t.sectionOf(n.Origin.Layer, begun), layer: max(n.Origin.Layer, -1)}
		key := p.layer
		if key < 0 && begun {
			key = -2
		}
		p.index = next[key]
		next[key]++
		at[n] = i
		step := Step{Section: p.section, Place: p.index, Layer: p.layer, Stream: n.Stream}
		for _, w := range n.Waits {
			step.Waits = append(step.Waits, at[w])
		}
		t.places = append(t.places, p)
		t.track.Program = append(t.track.Program, step)
	}
	t.work()
}

// sectionOf is the section that shows a layer.
func (t *trackBuilder) sectionOf(layer int, begun bool) int {
	return slices.IndexFunc(t.track.Sections, func(s Section) bool {
		switch {
		case layer >= 0:
			return slices.Contains(s.Layers, layer)
		case begun:
			return s.key == "end"
		}
		return s.key == "begin"
	})
}

// work adds what the operators do, from the first layer that is shown by a section.
func (t *trackBuilder) work() {
	last := t.track.Stages[len(t.track.Stages)-1]
	for _, part := range last.Parts {
		t.track.Work = append(t.track.Work, make([][]Work, len(part)))
	}
	for i, n := range t.prog.Graph.Nodes {
		p := t.places[i]
		if t.track.Work[p.section][p.index] != nil {
			continue
		}
		row := []Work{}
		for _, l := range t.track.Layouts {
			if !t.priced {
				w := n.WorkOf(t.sizes[l.Bucket])
				row = append(row, Work{Flops: rounded(w.Flops), Bytes: rounded(w.ReadBytes + w.WriteBytes), Comm: rounded(w.CommBytes)})
				continue
			}
			e := cost.Node(n, t.sizes[l.Bucket], t.target)
			row = append(row, Work{Flops: rounded(e.Flops), Bytes: rounded(e.Bytes), Comm: rounded(e.CommBytes), Bound: e.Bound()})
		}
		t.track.Work[p.section][p.index] = row
	}
}

// memory describes the arena.
func (t *trackBuilder) memory() error {
	t.track.Buffers = make([]Buffer, t.prog.Storages())
	for i := range t.track.Buffers {
		v := t.prog.Result(i)
		t.track.Buffers[i].Value, t.track.Buffers[i].Result = v.ID, slices.Index(v.Def.Out, v)
	}
	shares := t.prog.Shares()
	sizes := make([][]int64, len(t.track.Buffers))
	for at, layout := range t.prog.Layouts {
		buffers, err := t.prog.Buffers(layout.Max)
		if err != nil {
			return err
		}
		for i, x := range buffers {
			b := &t.track.Buffers[i]
			b.First, b.Last = x.First, x.Last
			b.Offsets = append(b.Offsets, layout.Offsets[i])
			sizes[i] = append(sizes[i], x.Bytes)
		}
		for _, s := range shares {
			if layout.Offsets[s.From] == layout.Offsets[s.Into] {
				b := &t.track.Buffers[s.Into]
				b.Over = append(b.Over, at)
			}
		}
	}
	kinds := map[string]int{}
	for i, s := range sizes {
		key := fmt.Sprint(s)
		k, ok := kinds[key]
		if !ok {
			k = len(kinds)
			kinds[key] = k
			t.track.Sizes = append(t.track.Sizes, s)
		}
		t.track.Buffers[i].Kind = k
	}
	return nil
}

// list is a list that JSON does not write as null.
func list[T any](x []T) []T {
	if x == nil {
		return []T{}
	}
	return x
}
