package engine_test

import (
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// BenchmarkFirstToken is the time to the first token of the small model behind a prompt of 4,020 tokens: where nothing is cached,
// and where the first 4,000 of them are.
func BenchmarkFirstToken(b *testing.B) {
	const shared, own = 4000, 20
	g := smallModel(b)
	x, err := exec.New(b.Context(), g.compile(b, compiler.Options{}), g.ckpt, exec.Options{Device: "cpu", Pages: 600, Entries: []string{"forward"}})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	for _, name := range []string{"cold", "cached"} {
		b.Run(name, func(b *testing.B) {
			e, err := engine.New(x, engine.Options{})
			if err != nil {
				b.Fatal(err)
			}
			round := 0
			first := func() {
				prompt := make([]int32, shared+own)
				for i := range prompt {
					prompt[i] = int32(i * 61 % 4000)
				}
				if prompt[shared] = int32(round); name == "cold" {
					prompt[0] = int32(round)
				}
				round++
				q, err := e.Add(engine.Request{Prompt: prompt, MaxTokens: 1})
				for more := true; more && err == nil; {
					more, err = e.Step(b.Context())
				}
				if r := q.Result(); err != nil || r.Err != nil || name == "cold" && r.Cached > 0 || name == "cached" && round > 1 && r.Cached != shared {
					b.Fatalf("%v, %+v", err, r)
				}
			}
			first()
			for b.Loop() {
				first()
			}
		})
	}
}
