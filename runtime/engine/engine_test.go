package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
	"github.com/glmc/glmc/runtime/sample"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	countVocab    = 10
	countPageSize = 4
)

// counter is an executor whose model counts: behind token n comes n+1, modulo the vocabulary. It checks that
// every step stands where the last one ended and that every token has a slot of its own.
type counter struct {
	plan  *plan.Plan
	pages int
	most  ir.Sizes
	// before is called before each step and can make it fail.
	before func(step int) error
	// logit replaces the logits.
	logit func(v float32) float32

	steps   int
	next    int           // position behind the last one
	written map[int32]int // slot to position
	broken  []string      // what was wrong with steps
}

func newCounter(pages int) *counter {
	return &counter{
		plan: &plan.Plan{Programs: []*plan.Program{forward(ir.TensorType(dtype.F32, ir.Symbolic(ir.R), ir.Fixed(countVocab)))},
			Facts: plan.Facts{VocabSize: countVocab, MaxPositions: 40}, Cache: plan.CacheFormat{DType: dtype.F32, PageSize: countPageSize},
			Serving: plan.Serving{PrefillChunk: 5}},
		pages: pages,
		most:  ir.Sizes{Tokens: 8, Seqs: 8, Rows: 3},
		logit: func(v float32) float32 { return v },
	}
}

// forward is an entry that returns a result of that type.
func forward(t ir.Type) *plan.Program {
	g := ir.NewGraph("forward")
	g.Outputs = []*ir.Value{g.Input("logits", t)}
	return plan.NewProgram(g)
}

func (c *counter) Plan() *plan.Plan { return c.plan }
func (c *counter) Pages() int       { return c.pages }

func (c *counter) Max(entry string) (ir.Sizes, error) {
	if entry != "forward" {
		return ir.Sizes{}, fmt.Errorf("no entry %s", entry)
	}
	return c.most, nil
}

func (c *counter) failf(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf("step %d: ", c.steps)+fmt.Sprintf(format, args...))
}

func (c *counter) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	c.steps++
	if c.before != nil {
		if err := c.before(c.steps); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tokens, pos, slots, rows, pages := in["tokens"].I32, in["pos"].I32, in["slots"].I32, in["rows"].I32, in["pages"].I32
	if len(tokens) > c.most.Tokens || len(rows) > c.most.Rows {
		c.failf("%d tokens and %d rows, there is room for %d and %d", len(tokens), len(rows), c.most.Tokens, c.most.Rows)
	}
	if diff := cmp.Diff([]int32{0, int32(len(tokens))}, in["seq_start"].I32); diff != "" {
		c.failf("sequence starts (-want +got):\n%s", diff)
	}
	if pos[0] == 0 {
		c.next, c.written = 0, map[int32]int{}
	}
	for i, p := range pos {
		if int(p) != c.next {
			c.failf("row %d is at position %d, want %d", i, p, c.next)
		}
		c.next++
		if want := pages[p/countPageSize]*countPageSize + p%countPageSize; slots[i] != want || int(want) >= c.pages*countPageSize {
			c.failf("row %d goes to slot %d, its page table says %d", i, slots[i], want)
		}
		if old, ok := c.written[slots[i]]; ok {
			c.failf("slot %d of position %d belongs to position %d", slots[i], p, old)
		}
		c.written[slots[i]] = int(p)
	}
	logits := kernels.New(dtype.F32, len(rows), countVocab)
	for i, r := range rows {
		for v := range countVocab {
			logits.F32[i*countVocab+v] = c.logit(0)
		}
		logits.F32[i*countVocab+(int(tokens[r])+1)%countVocab] = c.logit(1)
	}
	return []kernels.Tensor{logits}, nil
}

func newEngine(t testing.TB, c *counter, chunk int) *engine.Engine {
	t.Helper()
	e, err := engine.New(c, engine.Options{Chunk: chunk})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// counting is 0, 1, ... n-1, modulo the vocabulary.
func counting(from, n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32((from + i) % countVocab)
	}
	return out
}

// everyPage fails the test when a request that needs every page of the pool finds none missing: a page that is
// not given back shows here.
func everyPage(t testing.TB, e *engine.Engine, c *counter) {
	t.Helper()
	c.before, c.logit = nil, func(v float32) float32 { return v }
	n := c.pages * countPageSize
	out, err := e.Generate(context.Background(), engine.Request{Prompt: counting(0, n-3), MaxTokens: 4})
	if err != nil {
		t.Errorf("afterwards the whole pool is not free: %v", err)
	} else if diff := cmp.Diff(counting(n-3, 4), out.Output); diff != "" {
		t.Errorf("afterwards, the output (-want +got):\n%s", diff)
	}
	if len(c.broken) > 0 {
		t.Errorf("wrong steps: %q", c.broken)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		chunk int
		want  string
	}{{0, ""}, {1, ""}, {8, ""}, {9, "a prefill chunk of 9 tokens: the plan has room for 1 to 8"}, {-1, "a prefill chunk of -1 tokens"}} {
		_, err := engine.New(newCounter(4), engine.Options{Chunk: tt.chunk})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("chunk %d: error %v, want %q", tt.chunk, err, tt.want)
		}
	}
}

