package weights

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// TestLoaderErrors: what does not fit is named, with the way out.
func TestLoaderErrors(t *testing.T) {
	ids := fileTensor{"w", "I64", []int{2, 2}, make([]byte, 32)}
	w := counted("w", dtype.F32, 0, 2, 2)
	f8 := counted("w", dtype.F8E4M3, 0, 2, 2)
	matrix := ir.Stored("w", 2, 2)
	alias := func(name, target string, index ...plan.Index) plan.Alias {
		return plan.Alias{Name: name, Target: target, Index: index}
	}
	stacked := counted("all", dtype.F32, 0, 3, 4, 2)
	for _, tt := range []struct {
		name    string
		recipe  *ir.Recipe
		tensors []fileTensor
		aliases []plan.Alias
		want    []string // of the error; nil: none
	}{
		{"fits", matrix, []fileTensor{w}, nil, nil},
		{"missing", ir.Stored("v", 2, 2), []fileTensor{w}, []plan.Alias{alias("v", "u"), alias("{x}", "{x}.weight")},
			[]string{`"v" is missing`, "(looked for u, u.weight, v.weight too)"}},
		{"missing expert", ir.Each("x.{e}", 2, 2, 2), []fileTensor{counted("x.0", dtype.F32, 0, 2, 2)}, nil, []string{`"x.1" is missing`}},
		{"wrong shape", matrix, []fileTensor{counted("w", dtype.F32, 0, 2, 3)}, nil,
			[]string{`"w" has shape [2, 3] in model.safetensors`, "the model wants [2, 2]", "config.json"}},
		{"wrong rank", matrix, []fileTensor{counted("w", dtype.F32, 0, 4)}, nil, []string{`"w" has shape [4]`, "wants [2, 2]"}},
		{"wrong dtype", matrix, []fileTensor{ids}, nil, []string{`"w" is stored as I64 in model.safetensors`, "F32, BF16, F16, F8_E4M3 or I8, or packed I32"}},
		{"fp8 without scales", matrix, []fileTensor{f8}, nil, []string{`"w" is F8_E4M3`, `"w_scale" are missing`}},
		{"fp8 with scales of blocks", matrix, []fileTensor{f8, counted("w_scale_inv", dtype.F32, 1, 1, 1)}, nil,
			[]string{`"w" is F8_E4M3 with the scales "w_scale_inv" of blocks`, "convert the checkpoint to bf16"}},
		{"one scale for all", matrix, []fileTensor{f8, counted("w_scale", dtype.F32, 1)}, nil,
			[]string{`"w_scale" have shape []`, "one for each output channel: [2, 1] or [2]"}},
		{"a scale for each column", matrix, []fileTensor{f8, counted("w_scale", dtype.F32, 1, 1, 2)}, nil, []string{`"w_scale" have shape [1, 2]`}},
		{"stacked scales in another order", ir.Stored("w", 2, 3, 1), []fileTensor{counted("w", dtype.F8E4M3, 0, 2, 3, 1),
			counted("w_scale", dtype.F32, 1, 3, 2)}, nil, []string{`"w_scale" have shape [3, 2]`, "[2, 3, 1] or [2, 3]"}},
		{"scales in fp8", matrix, []fileTensor{f8, counted("w_scale", dtype.F8E4M3, 1, 2, 1)}, nil, []string{`"w_scale" are stored as F8_E4M3`}},
		{"scales in integers", matrix, []fileTensor{f8, {"w_scale", "I32", []int{2, 1}, make([]byte, 8)}}, nil, []string{`"w_scale" are stored as I32`}},
		{"bf16 scales", matrix, []fileTensor{f8, counted("w_scale", dtype.BF16, 1, 2, 1)}, nil, nil},
		{"scales that nobody reads", matrix, []fileTensor{w, counted("w_scale", dtype.F32, 1, 2, 1)}, nil, []string{"1 tensor(s) in the checkpoint are used by nothing: w_scale", "ignore"}},
		{"aliases in a chain", ir.Stored("a", 2, 2), []fileTensor{w}, []plan.Alias{alias("c", "w"), alias("a", "b"), alias("b", "c")}, nil},
		{"aliases in a circle", ir.Stored("a", 2, 2), []fileTensor{w}, []plan.Alias{alias("a", "b"), alias("b", "a")},
			[]string{`"a" is missing`, "(looked for b too)"}},
		{"aliases that multiply", ir.Stored("a", 2, 2), []fileTensor{w}, []plan.Alias{alias("{x...}", "l.{x...}"), alias("{x...}", "r.{x...}")},
			[]string{`"a": aliases lead to more than 32 names`}},
		{"the first alias that is stored", ir.Stored("a", 2, 2), []fileTensor{w}, []plan.Alias{alias("a", "gone"), alias("a", "w"), alias("a", "later")}, nil},
		{"bad alias", matrix, []fileTensor{w}, []plan.Alias{alias("{", "w")}, []string{`alias "{"`}},
		{"bad target", matrix, []fileTensor{w}, []plan.Alias{alias("a", "{1}")}, []string{`alias "a": target "{1}"`}},
		{"target with a hole of its own", ir.Stored("a.b", 2, 2), []fileTensor{w}, []plan.Alias{alias("a.{x}", "{y}")}, []string{`alias "a.{x}" for tensor "a.b"`, "{y}"}},
		{"element of a hole", ir.Each("e.{e}", 3, 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e.{n}", "all", plan.Index{Hole: "n"})}, nil},
		{"halves of an element", ir.Concat(1, ir.Each("e.{e}.lo", 3, 2, 2), ir.Each("e.{e}.hi", 3, 2, 2)), []fileTensor{stacked},
			[]plan.Alias{alias("e.{n}.lo", "all", plan.Index{Hole: "n"}, plan.Index{Range: true, To: 2}),
				alias("e.{n}.hi", "all", plan.Index{Hole: "n"}, plan.Index{Range: true, From: 2, To: 4})}, nil},
		{"element that does not exist", ir.Each("e.{e}", 4, 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e.{n}", "all", plan.Index{Hole: "n"})},
			[]string{`"e.3" in "all"`, "element 3 is outside of a dimension of 3"}},
		{"element that is no number", ir.Stored("e.x", 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e.{n}", "all", plan.Index{Hole: "n"})},
			[]string{`"e.x" in "all"`, `hole {n} matched "x", which is no number`}},
		{"element of a hole that is not there", ir.Stored("e.x", 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e.x", "all", plan.Index{Hole: "n"})},
			[]string{`hole {n} matched ""`}},
		{"negative element", ir.Stored("e", 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e", "all", plan.Index{From: -1})}, []string{"element -1"}},
		{"range too long", ir.Stored("e", 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e", "all", plan.Index{Range: true, From: 1, To: 4})},
			[]string{"range 1 .. 4", "outside of shape [3, 4, 2]"}},
		{"empty range", ir.Stored("e", 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e", "all", plan.Index{Range: true, From: 1, To: 1})}, []string{"range 1 .. 1 is empty"}},
		{"index behind a range", ir.Stored("e", 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e", "all", plan.Index{Range: true, To: 2}, plan.Index{})},
			[]string{"index 1 is a range: only the last may be one"}},
		{"index of the last dimension", ir.Stored("e", 1), []fileTensor{stacked}, []plan.Alias{alias("e", "all", plan.Index{}, plan.Index{}, plan.Index{})},
			[]string{"index 3 is one too many for shape [3, 4, 2]"}},
		{"experts of another model", ir.Each("e.{e}", 2, 4, 2), []fileTensor{stacked}, []plan.Alias{alias("e.{n}", "all", plan.Index{Hole: "n"})},
			[]string{`"all" has shape [3, 4, 2]`, "uses 16 values of 24", "config.json"}},
		{"a plan that blows up", ir.Concat(0, matrix, matrix, matrix, matrix, matrix, matrix, matrix, matrix, matrix), []fileTensor{w}, nil,
			[]string{"hold 36 values", "not made for this checkpoint"}},
		{"a plan that uses a tensor eight times", ir.Concat(0, matrix, matrix, matrix, matrix, matrix, matrix, matrix, matrix), []fileTensor{w}, nil, nil},
		{"a plan of too many tensors", ir.Slice(ir.Each("w", 1<<30, 2, 2), 0, 0, 1), []fileTensor{w}, nil, []string{"more than 32 stored tensors", "4 values"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := planOf(t, 1, weight(t, "made", dtype.F32, tt.recipe))
			p.Aliases = tt.aliases
			l, err := NewLoader(p, open(t, tt.tensors...))
			if tt.name != "a plan that blows up" { // which is for plans that nobody trusts
				sameVerdict(t, p, open(t, tt.tensors...), err)
			}
			if tt.want != nil {
				wantError(t, err, tt.want...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			load(t, l, p.Module.Weights[0], 0, dtype.F32)
		})
	}
}

func TestTooManyRules(t *testing.T) {
	p := planOf(t, 1)
	p.Ignores = make([]plan.Ignore, maxRules+1)
	_, err := NewLoader(p, open(t))
	wantError(t, err, "0 aliases and 257 ignore rules")
}

// TestAllProblemsAtOnce: ten are spelled out, the rest is counted.
func TestAllProblemsAtOnce(t *testing.T) {
	var ws []*ir.Weight
	for i := range 13 {
		ws = append(ws, weight(t, fmt.Sprint(i), dtype.F32, ir.Stored(fmt.Sprintf("layer%d", i), 2, 2)))
	}
	_, err := NewLoader(planOf(t, 1, ws...), open(t, counted("layer4", dtype.F32, 0, 3, 3)))
	wantError(t, err, `"layer0" is missing`, `"layer4" has shape [3, 3]`, `"layer9" is missing`, "... and 3 more")
	if strings.Contains(err.Error(), "layer10") {
		t.Errorf("more than ten problems are spelled out:\n%v", err)
	}
}

func TestUnusedAndIgnored(t *testing.T) {
	tensors := []fileTensor{counted("w", dtype.F32, 0, 2, 2)}
	for i := range 12 {
		tensors = append(tensors, counted(fmt.Sprintf("layers.%02d.inv_freq", i), dtype.F32, 0, 1))
	}
	tensors = append(tensors, fileTensor{"position_ids", "I64", []int{1}, make([]byte, 8)})
	p := planOf(t, 1, weight(t, "w", dtype.F32, ir.Stored("w", 2, 2)))
	_, err := NewLoader(p, open(t, tensors...))
	wantError(t, err, "13 tensor(s)", "used by nothing: layers.00.inv_freq, layers.01.inv_freq", "layers.09.inv_freq, ...", "`ignore` rule")

	p.Ignores = []plan.Ignore{{Name: "layers.{n}.inv_freq", Reason: "computed from rope_theta"}, {Name: "w", Reason: "never: it is used"}}
	_, err = NewLoader(p, open(t, tensors...))
	wantError(t, err, "1 tensor(s)", "position_ids")

	p.Ignores = append(p.Ignores, plan.Ignore{Name: "{x...}", Reason: "the first rule counts"})
	l, err := NewLoader(p, open(t, tensors...))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"position_ids": "the first rule counts"}
	for i := range 12 {
		want[fmt.Sprintf("layers.%02d.inv_freq", i)] = "computed from rope_theta"
	}
	if diff := cmp.Diff(want, l.Ignored()); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}

	p.Ignores[1].Name = "{w"
	_, err = NewLoader(p, open(t, tensors...))
	wantError(t, err, `ignore "{w"`)
}

// TestBothNames: what is stored under its own name and under an alias's target is not guessed about.
func TestBothNames(t *testing.T) {
	p := planOf(t, 1, weight(t, "w", dtype.F32, ir.Stored("head", 2, 2)))
	p.Aliases = []plan.Alias{{Name: "head", Target: "embed"}}
	_, err := NewLoader(p, open(t, counted("head", dtype.F32, 0, 2, 2), counted("embed", dtype.F32, 0, 2, 2)))
	wantError(t, err, "1 tensor(s)", "embed")
}

// TestShards loads from several files, and from a shard that an interrupted download cut off.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	var tensors []safetensors.WriteTensor
	for _, name := range []string{"a", "b", "c"} {
		x := counted(name, dtype.F32, 0, 2, 2)
		tensors = append(tensors, safetensors.WriteTensor{Name: name, DType: dtype.F32, Shape: x.shape, Data: safetensors.FromBytes(x.bytes)})
	}
	if err := safetensors.WriteSharded(dir, 16, tensors, nil); err != nil {
		t.Fatal(err)
	}
	w := weight(t, "w", dtype.F32, ir.Concat(0, ir.Stored("c", 2, 2), ir.Stored("a", 2, 2), ir.Stored("b", 2, 2)))
	ckpt, err := safetensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ckpt.Close()
	l, err := NewLoader(planOf(t, 1, w), ckpt)
	if err != nil {
		t.Fatal(err)
	}
	diffTensor(t, load(t, l, w, 0, dtype.F32), []int{6, 2}, []float32{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3})

	shard := filepath.Join(dir, "model-00002-of-00003.safetensors")
	data, err := os.ReadFile(shard)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut")
	if err := os.CopyFS(cut, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cut, filepath.Base(shard)), data[:len(data)-3], 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = safetensors.Open(cut)
	wantError(t, err, "model-00002-of-00003.safetensors")
}
