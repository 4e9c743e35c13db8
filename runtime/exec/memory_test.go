package exec

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/hugepages"
)

func TestMemoryOfCaches(t *testing.T) {
	p := &plan.Plan{Module: &ir.Module{Ranks: 2}, Cache: plan.CacheFormat{PageSize: 16}}
	caches := []*ir.Cache{{Heads: 4, HeadDim: 8}, {Heads: 4, HeadDim: 10, ValueDim: 6}}
	const page = 16 * 2 * 2 * 2 * 4 * 8 * 4.0 // tokens, keys and values, caches, ranks, heads, values, bytes
	for _, tt := range []struct {
		pages  int
		memory float64
		want   []string
	}{
		{10, 10 * page, nil},
		{10, 10*page - 1, []string{"10 KV pages of 16 tokens", "in 2 layers on 2 rank(s)", "ask for fewer pages"}},
		{0, 1e9, []string{"0 KV pages"}},
		{-1, 1e9, []string{"-1 KV pages"}},
		{math.MaxInt32/16 + 1, math.Inf(1), []string{"134217728 KV pages of 16 tokens: at most 134217727"}},
	} {
		err := checkCaches(p, caches, tt.pages, dtype.F32, tt.memory)
		if tt.want != nil {
			wantError(t, err, tt.want...)
		} else if err != nil {
			t.Error(err)
		}
	}
	huge := []*ir.Cache{{Heads: math.MaxInt32, HeadDim: math.MaxInt32}}
	wantError(t, checkCaches(p, huge, 1<<20, dtype.F32, 1<<50), "KV pages")
}

// TestMemoryOfTheArena: a layout that is too large is refused when a step needs it, not before.
func TestMemoryOfTheArena(t *testing.T) {
	p := toy(t, 2, dtype.F32)
	layouts := p.Programs[0].Layouts
	layouts[2].Arena = 1 << 45
	e := start(t, p, Options{})
	runStep(t, e, toyInputs(4, 1, 1))
	_, err := e.Step(context.Background(), "forward", toyInputs(5, 1, 1))
	wantError(t, err, "a step of up to 16 tokens take 32768.0 GiB", "smaller prefill chunks")
	runStep(t, e, toyInputs(4, 1, 1))
}

func TestThisMachineHasMemory(t *testing.T) {
	if n := machineMemory(); n < 1<<26 {
		t.Errorf("this machine has %s", gibibytes(n))
	}
}

func TestDevices(t *testing.T) {
	_, err := New(context.Background(), toy(t, 1, dtype.F32), toyCheckpoint(t), Options{Device: "abacus", Pages: 1})
	wantError(t, err, `unknown device "abacus"`, "[cpu ref]")
	_, err = New(context.Background(), toy(t, 1, dtype.F32), toyCheckpoint(t), Options{Device: "cpu"})
	wantError(t, err, "0 KV pages")
}

// TestResultsOfUnboundedSize: a result as long as the page tables would lie beyond the arena, which is laid out
// for a number of tokens, sequences and rows.
func TestResultsOfUnboundedSize(t *testing.T) {
	p := toy(t, 1, dtype.F32)
	g := p.Programs[0].Graph
	b := &ir.Builder{Graph: g, Origin: ir.Origin{Source: "toy.glm:9:9"}}
	b.One("act.silu", []*ir.Value{g.Input("pages", ir.TensorType(dtype.F32, ir.Symbolic(ir.B), ir.Symbolic(ir.P)))})
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	g.Nodes = append(g.Nodes, b.Nodes...)
	p.Programs[0] = plan.NewProgram(g)
	_, err := New(context.Background(), p, toyCheckpoint(t), Options{Device: "ref", Pages: 1})
	wantError(t, err, "entry forward: act.silu (toy.glm:9:9)", "f32[B, P]")
}

// Caches are the same in huge pages as in the heap, which those are in that are small or more than is free.
func TestCachesLieInHugePages(t *testing.T) {
	c := &ir.Cache{Heads: 3, HeadDim: 5, ValueDim: 7}
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F8E4M3} {
		want := kernels.NewCache(d, 4, 6, 3, 5, 7)
		for what, r := range map[string]*hugepages.Region{"large": cacheRoom(2 << 20), "small": cacheRoom(100), "too large": cacheRoom(1 << 60)} {
			if (r == nil) != (what != "large") {
				t.Errorf("%s caches: the region is %v", what, r)
			}
			if diff := cmp.Diff(want, newCache(r, d, 4, 6, c)); diff != "" {
				t.Errorf("%s caches of %v (-want +got)\n%s", what, d, diff)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
