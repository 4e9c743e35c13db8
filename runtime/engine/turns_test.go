package engine_test

import (
	"fmt"
	"slices"
	"testing"

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
					for turn := range 4 {
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
