package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/draft"
	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/sample"
)

// wood is a drafter that gives trees as a test makes them.
type wood struct {
	tree func(prompt, output []int32, into *draft.Draft)
}

func (w *wood) Start(prompt []int32) draft.Sequence { return &trunk{wood: w, prompt: prompt} }

func (w *wood) Close() error { return nil }

type trunk struct {
	wood           *wood
	prompt, output []int32
}

func (s *trunk) Append(tokens ...int32) { s.output = append(s.output, tokens...) }

func (s *trunk) End(bool) {}

func (s *trunk) Draft(limit int, into *draft.Draft) {
	into.Reset()
	s.wood.tree(s.prompt, s.output, into)
	into.Tokens, into.Parents = into.Tokens[:min(limit, len(into.Tokens))], into.Parents[:min(limit, len(into.Parents))]
}

// forked hides what comes next in the second branch of a tree, and in the second one of that: of six tokens three are right.
func forked(next func(prompt, output []int32) []int32) *wood {
	return &wood{func(prompt, output []int32, into *draft.Draft) {
		right := next(prompt, output)
		wrong := func(i int) int32 { return right[i] ^ 1 }
		if len(right) < 3 {
			return
		}
		into.Tokens = append(into.Tokens, wrong(0), wrong(1), right[0], wrong(1), right[1], right[2])
		into.Parents = append(into.Parents, -1, 0, -1, 2, 2, 4)
		into.Probs = append(into.Probs, 1, 1, 1, 1, 1, 1)
	}}
}

// truths are what the model without weights says to prompts without drafts.
func truths(t *testing.T, prompts [][]int32, tokens int) (outputs [][]int32, next func(prompt, output []int32) []int32) {
	t.Helper()
	e, err := engine.New(enginetest.New(enginetest.Options{Pages: 400}), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range prompts {
		r, err := e.Generate(t.Context(), engine.Request{Prompt: p, MaxTokens: tokens})
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, r.Output)
	}
	return outputs, func(prompt, output []int32) []int32 {
		for i, p := range prompts {
			if slices.Equal(p, prompt) {
				return outputs[i][len(output):]
			}
		}
		return nil
	}
}

// TestTreesAreAcceptedInAnyBranch: what is right in a branch behind others is accepted, moved to its place and shared from there, on pages of
// any size; and a layer that follows sees the states of that branch.
func TestTreesAreAcceptedInAnyBranch(t *testing.T) {
	const tokens = 41
	prompts := [][]int32{distinct(1, 3), distinct(2, 8), distinct(3, 13), distinct(4, 1)}
	want, next := truths(t, prompts, tokens)
	for size := 1; size <= 6; size++ {
		for _, layer := range []bool{false, true} {
			o := engine.Options{Drafter: forked(next)}
			if layer {
				o.MTP = 1 // which promises less
			}
			s := startEngine(t, enginetest.Options{PageSize: size, Pages: 400, Rows: 64, Chunk: 64, Draft: layer}, o)
			var all []*engine.Sequence
			for _, p := range prompts {
				all = append(all, s.add(t, engine.Request{Prompt: p, MaxTokens: tokens}))
			}
			s.steps(t, -1)
			moved := 0
			for i, q := range all {
				if diff := cmp.Diff(want[i], q.Output()); diff != "" {
					t.Errorf("pages of %d, layer %v, sequence %d (-without drafts +with):\n%s", size, layer, i, diff)
				}
				r := q.Result()
				if r.Verified > tokens/4+1 || r.Accepted < 3*(tokens/4-1) { // the last ones have no room for all
					t.Errorf("pages of %d, layer %v, sequence %d: %d of %d drafts were right in %d steps, want three a step", size, layer, i, r.Accepted, r.Drafted, r.Verified)
				}
				moved += r.Accepted
			}
			if n := s.x.Moves(); n < moved-len(prompts) || n > moved { // those that end a sequence stay where they are
				t.Errorf("pages of %d, layer %v: %d tokens were moved, %d accepted", size, layer, n, moved)
			}
			// Whoever goes on with what was said finds it in the pages.
			long := slices.Concat(prompts[1], want[1][:tokens-1])
			again := s.add(t, engine.Request{Prompt: long, MaxTokens: 1})
			s.steps(t, -1)
			if !slices.Equal(again.Output(), want[1][tokens-1:]) {
				t.Errorf("pages of %d, layer %v: behind what was shared comes %v, want %v", size, layer, again.Output(), want[1][tokens-1:])
			}
			if r := again.Result(); r.Cached == 0 {
				t.Errorf("pages of %d, layer %v: nothing of %d tokens was shared", size, layer, len(long))
			}
			s.whole(t)
		}
	}
}

