package race_test

import (
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/race"
	"github.com/glmc/glmc/kernels/dtype"
)

// BenchmarkGLM47 proves one layout of GLM-4.7 on eight ranks, with its shared experts on a stream of their own and
// transfers on another: what a plan's loader does once for each layout.
func BenchmarkGLM47(b *testing.B) {
	m := lowertest.Lower(b, lowertest.Setup{Set: lowertest.GLM47}).Module
	sizes := ir.Sizes{Tokens: 16384, Seqs: 256, Rows: 256}
	for _, g := range m.Graphs {
		g.Buckets = []ir.Bucket{{Phase: ir.Prefill, Max: sizes}}
	}
	_, err := passes.Run(m, &passes.Options{TensorParallel: 8, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3,
		Disabled: []string{"fold_shared_expert"}, Transfer: passes.Transfer{Enabled: true, Async: true, Per: passes.PerLayer}})
	if err != nil {
		b.Fatal(err)
	}
	g := m.Graph("forward")
	p := plan.NewProgram(g)
	if err := p.LayOut(g.Buckets[0]); err != nil {
		b.Fatal(err)
	}
	places := map[*ir.Value]race.Extent{}
	for _, n := range g.Nodes {
		for _, v := range n.Out {
			if s, ok := p.Storage(v); ok {
				bytes := int64(v.Type.DType.Size())
				for _, d := range v.Type.Shape.Eval(sizes) {
					bytes *= int64(d)
				}
				places[v] = race.Extent{Offset: p.Layouts[0].Offsets[s], Bytes: bytes}
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		c := race.New(g)
		if err := c.Shared(); err != nil {
			b.Fatal(err)
		}
		if err := c.Arena(func(v *ir.Value) (race.Extent, bool) { e, ok := places[v]; return e, ok }); err != nil {
			b.Fatal(err)
		}
	}
}
