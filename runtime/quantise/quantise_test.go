package quantise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/divergence"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var formats = []dtype.DType{dtype.F8E4M3, dtype.I8, dtype.I4}

const family = source.Carried + "glm4moe/model.glm"

// compiled is the plan of a configuration, with weights in d, or as they are stored.
func compiled(t testing.TB, text []byte, d dtype.DType) *plan.Plan {
	t.Helper()
	src, err := models.Open(family)
	if err != nil {
		t.Fatal(err)
	}
	program, list := source.Load(family, src, models.Open)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse("config.json", text)
	if err != nil {
		t.Fatal(err)
	}
	o := compiler.Options{Config: doc, Stored: dtype.BF16, Set: map[string]string{"prefill.rows": "64"}}
	if d.Valid() {
		o.Set["weights"] = d.String()
	}
	r, list, err := compiler.Compile(program.Root, o)
	if list.HasErrors() || err != nil {
		t.Fatal(list.Err(), err)
	}
	return r.Plan
}

func tinyConfig(t testing.TB) []byte {
	t.Helper()
	text, err := fs.ReadFile(models.Tiny(), "config.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func tiny(t testing.TB) *safetensors.Checkpoint {
	t.Helper()
	ckpt, err := safetensors.FromMemory("tiny", models.TinyWeights)
	if err != nil {
		t.Fatal(err)
	}
	return ckpt
}

func nothing(string) bool { return false }

// written writes a checkpoint in d.
func written(t testing.TB, ckpt *safetensors.Checkpoint, text []byte, d dtype.DType) (string, Summary) {
	t.Helper()
	plain, err := Unquantised(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Plan(t.Context(), compiled(t, plain, d), ckpt, d, nothing)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), d.String())
	if err := c.Write(t.Context(), dir, models.Tiny(), text, false); err != nil {
		t.Fatal(err)
	}
	return dir, c.Summary
}

func opened(t testing.TB, dir string) (*safetensors.Checkpoint, []byte) {
	t.Helper()
	ckpt, err := safetensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ckpt.Close() })
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	return ckpt, text
}

