package engine_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

// TestDraftLayerGuessesRight: the draft layer of the model without weights is right wherever it is given the right states, tokens and
// positions. So each step gives a token more than it checks, over chunks, pages, several sequences, one after the other and at once.
func TestDraftLayerGuessesRight(t *testing.T) {
	for _, steps := range []int{1, 3, 5} {
		e := startEngine(t, enginetest.Options{Draft: true, Pages: 200, Rows: 64, Chunk: 64}, engine.Options{MTP: steps, Chunk: 7})
		plain, err := engine.New(enginetest.New(enginetest.Options{Pages: 200}), engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var all []*engine.Sequence
		var prompts [][]int32
		for i := range 6 {
			prompt := make([]int32, 1+9*i)
			for j := range prompt {
				prompt[j] = int32((i/2*7 + j) % 64) // pairs begin alike
			}
			prompts = append(prompts, prompt)
			all = append(all, e.add(t, engine.Request{Prompt: prompt, MaxTokens: 25 + i}))
		}
		e.steps(t, -1)
		var sum engine.DraftStats
		for i, q := range all {
			want, err := plain.Generate(context.Background(), engine.Request{Prompt: prompts[i], MaxTokens: 25 + i})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Output, q.Output()); diff != "" {
				t.Errorf("sequence %d (-without drafts +with):\n%s", i, diff)
			}
			r := q.Result()
			if r.Drafted == 0 || r.Accepted != r.Drafted {
				t.Errorf("sequence %d, %d steps: %d of %d drafts were right", i, steps, r.Accepted, r.Drafted)
			}
			sum.Add(engine.DraftStats{Steps: uint64(r.Verified), Checked: uint64(r.Drafted), Accepted: uint64(r.Accepted)})
			if least := (25 + i) / (steps + 1); r.Verified > least+1 {
				t.Errorf("sequence %d, %d steps: %d steps checked drafts, want %d", i, steps, r.Verified, least)
			}
		}
		d := e.Stats().Drafts[engine.FromMTP]
		if sum.Proposed = d.Proposed; d != sum || d.Proposed < d.Checked {
			t.Errorf("%d steps: the engine counts %+v, the sequences %+v", steps, d, sum)
		}
		e.whole(t)
	}
}

// TestDraftsThatAreBegun: where a draft begins with given tokens, the layer says what comes behind them, right or wrong. Ids that there are not, and
// those that may not come, are not begun with.
func TestDraftsThatAreBegun(t *testing.T) {
	plain := startEngine(t, enginetest.Options{Pages: 200}, engine.Options{})
	says := func(prompt []int32, n int) []int32 {
		q := plain.add(t, engine.Request{Prompt: prompt, MaxTokens: n})
		plain.steps(t, -1)
		return slices.Clone(q.Output())
	}
	prompt := distinct(1, 9)
	truth := says(prompt, 20)
	const said = 5 // after two steps: each gives a token and three drafts that are right
	wrong := (truth[said] + 1) % 64
	for _, c := range []struct {
		name        string
		begin, want []int32
	}{
		{"a right token", truth[said:][:1], truth[said:][:3]},
		{"two", truth[said:][:2], truth[said:][:3]},
		{"a wrong one", []int32{wrong}, append([]int32{wrong}, says(slices.Concat(prompt, truth[:said], []int32{wrong}), 2)...)},
		{"an id that there is not", []int32{64}, nil},
		{"an id below none", []int32{-1}, nil},
	} {
		e := startEngine(t, enginetest.Options{Draft: true, Pages: 200, Rows: 64}, engine.Options{MTP: 3})
		q := e.add(t, engine.Request{Prompt: prompt, MaxTokens: len(truth)})
		e.steps(t, 1)
		q.Begin(c.begin...)
		e.steps(t, 1)
		if n := len(q.Output()); n != said {
			t.Fatalf("%d tokens behind the second step, want %d", n, said)
		}
		if diff := cmp.Diff(c.want, slices.Clone(q.Drafts()), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: drafts (-want +got):\n%s", c.name, diff)
		}
		q.Begin()
		e.steps(t, -1)
		if diff := cmp.Diff(truth, q.Output()); diff != "" {
			t.Errorf("%s: output (-want +got):\n%s", c.name, diff)
		}
		e.whole(t)
	}
}

// TestLoopGivesTheSameWithDrafts: requests in a loop, sampled, are answered the same with drafts as without, and readers get all tokens.
func TestLoopGivesTheSameWithDrafts(t *testing.T) {
	answers := func(o engine.Options) (all [][]int32, s engine.Stats) {
		e, err := engine.New(enginetest.New(enginetest.Options{Draft: true, Pages: 100, Rows: 32}), o)
		if err != nil {
			t.Fatal(err)
		}
		l := engine.NewLoop(e)
		defer l.Close()
		var streams []*engine.Stream
		for i := range 12 {
			s, err := l.Submit(t.Context(), engine.Request{Prompt: distinct(i, 1+i), MaxTokens: 20 + i, Sampling: sample.Params{Temperature: 0.7, Seed: uint64(i)}})
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		for _, s := range streams {
			got, err := readAll(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got)
		}
		for s = l.Stats(); s.Usage() > 0; s = l.Stats() { // sequences that ended keep their pages until the layer has been there
			runtime.Gosched()
		}
		return all, s
	}
	want, _ := answers(engine.Options{})
	got, s := answers(engine.Options{MTP: 3})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-without drafts +with):\n%s", diff)
	}
	if d := s.AllDrafts(); d.Accepted == 0 || d.Accepted == d.Checked {
		t.Errorf("sampled text with greedy drafts: %+v", d)
	}
}

