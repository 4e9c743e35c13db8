package engine_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// TestAnyScheduleOfTheSmallModel is TestAnySchedule with a trained model on the CPU kernels, for 200 requests: attention then reads what
// lies in the pages, and sums may not depend on what else is in a step.
func TestAnyScheduleOfTheSmallModel(t *testing.T) {
	t.Parallel()
	x := modelOfPages(t)
	facts, pageSize := x.Plan().Facts, x.Plan().Cache.PageSize
	var sum sums
	for want := requests(200); sum.requests < want && !t.Failed(); {
		rapid.Check(t, func(t *rapid.T) {
			if sum.requests >= want {
				return
			}
			w := &world{t: t, poison: none(t, facts.VocabSize), sums: &sum, alone: func() engine.Executor { return x }}
			w.run(x, facts.VocabSize, pageSize, 4)
		})
	}
	sum.check(t)
}

// modelOfPages is the model that the binary carries, with room for eight sequences and pages of two tokens.
func modelOfPages(t *testing.T) *exec.Executor {
	t.Helper()
	g := smallModel(t)
	p := g.compile(t, compiler.Options{Set: map[string]string{
		"cache.page": "2", "prefill.chunk": "32", "prefill.rows": "32", "decode.capture": "1,2,4,8"}})
	x, err := exec.New(t.Context(), p, g.ckpt, exec.Options{Device: "cpu", Pages: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}
