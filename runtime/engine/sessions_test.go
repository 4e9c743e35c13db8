package engine_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/draft/replay"
	"github.com/glmc/glmc/runtime/draft/suffix"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// sessionsFile has sessions of coding agents. GLMC_SESSIONS names another one.
const sessionsFile = "../../models/tiny/sessions.jsonl"

// readSessions gives the prompts of a file's turns, as the small model's template writes them, sessions one after the other.
func readSessions(t *testing.T, name string) (prompts [][]int32) {
	t.Helper()
	tok, err := tokenizer.Load("../../models/tiny/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	template, err := chat.LoadFS(models.Tiny(), "the small model")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sessions, err := replay.ReadSessions(file, func(conv chat.Conversation, generate bool) ([]int32, error) {
		segments, err := template.RenderSegments(conv, chat.Options{AddGenerationPrompt: generate})
		parts := make([]tokenizer.Segment, len(segments))
		for i, s := range segments {
			parts[i] = tokenizer.Segment{Text: s.Text, Special: s.Markup}
		}
		return tok.EncodeSegments(parts), err
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions {
		for _, turn := range s {
			prompts = append(prompts, turn.Prompt)
		}
	}
	return prompts
}

// TestAgentSessions: the small model answers the turns of agents' sessions, greedily and sampled, the same with each kind of drafts as without any, with one
// stream and eight, its prompts in chunks of any size. Prompts and answers before are in the prefix cache, so that drafts stand on pages of others.
func TestAgentSessions(t *testing.T) {
	t.Parallel()
	name := sessionsFile
	if other := os.Getenv("GLMC_SESSIONS"); other != "" {
		name = other
	}
	prompts := readSessions(t, name)
	tokens := 48
	if testing.Short() {
		prompts, tokens = prompts[:min(4, len(prompts))], 24
	}
	longest := 0
	for _, p := range prompts {
		longest = max(longest, len(p))
	}
	g := smallModel(t)
	p := g.compile(t, compiler.Options{})
	x, err := exec.New(t.Context(), p, g.ckpt, exec.Options{Device: "cpu", Pages: 12 * ((longest+tokens)/p.Cache.PageSize + 2)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	request := func(i int) engine.Request {
		r := engine.Request{Prompt: prompts[i/2], MaxTokens: tokens}
		if i%2 == 1 {
			r.Sampling = sample.Params{Temperature: 0.8, TopP: 0.95, Seed: uint64(i)}
		}
		return r
	}
	want := answers(t, x, engine.Options{MaxRunning: 1}, 2*len(prompts), request)
	for _, kind := range []string{"none", "mtp", "suffix", "tree", "hybrid"} {
		for _, streams := range []int{1, 8} {
			for _, chunk := range []int{0, 37} {
				t.Run(fmt.Sprintf("%s, %d streams, chunks of %d", kind, streams, chunk), func(t *testing.T) {
					o := engine.Options{MaxRunning: streams, Chunk: chunk, Adapt: kind == "hybrid"}
					if kind == "mtp" || kind == "hybrid" {
						o.MTP = 3
					}
					if kind == "suffix" || kind == "tree" || kind == "hybrid" {
						c := suffix.Config{Options: suffix.Defaults}
						c.Options.Tree = kind == "tree"
						cache, err := suffix.NewCache(c)
						if err != nil {
							t.Fatal(err)
						}
						defer cache.Close()
						o.Drafter = cache
					}
					if diff := cmp.Diff(want, answers(t, x, o, 2*len(prompts), request)); diff != "" {
						t.Errorf("answers (-without drafts +with):\n%s", diff)
					}
				})
			}
		}
	}
}

// answers runs requests on a new engine, as many at a time as it takes.
func answers(t *testing.T, x engine.Executor, o engine.Options, n int, request func(int) engine.Request) (all [][]int32) {
	t.Helper()
	e, err := engine.New(x, o)
	if err != nil {
		t.Fatal(err)
	}
	var list []*engine.Sequence
	for i := range n {
		q, err := e.Add(request(i))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, q)
	}
	for more := true; more; {
		if more, err = e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range list {
		if err := q.Result().Err; err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.Clone(q.Output()))
	}
	s := e.Stats()
	d := s.AllDrafts()
	if o.MTP > 0 && !o.Adapt && d.Accepted == 0 { // other drafts depend on time: trees may not be ready, or nothing pay
		t.Errorf("no draft came out: %+v", d)
	}
	t.Logf("%d tokens in %d steps; %d of %d drafts came out; %d of %d prompt tokens from the prefix cache", s.OutputTokens, s.Steps, d.Accepted, d.Checked, s.HitTokens, s.QueriedTokens)
	return all
}
