package cost_test

import (
	"fmt"
	"maps"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/kernels/dtype"
)

func optimised(t testing.TB, set map[string]string, o *passes.Options) *ir.Graph {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: set}).Module
	if _, err := passes.Run(m, o); err != nil {
		t.Fatal(err)
	}
	return m.Graph("forward")
}

func decode(batch int) ir.Sizes { return ir.Sizes{Tokens: batch, Seqs: batch, Rows: batch} }

// on is a device as a plan for so many ranks with a cache in fp8 uses it.
func on(device string, ranks int) cost.Target {
	return cost.Target{Device: cost.Devices[device], Ranks: ranks, Cache: dtype.F8E4M3}
}

// TestGLM47OnEightH200: in fp8 one token reads about 4 GB of weights on each of eight GPUs, which takes 0.9 ms;
// a step that touches every expert reads about 44 GB, which takes 10 ms.
func TestGLM47OnEightH200(t *testing.T) {
	g := optimised(t, lowertest.GLM47, &passes.Options{TensorParallel: 8, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3})
	h200 := on("h200", 8)
	near := func(what string, got, want, within float64) {
		t.Helper()
		if math.Abs(got-want) > within*want {
			t.Errorf("%s is %.3g, want %.3g within %g %%", what, got, want, 100*within)
		}
	}
	one := cost.Program(g, decode(1), h200)
	near("weights read for one token", one.WeightBytes, 4e9, 0.15)
	near("time to read them", one.WeightBytes/h200.Bandwidth, 0.9e-3, 0.15)
	all := cost.Program(g, decode(4096), h200)
	near("weights read for 4096 tokens", all.WeightBytes, 44e9, 0.05)
	near("time to read them", all.WeightBytes/h200.Bandwidth, 10e-3, 0.05)
	// About 32 billion parameters are active for a token, two operations each, on eight ranks; and in each layer
	// 12 heads of 128 values are multiplied with 4096 keys and as many values.
	near("operations for one token", one.Flops, 2*32e9/8+92*12*128*4*4096, 0.05)
	t.Logf("one token: %+v", one)
	t.Logf("4096 tokens: %+v", all)
	floor := one.WeightBytes/h200.Bandwidth + float64(one.Launches)*h200.Launch + 2*92*h200.Collective
	if one.Seconds < floor || one.Seconds > 2*floor {
		t.Errorf("one token takes %g s; its weights, launches and collectives alone take %g s", one.Seconds, floor)
	}
}

// TestFusionsSave: launches first of all.
func TestFusionsSave(t *testing.T) {
	h200 := on("h200", 8)
	fused := cost.Program(optimised(t, lowertest.GLM47, &passes.Options{TensorParallel: 8}), decode(1), h200)
	plain := cost.Program(optimised(t, lowertest.GLM47, &passes.Options{TensorParallel: 8, Disabled: []string{"fold_shared_expert", "fuse_qknorm_rope_kv"}}), decode(1), h200)
	// gate and up, swiglu, down and the add of each shared expert, whose slot costs no launch: routing is one kernel in
	// either way; of each attention two norms, two rotations and a write become one.
	if saved := plain.Launches - fused.Launches; saved != 89*4+92*4 {
		t.Errorf("the fusions save %d launches, want 4 for each layer of experts and 4 for each attention", saved)
	}
	if fused.Seconds >= plain.Seconds || fused.CommBytes != plain.CommBytes {
		t.Errorf("fused %+v, not fused %+v", fused, plain)
	}
}