// TestRefusedDrafts: what nobody can guess with is refused when the engine is made.
func TestRefusedDrafts(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     engine.Options
		layer bool
		want  string
	}{
		{"no layer", engine.Options{MTP: 1}, false, "the model has no entry draft"},
		{"too many", engine.Options{MTP: 65}, true, "wants 0 to 64"},
		{"below none", engine.Options{DraftTokens: -1}, true, "wants 0 to 64"},
	} {
		_, err := engine.New(enginetest.New(enginetest.Options{Draft: c.layer}), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// TestBadDraftsEndNobody: a step that fails because of a draft is run again without it. Sequences with the token that breaks steps never say
// it themselves, so all end well.
func TestBadDraftsEndNobody(t *testing.T) {
	const broken = 63
	x := enginetest.Options{Script: func(prompt []int32) []int32 { return []int32{1, 2, 3, 4, 5} }, Rows: 32,
		Before: func(_ int, in exec.Inputs) error {
			if slices.Contains(in["tokens"].I32, broken) {
				return errPoison
			}
			return nil
		}}
	d := newDrafter(oracle, 64, 1)
	d.truth = func([]int32, []int32) []int32 { return []int32{broken} }
	s := startEngine(t, x, engine.Options{Drafter: d})
	var all []*engine.Sequence
	for i := range 3 {
		all = append(all, s.add(t, engine.Request{Prompt: distinct(i, 5), MaxTokens: 5}))
	}
	s.steps(t, -1)
	for _, q := range all {
		if r := q.Result(); r.Err != nil || !slices.Equal(q.Output(), []int32{1, 2, 3, 4, 5}) {
			t.Errorf("output %v, error %v", q.Output(), r.Err)
		}
	}
	if n := s.Stats().FailedSteps; n == 0 {
		t.Error("no step failed")
	}
	s.whole(t)
}

// failing lets steps fail that a test names.
type failing struct {
	engine.Executor
	fails func(entry string, in exec.Inputs) bool
}

func (f failing) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	if f.fails(entry, in) {
		return nil, errSabotage
	}
	return f.Executor.Step(ctx, entry, in)
}

// TestAPromptWithoutItsLayerTakesPagesOfAnother: a sequence that the layer has lost shares no more pages, while one that says what stands in
// the other's prompt goes on to. The first takes those of the second in the middle of what it has computed, and reads them from then on.
func TestAPromptWithoutItsLayerTakesPagesOfAnother(t *testing.T) {
	x := enginetest.New(enginetest.Options{Draft: true, PageSize: 1, Pages: 200})
	begin := distinct(1, 8)
	plain := startEngine(t, enginetest.Options{PageSize: 1, Pages: 200}, engine.Options{})
	said := plain.add(t, engine.Request{Prompt: begin, MaxTokens: 90})
	plain.steps(t, -1)
	long := slices.Concat(begin, said.Output()[:20], distinct(2, 12))
	want := plain.add(t, engine.Request{Prompt: long, MaxTokens: 20})
	plain.steps(t, -1)

	// The first step of both fails, so that each runs alone. Then the layer fails where the long prompt does.
	together, alone := 0, 0
	fails := func(entry string, in exec.Inputs) bool {
		seqs, tokens := len(in["seq_start"].I32)-1, len(in["tokens"].I32)
		switch {
		case entry == "forward" && seqs == 2:
			together++
			return together == 1
		case entry == "draft" && seqs == 1 && tokens > len(begin):
			alone++
			return alone == 1
		}
		return false
	}
	e, err := engine.New(failing{x, fails}, engine.Options{MTP: 1, Chunk: 20, MixedChunk: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := started{e, x, &steps{}}
	a := s.add(t, engine.Request{Prompt: begin, MaxTokens: 90})
	s.steps(t, 1)
	b := s.add(t, engine.Request{Prompt: long, MaxTokens: 20})
	s.steps(t, -1)
	for _, c := range []struct{ want, got *engine.Sequence }{{said, a}, {want, b}} {
		if diff := cmp.Diff(c.want.Output(), c.got.Output()); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
	}
	if together < 2 || alone < 1 {
		t.Errorf("%d steps of both, %d of the layer for the long prompt: nothing was lost", together, alone)
	}
	s.whole(t)
}

// TestDraftsAllocateNothing: a request of many tokens makes as many allocations as one of few, with the small model and its layer.
func TestDraftsAllocateNothing(t *testing.T) {
	e := startSteady(t, smallModel(t), compiler.Options{})
	eng, err := engine.New(e, engine.Options{MTP: 3})
	if err != nil {
		t.Fatal(err)
	}
	allocations := func(n int) uint64 {
		least := ^uint64(0)
		for range 10 {
			least = min(least, mallocs(func() {
				if _, err := eng.Generate(t.Context(), engine.Request{Prompt: []int32{5, 6, 7}, MaxTokens: n}); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	page := e.Plan().Cache.PageSize
	// Each step more would make one at least, and there are four of them; the runtime makes one of its own now and then.
	if few, many := allocations(page), allocations(2*page-3); many > few+2 {
		t.Errorf("%d tokens make %d allocations, %d make %d", page, few, 2*page-3, many)
	}
}