// immovable is an executor on which keys and values cannot be moved.
type immovable struct{ *enginetest.Executor }

func (immovable) Move(from, to []int32) error { return errSabotage }

// TestMovesThatFail: a sequence whose tokens could not be moved is computed again, and says the same.
func TestMovesThatFail(t *testing.T) {
	prompts := [][]int32{distinct(1, 5), distinct(2, 9)}
	want, next := truths(t, prompts, 20)
	x := enginetest.New(enginetest.Options{Pages: 100, Rows: 64, Chunk: 64})
	e, err := engine.New(immovable{x}, engine.Options{Drafter: forked(next)})
	if err != nil {
		t.Fatal(err)
	}
	s := started{e, x, &steps{}}
	var all []*engine.Sequence
	for _, p := range prompts {
		all = append(all, s.add(t, engine.Request{Prompt: p, MaxTokens: 20}))
	}
	s.steps(t, -1)
	for i, q := range all {
		if diff := cmp.Diff(want[i], q.Output()); diff != "" {
			t.Errorf("sequence %d (-without drafts +with):\n%s", i, diff)
		}
		if r := q.Result(); r.Preempted == 0 || r.Accepted == 0 {
			t.Errorf("sequence %d was computed again %d times, with %d drafts accepted", i, r.Preempted, r.Accepted)
		}
	}
	s.whole(t)
}

// TestPathsOfTrees: of a tree for a plan that has no input parents, the first branch is checked; so it is where drafts adapt.
func TestPathsOfTrees(t *testing.T) {
	prompts := [][]int32{distinct(1, 5)}
	want, next := truths(t, prompts, 20)
	upright := &wood{func(prompt, output []int32, into *draft.Draft) {
		if right := next(prompt, output); len(right) > 2 {
			into.Tokens = append(into.Tokens, right[0], right[1], right[0]^1, right[2])
			into.Parents = append(into.Parents, -1, 0, -1, 1)
			into.Probs = append(into.Probs, 1, 1, 1, 1)
		}
	}}
	for _, o := range []engine.Options{{Drafter: upright}, {Drafter: upright, Adapt: true}} {
		s := startEngine(t, enginetest.Options{Pages: 100, Rows: 64, Chunk: 64, Paths: !o.Adapt}, o)
		q := s.add(t, engine.Request{Prompt: prompts[0], MaxTokens: 20})
		s.steps(t, -1)
		if diff := cmp.Diff(want[0], q.Output()); diff != "" {
			t.Errorf("output (-without drafts +with):\n%s", diff)
		}
		if r := q.Result(); r.Accepted != r.Drafted || r.Drafted == 0 || r.Drafted > 2*r.Verified {
			t.Errorf("%d of %d drafts were right in %d steps, want all, two a step", r.Accepted, r.Drafted, r.Verified)
		}
		s.whole(t)
	}
}