// TestFast: fast products are priced in int8 where the device has a rate for it, and only those of narrow weights are.
func TestFast(t *testing.T) {
	long := ir.Sizes{Tokens: 512, Seqs: 1, Rows: 1}
	compute := func(weights, activations dtype.DType, target cost.Target) float64 {
		g := optimised(t, lowertest.Small, &passes.Options{Weights: weights, Activations: activations, Device: target.Device, Fast: target.Fast})
		return cost.Program(g, long, target).Compute
	}
	exact := on("cpu", 1)
	fast := exact
	fast.Fast = true
	without := fast
	device := *exact.Device
	device.Flops = maps.Clone(device.Flops)
	delete(device.Flops, dtype.I8)
	without.Device = &device
	for _, weights := range []dtype.DType{dtype.F8E4M3, dtype.I8, dtype.I4} {
		if e, f := compute(weights, dtype.Invalid, exact), compute(weights, dtype.Invalid, fast); !(f < e) {
			t.Errorf("%v: fast products take %g s, exact ones %g", weights, f, e)
		}
		if e, f := compute(weights, dtype.Invalid, exact), compute(weights, dtype.Invalid, without); f != e {
			t.Errorf("%v: without a rate for int8 fast products take %g s, exact ones %g", weights, f, e)
		}
	}
	if e, f := compute(dtype.BF16, dtype.Invalid, exact), compute(dtype.BF16, dtype.Invalid, fast); f != e {
		t.Errorf("bf16: fast products take %g s, exact ones %g", f, e)
	}
	if e, f := compute(dtype.F8E4M3, dtype.F8E4M3, exact), compute(dtype.F8E4M3, dtype.F8E4M3, fast); f != e {
		t.Errorf("rows in fp8: fast products take %g s, exact ones %g", f, e)
	}
}

// TestMonotone: more tokens, sequences or wanted rows never cost less, and never change the launches. Bytes that are
// received may be less: a longer all-reduce takes the way that moves less.
func TestMonotone(t *testing.T) {
	graphs := []*ir.Graph{
		optimised(t, lowertest.Small, &passes.Options{}),
		optimised(t, lowertest.Small, &passes.Options{TensorParallel: 2, Weights: dtype.F8E4M3}),
	}
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom(graphs).Draw(t, "graph")
		d := on(rapid.SampledFrom(cost.Names()).Draw(t, "device"), rapid.IntRange(1, 8).Draw(t, "ranks"))
		a := ir.Sizes{Tokens: rapid.IntRange(1, 5000).Draw(t, "tokens")}
		a.Seqs, a.Rows = rapid.IntRange(1, a.Tokens).Draw(t, "seqs"), rapid.IntRange(1, a.Tokens).Draw(t, "rows")
		b := a
		b.Tokens += rapid.IntRange(0, 5000).Draw(t, "more tokens")
		b.Seqs += rapid.IntRange(0, b.Tokens-b.Seqs).Draw(t, "more seqs")
		b.Rows += rapid.IntRange(0, b.Tokens-b.Rows).Draw(t, "more rows")
		x, y := cost.Program(g, a, d), cost.Program(g, b, d)
		if x.Launches != y.Launches {
			t.Fatalf("%d launches at %+v, %d at %+v", x.Launches, a, y.Launches, b)
		}
		for _, pair := range [][2]float64{{x.Seconds, y.Seconds}, {x.Flops, y.Flops}, {x.Bytes, y.Bytes}, {x.WeightBytes, y.WeightBytes}} {
			if !(pair[0] <= pair[1]) || !(pair[0] >= 0) || math.IsInf(pair[1], 0) {
				t.Fatalf("%+v at %+v, %+v at %+v", x, a, y, b)
			}
		}
	})
}

