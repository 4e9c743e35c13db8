// Package exec runs plans on this machine: it loads the weights, allocates KV cache and arena, binds every
// step to a kernel of the device and executes programs, on one rank or on several in one process.
package exec

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/hugepages"
	"github.com/glmc/glmc/runtime/packed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// Options say how a plan is run.
type Options struct {
	Device  string   // see DeviceNames
	Threads int      // shared by all ranks; 0: the machine's
	Pages   int      // KV pages of each layer
	Entries []string // entries to load; nil: all
	// Precision is how products are computed; nil: as the plan has it. Executor.Precision says what became of it.
	Precision *plan.Precision
	// Trace is called after every step on every rank, from the rank's goroutine, with what the kernel saw.
	// Views are valid during the call. An operand whose bytes a result took over (ir.InPlace) shows the result.
	Trace func(rank int, n *ir.Node, c *kernels.Call)
	// Timed is called after every operator on every rank, from the rank's goroutine, with how long its kernel took in a
	// step of that entry and bucket.
	Timed func(rank int, entry string, b ir.Bucket, n *ir.Node, took time.Duration)
	// Send is called at every transfer point of a program (kv.send), from the rank's goroutine, with the slots of
	// the cache that the step wrote. When it has returned they may be written over. Nil: nothing is transferred.
	Send func(rank int, c *ir.Cache, kept *kernels.Cache, slots []int32) error

	// Packed is a packed file of the checkpoint, from which weights are taken that it holds as the device wants them. It
	// stays open for as long as the executor is used. Nil: all weights come from the checkpoint.
	Packed *packed.File

	newDevice func(name string, ranks, threads int, p plan.Precision) (Device, error) // nil: NewDevice
}

// Executor holds a plan that is ready to run. Its methods must not be called at the same time.
type Executor struct {
	plan    *plan.Plan
	entries map[string][]*plan.Program // by name, one for each variant
	ranks   []*rank
	group   *group
	weights *hugepages.Region // of all ranks
	pages   int
	memory  float64 // bytes that KV cache and arenas may take
	rounded []weights.Rounded
	stats   weights.Stats
}

// Rounded lists the weights whose stored values lost precision when they were loaded.
func (e *Executor) Rounded() []weights.Rounded { return e.rounded }

// Precision is how products are computed. It is Exact where Fast was asked for and the processor has no kernels for it.
func (e *Executor) Precision() plan.Precision { return e.ranks[0].device.Precision() }

// Weights says where the weights come from.
func (e *Executor) Weights() weights.Stats { return e.stats }

// rank is what one tensor-parallel rank owns.
type rank struct {
	number   int
	device   Device
	comm     kernels.Comm // nil with a single rank
	trace    func(rank int, n *ir.Node, c *kernels.Call)
	timed    func(rank int, entry string, b ir.Bucket, n *ir.Node, took time.Duration)
	programs map[string][]*program // of each entry, one for each of its variants
	cache    *hugepages.Region     // the KV caches; nil: in Go's heap
	kept     []*kernels.Cache      // one for each layer
}

// ErrCheckpoint says that a checkpoint's tensors are not those that a plan asks for.
var ErrCheckpoint = errors.New("the checkpoint does not fit the model")

// New loads a plan's weights from a checkpoint, which must stay open for as long as the executor is used. The error is
// an ErrCheckpoint where the tensors are not those that the plan asks for.
func New(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, o Options) (*Executor, error) {
	return newExecutor(ctx, p, ckpt, o, machineMemory())
}

