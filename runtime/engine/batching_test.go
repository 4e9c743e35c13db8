package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

// steps writes down what an engine's steps were.
type steps struct {
	all   []engine.StepStats
	ended []string // requests, in the order in which they ended
}

func (s *steps) Stepped(t engine.StepStats) { s.all = append(s.all, t) }
func (s *steps) Ended(r engine.Result)      { s.ended = append(s.ended, r.ID) }

// shapes are the steps as decodes+prompt tokens.
func (s *steps) shapes() string {
	var out []string
	for _, t := range s.all {
		out = append(out, fmt.Sprintf("%d+%d", t.Decodes, t.Prompt))
	}
	return strings.Join(out, " ")
}

// started is an engine over a model of enginetest.
type started struct {
	*engine.Engine
	x   *enginetest.Executor
	log *steps
}

func startEngine(t rapid.TB, m enginetest.Options, o engine.Options) started {
	t.Helper()
	s := started{x: enginetest.New(m), log: &steps{}}
	o.Observe = s.log
	var err error
	if s.Engine, err = engine.New(s.x, o); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s started) add(t rapid.TB, r engine.Request) *engine.Sequence {
	t.Helper()
	q, err := s.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// steps takes so many steps, or all with -1.
func (s started) steps(t rapid.TB, n int) {
	t.Helper()
	for ; n != 0; n-- {
		more, err := s.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
}

// whole fails the test where a step was wrong or a page is missing. Nothing runs any more.
func (s started) whole(t rapid.TB) {
	t.Helper()
	if p := s.x.Problems(); len(p) > 0 {
		t.Errorf("wrong steps: %q", p)
	}
	if st := s.Stats(); st.FreePages+st.CachedPages != st.Pages || st.Running+st.Waiting > 0 {
		t.Errorf("at the end: %+v", st)
	}
}

// distinct is a prompt of n tokens that shares no page with one of another seed.
func distinct(seed, n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32((seed*13 + i*(seed+3)) % poison)
	}
	out[0] = int32(seed % poison)
	return out
}

// TestChunksBesideDecodes: a prompt takes whole chunks while nobody generates, and small ones beside those who do; several
// prompts share a step.
func TestChunksBesideDecodes(t *testing.T) {
	s := startEngine(t, enginetest.Options{Chunk: 16}, engine.Options{MixedChunk: 6})
	s.add(t, engine.Request{ID: "first", Prompt: distinct(1, 20), MaxTokens: 6})
	s.steps(t, 2)
	s.add(t, engine.Request{ID: "second", Prompt: distinct(2, 8), MaxTokens: 2})
	s.add(t, engine.Request{ID: "third", Prompt: distinct(3, 3), MaxTokens: 1})
	s.steps(t, -1)
	// 16 and the 4 that are left; then the first generates, beside 6 of the second, 2 of it and 3 of the third, and so on.
	if diff := cmp.Diff("0+16 0+4 1+6 1+5 2+0 1+0 1+0", s.log.shapes()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"third", "second", "first"}, s.log.ended); diff != "" {
		t.Error(diff)
	}
	s.whole(t)
}

// TestTheYoungestLosesItsPages: where the cache is full, the last in rank is preempted, and says afterwards what it says alone.
func TestTheYoungestLosesItsPages(t *testing.T) {
	m := enginetest.Options{Pages: 8}
	s := startEngine(t, m, engine.Options{})
	var all []*engine.Sequence
	var want [][]int32
	for i := range 3 {
		r := engine.Request{ID: fmt.Sprint(i), Prompt: distinct(i, 6), MaxTokens: 16, Sampling: sample.Params{Temperature: 1, Seed: uint64(i)}}
		want = append(want, alone(t, m, r))
		all = append(all, s.add(t, r))
	}
	s.steps(t, -1)
	for i, q := range all {
		if !slices.Equal(q.Output(), want[i]) {
			t.Errorf("request %d: %v, alone %v", i, q.Output(), want[i])
		}
	}
	if all[0].Result().Preempted != 0 || all[2].Result().Preempted == 0 {
		t.Errorf("preempted: %d, %d, %d times", all[0].Result().Preempted, all[1].Result().Preempted, all[2].Result().Preempted)
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, s.log.ended); diff != "" {
		t.Error(diff)
	}
	s.whole(t)
}

