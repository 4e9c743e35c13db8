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

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

var errBroken = errors.New("broken")

// poison is a token that fails every step that it is in.
const poison = 63

func poisoned(_ int, in exec.Inputs) error {
	if slices.Contains(in["tokens"].I32, poison) {
		return errBroken
	}
	return nil
}

// TestAFailingSequenceFailsAlone: a step of several fails because of one of them, in its prompt or later. It ends with the step's
// error; the others get what they get alone, and no page is lost.
func TestAFailingSequenceFailsAlone(t *testing.T) {
	for name, before := range map[string]func(int, exec.Inputs) error{
		"an error": poisoned,
		"a panic": func(n int, in exec.Inputs) error {
			if poisoned(n, in) != nil {
				panic("broken")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startEngine(t, enginetest.Options{Before: before, Chunk: 8, Pages: 24}, engine.Options{})
			var all []*engine.Sequence
			var want [][]int32
			for i := range 4 {
				r := engine.Request{ID: fmt.Sprint(i), Prompt: distinct(i, 11), MaxTokens: 12, Sampling: sample.Params{Bias: map[int32]float32{poison: -100}}}
				want = append(want, alone(t, enginetest.Options{}, r))
				if i == 2 {
					r.Prompt[9] = poison
				}
				all = append(all, s.add(t, r))
			}
			s.steps(t, -1)
			for i, q := range all {
				r := q.Result()
				if i == 2 {
					if r.Err == nil || !strings.Contains(r.Err.Error(), "prompt tokens") || !strings.Contains(r.Err.Error(), "broken") || r.Finish != "" {
						t.Errorf("the bad one: %+v", r)
					}
				} else if !slices.Equal(q.Output(), want[i]) || r.Err != nil {
					t.Errorf("request %d: %v, alone %v; %+v", i, q.Output(), want[i], r)
				}
			}
			if st := s.Stats(); st.Failed != 1 || st.Length != 3 || st.FailedSteps == 0 {
				t.Errorf("%+v", st)
			}
			s.whole(t)
		})
	}
}

// TestADeviceThatFailsForAMoment: a step of several fails and nobody is to blame. Everybody gets what they get alone.
func TestADeviceThatFailsForAMoment(t *testing.T) {
	for bad := 2; bad < 12; bad++ {
		s := startEngine(t, enginetest.Options{Chunk: 8, Pages: 12, Before: func(n int, _ exec.Inputs) error {
			if n == bad {
				return errBroken
			}
			return nil
		}}, engine.Options{})
		var all []*engine.Sequence
		var want [][]int32
		for i := range 4 {
			r := engine.Request{Prompt: distinct(i, 5), MaxTokens: 9}
			want = append(want, alone(t, enginetest.Options{}, r))
			all = append(all, s.add(t, r))
		}
		s.steps(t, -1)
		if s.log.all[bad-1].Sequences == 1 {
			continue // that one ends
		}
		for i, q := range all {
			if !slices.Equal(q.Output(), want[i]) || q.Result().Err != nil {
				t.Errorf("step %d failed, request %d: %v, alone %v; %+v", bad, i, q.Output(), want[i], q.Result())
			}
		}
		s.whole(t)
	}
}

// TestADeadDevice: every step fails, and every request ends.
func TestADeadDevice(t *testing.T) {
	s := startEngine(t, enginetest.Options{Before: func(int, exec.Inputs) error { return errBroken }}, engine.Options{})
	var all []*engine.Sequence
	for i := range 20 {
		all = append(all, s.add(t, engine.Request{Prompt: distinct(i, 5), MaxTokens: 9}))
	}
	s.steps(t, -1)
	for _, q := range all {
		if !q.Ended() || !errors.Is(q.Result().Err, errBroken) {
			t.Errorf("%+v", q.Result())
		}
	}
	if st := s.Stats(); st.Steps == 0 || st.FailedSteps != st.Steps {
		t.Errorf("%d of %d steps failed", st.FailedSteps, st.Steps)
	}
	s.whole(t)
}

// damaged is a model whose logits are no numbers where a sequence's last token is the poison.
type damaged struct{ *enginetest.Executor }

