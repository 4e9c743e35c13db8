package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
)

// session runs entries of a plan on one sequence, step by step.
type session struct {
	t    rapid.TB
	exec *exec.Executor
	seq  *kv.Sequence
}

func newSession(t *testing.T, e *exec.Executor, tokens int) *session {
	t.Helper()
	s := &session{t: t, exec: e, seq: kv.NewPool(e.Pages(), e.Plan().Cache.PageSize).NewSequence()}
	if err := s.seq.Grow(tokens); err != nil {
		t.Fatal(err)
	}
	return s
}

// step runs tokens from position pos on and returns copies of the logits and states of all of them. hidden is
// what the entry draft takes.
func (s *session) step(entry string, tokens []int32, pos int, hidden []float32) (logits, states [][]float32) {
	s.t.Helper()
	n := len(tokens)
	positions, slots, rows := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		positions[i], slots[i], rows[i] = int32(pos+i), s.seq.Slot(pos+i), int32(i)
	}
	in := exec.Inputs{
		"tokens":    kernels.FromI32(tokens, n),
		"pos":       kernels.FromI32(positions, n),
		"slots":     kernels.FromI32(slots, n),
		"seq_start": kernels.FromI32([]int32{0, int32(n)}, 2),
		"pages":     kernels.FromI32(s.seq.Pages(), 1, len(s.seq.Pages())),
		"rows":      kernels.FromI32(rows, n),
		"parents":   kernels.FromI32(slices.Repeat([]int32{-1}, n), n),
	}
	if hidden != nil {
		in["hidden"] = kernels.FromF32(hidden, n, len(hidden)/n)
	}
	out, err := s.exec.Step(context.Background(), entry, in)
	if err != nil {
		s.t.Fatal(err)
	}
	return rowsOf(&out[0]), rowsOf(&out[1])
}

func rowsOf(t *kernels.Tensor) [][]float32 {
	n := t.Last()
	rows := make([][]float32, t.Rows())
	for i := range rows {
		rows[i] = append([]float32(nil), t.F32[i*n:(i+1)*n]...)
	}
	return rows
}

func flatten(rows [][]float32) []float32 {
	var all []float32
	for _, r := range rows {
		all = append(all, r...)
	}
	return all
}

// drafts runs a prompt, then the MTP layer on every position of it, then a chain of n drafts. A draft's
// hidden state is the MTP layer's own after shared_head.norm, at the position behind the last.
func (s *session) drafts(prompt []int32, n int) (logits, states, chain [][]float32, tokens []int32) {
	s.t.Helper()
	out, hidden := s.step("forward", prompt, 0, nil)
	next := int32(argmax(out[len(out)-1]))
	input := append(append([]int32(nil), prompt[1:]...), next)
	logits, states = s.step("draft", input, 0, flatten(hidden))
	row, state := logits[len(logits)-1], states[len(states)-1]
	for i := range n {
		chain = append(chain, row)
		tokens = append(tokens, int32(argmax(row)))
		if i == n-1 {
			break
		}
		l, st := s.step("draft", tokens[i:], len(prompt)+i, state)
		row, state = l[0], st[0]
	}
	return logits, states, chain, tokens
}

