// Package passes holds the compiler's passes, one a file, and the table that runs them.
//
// A pass rewrites a module in place and leaves a remark for every site that it looked at: applied, or missed
// with the reason. The verifier runs after each pass. To add one, write its file and put its row into Table.
package passes

import (
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// Numeric says how far a pass may move results.
type Numeric string

const (
	Exact        Numeric = "exact"         // the same bits
	Reassociates Numeric = "reassociates"  // sums in another order: equal to rounding
	ChangesDType Numeric = "changes dtype" // results in another precision
)

// Pass is one row of the table.
type Pass struct {
	Name    string // verb_object: file, flag and remark prefix
	Doc     string // one sentence
	Numeric Numeric
	After   []Order      // passes that must have run before, and why
	Remarks []RemarkKind // all that the pass has to say, in the order of docs/passes.md
	// PerBucket names what the pass decides for steps of that size in a graph as it is before bucket_graphs; "" where
	// it does nothing. Nil for passes that do the same at every size. The pass itself then finds graphs whose
	// buckets it decides alike for, and asks with the first of them.
	PerBucket func(*Context, *ir.Graph, ir.Bucket) string
	Run       func(*Context) error
}

// Order is one ordering constraint.
type Order struct{ Pass, Why string }

// Table is the pipeline, in order. checkOrder proves the constraints when the program starts.
var Table = []*Pass{
	removeDead,
	removeIdentities,
	foldSharedExpert,
	fuseQKNormRopeKV,
	fuseRoute,
	fuseSwiGLU,
	gatherLastToken,
	quantise,
	shardTensorParallel,
	shareCommon,
	mergeQKV,
	mergeGateUp,
	fuseAddNorm,
	quantiseRows,
	bucketGraphs,
	fuseAllReduceAddNorm,
	fuseQuantise,
	overlapSharedExpert,
	scheduleTransfer,
	planMemory,
}

func init() {
	behindAll(Table[:slices.Index(Table, overlapSharedExpert)+1], overlapSharedExpert, "nodes that others wait for must not be rewritten, and prices are of the nodes as they run")
	behindAll(Table, planMemory, "a layout is of the nodes as they run, and of no others")
	if err := checkOrder(Table); err != nil {
		panic("passes: " + err.Error())
	}
}

func checkOrder(table []*Pass) error {
	seen := map[string]bool{}
	for _, p := range table {
		for _, o := range p.After {
			if !seen[o.Pass] {
				return fmt.Errorf("%s must run after %s: %s", p.Name, o.Pass, o.Why)
			}
		}
		if seen[p.Name] {
			return fmt.Errorf("%s stands in the table twice", p.Name)
		}
		seen[p.Name] = true
	}
	return nil
}

// LegalOrder draws one of the orders of the table that its constraints allow. pick chooses one of n.
func LegalOrder(pick func(n int) int) []*Pass {
	var order []*Pass
	for len(order) < len(Table) {
		ready := slices.DeleteFunc(slices.Clone(Table), func(p *Pass) bool {
			return slices.Contains(order, p) || checkOrder(append(slices.Clone(order), p)) != nil
		})
		order = append(order, ready[pick(len(ready))])
	}
	return order
}

// Names lists the passes in order.
func Names() []string { return names(Table) }

func names(table []*Pass) []string {
	out := make([]string, len(table))
	for i, p := range table {
		out[i] = p.Name
	}
	return out
}

// Options is what the pipeline and the command line say to the passes.
type Options struct {
	TensorParallel int                      // ranks, up to ir.MaxRanks; 0 and 1 mean one
	Weights        dtype.DType              // dtype that Linear weights get; Invalid keeps them
	Activations    dtype.DType              // dtype to quantise the inputs of quantised Linears to; Invalid keeps them
	KeepWeight     func(module string) bool // modules whose weights are not quantised; nil keeps none
	InF32          func(weight string) bool // stored weights that are f32 because they compute in it; nil: all that are f32
	Disabled       []string                 // passes that do not run
	Require        []string                 // passes that must apply at every site
	StopAfter      string                   // the last pass to run; "" runs all
	Transfer       Transfer                 // how the cache leaves a prefill worker
	Cache          dtype.DType              // of keys and values, for prices; Invalid: f32
	Fast           bool                     // products are fast, for prices
	Device         *cost.Device             // that prices are for; nil: there are none, and what a price would decide is applied
	Only           func(Site) bool          // whether a site may be rewritten; nil: all may
	Table          []*Pass                  // the passes to run; nil: Table
	// Observe is called with the module as it was lowered, and no name, and then after each pass that ran; nil for
	// nobody. The module is that which the passes work on: an observer must neither change nor keep it.
	Observe func(pass string, m *ir.Module)
}

func (o *Options) observe(pass string, m *ir.Module) {
	if o.Observe != nil {
		o.Observe(pass, m)
	}
}

// Context is what a pass works on.
type Context struct {
	Module  *ir.Module
	Options *Options
	pass    *Pass
	later   []*Pass // that are going to run behind it
	remarks []Remark
	// programs are what plan_memory makes.
	programs []*plan.Program
	before   map[*ir.Graph]*flow // how values will split over ranks, as the module was before the pass
	splits   *splits
	sites    int // that the pass asked for
}

// Result is what one pass did.
type Result struct {
	Pass                    *Pass
	Disabled                bool
	Applied, Missed         int
	NodesBefore, NodesAfter int
	Time                    time.Duration
	Remarks                 []Remark
	Programs                []*plan.Program // of plan_memory: one for each graph of the module that has buckets
}

// Run applies the table to a module. It fails when a pass breaks the module (a bug, named) or when a
// required pass did not apply somewhere (RequireError).
func Run(m *ir.Module, o *Options) ([]Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := m.Verify(); err != nil {
		return nil, fmt.Errorf("the lowered module is not valid: %w", err)
	}
	o.observe("", m)
	results, err := runAll(o.table(), m, o)
	if err != nil {
		return results, err
	}
	return results, checkRequired(results, o)
}

// runAll runs passes in order, as far as the options say.
func runAll(table []*Pass, m *ir.Module, o *Options) ([]Result, error) {
	if i := slices.IndexFunc(table, func(p *Pass) bool { return p.Name == o.StopAfter }); i >= 0 {
		table = table[:i+1]
	}
	var results []Result
	split := &splits{}
	for i, p := range table {
		r, err := runPass(p, table[i+1:], m, o, split)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

// table is what Run runs. Whoever gives a table of his own, such as another legal order, has it checked too.
func (o *Options) table() []*Pass {
	if o.Table == nil {
		return Table
	}
	return o.Table
}

func (o *Options) check() error {
	if err := checkOrder(o.table()); err != nil {
		return fmt.Errorf("the order of the passes: %w", err)
	}
	if o.TensorParallel < 0 || o.TensorParallel > ir.MaxRanks {
		return fmt.Errorf("%d tensor-parallel ranks: wants 1 to %d", o.TensorParallel, ir.MaxRanks)
	}
	names := names(o.table())
	for _, list := range [][]string{o.Disabled, o.Require, {o.StopAfter}} {
		for _, n := range list {
			if n != "" && !slices.Contains(names, n) {
				return fmt.Errorf("there is no pass %q: the passes are %v", n, names)
			}
		}
	}
	for _, n := range o.Require {
		if slices.Contains(o.Disabled, n) {
			return fmt.Errorf("pass %s is required by the pipeline and disabled on the command line: drop one of the two", n)
		}
	}
	return nil
}

func runPass(p *Pass, rest []*Pass, m *ir.Module, o *Options, split *splits) (Result, error) {
	r := Result{Pass: p, NodesBefore: countNodes(m)}
	r.NodesAfter = r.NodesBefore
	if slices.Contains(o.Disabled, p.Name) {
		r.Disabled = true
		return r, nil
	}
	start := time.Now()
	c := &Context{Module: m, Options: o, pass: p, splits: split}
	for _, q := range rest {
		if !slices.Contains(o.Disabled, q.Name) {
			c.later = append(c.later, q)
		}
	}
	c.before = c.shares()
	if err := p.Run(c); err != nil {
		return r, fmt.Errorf("pass %s: %w", p.Name, err)
	}
	c.price()
	m.SweepWeights()
	if err := m.Verify(); err != nil {
		return r, fmt.Errorf("pass %s left a module that is not valid (a bug in the pass): %w", p.Name, err)
	}
	r.Time, r.NodesAfter, r.Remarks, r.Programs = time.Since(start), countNodes(m), c.remarks, c.programs
	for _, k := range c.remarks {
		if k.Applied {
			r.Applied++
		} else {
			r.Missed++
		}
	}
	o.observe(p.Name, m)
	return r, nil
}

func countNodes(m *ir.Module) int {
	n := 0
	for _, g := range m.Graphs {
		n += len(g.Nodes)
	}
	return n
}
