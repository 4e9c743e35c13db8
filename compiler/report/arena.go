package report

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/plan"
)

// Arena is the memory of one entry's results in one bucket, over the steps of its list: step i is the graph's node i, and
// behind the last one the caller reads what the entry returns.
type Arena struct {
	Entry   string        `json:"entry"`
	Phase   string        `json:"phase"`
	Tokens  int           `json:"tokens"` // the largest step of the bucket
	Seqs    int           `json:"seqs"`
	Rows    int           `json:"rows"`
	Steps   int           `json:"steps"`    // nodes of the graph
	Bytes   int64         `json:"bytes"`    // of the arena
	Bound   int64         `json:"bound"`    // no layout can do with less (memory.Bound)
	InPlace int           `json:"in_place"` // buffers that took over another's bytes
	Peak    int           `json:"peak"`     // the first step at which most is alive
	Live    []int64       `json:"live"`     // bytes alive at each step, with alignment; what is shared counts once
	Buffers []ArenaBuffer `json:"buffers"`  // in the order in which they are written
}

// ArenaBuffer is where one result lies, and how long. Views of it lie there too.
type ArenaBuffer struct {
	Value     int    `json:"value"` // the number of the value, %12
	Type      string `json:"type"`
	Op        string `json:"op"`   // of the node that writes it
	Path      string `json:"path"` // of the block that the node stands in
	Layer     int    `json:"layer"`
	Source    string `json:"source"`
	First     int    `json:"first"`     // the step that writes it
	LastRead  int    `json:"last_read"` // the last step that reads it
	Last      int    `json:"last"`      // the last step at which its bytes are kept: later than LastRead where another stream may be behind
	Offset    int64  `json:"offset"`
	Bytes     int64  `json:"bytes"`
	InPlaceOf int    `json:"in_place_of"` // the buffer whose bytes it took over at First; -1: none
}

// MeasureArena gives the memory of a program in one of its layouts.
func MeasureArena(p *plan.Program, l *plan.Layout) (*Arena, error) {
	buffers, err := p.Buffers(l.Max)
	if err != nil {
		return nil, err
	}
	shares := p.Shares()
	a := &Arena{Entry: p.Graph.Name, Phase: l.Phase, Tokens: l.Max.Tokens, Seqs: l.Max.Seqs, Rows: l.Max.Rows, Steps: len(p.Graph.Nodes),
		Bytes: l.Arena, Bound: memory.Bound(buffers, shares), Buffers: []ArenaBuffer{}}
	for i, b := range buffers {
		v := p.Result(i)
		o := v.Def.Origin
		a.Buffers = append(a.Buffers, ArenaBuffer{Value: v.ID, Type: v.Type.String(), Op: v.Def.Op.Name, Path: o.Path, Layer: o.Layer, Source: o.Source,
			First: b.First, LastRead: b.First, Last: b.Last, Offset: l.Offsets[i], Bytes: b.Bytes, InPlaceOf: -1})
	}
	for _, s := range shares {
		if l.Offsets[s.From] == l.Offsets[s.Into] {
			a.Buffers[s.Into].InPlaceOf = s.From
			a.InPlace++
		}
	}
	a.readers(p)
	a.measure()
	return a, nil
}

// readers finds who reads each buffer last.
func (a *Arena) readers(p *plan.Program) {
	read := func(v *ir.Value, step int) {
		if s, ok := p.Storage(v); ok {
			a.Buffers[s].LastRead = step
		}
	}
	for i, n := range p.Graph.Nodes {
		for _, v := range n.In {
			if !n.Op.View {
				read(v, i)
			}
		}
	}
	for _, v := range p.Graph.Outputs {
		read(v, a.Steps)
	}
}

// measure adds up what is alive.
func (a *Arena) measure() {
	a.Live = make([]int64, a.Steps+2)
	for _, b := range a.Buffers {
		size, first := (b.Bytes+memory.Align-1)/memory.Align*memory.Align, b.First
		if b.InPlaceOf >= 0 {
			first++ // at that step the bytes are the other's, which live until it ends
		}
		a.Live[first] += size
		a.Live[b.Last+1] -= size
	}
	for i := 1; i < len(a.Live); i++ {
		a.Live[i] += a.Live[i-1]
	}
	a.Live = a.Live[:a.Steps+1]
	for i, n := range a.Live {
		if n > a.Live[a.Peak] {
			a.Peak = i
		}
	}
}

// At lists the buffers that are alive at a step, by number.
func (a *Arena) At(step int) []int {
	var out []int
	for i, b := range a.Buffers {
		if b.First <= step && step <= b.Last && (b.InPlaceOf < 0 || b.First < step) {
			out = append(out, i)
		}
	}
	return out
}

// String names the bucket: "forward, prefill 512".
func (a *Arena) String() string { return fmt.Sprintf("%s, %s %d", a.Entry, a.Phase, a.Tokens) }