// TestDraftsMatchHuggingFace compares the MTP layer on a whole prompt and three chained drafts.
func TestDraftsMatchHuggingFace(t *testing.T) {
	for _, c := range goldens {
		g := c.open(t)
		if g.facts[g.prefix+"mtp"] == nil {
			continue
		}
		var want struct {
			Input []int32 `json:"input_tokens"`
			Chain []int32 `json:"draft_chain"`
		}
		if err := json.Unmarshal(g.facts[g.prefix+"mtp"], &want); err != nil {
			t.Fatal(err)
		}
		for _, o := range c.variants() {
			t.Run(g.name+variantName(o), func(t *testing.T) {
				t.Parallel()
				m := g.start(t, g.compile(t, o), "ref", 0)
				prompt := g.prompt(t, "p33")
				logits, states, chain, tokens := newSession(t, m.exec, len(prompt)+3).drafts(prompt, 3)
				within(t, "MTP logits", flatten(logits), g.floats(t, "p33.mtp.logits"), logitBound)
				within(t, "MTP states", flatten(states), g.floats(t, "p33.mtp.hidden"), hiddenBound)
				within(t, "chained logits", flatten(chain), g.floats(t, "p33.mtp.chain_logits"), logitBound)
				if diff := cmp.Diff(want.Chain, tokens); diff != "" {
					t.Errorf("drafts (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestSmallModelMatchesHuggingFace runs the trained model: greedy text token for token on the reference
// kernels, and its drafts; on the CPU kernels until a margin is too small to hold in bf16.
func TestSmallModelMatchesHuggingFace(t *testing.T) {
	g := &golden{name: "tiny", model: modelFile, dir: "../../models/tiny"}
	g.openFiles(t)
	var cases []struct {
		IDs    []int32 `json:"prompt_ids"`
		Greedy []int32
		Margin []float64
		Chain  []int32 `json:"mtp_draft_chain3"`
	}
	data, err := os.ReadFile(filepath.Join(g.dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{"ref", "cpu"} {
		// Where f32 and bf16 may part: the margins of the case's README, and ten times as much in bf16.
		smallest := map[string]float64{"ref": 0.005, "cpu": 0.05}[device]
		p := g.compile(t, compiler.Options{Set: map[string]string{"prefill.chunk": "1024", "prefill.rows": "1024"}})
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s/%d", device, i), func(t *testing.T) {
				if testing.Short() && (device == "ref" || len(c.IDs) > 100) {
					t.Skip("long")
				}
				t.Parallel()
				m := g.start(t, p, device, 0)
				got := m.greedy(t, c.IDs, len(c.Greedy))
				for j := range got {
					if c.Margin[j] < smallest {
						t.Logf("token %d has a margin of %g: compared up to here", j, c.Margin[j])
						return
					}
					if got[j] != c.Greedy[j] {
						t.Fatalf("token %d is %d, want %d", j, got[j], c.Greedy[j])
					}
				}
				if device != "ref" {
					return
				}
				logits, _, _, tokens := newSession(t, m.exec, len(c.IDs)+3).drafts(c.IDs, 3)
				within(t, "last MTP logits", logits[len(logits)-1], g.floats(t, fmt.Sprintf("%d.mtp_last_logits", i)), logitBound)
				if diff := cmp.Diff(c.Chain, tokens); diff != "" {
					t.Errorf("drafts (-want +got):\n%s", diff)
				}
				prompt := m.promptLogits(t, c.IDs)
				vocab := m.exec.Plan().Facts.VocabSize
				within(t, "last prompt logits", prompt[len(prompt)-vocab:], g.floats(t, fmt.Sprintf("%d.prompt_last_logits", i)), logitBound)
			})
		}
	}
}

// TestDraftsAreAcceptedAsByHuggingFace: greedy text of the trained model with three drafts a step, and how many of them were right in
// each step. On the way the layer follows the prompt in chunks.
func TestDraftsAreAcceptedAsByHuggingFace(t *testing.T) {
	g := smallModel(t)
	var cases []struct {
		IDs      []int32 `json:"prompt_ids"`
		Greedy   []int32
		Accepted []int `json:"mtp_k3_accepted"`
	}
	data, err := os.ReadFile(filepath.Join(g.dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	p := g.compile(t, compiler.Options{Set: map[string]string{"prefill.chunk": "200"}})
	for i, c := range cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if testing.Short() && len(c.IDs) > 100 {
				t.Skip("long")
			}
			t.Parallel()
			var log steps
			e, err := engine.New(g.start(t, p, "ref", 0).exec, engine.Options{MTP: 3, Observe: &log})
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Generate(t.Context(), engine.Request{Prompt: c.IDs, MaxTokens: len(c.Greedy)})
			if err != nil {
				t.Fatal(err)
			}
			var accepted []int
			for _, s := range log.all {
				if s.Drafts > 0 {
					accepted = append(accepted, s.Accepted)
				}
			}
			t.Logf("%d steps: %v", len(log.all), accepted)
			if diff := cmp.Diff(c.Greedy, got.Output); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			last := len(accepted) - 1 // has drafts for as many tokens as are wanted
			if diff := cmp.Diff(c.Accepted[:last], accepted[:last]); diff != "" {
				t.Errorf("right drafts of each step (-want +got):\n%s", diff)
			}
		})
	}
}
