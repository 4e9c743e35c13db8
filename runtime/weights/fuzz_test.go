package weights

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// script reads choices from fuzzed bytes; at their end it reads zeros.
type script struct{ rest []byte }

func (s *script) next(n int) int {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return int(b) % n
}

// number is mostly small, sometimes at a border.
func (s *script) number() int {
	borders := []int{-1, 1 << 16, 1<<31 - 1, 1 << 40, -1 << 62}
	if n := s.next(20); n < 15 {
		return n
	}
	return borders[s.next(len(borders))]
}

// count is two where it is not something else: there are two tensors x.
func (s *script) count() int {
	if s.next(4) > 0 {
		return 2
	}
	return s.number()
}

func (s *script) numbers() []int {
	out := make([]int, s.next(4))
	for i := range out {
		out[i] = s.number()
	}
	return out
}

// names are what recipes, aliases and rules of the fuzz test speak of: stored tensors, patterns, and others.
var names = []string{"a", "b", "f8", "f8_scale", "x.0", "x.1", "x.{e}", "scalar", "ids", "four", "{e}", "{x...}", "l.{x...}", "{x}", "x.{x}", "q.{x}", "{", "gone", ""}

func (s *script) name() string { return names[s.next(len(names))] }

func (s *script) recipe(depth int) *ir.Recipe {
	r := &ir.Recipe{Kind: ir.RecipeKind(s.next(9)), Name: s.name(), Shape: s.numbers(), Count: s.count(), Dim: s.next(4), Start: s.next(8),
		Size: s.next(8), Parts: s.next(5), Group: s.next(5)}
	if r.Kind == ir.RecipeTensor || r.Kind == ir.RecipeEach {
		// Few fuzzed shapes fit: mostly it is that of a tensor, two rows of three being the most frequent.
		if n := s.next(9); n > 0 {
			r.Shape = [][]int{{2, 3}, {2, 3}, {2, 3}, {2, 4}, {2, 4}, {3}, {}, {2, 64}}[n-1]
		}
		return r
	}
	if depth > 0 {
		for range 1 + s.next(3) {
			r.Args = append(r.Args, s.recipe(depth-1))
		}
	}
	return r
}

func (s *script) plan() *plan.Plan {
	p := &plan.Plan{Module: &ir.Module{Ranks: 1 + s.next(4)}}
	for i := range 1 + s.next(3) {
		w := &ir.Weight{Name: strings.Repeat("w", i+1), DType: dtype.DType(s.next(9)), Recipe: s.recipe(4)}
		w.Shape, _ = w.Recipe.OutShape() // Verify refuses those that have none
		p.Module.Weights = append(p.Module.Weights, w)
	}
	for range s.next(4) {
		a := plan.Alias{Name: s.name(), Target: s.name()}
		for range s.next(4) {
			a.Index = append(a.Index, plan.Index{Hole: []string{"", "e", "x"}[s.next(3)], From: s.number(), To: s.number(), Range: s.next(2) == 1})
		}
		p.Aliases = append(p.Aliases, a)
	}
	p.Ignores = []plan.Ignore{{Name: "{x...}", Reason: "fuzzed"}}
	for range s.next(2) {
		p.Ignores = append(p.Ignores, plan.Ignore{Name: s.name()})
	}
	return p
}

// FuzzLoader makes plans of any bytes. Those that the verifier accepts must load, or fail with an error: no
// panic, and no memory beyond what the small checkpoint is worth.
func FuzzLoader(f *testing.F) {
	for _, seed := range []string{"", "\x00\x00\x01\x00", "\x01\x01\x02\x06\x00\x05", "\x00\x02\x03\x05\x06\x01\x01\x01", "\x03\x00\x06\x04\x00\x01\x02\x01",
		strings.Repeat("\x03", 40), strings.Repeat("\x05\x01\x02", 30), strings.Repeat("\x02\x0f\x01\x03\x10", 30)} {
		f.Add([]byte(seed))
	}
	four, _ := packedTensors("four", 2, 64)
	ckpt := open(f, append(four, counted("a", dtype.F32, 0, 2, 3), counted("x.0", dtype.F32, 0, 2, 3), counted("f8_scale", dtype.F32, 1, 2, 1),
		counted("scalar", dtype.F32, 7), counted("b", dtype.BF16, 0, 2, 4), counted("x.1", dtype.F16, 0, 2, 3), counted("f8", dtype.F8E4M3, 0, 2, 4),
		fileTensor{"ids", "I64", []int{1}, make([]byte, 8)})...)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := (&script{data}).plan()
		if p.Module.Verify() != nil {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		loadAll(t, p, func() (*Loader, error) { return NewLoader(p, ckpt) })
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
			t.Fatalf("a checkpoint of 200 bytes took %d bytes of memory", n)
		}
	})
}

func loadAll(t *testing.T, p *plan.Plan, open func() (*Loader, error)) {
	l, err := open()
	if err != nil {
		return
	}
	for _, w := range p.Module.Weights {
		for rank := range p.Module.Ranks {
			for _, d := range append(slices.Clone(formats), dtype.I8, dtype.I4) {
				got, err := l.Load(w, rank, d)
				if err == nil && (got.DType != d || len(floats(got)) != product(w.Shape)) {
					t.Fatalf("weight %s of %s is %s%v", w.Recipe, d, got.DType, got.Shape)
				}
			}
		}
	}
}