// newExecutor is New with a bound on the bytes that KV cache and arenas may take.
func newExecutor(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, o Options, memory float64) (*Executor, error) {
	loader, err := weights.NewLoader(p, ckpt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	e := &Executor{plan: p, pages: o.Pages, memory: memory, entries: map[string][]*plan.Program{}}
	for _, q := range p.Programs {
		e.entries[q.Graph.Name] = append(e.entries[q.Graph.Name], q)
	}
	if p.Module.Ranks > 1 {
		e.group = newGroup(p.Module.Ranks)
	}
	if err := e.start(ctx, loader, o); err != nil {
		e.Close()
		return nil, err
	}
	e.rounded, e.stats = loader.Rounded(), loader.Stats()
	return e, nil
}

// device makes the device of one rank of a plan.
func (o *Options) device(p *plan.Plan) (Device, error) {
	precision := p.Serving.Precision
	if o.Precision != nil {
		precision = *o.Precision
	}
	if o.newDevice != nil {
		return o.newDevice(o.Device, p.Module.Ranks, o.Threads, precision)
	}
	return NewDevice(o.Device, p.Module.Ranks, o.Threads, precision)
}

// start makes the ranks and everything that they need.
func (e *Executor) start(ctx context.Context, loader *weights.Loader, o Options) error {
	if err := takePacked(ctx, loader, o.Packed); err != nil {
		return err
	}
	for n := range e.plan.Module.Ranks {
		dev, err := o.device(e.plan)
		if err != nil {
			return err
		}
		r := &rank{number: n, device: dev, trace: o.Trace, timed: o.Timed, programs: map[string][]*program{}}
		if e.group != nil {
			r.comm = &member{g: e.group, rank: n}
		}
		e.ranks = append(e.ranks, r)
	}
	entries := programsOf(e.plan, o.Entries)
	caches := make([]map[*ir.Cache]*kernels.Cache, len(e.ranks))
	for i, r := range e.ranks {
		var err error
		if caches[i], err = r.makeCaches(e, entries); err != nil {
			return err
		}
	}
	wants := make([][]weights.Want, len(e.ranks))
	for i, r := range e.ranks {
		wants[i] = wantsOf(entries, r.number, r.device)
	}
	if err := e.reserve(loader, slices.Concat(wants...)); err != nil {
		return err
	}
	for i, r := range e.ranks {
		loaded, err := load(ctx, loader, wants[i])
		if err != nil {
			return err
		}
		if err := r.bind(e, entries, loaded, caches[i], o); err != nil {
			return err
		}
	}
	return nil
}

// bind binds the entries to the rank's weights and caches.
func (r *rank) bind(e *Executor, entries []*plan.Program, loaded map[*ir.Weight]kernels.Tensor, caches map[*ir.Cache]*kernels.Cache, o Options) error {
	for _, p := range entries {
		b, err := bind(p, r.device.Kernels(), r.comm, loaded, caches)
		if err != nil {
			return fmt.Errorf("entry %s: %w", p.Graph.Name, err)
		}
		if o.Send != nil {
			b.sendTo(func(c *ir.Cache, kept *kernels.Cache, slots []int32) error { return o.Send(r.number, c, kept, slots) })
		}
		variants := r.programs[p.Graph.Name]
		if len(variants) == 0 {
			b.arena = &arena{memory: e.memory}
		} else {
			b.arena = variants[0].arena
		}
		r.programs[p.Graph.Name] = append(variants, b)
	}
	return nil
}

// makeCaches makes the KV caches that entries read or write. Entries that name the same one share it.
func (r *rank) makeCaches(e *Executor, entries []*plan.Program) (map[*ir.Cache]*kernels.Cache, error) {
	caches := map[*ir.Cache]*kernels.Cache{}
	for v := range operands(entries) {
		if v.Cache != nil {
			caches[v.Cache] = nil
		}
	}
	kept := r.device.Cache(e.plan.Cache.DType)
	if err := checkCaches(e.plan, slices.Collect(maps.Keys(caches)), e.pages, kept, e.memory); err != nil {
		return nil, err
	}
	size := int64(0)
	for c := range caches {
		slots := int64(e.plan.Cache.PageSize) * int64(e.pages)
		size += hugepages.Room(slots*int64(c.Heads*c.HeadDim*kept.Size())) + hugepages.Room(slots*int64(c.Heads*c.ValueSize()*kept.Size()))
	}
	r.cache = cacheRoom(size)
	for c := range caches {
		caches[c] = newCache(r.cache, kept, e.plan.Cache.PageSize, e.pages, c)
		r.kept = append(r.kept, caches[c])
	}
	return caches, nil
}

// operands yields the operands of all nodes in order, each as often as it is one.
func operands(entries []*plan.Program) iter.Seq[*ir.Value] {
	return func(yield func(*ir.Value) bool) {
		for _, p := range entries {
			for _, n := range p.Graph.Nodes {
				for _, v := range n.In {
					if v != nil && !yield(v) {
						return
					}
				}
			}
		}
	}
}

// Close ends the devices' goroutines and gives the memory of weights and caches back. The executor cannot be used afterwards.
func (e *Executor) Close() {
	for _, r := range e.ranks {
		r.device.Close()
		_ = r.cache.Close()
	}
	_ = e.weights.Close() // the system takes its own memory back
}

// Plan is the plan that the executor runs.
func (e *Executor) Plan() *plan.Plan { return e.plan }

// Pages is the number of KV pages.
func (e *Executor) Pages() int { return e.pages }

// Inputs are the operands of one step by name, such as "tokens" i32[T]; the entry's graph lists them. An
// input that the entry does not have is ignored.
type Inputs map[string]kernels.Tensor

// Max is the largest step that an entry has a layout for.
func (e *Executor) Max(entry string) (ir.Sizes, error) {
	variants := e.entries[entry]
	if len(variants) == 0 {
		return ir.Sizes{}, fmt.Errorf("the plan has no entry %q", entry)
	}
	var most ir.Sizes
	for _, p := range variants {
		for _, l := range p.Layouts {
			if l.Max.Tokens > most.Tokens {
				most = l.Max
			}
		}
	}
	return most, nil
}

// Step executes an entry once on all ranks and returns its results, which are valid until the entry's next
// step, list and all; so they can be another entry's inputs, and have to be copied to be the same entry's. After an error
// the KV slots that the step was to write hold anything.
//
// On one rank, steps allocate nothing once the arena and the scratch of the kernels have grown to the largest of them.
func (e *Executor) Step(ctx context.Context, entry string, in Inputs) ([]kernels.Tensor, error) {
	variants := e.entries[entry]
	if len(variants) == 0 || e.ranks[0].programs[entry] == nil {
		return nil, fmt.Errorf("entry %q is not in the plan or was not loaded", entry)
	}
	sizes, err := measure(variants[0].Graph, in)
	if err != nil {
		return nil, err
	}
	at, ok := fit(variants, sizes)
	if !ok {
		return nil, fmt.Errorf("a step of %d tokens, %d sequences and %d rows fits none of the plan's buckets for %s", sizes.Tokens, sizes.Seqs, sizes.Rows, entry)
	}
	if err := e.runRanks(ctx, entry, at, sizes, in); err != nil {
		return nil, err
	}
	return e.ranks[0].programs[entry][at.variant].results(), nil
}

// Move copies the keys and values in slots from to slots to, one after the other, in all layers on all ranks: of tokens that a step ran
// elsewhere than where they stay. It must not be called beside a step. Where a slot does not exist, nothing is copied.
func (e *Executor) Move(from, to []int32) error {
	for _, r := range e.ranks {
		for _, c := range r.kept {
			if err := c.Move(from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Executor) runRanks(ctx context.Context, entry string, at place, sizes ir.Sizes, in Inputs) error {
	if len(e.ranks) == 1 {
		return e.ranks[0].step(ctx, entry, at, sizes, in)
	}
	errs := make([]error, len(e.ranks))
	var wg sync.WaitGroup
	for i, r := range e.ranks {
		wg.Go(func() {
			if errs[i] = r.step(ctx, entry, at, sizes, in); errs[i] != nil {
				e.group.tearDown()
			}
		})
	}
	wg.Wait()
	return e.settle(errs)
}

// settle returns the error of the first rank that failed, and makes the group usable again. Ranks that were only
// released from a collective did not fail.
func (e *Executor) settle(errs []error) error {
	failed := errors.Join(errs...)
	if failed == nil {
		return nil
	}
	e.group.reset()
	for _, err := range errs {
		if err != nil && !errors.Is(err, errTornDown) {
			return err
		}
	}
	return failed
}

// step runs a program's steps one by one. Their order is one that all streams allow (ir.MaxStreams), and a kernel
// has finished when it returns, so that streams and waits say nothing here.
func (r *rank) step(ctx context.Context, entry string, at place, sizes ir.Sizes, in Inputs) (err error) {
	b := r.programs[entry][at.variant]
	if err := b.set(in, at.layout, sizes); err != nil {
		return err
	}
	var s *step
	defer func() {
		if x := recover(); x != nil {
			err = panicked(s, x)
		}
	}()
	for i := range b.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s = &b.steps[i]
		var start time.Time
		if r.timed != nil {
			start = time.Now()
		}
		if err := s.run(&s.call); err != nil {
			return fmt.Errorf("%s of %s (%s): %w", s.node.Op.Name, s.node.Origin.Path, s.node.Origin.Source, err)
		}
		if r.timed != nil {
			r.timed(r.number, entry, at.layout.Bucket, s.node, time.Since(start))
		}
		if r.trace != nil {
			r.trace(r.number, s.node, &s.call)
		}
	}
	return nil
}