// TestWork counts single operators by hand, for 3 tokens of 2 sequences.
func TestWork(t *testing.T) {
	m, err := ir.Parse(`module "m" ranks=4
cache @"attn" heads=2 dim=4
cache @"other" heads=2 dim=4
weight @"qn": bf16[4] = tensor("qn" [4])
weight @"embed": bf16[10, 8] = tensor("embed" [10, 8])
weight @"w": bf16[6, 8] = tensor("w" [6, 8])
weight @"w8": fp8_e4m3[6, 8] = tensor("w8" [6, 8])
weight @"norm": bf16[8] = tensor("norm" [8])
weight @"gate": bf16[4, 5, 8] = tensor("gate" [4, 5, 8])
weight @"up": bf16[4, 5, 8] = tensor("up" [4, 5, 8])
weight @"down": bf16[4, 8, 5] = tensor("down" [4, 8, 5])

graph g(%1 tokens: i32[T], %2 x: bf16[T, 8], %3 ids: i32[T, 2], %4 r: f32[T, 2], %5 kv: bf16[T, 2, 4], %6 q: bf16[T, 4, 4], %7 pos: i32[T], %8 starts: i32[B+1], %9 pages: i32[B, P], %10 rows: i32[R], %11 slots: i32[T]) {
  %21: bf16[T, 8] = embed[20](%1, weight %100 @"embed") {dtype: "bf16"} "" "" -1
  %23: bf16[T, 6] = linear[22](%2, weight %101 @"w", none) "" "" -1
  %25: bf16[T, 6] = linear[24](%2, weight %102 @"w8", none) "" "" -1
  %27: bf16[T, 2, 3] = reshape[26](%25) {shape: [T, 2, 3]} "" "" -1
  %29: bf16[T, 8] = norm.rms[28](%2, weight %103 @"norm") {eps: 0.5} "" "" -1
  %31: bf16[T, 8] = moe.experts[30](%2, %3, %4, weight %104 @"gate", weight %105 @"up", weight %106 @"down") {activation: "silu"} "" "" -1
  %33: cache = kv.write[32](%5, %5, %7, cache %107 @"attn") "" "" -1
  %35: bf16[T, 4, 4] = attn.paged[34](%6, %7, %8, %9, %33) {scale: 0.5} "" "" -1
  %37: bf16[T, 8] = comm.all_reduce[36](%2) "" "" -1
  %39: bf16[T, 32] = comm.all_gather[38](%2) {ranks: 4} "" "" -1
  %41: bf16[T, 8] = add[40](%2, %29) "" "" -1
  %43: bf16[T, 6] = linear[42](%2, weight %112 @"w8", none) {act: "fp8_e4m3"} "" "" -1
  %45: bf16[R, 8] = gather.rows[44](%2, %10) "" "" -1
  %47: i32[T, 3], %48: f32[T, 3] = moe.append_shared[46](%3, %4) {first: 3, count: 1} "" "" -1
  %51: bf16[T, 8] = moe.experts[50](%2, %47, %48, weight %108 @"gate", weight %109 @"up", weight %110 @"down") {activation: "silu"} "" "" -1
  %53: bf16[T, 4, 4], %54: cache = attn.qknorm_rope_kv[52](%6, %5, %5, weight %113 @"qn", weight %114 @"qn", %7, %11, cache %115 @"other") {eps: 0.5, dims: 4, theta: 2.0} "" "" -1
  return %41
}
`)
	if err == nil {
		err = m.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	always := (3*(1-math.Pow(1.0/3, 3)) + 1) / 4 // of the four: three are chosen among, one is every token's
	touched := 4 * (1 - math.Pow(2.0/4, 3))      // of four experts, by three tokens that take two each
	expert := 2.0 * (5*8 + 5*8 + 8*5)
	const between = 2 * 3 * 2 * (5 + 8) // of each slot the inner channels and the result, in bf16
	const context = ir.ContextPerToken
	want := map[string]ir.Work{
		"embed 20":           {ReadBytes: 12 + 48, WriteBytes: 48, WeightBytes: 48},
		"linear 22":          {Flops: 2 * 3 * 6 * 8, ReadBytes: 48 + 96, WriteBytes: 36, WeightBytes: 96, Products: 1, Math: dtype.BF16, Rows: 3, Matrices: 1},
		"linear 24":          {Flops: 2 * 3 * 6 * 8, ReadBytes: 48 + 48 + 24, WriteBytes: 36, WeightBytes: 48 + 24, Products: 1, Math: dtype.BF16, Rows: 3, Matrices: 1, Narrow: true},
		"linear 42":          {Flops: 2 * 3 * 6 * 8, ReadBytes: 48 + 48 + 24, WriteBytes: 36, WeightBytes: 48 + 24, Products: 1, Math: dtype.F8E4M3, Rows: 3, Matrices: 1},
		"reshape 26":         {},
		"norm.rms 28":        {Flops: 5 * 24, ReadBytes: 48 + 16, WriteBytes: 48, WeightBytes: 16},
		"moe.experts 30":     {Flops: 6 * 6 * 5 * 8, ReadBytes: 48 + touched*expert + between, WriteBytes: 48 + between, WeightBytes: touched * expert, Products: 2, Math: dtype.BF16, Rows: 6, Matrices: touched},
		"kv.write 32":        {ReadBytes: 96 + 12, CacheWrite: 48},
		"attn.paged 34":      {Flops: 4 * 48 * context, ReadBytes: 96, WriteBytes: 96, CacheRead: 2 * context * 2 * 2 * 4, Products: 1, Math: dtype.BF16},
		"comm.all_reduce 36": {ReadBytes: 48, WriteBytes: 48, CommBytes: 48},
		"comm.all_gather 38": {ReadBytes: 192, WriteBytes: 192, CommBytes: 48},
		"add 40":             {Flops: 24, ReadBytes: 96, WriteBytes: 48},
		"gather.rows 44":     {ReadBytes: 8 + 32, WriteBytes: 32},
		// Two slots are routed and one is the last expert's.
		"moe.append_shared 46": {Flops: 18, ReadBytes: 24 + 24, WriteBytes: 36 + 36},
		"moe.experts 50": {Flops: 6 * 9 * 5 * 8, ReadBytes: 48 + 4*expert*always + between*3/2, WriteBytes: 48 + between*3/2,
			WeightBytes: 4 * expert * always, Products: 2, Math: dtype.BF16, Rows: 9, Matrices: 4 * always},
		// 4 heads of q and 2 of k, normed and rotated.
		"attn.qknorm_rope_kv 52": {Flops: 8*48 + 8*24, ReadBytes: 96 + 48 + 48 + 8 + 8 + 12 + 12, WriteBytes: 96, WeightBytes: 16, CacheWrite: 48},
	}
	got := map[string]ir.Work{}
	for _, n := range m.Graphs[0].Nodes {
		got[fmt.Sprint(n.Op.Name, " ", n.ID)] = n.WorkOf(ir.Sizes{Tokens: 3, Seqs: 2, Pages: 1, Rows: 2})
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
}

func TestDevices(t *testing.T) {
	for name, d := range cost.Devices {
		if d.Name != name {
			t.Errorf("device %s is called %s", name, d.Name)
		}
		again, err := cost.FromFigures(name, d.Source, d.Figures())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("device %s by way of its figures (-table +figures):\n%s", name, diff)
		}
	}
}

// TestFusionsSaveWhatTheySay: each of them saves the launches and the bytes that its remarks say, and time.
func TestFusionsSaveWhatTheySay(t *testing.T) {
	h200 := on("h200", 1)
	for pass, without := range map[string][]string{
		"fuse_route": nil, "fuse_add_norm": nil, "merge_qkv": nil, "merge_gate_up": nil,
		"fuse_swiglu": {"merge_gate_up"}, // which finds gate and up by the fused operator
	} {
		m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.GLM47}).Module
		// On one rank: remarks from before the split mean whole rows.
		results, err := passes.Run(m, &passes.Options{Disabled: without})
		if err != nil {
			t.Fatal(err)
		}
		var saves passes.Saves
		for _, r := range results {
			for _, k := range r.Remarks {
				if k.Pass == pass && k.Entry == "forward" {
					saves.Launches += k.Saves.Launches
					saves.Bytes += k.Saves.Bytes
				}
			}
		}
		fused := cost.Program(m.Graph("forward"), decode(1), h200)
		plain := cost.Program(optimised(t, lowertest.GLM47, &passes.Options{Disabled: append(without, pass)}), decode(1), h200)
		if got := plain.Launches - fused.Launches; got != saves.Launches || got == 0 {
			t.Errorf("%s saves %d launches, its remarks say %d", pass, got, saves.Launches)
		}
		if got := plain.Bytes - fused.Bytes; math.Abs(got-float64(saves.Bytes)) > 1e-3*float64(saves.Bytes) {
			t.Errorf("%s saves %g bytes, its remarks say %d", pass, got, saves.Bytes)
		}
		if fused.Seconds >= plain.Seconds || fused.Flops != plain.Flops || fused.CommBytes != plain.CommBytes {
			t.Errorf("%s: fused %+v, not fused %+v", pass, fused, plain)
		}
	}
}