// TestPriorities: a request of a better level comes first, and takes the place of one that runs, but not for ever: after Patience
// steps the others have waited as long.
func TestPriorities(t *testing.T) {
	s := startEngine(t, enginetest.Options{Sequences: 1}, engine.Options{Patience: 20})
	s.add(t, engine.Request{ID: "low", Prompt: distinct(1, 4), MaxTokens: 12, Priority: 1})
	s.steps(t, 5)
	for i := range 8 { // eight times as long as the other one's patience
		s.add(t, engine.Request{ID: fmt.Sprint("high ", i), Prompt: distinct(10+i, 4), MaxTokens: 10})
		s.steps(t, 10)
	}
	s.steps(t, -1)
	at := slices.Index(s.log.ended, "low")
	if s.log.ended[0] != "high 0" || at < 1 || at > 4 {
		t.Errorf("they ended in the order %v", s.log.ended)
	}
	s.whole(t)
}

// TestOneLevelDoesNotPreempt: requests of one priority do not take each other's place.
func TestOneLevelDoesNotPreempt(t *testing.T) {
	s := startEngine(t, enginetest.Options{Sequences: 2}, engine.Options{})
	for i := range 6 {
		s.add(t, engine.Request{ID: fmt.Sprint(i), Prompt: distinct(i, 4), MaxTokens: 4})
		s.steps(t, 1)
	}
	s.steps(t, -1)
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5"}, s.log.ended); diff != "" || s.Stats().Preemptions > 0 {
		t.Errorf("%s, %d preemptions", diff, s.Stats().Preemptions)
	}
	s.whole(t)
}

// TestSharedPrefixIsComputedOnce: requests that come together and begin alike wait for the first of them; one that begins
// otherwise does not.
func TestSharedPrefixIsComputedOnce(t *testing.T) {
	prefix := distinct(1, 40)
	s := startEngine(t, enginetest.Options{Chunk: 16, Pages: 128}, engine.Options{MixedChunk: 16})
	var all []*engine.Sequence
	for i := range 5 {
		all = append(all, s.add(t, engine.Request{ID: fmt.Sprint(i), Prompt: append(slices.Clone(prefix), int32(i)), MaxTokens: 2}))
	}
	other := s.add(t, engine.Request{ID: "other", Prompt: distinct(2, 8), MaxTokens: 1})
	salted := s.add(t, engine.Request{ID: "salted", Prompt: append(slices.Clone(prefix), 9), MaxTokens: 1, Salt: "s"})
	s.steps(t, -1)
	for i, q := range all {
		if r := q.Result(); r.Cached != 0 && i == 0 || i > 0 && r.Cached != 40 {
			t.Errorf("request %d: %d tokens were cached", i, r.Cached)
		}
	}
	if r := other.Result(); r.Cached != 0 {
		t.Errorf("%+v", r)
	}
	if r := salted.Result(); r.Cached != 0 {
		t.Errorf("another salt's pages were used: %+v", r)
	}
	if got, want := s.Stats().PromptTokens, uint64(41+4+8+41); got != want {
		t.Errorf("%d prompt tokens were run, want %d", got, want)
	}
	s.whole(t)
}

// TestEveryStepFits: whatever comes, every step fits the model, every prompt token is run, and everybody gets what they get alone.
func TestEveryStepFits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := enginetest.Options{Chunk: rapid.IntRange(1, 20).Draw(rt, "chunk"), Sequences: rapid.IntRange(1, 5).Draw(rt, "sequences"),
			Pages: rapid.IntRange(6, 20).Draw(rt, "pages")}
		m.Rows = rapid.IntRange(m.Sequences, 8).Draw(rt, "rows")
		s := startEngine(rt, m, engine.Options{MixedChunk: rapid.IntRange(0, m.Chunk).Draw(rt, "mixed"), Patience: 5})
		type one struct {
			q    *engine.Sequence
			want []int32
		}
		var all []one
		for range rapid.IntRange(1, 12).Draw(rt, "requests") {
			n := rapid.IntRange(1, 14).Draw(rt, "prompt")
			r := engine.Request{Prompt: distinct(rapid.IntRange(0, 2).Draw(rt, "prefix"), n), MaxTokens: rapid.IntRange(0, 10).Draw(rt, "tokens"),
				Priority: rapid.IntRange(0, 2).Draw(rt, "priority"), PromptLogprobs: rapid.IntRange(0, 4).Draw(rt, "logprobs") == 0}
			if rapid.Bool().Draw(rt, "sampled") {
				r.Sampling = sample.Params{Temperature: 1, Seed: 3}
			}
			all = append(all, one{s.add(rt, r), alone(rt, m, r)})
			s.steps(rt, rapid.IntRange(0, 6).Draw(rt, "steps"))
		}
		s.steps(t, -1)
		for i, o := range all {
			if !slices.Equal(o.q.Output(), o.want) || o.q.Result().Err != nil {
				rt.Fatalf("request %d: %v, alone %v; %+v", i, o.q.Output(), o.want, o.q.Result())
			}
		}
		s.whole(rt)
	})
}