// TestBranchesThatCannotCome: of a tree, what a constraint does not allow, what is no token, and what stands behind a stop token is not checked, nor
// is anything behind it; and one token twice is checked once, with all that follows either.
func TestBranchesThatCannotCome(t *testing.T) {
	type tree struct{ tokens, parents []int32 }
	for _, c := range []struct {
		name       string
		tree       tree
		constraint engine.Constraint
		checked    int
	}{
		{"all may come", tree{[]int32{10, 20, 11, 21}, []int32{-1, -1, 0, 1}}, nil, 4},
		{"a constraint", tree{[]int32{10, 20, 11, 21, 7}, []int32{-1, -1, 0, 1, 3}}, &only{ids: []int32{1, 20, 21, 3, 4, 5, 6, 7, 8}}, 2},
		{"no tokens", tree{[]int32{-1, 20, 11, 64, 21}, []int32{-1, -1, 0, 1, 1}}, nil, 2},
		{"behind a stop token", tree{[]int32{9, 20, 11, 21}, []int32{-1, -1, 0, 1}}, nil, 3},
		{"the same again", tree{[]int32{10, 10, 11, 12, 11}, []int32{-1, -1, 0, 1, 1}}, nil, 3},
		{"no parents", tree{[]int32{10, 20, 11, 12, 13}, []int32{-1, 1, 1, 9, -2}}, nil, 1},
		{"fewer parents", tree{[]int32{10, 20, 11, 12}, []int32{-1, -1}}, nil, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &wood{func(_, output []int32, into *draft.Draft) {
				if len(output) == 1 {
					into.Tokens, into.Parents = append(into.Tokens, c.tree.tokens...), append(into.Parents, c.tree.parents...)
				}
			}}
			s := startEngine(t, enginetest.Options{Rows: 64, Script: func([]int32) []int32 { return []int32{1, 20, 21, 3, 4, 5, 6, 7, 8} }},
				engine.Options{Drafter: d})
			q := s.add(t, engine.Request{Prompt: distinct(0, 5), MaxTokens: 9, Stop: []int32{9}, Constraint: c.constraint})
			s.steps(t, -1)
			if r := q.Result(); r.Drafted != c.checked || r.Err != nil || !slices.Equal(q.Output(), []int32{1, 20, 21, 3, 4, 5, 6, 7, 8}) {
				t.Errorf("%d drafts were checked, want %d; output %v, error %v", r.Drafted, c.checked, q.Output(), r.Err)
			}
			s.whole(t)
		})
	}
}

// TestTreesOfTheSmallModel: with suffix trees of what a sequence has said, the trained model says what it says without, greedy and sampled, whether
// they give paths or trees; and a step that checks a tree accepts more on average.
func TestTreesOfTheSmallModel(t *testing.T) {
	g := smallModel(t)
	var cases []struct {
		IDs []int32 `json:"prompt_ids"`
	}
	data, err := os.ReadFile(filepath.Join(g.dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	said := func(o suffix.Options) draft.Drafter {
		return &wood{func(prompt, output []int32, into *draft.Draft) {
			all := suffix.New(suffix.MaxDepth)
			for _, id := range slices.Concat(prompt, output) {
				all.Append(id)
			}
			all.Continue(o, into)
		}}
	}
	bold := suffix.Options{Factor: 2, Offset: 2, MinProb: 0.1}
	trees := bold
	trees.Tree = true
	for _, ranks := range []string{"1", "2"} {
		t.Run(ranks+" ranks", func(t *testing.T) {
			m := g.start(t, g.compile(t, compiler.Options{Set: map[string]string{"tensor_parallel": ranks}}), "cpu", 0)
			run := func(d draft.Drafter) (outputs [][]int32, length float64) {
				e, err := engine.New(m.exec, engine.Options{Drafter: d})
				if err != nil {
					t.Fatal(err)
				}
				for _, temperature := range []float64{0, 0.7} {
					var all []*engine.Sequence
					for i, c := range cases {
						if len(c.IDs) > 200 {
							continue
						}
						q, err := e.Add(engine.Request{Prompt: c.IDs, MaxTokens: 48, Sampling: sample.Params{Temperature: temperature, Seed: uint64(i)}})
						if err != nil {
							t.Fatal(err)
						}
						all = append(all, q)
					}
					for more := true; more; {
						if more, err = e.Step(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					for _, q := range all {
						outputs = append(outputs, slices.Clone(q.Output()))
					}
				}
				stats := e.Stats()
				return outputs, stats.Drafts[engine.FromDrafter].Length()
			}
			want, _ := run(nil)
			paths, pathLength := run(said(bold))
			branches, treeLength := run(said(trees))
			if diff := cmp.Diff(want, paths); diff != "" {
				t.Errorf("outputs (-without drafts +with paths):\n%s", diff)
			}
			if diff := cmp.Diff(want, branches); diff != "" {
				t.Errorf("outputs (-without drafts +with trees):\n%s", diff)
			}
			t.Logf("%.3f tokens a step that checks paths, %.3f with trees", pathLength, treeLength)
			if treeLength < pathLength {
				t.Errorf("%.3f tokens a step that checks paths, and %.3f with trees", pathLength, treeLength)
			}
		})
	}
}
