// Package cpu holds the fast kernels for the CPU: kernels.Set operators that mean what those of package ref mean,
// spread over a pool of threads. They are Go, but for the inner products and the functions over rows, which have
// versions in assembly for processors with AVX-512 and with AVX2 (see tier.go and vectors.go).
//
// Weights stay in the format of the checkpoint: F32, BF16, F16, F8E4M3 or I8 with a scale for each output channel, or I4
// with one for each group of a row. Activations are F32. A matrix product with BF16 or F8E4M3 weights first rounds its input
// rows to bfloat16, as the bfloat16 dot product of AVX-512 does (VDPBF16PS); products are exact then and are summed in
// float32, and an F8E4M3 channel's scale multiplies the sum. So do products with weights in panels, I8 and I4 too, but
// for a device that is fast (see NewFast). Other weights take their inputs unrounded. Attention over a cache of
// BF16 or F8E4M3 rounds queries and the softmax's weights likewise where the processor has that dot product, and
// does not where it has not.
//
// Results do not depend on the number of threads, nor on which rows come together in a step: each output is
// one sum in one order (see dot.go and panel.go), whoever computes it.
package cpu

import (
	"runtime"
	"sync"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/ref"
)

// Device owns the threads and tables that its kernels share. Its kernels may run on several goroutines at
// once, each Func on one; a loop that finds the threads busy runs on its caller alone.
type Device struct {
	pool     *pool
	threads  int
	dots     *dots
	vectors  *vectors
	panels   *panelTable // nil where dots has none
	fast     bool        // see NewFast
	maxInner int         // see experts

	mu    sync.Mutex
	ropes map[kernels.RopeParams]*ropeTable

	attention attnScratches
}

// New starts a device of that many threads, the calling one included; GOMAXPROCS for threads < 1. Its inner products are
// the best that the processor has, or those that the environment variable GLMC_CPU names: the error says which it may.
func New(threads int) (*Device, error) {
	table, err := tierFromEnvironment()
	if err != nil {
		return nil, err
	}
	return newDevice(threads, table), nil
}

// NewFast is New of a device that multiplies weights of 8 bits and fewer in int8 where its inner products can: Fast says
// whether they do. Rows are rounded to 8 bits then, a scale for each stretch of a row. Other weights are multiplied as
// New's device does it.
func NewFast(threads int) (*Device, error) {
	d, err := New(threads)
	if err == nil {
		d.fast = d.panels.multipliesBytes()
	}
	return d, err
}

func newDevice(threads int, table *dots) *Device {
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &Device{
		pool:     newPool(threads),
		threads:  threads,
		dots:     table,
		vectors:  vectorsOf(table.name),
		panels:   table.panels,
		maxInner: maxInner,
		ropes:    make(map[kernels.RopeParams]*ropeTable),
	}
}

// Threads is the number of threads, the calling one included.
func (d *Device) Threads() int { return d.threads }

// Tier is the name of the inner products in use, one that GLMC_CPU may have.
func (d *Device) Tier() string { return d.dots.name }

// Fast reports whether weights of 8 bits and fewer are multiplied in int8.
func (d *Device) Fast() bool { return d.fast }

// Panels reports whether weights of that dtype are to come in panels, where they are multiplied (kernels.Panels). Kernels
// take them row-major too, and are slower then.
func (d *Device) Panels(t dtype.DType) bool {
	return d.panels != nil && d.panels.formats[t] != nil
}

// Close stops the threads and waits for them. No kernel may be running.
func (d *Device) Close() { d.pool.close() }

// Kernels returns the table of all operators. See ref.Kernels for their operands.
func (d *Device) Kernels() kernels.Set {
	set := ref.Kernels()
	for name, build := range set {
		set[name] = widened(build)
	}
	for name, build := range map[string]kernels.Builder{
		"embed":                         d.embed,
		"linear":                        d.linear,
		"linear.f32":                    d.linear, // activations are f32
		"linear.split":                  d.linear, // the results' shapes say where w is cut
		"norm.rms":                      d.normRMS,
		"norm.add_rms":                  d.addNormRMS,
		"rope.apply":                    d.ropeApply,
		"add":                           d.add,
		"mul":                           d.mul,
		"act.silu":                      d.silu,
		"act.swiglu":                    d.swiglu,
		"moe.route":                     d.route,
		"moe.experts":                   d.experts,
		"attn.paged":                    d.attnPaged,
		"attn.qknorm_rope_kv":           d.qkNormRopeKV,
		"comm.all_reduce_add_rms":       d.allReduceAddRMS,
		"quant.rows":                    d.quantRows,
		"linear.w8a8":                   d.linearW8A8,
		"linear.split_w8a8":             d.linearW8A8,
		"moe.experts_w8a8":              d.expertsW8A8,
		"norm.rms_quant":                d.thenQuantised(d.normRMS),
		"norm.add_rms_quant":            d.thenQuantised(d.addNormRMS),
		"act.swiglu_quant":              d.thenQuantised(d.swiglu),
		"comm.all_reduce_add_rms_quant": d.thenQuantised(d.allReduceAddRMS),
	} {
		set[name] = build
	}
	return set
}

// smallLoop is the work, in multiplications, that is not worth a second thread: about 4 µs.
const smallLoop = 1 << 14

// chunksPerThread leaves a thread that other processes slow down to do fewer chunks than the others.
const chunksPerThread = 4

// grain returns how many of n indices of that cost, in multiplications, make a chunk for pool.run.
func (d *Device) grain(n, cost int) int {
	chunks := chunksPerThread * d.threads
	return max((n+chunks-1)/chunks, smallLoop/max(cost, 1), 1)
}

// widened lets a reference operator, which knows float32 only, take operands in storage formats.
func widened(build kernels.Builder) kernels.Builder {
	return func(a kernels.Attrs) (kernels.Func, error) {
		f, err := build(a)
		if err != nil {
			return nil, err
		}
		var call kernels.Call
		var wide [][]float32 // scratch of each operand
		return func(c *kernels.Call) error {
			in := kernels.Resize(call.In, len(c.In))
			wide = kernels.Resize(wide, len(c.In))
			for i := range c.In {
				in[i], wide[i] = float32View(&c.In[i], wide[i])
			}
			call = kernels.Call{In: in, Out: c.Out, Cache: c.Cache, Comm: c.Comm}
			return f(&call)
		}, nil
	}
}

// float32View returns t, or its values widened into scratch, and the scratch for the next call.
func float32View(t *kernels.Tensor, scratch []float32) (kernels.Tensor, []float32) {
	if !t.Present() || !t.DType.IsFloat() || t.DType == dtype.F32 {
		return *t, scratch
	}
	scratch = kernels.Resize(scratch, t.Elems())
	d := t.Last()
	for r := range t.Rows() {
		t.LoadRow(scratch[r*d:(r+1)*d], r)
	}
	return kernels.FromF32(scratch, t.Shape...), scratch
}