func TestPlansWithoutLogits(t *testing.T) {
	rows, vocab := ir.Symbolic(ir.R), ir.Fixed(countVocab)
	nothing := forward(ir.TensorType(dtype.F32, rows, vocab))
	nothing.Graph.Outputs = nil
	for name, tt := range map[string]struct {
		programs []*plan.Program
		want     string
	}{
		"no entry":      {nil, "no entry forward that returns logits"},
		"no results":    {[]*plan.Program{nothing}, "no entry forward that returns logits"},
		"integers":      {[]*plan.Program{forward(ir.TensorType(dtype.I32, rows, vocab))}, "returns i32[R, 10]"},
		"a vector":      {[]*plan.Program{forward(ir.TensorType(dtype.F32, vocab))}, "returns f32[10]"},
		"for sequences": {[]*plan.Program{forward(ir.TensorType(dtype.F32, ir.Symbolic(ir.B), vocab))}, "returns f32[B, 10]"},
		"two for each":  {[]*plan.Program{forward(ir.TensorType(dtype.F32, ir.Dim{Sym: ir.R, Mul: 2}, vocab))}, "returns f32[2*R, 10]"},
		"any number":    {[]*plan.Program{forward(ir.TensorType(dtype.F32, rows, ir.Symbolic(ir.T)))}, "returns f32[R, T]"},
		"of all tokens": {[]*plan.Program{forward(ir.TensorType(dtype.BF16, ir.Symbolic(ir.T), vocab))}, ""},
	} {
		c := newCounter(4)
		c.plan.Programs = tt.programs
		_, err := engine.New(c, engine.Options{})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	c := newCounter(9)
	e := newEngine(t, c, 0)
	for _, tt := range []struct {
		name    string
		request engine.Request
		unknown bool // the plan does not know the model's positions
		want    string
		is      error
	}{
		{"empty", engine.Request{MaxTokens: 1}, false, "the prompt is empty", nil},
		{"negative id", engine.Request{Prompt: []int32{0, -1}}, false, "token 1 of the prompt is -1: the model's vocabulary has 10", nil},
		{"id beyond the vocabulary", engine.Request{Prompt: []int32{10}}, false, "token 0 of the prompt is 10", nil},
		{"negative length", engine.Request{Prompt: []int32{1}, MaxTokens: -1}, false, "max tokens is -1", nil},
		{"more than the positions", engine.Request{Prompt: counting(0, 20), MaxTokens: 21}, false, "20 prompt tokens and 21 to generate: the model has 40 positions", nil},
		{"prompt beyond the positions", engine.Request{Prompt: counting(0, 41)}, false, "41 prompt tokens", nil},
		{"more than a number can say", engine.Request{Prompt: counting(0, 2), MaxTokens: math.MaxInt}, false, "the model has 40 positions", nil},
		{"more than a position can say", engine.Request{Prompt: counting(0, 2), MaxTokens: math.MaxInt}, true, "positions", nil},
		{"more than the cache", engine.Request{Prompt: counting(0, 30), MaxTokens: 8}, false, "30 prompt tokens and 8 to generate: the KV cache is full", kv.ErrFull},
		{"far more than the cache", engine.Request{Prompt: counting(0, 2), MaxTokens: math.MaxInt32 - 2}, true, "the KV cache is full", kv.ErrFull},
		{"sampling", engine.Request{Prompt: []int32{1}, Sampling: sample.Params{Temperature: -1}}, false, "temperature", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.plan.Facts.MaxPositions = 40
			if tt.unknown {
				c.plan.Facts.MaxPositions = 0
			}
			out, err := e.Generate(context.Background(), tt.request)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if diff := cmp.Diff(engine.Response{}, out); diff != "" {
				t.Errorf("a refused request has a response (-want +got):\n%s", diff)
			}
			if c.steps > 0 {
				t.Error("a refused request ran a step")
			}
		})
	}
	everyPage(t, e, c)
}