func (d damaged) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	out, err := d.Executor.Step(ctx, entry, in)
	for i, r := range in["rows"].I32 {
		if err == nil && in["tokens"].I32[r] == poison {
			for v := range out[0].F32[i*64 : (i+1)*64] {
				out[0].F32[i*64+v] = float32(math.NaN())
			}
		}
	}
	return out, err
}

// TestARowThatIsNotFinite ends its request, and no other.
func TestARowThatIsNotFinite(t *testing.T) {
	e, err := engine.New(damaged{enginetest.New(enginetest.Options{})}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	good, _ := e.Add(engine.Request{Prompt: []int32{1, 2}, MaxTokens: 3, Sampling: sample.Params{Bias: map[int32]float32{poison: -100}}})
	bad, _ := e.Add(engine.Request{Prompt: []int32{1, poison}, MaxTokens: 3})
	for {
		if more, err := e.Step(t.Context()); err != nil || !more {
			break
		}
	}
	if r := bad.Result(); !errors.Is(r.Err, sample.ErrNotFinite) || !strings.Contains(r.Err.Error(), "token 1 of the output") {
		t.Errorf("%+v", r)
	}
	if r := good.Result(); r.Err != nil || r.Output != 3 {
		t.Errorf("%+v", r)
	}
}

// TestARowBehindADraftThatIsNotFinite ends its request as it does without drafts, and nothing of its pages is left.
func TestARowBehindADraftThatIsNotFinite(t *testing.T) {
	reply := []int32{1, 2, 3, poison, 5, 6}
	for _, drafts := range [][]int32{nil, {2, 3, poison}, {2, 3, poison, 0, 5}} {
		o := engine.Options{}
		if drafts != nil {
			o.Drafter = &notes{guess: drafts, prob: 0.5}
		}
		e, err := engine.New(damaged{enginetest.New(enginetest.Options{Script: func([]int32) []int32 { return slices.Clone(reply) }, Rows: 32})}, o)
		if err != nil {
			t.Fatal(err)
		}
		q, err := e.Add(engine.Request{Prompt: distinct(0, 5), MaxTokens: 6})
		if err != nil {
			t.Fatal(err)
		}
		for more := true; more; {
			if more, err = e.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r := q.Result()
		if !errors.Is(r.Err, sample.ErrNotFinite) || !strings.Contains(r.Err.Error(), "token 5 of the output") || !slices.Equal(q.Output(), reply[:4]) {
			t.Errorf("drafts %v: output %v, error %v; want none of token 5", drafts, q.Output(), r.Err)
		}
		if r.Accepted != min(len(drafts), 3) {
			t.Errorf("drafts %v: %d were right", drafts, r.Accepted)
		}
		if n := e.Stats().CachedPages; n > 0 {
			t.Errorf("drafts %v: %d pages are left", drafts, n)
		}
	}
}

// TestNothingOfARowThatIsNotFiniteIsShared: the keys that led to such logits are not left to others that begin with the same tokens,
// neither those of the step itself nor those of the steps before it.
func TestNothingOfARowThatIsNotFiniteIsShared(t *testing.T) {
	for _, logprobs := range []bool{false, true} {
		e, err := engine.New(damaged{enginetest.New(enginetest.Options{Chunk: 8})}, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		prompt := append(distinct(1, 15), poison) // four pages, in two steps
		for _, tokens := range []int{1, 0} {
			bad, err := e.Add(engine.Request{Prompt: prompt, MaxTokens: tokens, PromptLogprobs: logprobs, Sampling: sample.Params{Logprobs: logprobs}})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := e.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if r := bad.Result(); tokens > 0 && !errors.Is(r.Err, sample.ErrNotFinite) || r.Cached > 0 || !bad.Ended() {
				t.Errorf("%+v", r)
			}
			if st := e.Stats(); tokens > 0 && st.FreePages != st.Pages {
				t.Errorf("%d pages of %d are free", st.FreePages, st.Pages)
			}
		}
	}
}

// only allows single tokens, one after the other, and then nothing.
type only struct {
	ids      []int32
	at       int
	accepted []int32
	fail     error
	mask     [1]uint64
}

func (o *only) Mask() []uint64 {
	o.mask[0] = 0
	if o.at < len(o.ids) {
		if o.ids[o.at] < 0 {
			panic("a mask panics")
		}
		o.mask[0] = 1 << o.ids[o.at]
	}
	return o.mask[:]
}

func (o *only) Accept(id int32) error {
	o.at++
	o.accepted = append(o.accepted, id)
	if o.at == len(o.ids) {
		return o.fail
	}
	return nil
}

func (o *only) Rollback(n int) { o.at -= n }

// TestFunctionsOfARequest: constraints, Until and OnToken end their own request, well or not, and no other.
func TestFunctionsOfARequest(t *testing.T) {
	for _, tt := range []struct {
		name    string
		request engine.Request
		output  []int32
		finish  string
		err     string
	}{
		{"a constraint", engine.Request{MaxTokens: 2, Constraint: &only{ids: []int32{5, 6}}}, []int32{5, 6}, engine.FinishLength, ""},
		{"a constraint that ends", engine.Request{MaxTokens: 9, Constraint: &only{ids: []int32{5, 6}}, Stop: []int32{6}}, []int32{5, 6}, engine.FinishStop, ""},
		{"nothing is allowed", engine.Request{MaxTokens: 9, Constraint: &only{ids: []int32{5}}}, []int32{5}, "", "token 2 of the output: no token may come next"},
		{"a mask panics", engine.Request{MaxTokens: 9, Constraint: &only{ids: []int32{5, -1}}}, []int32{5}, "", "token 2 of the output: the constraint panicked: a mask panics"},
		{"a constraint fails", engine.Request{MaxTokens: 9, Constraint: &only{ids: []int32{5, 6}, fail: errBroken}}, []int32{5, 6}, "", "token 2 of the output: broken"},
		{"until", engine.Request{MaxTokens: 9, Constraint: &only{ids: []int32{5, 6, 7}}, Until: func(id int32) bool { return id == 6 }}, []int32{5, 6}, engine.FinishStop, ""},
		{"until panics", engine.Request{MaxTokens: 9, Constraint: &only{ids: []int32{5, 6, 7}}, Until: func(id int32) bool { panic("no") }}, []int32{5}, "", "token 1 of the output: a function of the request panicked: no"},
		{"min tokens", engine.Request{MaxTokens: 9, MinTokens: 2, Constraint: &only{ids: []int32{5, 6, 7}}, Stop: []int32{7}}, []int32{5, 6, 7}, engine.FinishStop, ""},
		{"only a stop is allowed", engine.Request{MaxTokens: 9, MinTokens: 5, Constraint: &only{ids: []int32{5, 6}}, Stop: []int32{6}}, []int32{5, 6}, engine.FinishStop, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startEngine(t, enginetest.Options{}, engine.Options{})
			other := engine.Request{Prompt: distinct(2, 3), MaxTokens: 12}
			beside := s.add(t, other)
			s.steps(t, 2)
			tt.request.Prompt = distinct(1, 7)
			q := s.add(t, tt.request)
			s.steps(t, -1)
			r := q.Result()
			if diff := cmp.Diff(tt.output, q.Output()); diff != "" || r.Finish != tt.finish || (r.Err != nil) != (tt.err != "") || r.Err != nil && !strings.Contains(r.Err.Error(), tt.err) {
				t.Errorf("%s %+v", diff, r)
			}
			if want := alone(t, enginetest.Options{}, other); !slices.Equal(want, beside.Output()) {
				t.Errorf("beside it: %v, alone %v", beside.Output(), want)
			}
			s.whole(t)
		})
	}
}

// TestMinTokens: stop tokens are not picked before, and count afterwards.
func TestMinTokens(t *testing.T) {
	r := engine.Request{Prompt: distinct(1, 5), MaxTokens: 20}
	plain := alone(t, enginetest.Options{}, r)
	r.Stop = plain[:3]
	if got := alone(t, enginetest.Options{}, r); len(got) != 1 {
		t.Fatalf("%v", got)
	}
	r.MinTokens = 6
	got := alone(t, enginetest.Options{}, r)
	if len(got) < 7 || slices.ContainsFunc(got[:6], func(id int32) bool { return slices.Contains(r.Stop, id) }) {
		t.Errorf("stops %v, got %v", r.Stop, got)
	}
}