func running(t testing.TB, p *plan.Plan, ckpt *safetensors.Checkpoint) *engine.Engine {
	t.Helper()
	ex, err := exec.New(t.Context(), p, ckpt, exec.Options{Device: "cpu", Pages: 40, Entries: []string{"forward"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ex.Close)
	e, err := engine.New(ex, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// prompts are the small model's, one behind the other: text of the kind that it was trained on.
func prompts(t testing.TB) []int32 {
	t.Helper()
	data, err := os.ReadFile("../../models/tiny/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden []struct {
		IDs    []int32 `json:"prompt_ids"`
		Greedy []int32 `json:"greedy"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	var ids []int32
	for _, g := range golden {
		ids = append(append(ids, g.IDs...), g.Greedy...)
	}
	return ids[:min(len(ids), 500)]
}

// TestSmallModel: a checkpoint that was quantised gives the results of one that is quantised when it is loaded, bit for
// bit where the same weights are, and is as near to its source as its format can be. In int4 the experts of the small
// model, 96 wide, can only be quantised when they are loaded.
func TestSmallModel(t *testing.T) {
	text := tinyConfig(t)
	stored := running(t, compiled(t, text, dtype.Invalid), tiny(t))
	ids := prompts(t)
	for d, most := range map[dtype.DType]float64{dtype.F8E4M3: 0.01, dtype.I8: 0.002, dtype.I4: 0.05} {
		t.Run(d.String(), func(t *testing.T) {
			dir, s := written(t, tiny(t), text, d)
			ckpt, quantisedText := opened(t, dir)
			p := compiled(t, quantisedText, dtype.Invalid)
			got := running(t, p, ckpt)
			r, err := divergence.Measure(t.Context(), stored, got, ids, 250)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %+v, kept %d kinds", d, r, len(s.Kept))
			if !(r.MeanKL <= most) || r.MeanKL == 0 || r.PerplexityB > 1.05*r.PerplexityA {
				t.Errorf("%+v, want a mean of %g at most", r, most)
			}
			if d == dtype.I4 {
				return
			}
			loaded := running(t, compiled(t, text, d), tiny(t))
			if r, err := divergence.Measure(t.Context(), loaded, got, ids, 250); err != nil || r.MaxKL != 0 {
				t.Errorf("quantised when loaded and before differ: %+v (%v)", r, err)
			}
		})
	}
}

// TestAgain: quantised checkpoints can be quantised into any format, and into their own without a change.
func TestAgain(t *testing.T) {
	for _, from := range formats {
		dir, _ := written(t, tiny(t), tinyConfig(t), from)
		ckpt, text := opened(t, dir)
		for _, to := range formats {
			again, _ := written(t, ckpt, text, to)
			second, config := opened(t, again)
			if problems, err := weights.Compare(compiled(t, config, dtype.Invalid), second); err != nil || len(problems) > 0 {
				t.Fatalf("%s to %s: %v %v", from, to, problems, err)
			}
			const name = "model.layers.0.mlp.down_proj.weight"
			if from == to && from != dtype.I4 { // whose scales are searched for anew
				a, errA := ckpt.Tensor(name)
				b, errB := second.Tensor(name)
				if errA != nil || errB != nil || string(a.Bytes) != string(b.Bytes) {
					t.Errorf("%s again: other codes (%v, %v)", from, errA, errB)
				}
			}
		}
	}
}

func TestWhatIsKept(t *testing.T) {
	skip := func(module string) bool { return module == "lm_head" || strings.HasSuffix(module, "k_proj") }
	c, err := Plan(t.Context(), compiled(t, tinyConfig(t), dtype.I4), tiny(t), dtype.I4, skip)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, k := range c.Summary.Kept {
		got[k.Why] = weights.Alike(k.Modules[:1]) + fmt.Sprint(" of ", len(k.Modules))
	}
	const group, whole = "rows are no whole groups of 64", keptTogether
	want := map[string]string{
		"not multiplied, computed in f32, or kept by the model's pipeline": "model.embed_tokens of 7",
		"skipped": "model.layers.0.self_attn.k_proj of 8",
		group:     "model.layers.1.mlp.experts.0.down_proj of 102",
		whole:     "model.layers.1.mlp.experts.0.gate_proj of 204",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(c.Ignore) != 7+8+102+204+2 { // the MTP layer's embedding and head are the model's under other names
		t.Errorf("%d modules are ignored", len(c.Ignore))
	}
	if _, err := Plan(t.Context(), compiled(t, tinyConfig(t), dtype.I4), tiny(t), dtype.I4, func(string) bool { return true }); err == nil ||
		!strings.Contains(err.Error(), "none of the model's weights would be in int4: ") {
		t.Errorf("got %v", err)
	}
}

// TestReplace: files of others stay, and those of the checkpoint before go.
func TestReplace(t *testing.T) {
	c, err := Plan(t.Context(), compiled(t, tinyConfig(t), dtype.I8), tiny(t), dtype.I8, nothing)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"notes", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "config.json", "model.glmpack"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	beside := fstest.MapFS{"tokenizer.json": {Data: []byte("{}")}, "pytorch_model.bin": {Data: []byte("x")}, ".hidden": {Data: []byte("x")}, "folder/x": {Data: []byte("x")}}
	if err := c.Write(t.Context(), dir, beside, tinyConfig(t), false); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"config.json", "model.safetensors", "notes", "tokenizer.json"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNothingIsLeftBehind: what goes wrong in the middle leaves no directory, neither under its name nor another.
func TestNothingIsLeftBehind(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wrong func(ctx context.Context, stop func(), c *Checkpoint) fs.FS
		want  error
	}{
		{"cancelled", func(_ context.Context, stop func(), _ *Checkpoint) fs.FS { stop(); return models.Tiny() }, context.Canceled},
		{"a full disk", func(_ context.Context, _ func(), c *Checkpoint) fs.FS {
			c.Tensors[len(c.Tensors)/2].Data = safetensors.FromReader(failing{})
			return models.Tiny()
		}, syscall.ENOSPC},
		{"an unreadable file", func(context.Context, func(), *Checkpoint) fs.FS { return unreadable{} }, fs.ErrPermission},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			c, err := Plan(ctx, compiled(t, tinyConfig(t), dtype.I4), tiny(t), dtype.I4, nothing)
			if err != nil {
				t.Fatal(err)
			}
			parent := t.TempDir()
			err = c.Write(ctx, filepath.Join(parent, "out"), tt.wrong(ctx, stop, c), tinyConfig(t), false)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.want == syscall.ENOSPC && !strings.Contains(err.Error(), "GB, and nothing of it was left behind: make room") {
				t.Errorf("got %v", err)
			}
			if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
				t.Errorf("left behind: %v (%v)", entries, err)
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, syscall.ENOSPC }

type unreadable struct{}

func (unreadable) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

// TestNoNumbers: no scale fits a weight that holds NaN.
func TestNoNumbers(t *testing.T) {
	src := append([]byte{}, models.TinyWeights...)
	ckpt, err := safetensors.FromMemory("tiny", src)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ckpt.Tensor("model.layers.0.mlp.down_proj.weight")
	if err != nil {
		t.Fatal(err)
	}
	w.Bytes[2*512+1], w.Bytes[2*512] = 0x7f, 0xc0 // the memory is ours: FromMemory copies nothing
	for _, d := range []dtype.DType{dtype.I8, dtype.I4} {
		c, err := Plan(t.Context(), compiled(t, tinyConfig(t), d), ckpt, d, nothing)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Write(t.Context(), filepath.Join(t.TempDir(), "out"), models.Tiny(), tinyConfig(t), false)
		if err == nil || !strings.Contains(err.Error(), "model.layers.0.mlp.down_proj.weight: row 1 holds values that are no finite numbers") {
			t.Errorf("%s: got %v", d, err)
		}
	}
}
