package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/draft"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
)

// notes is a drafter that always guesses the same tokens and writes down what it is asked and told.
type notes struct {
	guess []int32
	prob  float32
	room  []int   // of each question, the tokens that it may guess and those that were said
	kept  []bool  // of each sequence that ended
	first []int32 // of each of them, the prompt's first token
}

func (n *notes) Start(prompt []int32) draft.Sequence { return &noted{notes: n, prompt: prompt} }
func (n *notes) Close() error                        { return nil }

type noted struct {
	*notes
	prompt []int32
	said   int
}

func (n *noted) Append(tokens ...int32) { n.said += len(tokens) }

func (n *noted) Draft(limit int, into *draft.Draft) {
	into.Reset()
	n.room = append(n.room, limit+n.said)
	for i, id := range n.guess[:min(limit, len(n.guess))] {
		into.Tokens = append(into.Tokens, id)
		into.Parents = append(into.Parents, int32(i)-1)
		into.Probs = append(into.Probs, n.prob)
	}
}

func (n *noted) End(keep bool) {
	n.kept, n.first = append(n.kept, keep), append(n.first, n.prompt[0])
}

// TestDraftersLearnFromSome: drafters may learn from what was said in requests that ended well and have no salt, and from no others.
func TestDraftersLearnFromSome(t *testing.T) {
	n := &notes{}
	s := startEngine(t, enginetest.Options{}, engine.Options{Drafter: n})
	for i, r := range []engine.Request{{}, {Salt: "a key"}, {OnToken: func(int32) error { return errBreaks }}, {}} {
		r.Prompt, r.MaxTokens = []int32{int32(i), 9}, 4
		q := s.add(t, r)
		s.steps(t, 2)
		if i == 3 {
			s.Abort(q, errAborted)
		}
		s.steps(t, -1)
	}
	if _, err := s.Together(t.Context(), [][]int32{{4, 9}}, 4); err != nil { // a measurement
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, false, false, false, false}, n.kept); diff != "" {
		t.Errorf("what may be learnt, of requests %v (-want +got):\n%s", n.first, diff)
	}
}

// TestDraftsEndWithTheOutput: nobody is asked for a token that could not be part of the output, as one more is picked behind drafts, and a stop token may be
// guessed.
func TestDraftsEndWithTheOutput(t *testing.T) {
	n := &notes{guess: []int32{2, 3, 4, 5}, prob: 0.5}
	reply := func([]int32) []int32 { return []int32{1, 2, 3, 4, 5} }
	s := startEngine(t, enginetest.Options{Script: reply, Rows: 32}, engine.Options{Drafter: n})
	q := s.add(t, engine.Request{Prompt: []int32{7, 8}, MaxTokens: 20, Stop: []int32{5}})
	s.steps(t, -1)
	if r := q.Result(); r.Verified != 1 || r.Accepted != 4 || r.Finish != engine.FinishStop {
		t.Errorf("%d drafts came out in %d steps, finish %q; want the stop token among 4 of one", r.Accepted, r.Verified, r.Finish)
	}
	n.room = nil
	s.add(t, engine.Request{Prompt: []int32{7, 8}, MaxTokens: 9})
	s.steps(t, -1)
	for _, room := range n.room {
		if room > 8 {
			t.Errorf("tokens up to the %d. of the output may be guessed, want the 8. of 9", room)
		}
	}
	if len(n.room) == 0 {
		t.Error("nobody was asked")
	}
}

// told keeps what an observer is told of requests that ended.
type told struct {
	steps
	all []engine.Result
}

func (o *told) Ended(r engine.Result) { o.all = append(o.all, r) }

// TestObserversAreToldOfAllDrafts: that a draft came out which ends a request is known when it ends.
func TestObserversAreToldOfAllDrafts(t *testing.T) {
	var log told
	reply := func([]int32) []int32 { return []int32{1, 2, 3, 4, 5} }
	e, err := engine.New(enginetest.New(enginetest.Options{Script: reply, Rows: 32}), engine.Options{Drafter: &notes{guess: []int32{2, 3, 4, 5}, prob: 0.5}, Observe: &log})
	if err != nil {
		t.Fatal(err)
	}
	q, err := e.Add(engine.Request{Prompt: []int32{7, 8}, MaxTokens: 20, Stop: []int32{5}})
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		if more, err = e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]engine.Result{q.Result()}, log.all); diff != "" || q.Result().Accepted != 4 {
		t.Errorf("%d drafts came out, want 4 (-result +as told):\n%s", q.Result().Accepted, diff)
	}
}

// TestTheGuessThatPromisesMoreIsTaken: where the layer and a drafter both guess, the drafter's is taken if it promises more tokens than the layer's
// have brought.
func TestTheGuessThatPromisesMoreIsTaken(t *testing.T) {
	for _, c := range []struct {
		prob float32
		want engine.Origin
	}{{0.01, engine.FromMTP}, {1, engine.FromDrafter}} {
		n := &notes{guess: []int32{60, 61, 62, 63, 60, 61}, prob: c.prob}
		s := startEngine(t, enginetest.Options{Draft: true, Rows: 32}, engine.Options{Drafter: n, MTP: 3})
		s.add(t, engine.Request{Prompt: []int32{7, 8}, MaxTokens: 30})
		s.steps(t, -1)
		for from, d := range s.Stats().Drafts {
			if few := d.Steps <= 2; few != (engine.Origin(from) != c.want) {
				t.Errorf("a drafter that is sure to %v: %d steps checked drafts of origin %d", c.prob, d.Steps, from)
			}
		}
	}
}

// TestStepsWithDraftsKeepTheirBound: drafts take what StepTokens leaves, and no more.
func TestStepsWithDraftsKeepTheirBound(t *testing.T) {
	n := &notes{guess: []int32{1, 2, 3, 4, 5, 6}, prob: 0.5}
	s := startEngine(t, enginetest.Options{Rows: 32}, engine.Options{Drafter: n, StepTokens: 9})
	for i := range 3 {
		s.add(t, engine.Request{Prompt: distinct(i, 6), MaxTokens: 20})
	}
	s.steps(t, -1)
	most := 0
	for _, step := range s.log.all {
		most = max(most, step.Tokens)
	}
	if most != 9 {
		t.Errorf("the largest step has %d tokens, want 9", most)
	}
	s.whole(t)
}
