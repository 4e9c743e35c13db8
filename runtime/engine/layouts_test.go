package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// TestLayouts: layouts that others hold are dropped, the largest part of a step is found as by trying all, and a plan that captures
// larger batches than its prompts have rows for runs them.
func TestLayouts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []ir.Sizes
		var l layouts
		for range rapid.IntRange(1, 5).Draw(t, "layouts") {
			n := func(name string) int { return rapid.IntRange(1, 12).Draw(t, name) }
			s := ir.Sizes{Tokens: n("tokens"), Seqs: n("sequences"), Rows: n("rows")}
			all, l = append(all, s), l.with(s)
		}
		fits := func(tokens, seqs, rows int) bool {
			for _, s := range all {
				if tokens <= s.Tokens && seqs <= s.Seqs && rows <= s.Rows {
					return true
				}
			}
			return false
		}
		s := &step{tokens: rapid.IntRange(0, 12).Draw(t, "tokens so far"), rows: rapid.IntRange(0, 12).Draw(t, "rows so far"),
			parts: make([]part, rapid.IntRange(0, 12).Draw(t, "parts so far"))}
		n, kind := rapid.IntRange(1, 14).Draw(t, "n"), rapid.SampledFrom([]string{"all", "last", "none"}).Draw(t, "kind")
		want := 0
		for k := 1; k <= n; k++ {
			rows := map[string]int{"all": k}[kind]
			if kind == "last" && k == n {
				rows = 1
			}
			if fits(s.tokens+k, len(s.parts)+1, s.rows+rows) {
				want = k
			}
			if got := l.fits(s.tokens+k, len(s.parts)+1, s.rows+rows); got != fits(s.tokens+k, len(s.parts)+1, s.rows+rows) {
				t.Fatalf("%v fits %v: %v", all, l, got)
			}
		}
		if got := l.chunk(s, n, kind == "all", kind == "last"); max(got, 0) != want {
			t.Fatalf("%d of %d tokens fit, want %d", got, n, want)
		}
	})
}

func TestOptionsAreFilled(t *testing.T) {
	l := layouts{{Tokens: 512, Seqs: 16, Rows: 16}, {Tokens: 32, Seqs: 32, Rows: 32}}
	p := &plan.Plan{Serving: plan.Serving{PrefillChunk: 512}}
	for _, tt := range []struct {
		give, want Options
		ok         bool
	}{
		{Options{}, Options{Chunk: 512, MixedChunk: 64, StepTokens: 512, MaxRunning: 32, Patience: 1000}, true},
		{Options{Chunk: 8}, Options{Chunk: 8, MixedChunk: 8, StepTokens: 512, MaxRunning: 32, Patience: 1000}, true},
		{Options{StepTokens: 4}, Options{Chunk: 512, MixedChunk: 64, StepTokens: 4, MaxRunning: 4, Patience: 1000}, true},
		{Options{MaxRunning: 33}, Options{}, false},
		{Options{MaxRunning: -1}, Options{}, false},
		{Options{StepTokens: 513}, Options{}, false},
		{Options{StepTokens: 8, MaxRunning: 9}, Options{}, false},
		{Options{Chunk: 513}, Options{}, false},
		{Options{Chunk: 4, MixedChunk: 5}, Options{}, false},
		{Options{MixedChunk: -1}, Options{}, false},
		{Options{MaxWaiting: -1}, Options{}, false},
		{Options{Patience: -1}, Options{}, false},
	} {
		got := tt.give
		if err := got.fill(p, l); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.give, err)
		} else if diff := cmp.Diff(tt.want, got); tt.ok && diff != "" {
			t.Error(diff)
		}
	}
}