// TestPromptLogprobs are the same however the prompt is cut, and those of the model's own distribution.
func TestPromptLogprobs(t *testing.T) {
	r := engine.Request{Prompt: distinct(4, 11), MaxTokens: 1, PromptLogprobs: true, Sampling: sample.Params{Logprobs: true, Alternatives: 2}}
	var want []sample.Token
	for _, chunk := range []int{32, 1, 3} {
		s := startEngine(t, enginetest.Options{Rows: 16}, engine.Options{Chunk: chunk})
		var rows [][]float32
		r.OnPromptLogits = func(pos int, logits []float32) error {
			rows = append(rows, slices.Clone(logits))
			return nil
		}
		q := s.add(t, r)
		s.steps(t, -1)
		got := q.Prompt()
		if want == nil {
			want = got
			sampler := sample.New(r.Sampling, nil)
			for i, tok := range got[1:] {
				if score, err := sampler.Score(rows[i], r.Prompt[i+1]); err != nil || cmp.Diff(score, tok) != "" {
					t.Errorf("token %d: %v, %v, %v", i+1, score, tok, err)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(rows) != 11 || got[0].ID != r.Prompt[0] || got[0].Top != nil {
			t.Errorf("chunk %d: %s", chunk, diff)
		}
		s.whole(t)
	}
}

// TestStepsAreDeterministic: the same requests at the same steps give the same steps, page for page.
func TestStepsAreDeterministic(t *testing.T) {
	run := func() string {
		var out strings.Builder
		m := enginetest.Options{Pages: 12, Before: func(n int, in exec.Inputs) error {
			fmt.Fprintln(&out, n, in["tokens"].I32, in["slots"].I32, in["rows"].I32)
			return nil
		}}
		s := startEngine(t, m, engine.Options{})
		for i := range 12 {
			s.add(t, engine.Request{Prompt: distinct(i%4, 5+i), MaxTokens: 9, Priority: i % 2})
			s.steps(t, 2)
		}
		s.steps(t, -1)
		s.whole(t)
		return out.String()
	}
	if diff := cmp.Diff(run(), run()); diff != "" {
		t.Error(diff)
	}
}

// TestManyRowsAreSharedOut: a step with enough logits to pick from is picked by several goroutines, and says the same.
func TestManyRowsAreSharedOut(t *testing.T) {
	m := enginetest.Options{Vocab: 40000}
	s := startEngine(t, m, engine.Options{})
	var all []*engine.Sequence
	var want [][]int32
	for i := range 8 {
		r := engine.Request{Prompt: distinct(i, 3), MaxTokens: 4, Sampling: sample.Params{Temperature: 1, TopP: 0.9, Seed: 7}}
		want = append(want, alone(t, m, r))
		all = append(all, s.add(t, r))
	}
	s.steps(t, -1)
	for i, q := range all {
		if !slices.Equal(q.Output(), want[i]) {
			t.Errorf("request %d: %v, alone %v", i, q.Output(), want[i])
		}
	}
	s.whole(t)
}

// captured is a model that generates for more sequences at once than a prompt may stand beside.
type captured struct{ *enginetest.Executor }

func (c captured) Max(string) (ir.Sizes, error) { return ir.Sizes{Tokens: 32, Seqs: 2, Rows: 2}, nil }

// TestMoreSequencesThanAPromptMayStandBeside: the plan has a layout for eight tokens of eight sequences, and one for chunks of
// prompts beside one sequence. Every step fits one of them, and all requests end.
func TestMoreSequencesThanAPromptMayStandBeside(t *testing.T) {
	x := enginetest.New(enginetest.Options{Pages: 128, Before: func(_ int, in exec.Inputs) error {
		tokens, seqs := len(in["tokens"].I32), len(in["seq_start"].I32)-1
		if tokens > 8 && seqs > 2 {
			return fmt.Errorf("%d tokens of %d sequences", tokens, seqs)
		}
		return nil
	}})
	x.Plan().Programs[0].Layouts = []plan.Layout{{Bucket: ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: 8, Seqs: 8, Rows: 8}}}}
	e, err := engine.New(captured{x}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []*engine.Sequence
	for i := range 20 {
		q, err := e.Add(engine.Request{Prompt: distinct(i, 1+i), MaxTokens: 12})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	side := 0
	for more := true; more; {
		if more, err = e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		side = max(side, e.Stats().Running)
	}
	for i, q := range all {
		if r := q.Result(); r.Err != nil || r.Output != 12 {
			t.Errorf("request %d: %+v", i, r)
		}
	}
	if side != 8 || e.Stats().FailedSteps > 0 || len(x.Problems()) > 0 {
		t.Errorf("%d ran side by side; %+v; %q", side, e.Stats(), x.Problems())
	}
}
