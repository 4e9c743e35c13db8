package cost_test

import (
	"math"
	"slices"
	"testing"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
)

// priced runs the passes on GLM-4.7 for eight H200, with these buckets.
func priced(t *testing.T, buckets []ir.Bucket, disabled ...string) (*ir.Graph, []passes.Result) {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.GLM47}).Module
	for _, g := range m.Graphs {
		g.Buckets = buckets
	}
	results, err := passes.Run(m, onH200(disabled...))
	if err != nil {
		t.Fatal(err)
	}
	return m.Graph("forward"), results
}

// TestRemarksAddUp: what the remarks of a pass say that it saves is what the program takes less than without the pass,
// on each of eight ranks with weights in fp8, although most passes run before the split and before the weights are
// quantised. What a later pass makes of the same nodes is out of the way.
func TestRemarksAddUp(t *testing.T) {
	large, chunk := decode(256), ir.Sizes{Tokens: 16384, Seqs: 256, Rows: 256}
	buckets := []ir.Bucket{{Phase: ir.Decode, Max: decode(1)}, {Phase: ir.Decode, Max: large}, {Phase: ir.Prefill, Max: chunk}}
	h200 := on("h200", 8)
	const reduce, rows, quantised = "fuse_allreduce_add_norm", "quantise_rows", "fuse_quantise"
	for pass, without := range map[string][]string{
		"fold_shared_expert":  {"fuse_swiglu", "fuse_route", "overlap_shared_expert", rows, reduce},
		"fuse_qknorm_rope_kv": nil,
		"fuse_route":          {rows},
		"fuse_swiglu":         {"merge_gate_up", rows}, // which finds gate and up by the fused operator
		"merge_qkv":           {rows},
		"merge_gate_up":       {rows},
		"fuse_add_norm":       {rows, reduce},
		"gather_last_token":   {rows, reduce},
		rows:                  {quantised, reduce},
		quantised:             {reduce},
	} {
		with, results := priced(t, buckets, without...)
		other, _ := priced(t, buckets, append(slices.Clone(without), pass)...)
		var said passes.Saves
		for _, r := range results {
			for _, k := range r.Remarks {
				if k.Pass == pass && k.Entry == "forward" {
					said.Launches += k.Saves.Launches
					said.Decode += k.Saves.Decode
					said.Prefill += k.Saves.Prefill
				}
			}
		}
		if got := cost.Program(other, large, h200).Launches - cost.Program(with, large, h200).Launches; got != said.Launches {
			t.Errorf("%s saves %d launches, its remarks say %d", pass, got, said.Launches)
		}
		for _, c := range []struct {
			phase string
			s     ir.Sizes
			said  float64
		}{{ir.Decode, large, said.Decode.Seconds()}, {ir.Prefill, chunk, said.Prefill.Seconds()}} {
			got := cost.Program(other, c.s, h200).Seconds - cost.Program(with, c.s, h200).Seconds
			if math.Abs(got-c.said) > 1e-6+0.01*math.Abs(got) {
				t.Errorf("%s saves %s of %s %d, its remarks say %s", pass, cost.Text(got), c.phase, c.s.Tokens, cost.Text(c.said))
			}
		}
	}
}
