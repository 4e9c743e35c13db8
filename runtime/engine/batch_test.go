package engine_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/kv"
)

// row is one row of a step: a token at a position of a sequence. Sequence -1 makes a padding row.
type row struct {
	seq   int
	token int32
	pos   int
}

// batch runs a step of rows, those of a sequence side by side and padding only at the end, and returns the logits
// of the wanted ones.
func batch(t *testing.T, e *exec.Executor, seqs []*kv.Sequence, rows []row, wanted ...int32) [][]float32 {
	t.Helper()
	n := len(rows)
	tokens, pos, slots := make([]int32, n), make([]int32, n), make([]int32, n)
	starts, order := []int32{0}, []*kv.Sequence{}
	for i, r := range rows {
		tokens[i], pos[i], slots[i] = r.token, int32(r.pos), kernels.PaddingSlot
		if r.seq < 0 {
			continue
		}
		slots[i] = seqs[r.seq].Slot(r.pos)
		if i == 0 || rows[i-1].seq != r.seq {
			order, starts = append(order, seqs[r.seq]), append(starts, int32(i))
		}
		starts[len(starts)-1] = int32(i + 1)
	}
	width := 0
	for _, s := range order {
		width = max(width, len(s.Pages()))
	}
	pages := make([]int32, len(order)*width) // shorter tables end in page 0, which nothing may read
	for i, s := range order {
		copy(pages[i*width:], s.Pages())
	}
	out, err := e.Step(context.Background(), "forward", exec.Inputs{
		"tokens":    kernels.FromI32(tokens, n),
		"pos":       kernels.FromI32(pos, n),
		"slots":     kernels.FromI32(slots, n),
		"seq_start": kernels.FromI32(starts, len(starts)),
		"pages":     kernels.FromI32(pages, len(order), width),
		"rows":      kernels.FromI32(wanted, len(wanted)),
		"parents":   kernels.FromI32(slices.Repeat([]int32{-1}, n), n),
	})
	if err != nil {
		t.Fatal(err)
	}
	return rowsOf(&out[0])
}

// run is a part of a sequence.
func run(seq int, prompt []int32, from, to int) []row {
	var rows []row
	for pos := from; pos < to; pos++ {
		rows = append(rows, row{seq, prompt[pos], pos})
	}
	return rows
}

// TestBatchesMatchSequencesAlone puts sequences of different length and age into one step, one token of some and
// several of others, with padding rows behind: every logit has the bits that it has when its sequence runs alone.
func TestBatchesMatchSequencesAlone(t *testing.T) {
	g := openGolden(t, "c2-qknorm-bf16", "")
	prompts := [][]int32{g.prompt(t, "p33"), g.prompt(t, "p7"), g.prompt(t, "p130")[:50], g.prompt(t, "p1")}
	for _, w := range append(waysOfCPU(t), way{device: "ref"}) {
		for _, tp := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/tp%d", w, tp), func(t *testing.T) {
				t.Parallel()
				m := g.startWith(t, g.compile(t, compiler.Options{TensorParallel: tp, Set: w.set()}), w.options(), 0)
				sequences := func() []*kv.Sequence {
					pool := kv.NewPool(m.exec.Pages(), m.exec.Plan().Cache.PageSize)
					var seqs []*kv.Sequence
					for _, p := range prompts {
						s := pool.NewSequence()
						if err := s.Grow(len(p)); err != nil {
							t.Fatal(err)
						}
						seqs = append(seqs, s)
					}
					return seqs
				}
				alone := make([][][]float32, len(prompts))
				for i, p := range prompts {
					all := make([]int32, len(p))
					for j := range all {
						all[j] = int32(j)
					}
					alone[i] = batch(t, m.exec, sequences(), run(i, p, 0, len(p)), all...)
				}
				seqs := sequences()
				padding := []row{{-1, 5, 3}, {-1, 0, 0}}
				batch(t, m.exec, seqs, slices.Concat(run(2, prompts[2], 0, 49), run(0, prompts[0], 0, 20)))
				first := batch(t, m.exec, seqs, slices.Concat(run(1, prompts[1], 0, 6), run(0, prompts[0], 20, 32), padding), 0, 5, 6, 17)
				second := batch(t, m.exec, seqs, slices.Concat(run(2, prompts[2], 49, 50), run(0, prompts[0], 32, 33), run(3, prompts[3], 0, 1),
					run(1, prompts[1], 6, 7), padding), 3, 2, 1, 0)
				want := [][]float32{alone[1][0], alone[1][5], alone[0][20], alone[0][31], alone[1][6], alone[3][0], alone[0][32], alone[2][49]}
				if diff := cmp.Diff(want, append(first, second...)); diff != "" {
					t.Errorf("logits (-alone +in a batch):\n%s", diff)
				}
			})
		}
	}
}

