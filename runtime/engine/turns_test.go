package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
)

// TestTurnsFindWhatWasSaid: the prompt of a conversation's next turn finds as much of the turns before in the prefix cache with drafts as
// without: all whole pages of what was run.
func TestTurnsFindWhatWasSaid(t *testing.T) {
	const pageSize = 4
	for _, steps := range []int{0, 1, 3, 5} {
		for _, chunk := range []int{5, 64} {
			for answer := range 20 {
				t.Run(fmt.Sprintf("%d drafts, chunks of %d, answers of %d", steps, chunk, answer), func(t *testing.T) {
					s := startEngine(t, enginetest.Options{Draft: true, PageSize: pageSize, Pages: 300, Rows: 64, Chunk: 64}, engine.Options{MTP: steps, Chunk: chunk})
					other := s.add(t, engine.Request{Prompt: distinct(5, 3), MaxTokens: 60}) // runs beside it
					prompt := distinct(1, 11)
					for turn := range 5 {
						q := s.add(t, engine.Request{Prompt: prompt, MaxTokens: answer})
						for !q.Ended() {
							s.steps(t, 1)
						}
						r := q.Result()
						run := len(prompt) - 7 - 1 // of the turn before: all but the last token, which is picked and not run
						if answer == 0 && steps == 0 {
							run++ // none is picked; the layer has no token behind the last one
						}
						if want := run / pageSize * pageSize; turn > 0 && r.Cached != want {
							t.Errorf("turn %d: %d of %d tokens are found, want %d", turn, r.Cached, len(prompt), want)
						}
						prompt = slices.Concat(prompt, q.Output(), distinct(10+turn, 7))
					}
					for !other.Ended() {
						s.steps(t, 1)
					}
					s.whole(t)
				})
			}
		}
	}
}

// TestTurnsFindWhatOthersSaid: where the draft layer follows some turns of a conversation and not others, those that it does not follow find all that was
// run before, and those that it follows what it has gone over.
func TestTurnsFindWhatOthersSaid(t *testing.T) {
	const pageSize = 4
	s := startEngine(t, enginetest.Options{Draft: true, PageSize: pageSize, Pages: 300, Rows: 64, Chunk: 64}, engine.Options{MTP: 3})
	plain := startEngine(t, enginetest.Options{Pages: 300}, engine.Options{})
	prompt := distinct(1, 11)
	run, led := 0, 0 // tokens of the conversation that were run, and that the layer has gone over
	for turn, follows := range []string{"all", "none", "none", "all", "none", "its beginning", "none", "all", "none"} {
		request := engine.Request{Prompt: prompt, MaxTokens: 21 + turn}
		q, want := s.add(t, request), plain.add(t, request)
		plain.steps(t, -1)
		found := led
		if follows == "none" {
			q.Unlead()
			found = run
		}
		for steps := 0; !q.Ended(); steps++ {
			s.steps(t, 1)
			if follows == "its beginning" && steps == 1 {
				led = len(prompt) + len(q.Output()) - 1
				q.Unlead()
			}
		}
		if diff := cmp.Diff(want.Output(), q.Output()); diff != "" {
			t.Errorf("turn %d (-without drafts +with):\n%s", turn, diff)
		}
		if got := q.Result().Cached; got != found/pageSize*pageSize {
			t.Errorf("turn %d: %d tokens of %d are found, want the whole pages of %d", turn, got, len(prompt), found)
		}
		run = len(prompt) + len(q.Output()) - 1
		if follows == "all" {
			led = run
		}
		prompt = slices.Concat(prompt, q.Output(), distinct(10+turn, 7))
	}
	s.whole(t)
}
