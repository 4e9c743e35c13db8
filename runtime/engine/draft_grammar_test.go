package engine_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/grammar"
	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// TestDraftLayerGuessesWhatMayCome: the layer of the model without weights knows what the model would say. Where a constraint, the least number of
// tokens or a bias has the model say something else, it guesses that, and goes on from there.
func TestDraftLayerGuessesWhatMayCome(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*engine.Request)
	}{
		{"a constraint", func(r *engine.Request) { r.Constraint = &every{n: 5, mask: make([]uint64, 1)} }},
		{"no stop tokens yet", func(r *engine.Request) { r.MinTokens, r.Stop = 30, []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10} }},
		{"both", func(r *engine.Request) {
			r.Constraint, r.MinTokens, r.Stop = &every{n: 3, mask: make([]uint64, 1)}, 30, []int32{1, 2, 3, 6, 7, 30}
		}},
		{"a bias", func(r *engine.Request) { r.Sampling.Bias = map[int32]float32{4: 1, 9: -100, 20: -3, 21: 1.5} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startEngine(t, enginetest.Options{Draft: true, Pages: 200, Rows: 64, Chunk: 64}, engine.Options{MTP: 4})
			plain := startEngine(t, enginetest.Options{Pages: 200}, engine.Options{})
			for i := range 3 {
				request := func() engine.Request {
					r := engine.Request{Prompt: distinct(i, 5+i), MaxTokens: 40}
					c.change(&r)
					return r
				}
				want, got := plain.add(t, request()), s.add(t, request())
				plain.steps(t, -1)
				s.steps(t, -1)
				if diff := cmp.Diff(want.Output(), got.Output()); diff != "" {
					t.Errorf("output (-without drafts +with):\n%s", diff)
				}
				if r := got.Result(); r.Drafted < 20 || r.Accepted != r.Drafted {
					t.Errorf("%d of %d drafts were right", r.Accepted, r.Drafted)
				}
			}
			s.whole(t)
		})
	}
}

// TestDraftsInAForm: the small model's layer, held to a JSON schema as the model is, guesses most of what the schema has the model say.
func TestDraftsInAForm(t *testing.T) {
	tok, err := tokenizer.Load("../../models/tiny/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	g := smallModel(t)
	x, err := exec.New(t.Context(), g.compile(t, compiler.Options{}), g.ckpt, exec.Options{Device: "cpu", Pages: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	vocab := x.Plan().Facts.VocabSize
	tokens := make([][]byte, min(vocab, tok.VocabSize()))
	var stops []int32
	for id := range tokens {
		if !tok.Special(int32(id)) {
			tokens[id] = []byte(tok.Bytes(int32(id)))
		}
	}
	for _, name := range []string{"<|endoftext|>", "<|user|>", "<|observation|>"} {
		if id, ok := tok.TokenToID(name); ok {
			stops = append(stops, id)
		}
	}
	form, err := grammar.Text(grammar.NewVocabulary(tokens, stops), grammar.SchemaForm([]byte(`{"type": "object", "properties": {
		"path": {"type": "string", "maxLength": 24}, "lines": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 999}, "maxItems": 4},
		"reason": {"enum": ["data race", "missing test", "wrong error"]}, "fixed": {"type": "boolean"}},
		"required": ["path", "lines", "reason", "fixed"], "additionalProperties": false}`), false), grammar.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prompts := []string{"Please fix the data race.", "Let me look at server/cache/cache.go first.", "The file is store/users.go.", "Run the tests."}
	for _, temperature := range []float64{0, 0.7} {
		var drafted, accepted, said, verified int
		for i, prompt := range prompts {
			var answers [2][]int32
			for mtp := range answers {
				e, err := engine.New(x, engine.Options{MTP: 3 * mtp})
				if err != nil {
					t.Fatal(err)
				}
				q, err := e.Add(engine.Request{Prompt: tok.Encode(prompt), MaxTokens: 100, Stop: stops, Constraint: form.Start(),
					Sampling: sample.Params{Temperature: temperature, Seed: uint64(i)}})
				if err != nil {
					t.Fatal(err)
				}
				for more := true; more; {
					if more, err = e.Step(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				r := q.Result()
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				answers[mtp] = slices.Clone(q.Output())
				drafted, accepted, verified = drafted+r.Drafted, accepted+r.Accepted, verified+r.Verified
				said += mtp * r.Output
			}
			if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
				t.Errorf("%q (-without drafts +with):\n%s", prompt, diff)
			}
		}
		t.Logf("temperature %v: %d tokens, %d of %d drafts were right: %.2f tokens a step that checked some", temperature, said, accepted, drafted,
			float64(accepted+verified)/float64(verified))
		if 3*accepted < said { // a sixth of the tokens were drafts when the layer knew nothing of the schema
			t.Errorf("temperature %v: %d of %d tokens were drafts", temperature, accepted, said)
		}
	}
}
