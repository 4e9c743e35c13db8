// Package plan is the compiled form of a model: what the compiler writes and the runtime executes.
//
// In memory a plan is an ir.Module of which every graph is final, with a layout of its results for each batch
// bucket, and the facts that the runtime needs. Encode writes it as a file and Decode reads one; a file is
// data that nobody trusts, and Decode returns only plans that it has checked from end to end
// (docs/plan-format.md).
package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/race"
	"github.com/glmc/glmc/compiler/schedule"
	"github.com/glmc/glmc/kernels/dtype"
)

// Plan is a compiled model.
type Plan struct {
	Model    string
	Pipeline string // "" for the default one
	Target   string // device that it was compiled for
	Module   *ir.Module
	Facts    Facts
	Cache    CacheFormat
	Serving  Serving
	Aliases  []Alias
	Ignores  []Ignore
	Programs []*Program // one for each graph of the module, in its order: several for an entry that has variants
	Passes   []Pass
	Remarks  []Remark
	Source   Source
	Evidence *Evidence // nil where the passes were not validated
}

// Facts is what the runtime has to know of the model.
type Facts struct {
	VocabSize    int
	HiddenSize   int
	MaxPositions int // 0: unknown
}

// CacheFormat is how keys and values are stored.
type CacheFormat struct {
	DType    dtype.DType
	PageSize int // tokens
}

// Serving is how the pipeline wants the plan to be served.
type Serving struct {
	Precision     Precision
	PrefillChunk  int
	Drafts        []Draft
	Transfer      bool
	TransferAsync bool
	TransferPer   string
}

// Draft is one way of drafting tokens, with its options in the order of their names.
type Draft struct {
	Kind    string
	Options ir.Attrs
}

// Alias says where a tensor is found that is not stored under its own name.
type Alias struct {
	Name   string // pattern with holes
	Target string
	Index  []Index
}

// Index is one element of a dimension, which is dropped, or a range of it.
type Index struct {
	Hole     string // the element is the number that this hole of the alias matched; "": From
	From, To int
	Range    bool
}

// Ignore lists stored tensors that the model does not use.
type Ignore struct {
	Name   string // pattern with holes
	Reason string
}

// Pass is what one pass of the compiler did.
type Pass struct {
	Name, Doc, Numeric      string
	Disabled                bool
	Applied, Missed         int
	NodesBefore, NodesAfter int
}

// Remark is what a pass had to say about one site.
type Remark struct {
	Pass          string
	ID            string
	Applied       bool
	Entry         string
	Buckets       string // sizes of steps that it is about, where the entry has variants
	Layer         int    // -1 outside of any layer
	Source        string // file:line:col
	End           string // line:col behind the last character there; "": not known
	Reason        string
	SavesLaunches int
	SavesBytes    int64         // of activations, for each token
	SavesDecode   time.Duration // of the largest decode bucket, as predicted; below 0: it costs as much
	SavesPrefill  time.Duration // likewise of the prefill chunk
}

// Program is one graph with its layouts.
type Program struct {
	Graph   *ir.Graph
	Layouts []Layout // by bucket, ascending in tokens
	// storage numbers the results that need bytes of their own; results that rename another's elements
	// share its number.
	storage map[*ir.Value]int
	roots   []*ir.Value
	live    []liveRange
	races   *race.Checker // made for the first layout
}

// Layout is where results lie when a step is no larger than the bucket.
type Layout struct {
	ir.Bucket
	Arena   int64
	Offsets []int64 // by storage; a result that takes over an operand's bytes has its offset
}

type liveRange struct{ first, last int }

// NewProgram numbers a graph's storages and finds their live ranges.
func NewProgram(g *ir.Graph) *Program {
	p := &Program{Graph: g, storage: map[*ir.Value]int{}}
	for i, n := range g.Nodes {
		for _, v := range n.In {
			p.touch(v, i)
		}
		for _, v := range n.Out {
			if v.Type.State {
				continue
			}
			if n.Op.View {
				if s, ok := p.storage[n.In[0]]; ok {
					p.storage[v] = s
				}
				continue
			}
			p.storage[v] = len(p.roots)
			p.roots = append(p.roots, v)
			p.live = append(p.live, liveRange{i, i})
		}
	}
	p.outlive(g)
	for _, v := range g.Outputs {
		p.touch(v, len(g.Nodes))
	}
	return p
}

// outlive makes live ranges hold for devices that run several streams: a storage lives until behind the last
// node that is not ordered behind all that touch it. A node that stands later in the list may still run earlier,
// as the routed experts do that stand behind the shared one: had their result the bytes of the shared expert's
// input, it would write over what is still being read. Behind that node and not until it, because that node
// must not take over the bytes of its own operand either.
func (p *Program) outlive(g *ir.Graph) {
	if g.Streams() == 1 {
		return // a node has finished when the next one starts
	}
	order := schedule.NewOrder(g)
	for i, n := range g.Nodes {
		for _, v := range slices.Concat(n.In, n.Out) {
			if s, ok := p.storage[v]; ok {
				if until := order.Until(i); until > i {
					p.live[s].last = max(p.live[s].last, until+1)
				}
			}
		}
	}
}

func (p *Program) touch(v *ir.Value, step int) {
	if s, ok := p.storage[v]; ok && v != nil {
		p.live[s].last = step
	}
}

// Storage returns the number of the storage that holds a value; false for values that are not in the arena.
func (p *Program) Storage(v *ir.Value) (int, bool) {
	s, ok := p.storage[v]
	return s, ok
}

// Storages is the number of storages.
func (p *Program) Storages() int { return len(p.roots) }

// Result is the value that was written into a storage. Views of it have the same one.
func (p *Program) Result(storage int) *ir.Value { return p.roots[storage] }

// Buffers gives the storages' sizes and live ranges for a bucket.
func (p *Program) Buffers(max ir.Sizes) ([]memory.Buffer, error) {
	out := make([]memory.Buffer, len(p.roots))
	for i, v := range p.roots {
		n, err := memory.Bytes(v.Type, max)
		if err != nil {
			return nil, fmt.Errorf("value %%%d: %w", v.ID, err)
		}
		out[i] = memory.Buffer{Bytes: n, First: p.live[i].first, Last: p.live[i].last}
	}
	return out, nil
}

// AddLayout adds a bucket to the graph and plans its arena.
func (p *Program) AddLayout(phase string, max ir.Sizes) error {
	b := ir.Bucket{Phase: phase, Max: max}
	p.Graph.Buckets = append(p.Graph.Buckets, b)
	return p.LayOut(b)
}

// Program returns the program of an entry, the first one where it has variants, or nil.
func (p *Plan) Program(entry string) *Program {
	for _, q := range p.Variants(entry) {
		return q
	}
	return nil
}

// Entries lists the entries in the order of their first programs.
func (p *Plan) Entries() []string {
	var names []string
	for _, q := range p.Programs {
		if !slices.Contains(names, q.Graph.Name) {
			names = append(names, q.Graph.Name)
		}
	}
	return names
}

// Variants returns the programs of an entry, none where the plan has no such entry. Several are for different
// buckets; they take the same inputs and return the same results.
func (p *Plan) Variants(entry string) []*Program {
	var out []*Program
	for _, q := range p.Programs {
		if q.Graph.Name == entry {
			out = append(out, q)
		}
	}
	return out
}
