package engine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
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
			if least := (25 + i) / (steps + 1); r.Verified > least+1 {
				t.Errorf("sequence %d, %d steps: %d steps checked drafts, want %d", i, steps, r.Verified, least)
			}
		}
		e.whole(t)
	}
}
