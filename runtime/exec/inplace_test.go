package exec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/cpu"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

// inPlaceCall draws a call of an operator that says it works in place, results included; nil for one that this test
// does not know. tokens rows of width values each, width being a multiple of eight.
func inPlaceCall(r kerneltest.Rand, op string, tokens, width int) (kernels.Attrs, *kernels.Call) {
	like := func(x kernels.Tensor) kernels.Tensor { return kernels.New(x.DType, x.Shape...) }
	x, y := r.F32(tokens, width), r.F32(tokens, width)
	heads := r.F32(tokens, width/8, 8)
	rope := kernels.Attrs{"eps": 1e-5, "dims": int64(4), "theta": 1e4}
	call := func(in ...kernels.Tensor) *kernels.Call {
		return &kernels.Call{In: in, Out: []kernels.Tensor{like(in[0])}}
	}
	if base, ok := strings.CutSuffix(op, "_quant"); ok {
		attrs, c := inPlaceCall(r, base, tokens, width)
		if c == nil {
			return nil, nil
		}
		attrs = maps.Clone(attrs)
		if attrs == nil {
			attrs = kernels.Attrs{}
		}
		attrs["plain"] = int64(1)
		c.Out = append(c.Out, kernels.New(dtype.F8E4M3, tokens, width), kernels.New(dtype.F32, tokens, 1))
		return attrs, c
	}
	switch op {
	case "add", "sub", "mul", "div", "act.swiglu":
		return nil, call(x, y)
	case "scale", "shift":
		return kernels.Attrs{"by": 1.25}, call(x)
	case "act.silu", "act.sigmoid", "act.softmax", "comm.all_reduce":
		return nil, call(x)
	case "norm.rms":
		return rope, call(x, r.F32(width))
	case "norm.add_rms", "comm.all_reduce_add_rms":
		c := call(x, y, r.F32(width))
		c.Out = append(c.Out, like(x))
		return rope, c
	case "rope.apply":
		return rope, call(heads, r.IDs(100, tokens))
	case "attn.qknorm_rope_kv":
		b := r.Batch(dtype.F32, 8, 2, 8, 0, kerneltest.Sequence{Cached: 3, Rows: tokens})
		c := call(heads, r.F32(tokens, 2, 8), r.F32(tokens, 2, 8), r.F32(8), r.F32(8), b.Pos, b.Slots)
		c.Cache = b.Cache
		return rope, c
	}
	return nil, nil
}

// choices lists the sets of claims that can be taken together: no result and no operand twice.
func choices(claims []ir.InPlace) [][]ir.InPlace {
	out := [][]ir.InPlace{nil}
	for _, c := range claims {
		for _, chosen := range out {
			if !slices.ContainsFunc(chosen, func(d ir.InPlace) bool { return d.Result == c.Result || d.Operand == c.Operand }) {
				out = append(out, append(slices.Clone(chosen), c))
			}
		}
	}
	return out[1:]
}

// TestInPlace: whatever the operator table lets a kernel do in place gives the bits that it gives out of place, on
// every device, number of threads and number of ranks, for every set of results and operands that may be put together.
func TestInPlace(t *testing.T) {
	sets := map[string]func() kernels.Set{"ref": ref.Kernels}
	for _, threads := range []int{1, 2, 3, 7} {
		d, err := cpu.New(threads)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		sets[fmt.Sprintf("cpu, %d threads", threads)] = d.Kernels
	}
	for _, op := range ir.Table {
		if len(op.InPlace) == 0 {
			continue
		}
		if _, c := inPlaceCall(kerneltest.NewRand(0), op.Name, 1, 8); c == nil {
			t.Errorf("%s says that it works in place, and this test has no call of it", op.Name)
			continue
		}
		for name, set := range sets {
			t.Run(op.Name+" "+name, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					seed := rapid.Uint64().Draw(t, "seed")
					// The largest sizes are enough for several threads.
					tokens := rapid.SampledFrom([]int{1, 2, 3, 17, 300}).Draw(t, "tokens")
					width := rapid.SampledFrom([]int{8, 24, 128}).Draw(t, "width")
					ranks := 1
					if strings.HasPrefix(op.Name, "comm.") {
						ranks = rapid.IntRange(1, 4).Draw(t, "ranks")
					}
					chosen := rapid.SampledFrom(choices(op.InPlace)).Draw(t, "in place")
					want := runInPlace(t, set(), op.Name, seed, tokens, width, ranks, nil)
					got := runInPlace(t, set(), op.Name, seed, tokens, width, ranks, chosen)
					if !slices.EqualFunc(want, got, slices.Equal[[]float32]) {
						t.Fatalf("results taken in place at %v differ", chosen)
					}
				})
			})
		}
	}
}

// runInPlace runs an operator on every rank with the chosen results in their operands' places and returns all
// results, and what the cache holds afterwards.
func runInPlace(t *rapid.T, set kernels.Set, op string, seed uint64, tokens, width, ranks int, chosen []ir.InPlace) [][]float32 {
	calls, run := make([]*kernels.Call, ranks), make([]kernels.Func, ranks)
	for rank := range ranks {
		attrs, c := inPlaceCall(kerneltest.NewRand(seed+uint64(rank)), op, tokens, width)
		for _, x := range chosen {
			c.Out[x.Result] = c.In[x.Operand]
		}
		calls[rank], run[rank] = c, kerneltest.Build(t, set, op, attrs)
	}
	if err := onAll(newGroup(ranks), func(m *member) error {
		if c := calls[m.rank]; ranks > 1 {
			c.Comm = m
		}
		return run[m.rank](calls[m.rank])
	}); err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, c := range calls {
		for _, r := range c.Out {
			values := make([]float32, r.Elems())
			r.Load(values, 0)
			out = append(out, values)
		}
		if c.Cache != nil {
			out = append(out, c.Cache.K.F32, c.Cache.V.F32)
		}
	}
	return out
}

func TestChoices(t *testing.T) {
	a, b, c, d := ir.InPlace{Result: 0, Operand: 0}, ir.InPlace{Result: 0, Operand: 1}, ir.InPlace{Result: 1, Operand: 1}, ir.InPlace{Result: 1, Operand: 0}
	want := [][]ir.InPlace{{a}, {b}, {c}, {a, c}, {d}, {b, d}}
	if diff := cmp.Diff(want, choices([]ir.InPlace{a, b, c, d})); diff != "" {
		t.Error(diff)
	}
}
