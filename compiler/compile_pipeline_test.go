package compiler_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/kernels/dtype"
)

// headless is a model without layers, for tests of what stands around the model.
const headless = `
model m {
  config {
    vocab_size  int = 16
    hidden_size int = 8
  }
  entry forward(tokens: i32[T], pos: i32[T]) -> f32[T, vocab_size] {
    x = embed(tokens, embed_tokens, vocab_size, hidden_size)
    return f32(linear(x, lm_head, vocab_size))
  }
}
`

const pipelines = headless + `
pipeline small for m {
  target  cpu { tensor_parallel = 2 }
  cache   bf16 { page = 32 }
  prefill { chunk = 64 }
  decode  { capture = [1, 4] }
}
pipeline other for m {
  target  cpu { tensor_parallel = 1 }
  prefill { chunk = 128 }
  decode  { capture = [1] }
}
pipeline gpu for m {
  target  h200 { tensor_parallel = 4 }
  prefill { chunk = 256 }
  decode  { capture = [1, 2] }
}
`

// TestPrecision: the setting and the flag reach the plan, and come back when the plan is compiled again.
func TestPrecision(t *testing.T) {
	fast := strings.Replace(pipelines, "target  cpu { tensor_parallel = 2 }", "target  cpu { tensor_parallel = 2 }\n  precision fast", 1)
	for _, c := range []struct {
		src  string
		set  map[string]string
		want plan.Precision
	}{
		{pipelines, nil, plan.Exact},
		{pipelines, map[string]string{"precision": "fast"}, plan.Fast},
		{fast, nil, plan.Fast},
		{fast, map[string]string{"precision": "exact"}, plan.Exact},
	} {
		p := compile(t, source(t, "m.glm", []byte(c.src)), compiler.Options{Set: c.set}).Plan
		again, _, err := compiler.Recompile(&p.Source, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.Serving.Precision != c.want || again.Plan.Serving.Precision != c.want {
			t.Errorf("%v: precision %s, compiled again %s, want %s", c.set, p.Serving.Precision, again.Plan.Serving.Precision, c.want)
		}
	}
	_, _, err := compiler.Compile(source(t, "m.glm", []byte(pipelines)), compiler.Options{Pipeline: "gpu", Set: map[string]string{"precision": "fast"}})
	if err == nil || !strings.Contains(err.Error(), "h200 leaves no choice: only cpu has exact and fast products") {
		t.Errorf("fast on h200: %v", err)
	}
}

// TestPipelineChoice: the named pipeline, else the file's first for the target, else a default one.
func TestPipelineChoice(t *testing.T) {
	type facts struct {
		Pipeline, Target string
		Ranks            int
		Cache            dtype.DType
		Page, Chunk      int
	}
	for _, c := range []struct {
		name, src string
		options   compiler.Options
		want      facts
	}{
		{"no flags", pipelines, compiler.Options{}, facts{"small", "cpu", 2, dtype.BF16, 32, 64}},
		{"by target", pipelines, compiler.Options{Target: "cpu"}, facts{"small", "cpu", 2, dtype.BF16, 32, 64}},
		{"by another target", pipelines, compiler.Options{Target: "h200"}, facts{"gpu", "h200", 4, dtype.BF16, 128, 256}},
		{"by name", pipelines, compiler.Options{Pipeline: "other"}, facts{"other", "cpu", 1, dtype.BF16, 16, 128}},
		{"by name and target", pipelines, compiler.Options{Pipeline: "gpu", Target: "h200"}, facts{"gpu", "h200", 4, dtype.BF16, 128, 256}},
		{"ranks of the flag", pipelines, compiler.Options{TensorParallel: 8}, facts{"small", "cpu", 8, dtype.BF16, 32, 64}},
		{"settings of the flag", pipelines, compiler.Options{Set: map[string]string{"prefill.chunk": "32", "cache": "f16", "hidden_size": "32"}},
			facts{"small", "cpu", 2, dtype.F16, 32, 32}},
		{"no pipeline for the target", pipelines, compiler.Options{Target: "h100"}, facts{"", "h100", 1, dtype.BF16, 128, 8192}},
		{"no pipeline at all", headless, compiler.Options{}, facts{"", "cpu", 1, dtype.BF16, 16, 512}},
		{"no pipeline at all, h200", headless, compiler.Options{Target: "h200", TensorParallel: 2}, facts{"", "h200", 2, dtype.BF16, 128, 8192}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := compile(t, source(t, "m.glm", []byte(c.src)), c.options).Plan
			got := facts{p.Pipeline, p.Target, p.Module.Ranks, p.Cache.DType, p.Cache.PageSize, p.Serving.PrefillChunk}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCacheDType: keys and values are held in the dtype that a setting names, else in the one that the model computes in.
func TestCacheDType(t *testing.T) {
	const text = `{"vocab_size": 16, "hidden_size": 8%s}`
	for _, c := range []struct {
		name, pipeline, config string
		stored                 dtype.DType
		set                    string
		want                   dtype.DType
	}{
		{"a file", "target cpu cache { page = 16 }", `, "dtype": "bfloat16"`, dtype.Invalid, "", dtype.BF16},
		{"before transformers 5", "target cpu cache { page = 16 }", `, "torch_dtype": "bfloat16"`, dtype.Invalid, "", dtype.BF16},
		{"no cache line", "target cpu", `, "dtype": "bfloat16"`, dtype.Invalid, "", dtype.BF16},
		{"nothing behind it", "target cpu\n cache", `, "dtype": "bfloat16"`, dtype.Invalid, "", dtype.BF16},
		{"float32", "target cpu cache { page = 16 }", `, "dtype": "float32"`, dtype.Invalid, "", dtype.F32},
		{"float16", "target cpu cache { page = 16 }", `, "dtype": "float16"`, dtype.Invalid, "", dtype.F32},
		{"stored otherwise than computed", "target cpu cache { page = 16 }", `, "dtype": "bfloat16"`, dtype.F32, "", dtype.BF16},
		{"stored, bf16", "target cpu cache { page = 16 }", "", dtype.BF16, "", dtype.BF16},
		{"stored, f32", "target cpu cache { page = 16 }", "", dtype.F32, "", dtype.F32},
		{"stored, f16", "target cpu cache { page = 16 }", "", dtype.F16, "", dtype.F32},
		{"assumed", "target cpu cache { page = 16 }", "", dtype.Invalid, "", dtype.BF16},
		{"named", "target cpu cache f32 { page = 16 }", `, "dtype": "bfloat16"`, dtype.Invalid, "", dtype.F32},
		{"by flag", "target cpu cache { page = 16 }", `, "dtype": "bfloat16"`, dtype.Invalid, "f32", dtype.F32},
		{"computed by flag", "target cpu cache f32 { page = 16 }", `, "dtype": "bfloat16"`, dtype.Invalid, "computed", dtype.BF16},
		{"a GPU", "target h200 cache { page = 16 }", `, "dtype": "float32"`, dtype.Invalid, "", dtype.BF16},
		{"a GPU by flag", "target h200 cache fp8_e4m3", `, "dtype": "float32"`, dtype.Invalid, "computed", dtype.BF16},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := compiler.Options{Pipeline: "p", Stored: c.stored, Config: parseConfig(t, fmt.Sprintf(text, c.config))}
			if c.set != "" {
				o.Set = map[string]string{"cache": c.set}
			}
			src := headless + "pipeline p for m {\n " + c.pipeline + "\n}\n"
			if got := compile(t, source(t, "m.glm", []byte(src)), o).Plan.Cache.DType; got != c.want {
				t.Errorf("the plan's cache is %s, want %s", got, c.want)
			}
		})
	}
}

func parseConfig(t *testing.T, text string) *config.Document {
	t.Helper()
	doc, err := config.Parse("config.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestBuckets: every captured decode batch has a layout, and the prefill chunk has one.
func TestBuckets(t *testing.T) {
	p := compile(t, source(t, "m.glm", []byte(pipelines)), compiler.Options{Set: map[string]string{"decode.capture": "8,1,2"}}).Plan
	type bucket struct {
		Phase        string
		Tokens, Seqs int
	}
	want := []bucket{{"decode", 1, 1}, {"decode", 2, 2}, {"decode", 8, 8}, {"prefill", 64, 8}}
	for _, prog := range p.Programs {
		var got []bucket
		for _, l := range prog.Layouts {
			got = append(got, bucket{l.Phase, l.Max.Tokens, l.Max.Seqs})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", prog.Graph.Name, diff)
		}
	}
}

// TestErrors: what stands on the command line and does not fit the file is named, with what would.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, src string
		options   compiler.Options
		want      []string // parts of the message
	}{
		{"unknown pipeline", pipelines, compiler.Options{Pipeline: "smal"}, []string{`"smal"`, "small", "other", "gpu"}},
		{"pipeline of another target", pipelines, compiler.Options{Pipeline: "gpu", Target: "cpu"}, []string{"gpu", "h200", "cpu"}},
		{"unknown target", headless, compiler.Options{Target: "h20"}, []string{`"h20"`, "cpu", "did you mean", "h200"}},
		{"no model", "// a file of comments\n", compiler.Options{}, []string{"m.glm", "declares and imports no model"}},
		{"unknown setting", pipelines, compiler.Options{Set: map[string]string{"prefil.chunk": "4"}}, []string{"--set prefil.chunk", "did you mean", "prefill.chunk"}},
		{"unknown key", pipelines, compiler.Options{Set: map[string]string{"hiden_size": "4"}}, []string{"--set hiden_size", "did you mean", "hidden_size"}},
		{"setting out of range", pipelines, compiler.Options{Set: map[string]string{"prefill.chunk": "0"}}, []string{"--set prefill.chunk=0", "between 1 and"}},
		{"too many ranks", pipelines, compiler.Options{TensorParallel: 65}, []string{"--tp 65", "between 1 and 64"}},
		{"unknown pass disabled", pipelines, compiler.Options{Disable: []string{"fold"}}, []string{`"fold"`, "fold_shared_expert"}},
		{"unknown pass to stop after", pipelines, compiler.Options{StopAfter: "fold"}, []string{`"fold"`, "fold_shared_expert"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, list, err := compiler.Compile(source(t, "m.glm", []byte(c.src)), c.options)
			if err == nil || r != nil || list == nil {
				t.Fatalf("result %v, diagnostics %v, error %v", r, list, err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not speak of %s: %v", part, err)
				}
			}
		})
	}
}

// TestRequiredPasses: a pipeline's `require` makes a fusion that does not fire an error.
func TestRequiredPasses(t *testing.T) {
	f := sourceFile(t, glm4moe)
	_, _, err := compiler.Compile(f, compiler.Options{Pipeline: "h200", Disable: []string{"fold_shared_expert"}})
	if err == nil || !strings.Contains(err.Error(), "fold_shared_expert is required") {
		t.Errorf("disabled: %v", err)
	}
	_, _, err = compiler.Compile(f, compiler.Options{Pipeline: "h200", Set: map[string]string{"n_shared_experts": "0", "num_hidden_layers": "5"}})
	var required *passes.RequireError
	if !errors.As(err, &required) || required.Pass != "fold_shared_expert" {
		t.Errorf("no shared expert: %v", err)
	}
}
