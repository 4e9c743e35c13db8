package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/verify"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

// maxVerified is the largest checkpoint that verify runs: the reference kernels widen weights to four bytes, and every
// rank of the plan has its own.
const maxVerified = 1 << 30

// verifiedTokens is how many tokens of a prompt verify runs.
const verifiedTokens = 24

// checkpointCheck is what a checkpoint's logits are with all passes and with none.
type checkpointCheck struct {
	Tokens   int     `json:"tokens"`  // of the prompt
	Skipped  string  `json:"skipped"` // why it was not run; "" where it was
	MaxError float64 `json:"max_error"`
	Bound    float64 `json:"bound"`
	Wrong    string  `json:"wrong"`
}

func (c *checkpointCheck) String() string {
	switch {
	case c.Skipped != "":
		return "not run: " + c.Skipped
	case c.Wrong != "":
		return c.Wrong
	}
	return fmt.Sprintf("logits of %s differ from those before all passes by %.2g, within %.2g", diag.Count(c.Tokens, "token"), c.MaxError, c.Bound)
}

func (f *verifyFlags) runCheckpoint(ctx context.Context, model *prepared, p *plan.Plan, out *verified) error {
	files, err := openFiles(f.weights)
	if err != nil {
		return err
	}
	ckpt, err := files.open()
	if err != nil {
		return err
	}
	defer ckpt.Close()
	check := &checkpointCheck{}
	out.Checkpoint = check
	if n := checkpointBytes(ckpt); n > maxVerified {
		check.Skipped = fmt.Sprintf("its tensors have %d bytes, and no more than %d are run", n, maxVerified)
		return nil
	}
	plain := *model
	plain.options.Disable, plain.options.IgnoreRequire = passes.Names(), true
	before, err := plain.compile()
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(f.seed, 5))
	prompt := make([]int32, verifiedTokens)
	for i := range prompt {
		prompt[i] = int32(rng.IntN(p.Facts.VocabSize))
	}
	check.Tokens = len(prompt)
	want, err := promptLogits(ctx, before.Plan, ckpt, prompt)
	if err != nil {
		return err
	}
	got, err := promptLogits(ctx, p, ckpt, prompt)
	if err != nil {
		return err
	}
	check.MaxError, check.Bound = verify.Logits(before.Plan.Module, p.Module, want, got)
	if !(check.MaxError <= check.Bound) {
		check.Wrong = fmt.Sprintf("the checkpoint's logits differ by %.3g from those before all passes, more than %.3g", check.MaxError, check.Bound)
		out.OK = false
	}
	return nil
}

func checkpointBytes(ckpt *safetensors.Checkpoint) int64 {
	var n int64
	for _, name := range ckpt.Names() {
		t, err := ckpt.Tensor(name)
		if err == nil {
			n += int64(len(t.Bytes))
		}
	}
	return n
}

// promptLogits are the logits of every token of a prompt, on the reference kernels.
func promptLogits(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, prompt []int32) ([]float32, error) {
	pages := (len(prompt) + p.Cache.PageSize) / p.Cache.PageSize
	ex, err := exec.New(ctx, p, ckpt, exec.Options{Device: "ref", Pages: pages, Entries: []string{"forward"}})
	if err != nil {
		return nil, err
	}
	defer ex.Close()
	eng, err := engine.New(ex, engine.Options{})
	if err != nil {
		return nil, err
	}
	var all []float32
	_, err = eng.Generate(ctx, engine.Request{Prompt: prompt, MaxTokens: 1, OnPromptLogits: func(_ int, row []float32) error {
		all = append(all, slices.Clone(row)...)
		return nil
	}})
	return all, err
}