// TestPaddingWritesNothing: rows without a slot leave the cache as it was, whatever token and position they have.
func TestPaddingWritesNothing(t *testing.T) {
	g := openGolden(t, "c1-bias-untied", "")
	prompt := g.prompt(t, "p33")
	for _, device := range exec.DeviceNames() {
		m := g.start(t, g.compile(t, compiler.Options{}), device, 0)
		logits := func(padding ...row) [][]float32 {
			s := kv.NewPool(m.exec.Pages(), m.exec.Plan().Cache.PageSize).NewSequence()
			if err := s.Grow(len(prompt)); err != nil {
				t.Fatal(err)
			}
			seqs := []*kv.Sequence{s}
			batch(t, m.exec, seqs, append(run(0, prompt, 0, 20), padding...))
			return batch(t, m.exec, seqs, append(run(0, prompt, 20, 33), padding...), 12, 0)
		}
		want := logits()
		if diff := cmp.Diff(want, logits(row{-1, 7, 0}, row{-1, 7, 19}, row{-1, 9, 500})); diff != "" {
			t.Errorf("%s: logits (-without padding +with):\n%s", device, diff)
		}
	}
}

// TestPlansForOtherMachines runs plans for a GPU, whose results are bf16 in the plan, on the devices of this
// machine: they hold them in f32 and give the same bits as a plan for the CPU with the same settings.
func TestPlansForOtherMachines(t *testing.T) {
	g := openGolden(t, "c2-qknorm-bf16", "")
	prompt := g.prompt(t, "p33")
	model, err := os.ReadFile(modelFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []string{
		"cache bf16 { page = 16 }",
		`weights fp8_e4m3 { scale = channel, skip = ["lm_head", "{layer...}.mlp.gate", "{layer...}.eh_proj"] } cache bf16 { page = 16 }`,
		`weights fp8_e4m3 { scale = channel, skip = ["lm_head"] } activations fp8_e4m3 cache fp8_e4m3 { page = 128 }`,
	} {
		for _, device := range exec.DeviceNames() {
			t.Run(device+"/"+settings, func(t *testing.T) {
				t.Parallel()
				logits := func(target string) []float32 {
					pipeline := fmt.Sprintf("\npipeline test for glm4_moe {\n target %s { tensor_parallel = 2 }\n %s\n}\n", target, settings)
					m := g.start(t, g.compileSource(t, append(model[:len(model):len(model)], pipeline...), compiler.Options{Pipeline: "test"}), device, 0)
					return append(m.promptLogits(t, prompt), flatten(newSession(t, m.exec, len(prompt)+3).chain(prompt))...)
				}
				cpu, gpu := logits("cpu"), logits("h200")
				if d := maxDiff(cpu, gpu); d != 0 {
					t.Errorf("the logits of the plans for cpu and h200 differ by up to %g", d)
				}
				if device == "ref" && !strings.Contains(settings, "activations") { // it narrows neither weights nor cache
					vocab := len(gpu) / (len(prompt) + 3)
					within(t, "logits", gpu[:len(prompt)*vocab], g.floats(t, "p33.logits"), logitBound)
				}
			})
		}
	}
}

// chain runs a prompt and three drafts behind it and returns their logits.
func (s *session) chain(prompt []int32) [][]float32 {
	s.t.Helper()
	_, _, chain, _ := s.drafts(prompt, 3)
	return chain
}