// TestOutcomes ends generations in every way. Each gives what was generated until then, and gives its pages back.
func TestOutcomes(t *testing.T) {
	broken := errors.New("broken")
	prompt := counting(0, 12) // three steps of five tokens: the first output is 2
	for _, tt := range []struct {
		name   string
		setup  func(c *counter, r *engine.Request, cancel func())
		output []int32
		finish string
		is     error
		text   string
	}{
		{"length", func(*counter, *engine.Request, func()) {}, []int32{2, 3, 4, 5}, engine.FinishLength, nil, ""},
		{"no tokens", func(_ *counter, r *engine.Request, _ func()) { r.MaxTokens = 0 }, nil, engine.FinishLength, nil, ""},
		{"one token", func(_ *counter, r *engine.Request, _ func()) { r.MaxTokens = 1 }, []int32{2}, engine.FinishLength, nil, ""},
		{"stop", func(_ *counter, r *engine.Request, _ func()) { r.Stop = []int32{9, 4} }, []int32{2, 3, 4}, engine.FinishStop, nil, ""},
		{"stop at the last token", func(_ *counter, r *engine.Request, _ func()) { r.Stop = []int32{5} }, []int32{2, 3, 4, 5}, engine.FinishStop, nil, ""},
		{"cancelled before", func(_ *counter, _ *engine.Request, cancel func()) { cancel() }, nil, "", context.Canceled, "prompt tokens 0 to 5"},
		{"cancelled in the prompt", func(c *counter, _ *engine.Request, cancel func()) {
			c.before = func(step int) error {
				if step == 2 {
					cancel()
				}
				return nil
			}
		}, nil, "", context.Canceled, "prompt tokens 5 to 10"},
		{"cancelled by a token", func(_ *counter, r *engine.Request, cancel func()) {
			r.OnToken = func(id int32) error {
				if id == 3 {
					cancel()
				}
				return nil
			}
		}, []int32{2, 3}, "", context.Canceled, "token 2 of the output"},
		{"a token is refused", func(_ *counter, r *engine.Request, _ func()) {
			r.OnToken = func(id int32) error {
				if id == 3 {
					return broken
				}
				return nil
			}
		}, []int32{2, 3}, "", broken, "broken"},
		{"logits are refused", func(_ *counter, r *engine.Request, _ func()) {
			r.OnPromptLogits = func(pos int, _ []float32) error {
				if pos == 7 {
					return broken
				}
				return nil
			}
		}, nil, "", broken, "broken"},
		{"a step of the prompt fails", func(c *counter, _ *engine.Request, _ func()) {
			c.before = func(step int) error {
				if step == 3 {
					return broken
				}
				return nil
			}
		}, nil, "", broken, "prompt tokens 10 to 12: broken"},
		{"a step of the output fails", func(c *counter, _ *engine.Request, _ func()) {
			c.before = func(step int) error {
				if step == 5 {
					return broken
				}
				return nil
			}
		}, []int32{2, 3}, "", broken, "token 2 of the output: broken"},
		{"logits are not finite", func(c *counter, _ *engine.Request, _ func()) {
			c.logit = func(float32) float32 { return float32(math.NaN()) }
		}, nil, "", sample.ErrNotFinite, "not finite"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(4)
			e := newEngine(t, c, 0)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			r := engine.Request{Prompt: prompt, MaxTokens: 4}
			tt.setup(c, &r, cancel)
			out, err := e.Generate(ctx, r)
			if !errors.Is(err, tt.is) || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.is, tt.text)
			}
			if diff := cmp.Diff(tt.output, out.Output); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if out.Finish != tt.finish {
				t.Errorf("finish reason %q, want %q", out.Finish, tt.finish)
			}
			everyPage(t, e, c)
		})
	}
}

// TestStepsOfRequests: whatever the prompt, the chunk and what is asked for, steps follow one another without gaps,
// no larger than the plan allows; every prompt position's logits come once and in order.
func TestStepsOfRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCounter(rapid.IntRange(1, 8).Draw(t, "pages"))
		c.most.Rows = rapid.IntRange(1, 8).Draw(t, "rows of a step")
		e, err := engine.New(c, engine.Options{Chunk: rapid.IntRange(0, 8).Draw(t, "chunk")})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(t, "requests") {
			room := c.pages * countPageSize
			n := rapid.IntRange(1, room).Draw(t, "prompt")
			most := rapid.IntRange(0, room-n+1).Draw(t, "tokens")
			first := rapid.IntRange(0, countVocab-1).Draw(t, "first")
			r := engine.Request{Prompt: counting(first, n), MaxTokens: most}
			var positions, best, streamed []int32
			if rapid.Bool().Draw(t, "prompt logits") {
				r.OnPromptLogits = func(pos int, logits []float32) error {
					positions, best = append(positions, int32(pos)), append(best, sample.Argmax(logits))
					return nil
				}
			}
			r.OnToken = func(id int32) error { streamed = append(streamed, id); return nil }
			out, err := e.Generate(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			if want := counting(first+n, most); !slices.Equal(want, out.Output) || !slices.Equal(want, streamed) {
				t.Fatalf("output %v, streamed %v, want %v", out.Output, streamed, want)
			}
			if r.OnPromptLogits != nil {
				if !slices.Equal(best, counting(first+1, n)) || len(positions) != n || !slices.IsSorted(positions) {
					t.Fatalf("logits of positions %v with best tokens %v", positions, best)
				}
			}
			if len(c.broken) > 0 {
				t.Fatalf("wrong steps: %q", c.broken)
			}
		}
	})
}
