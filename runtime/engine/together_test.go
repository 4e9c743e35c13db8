package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
)

// TestTogether: sequences of different lengths that take each step together say what each says alone, and give their
// pages back.
func TestTogether(t *testing.T) {
	g := openGolden(t, "c2-qknorm-bf16", "")
	prompts := [][]int32{g.prompt(t, "p33"), g.prompt(t, "p7"), g.prompt(t, "p1")}
	for _, o := range []compiler.Options{{}, {Disable: []string{"gather_last_token"}}} {
		m := g.start(t, g.compile(t, o), "cpu", 16)
		var want [][]int32
		for _, p := range prompts {
			out, err := m.engine.Generate(t.Context(), engine.Request{Prompt: p, MaxTokens: 9})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, out.Output)
		}
		for range 30 { // more than there are pages for, if any were lost
			out, err := m.engine.Together(t.Context(), prompts, 9)
			if err != nil {
				t.Fatal(err)
			}
			var got [][]int32
			for _, r := range out {
				got = append(got, r.Output)
				if r.Prompt <= 0 || r.Generate <= 0 || r.Finish != engine.FinishLength {
					t.Errorf("%+v", r)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("(-alone +together)\n%s", diff)
			}
		}
	}
}

// TestTogetherPromptsAlone: prompts of which nothing is generated may fill the cache to its last position.
func TestTogetherPromptsAlone(t *testing.T) {
	c := newCounter(6)
	e := newEngine(t, c, 0)
	out, err := e.Together(t.Context(), [][]int32{counting(0, 12), counting(0, 12)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 2 || len(out[0].Output) != 0 || len(out[1].Output) != 0 {
		t.Errorf("%+v", out)
	}
	everyPage(t, e, c)
}

// TestTogetherFillsTheCache: sequences that take every page together are run, and wait for none that nobody will free.
func TestTogetherFillsTheCache(t *testing.T) {
	s := startEngine(t, enginetest.Options{Pages: 6}, engine.Options{})
	out, err := s.Together(t.Context(), [][]int32{counting(0, 9), counting(3, 9)}, 3) // 12 positions each, four to a page
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out {
		if len(r.Output) != 3 {
			t.Errorf("%+v", r)
		}
	}
	if problems := s.x.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestTogetherRefuses(t *testing.T) {
	failed := errors.New("step failed")
	tests := []struct {
		name    string
		prompts [][]int32
		tokens  int
		before  func(step int) error
	}{
		{"no prompts", nil, 1, nil},
		{"less than no tokens", [][]int32{{1}}, -1, nil},
		{"an empty prompt", [][]int32{{1}, {}}, 2, nil},
		{"more than the cache holds", [][]int32{counting(0, 15), counting(0, 15)}, 2, nil},
		{"a failing prompt", [][]int32{{1}}, 3, func(int) error { return failed }},
		{"a failing step", [][]int32{{1}}, 3, func(step int) error {
			if step > 1 {
				return failed
			}
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCounter(6)
			c.before = tt.before
			e := newEngine(t, c, 0)
			if _, err := e.Together(context.Background(), tt.prompts, tt.tokens); err == nil || tt.before != nil && !errors.Is(err, failed) {
				t.Errorf("got %v", err)
			}
			everyPage(t, e, c)
		})
	}
}
