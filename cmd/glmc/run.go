package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/packed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/text/chat"
)

// runFlags are the flags of `glmc run`.
type runFlags struct {
	compileFlags
	deviceFlags
	text textFlags

	drafts   drafts // of draft
	prompt   string
	messages string
	ids      string
	tokens   []int32 // of ids

	maxTokens int
	ignoreEOS bool
	sampling  sample.Params
	logits    string
	profile   string
	recorder  *profile.Recorder // nil without profile
	asJSON    bool
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [MODEL]",
		Short: "Generate text",
		Long: `Run compiles MODEL, or reads it where it is a plan, loads the checkpoint of --weights and generates. The text
streams to stdout. Without MODEL it takes the family that the binary carries for the architectures of the
checkpoint's config.json, and without --weights a small model, trained on Go's standard library, that it
carries too.

A --prompt is continued as it stands. --messages renders a conversation with the checkpoint's chat template.
--ids takes token ids as they are, and needs no tokenizer.`,
		Example: `  glmc run --prompt "func Reverse(s string) string {"
  glmc run --prompt "func Reverse(" --temperature 0.8 --seed 7 --max-tokens 40
  glmc run --ids 1,2,3 --max-tokens 8 --json
  glmc run models/glm4moe/model.glm --weights DIR --messages chat.json --max-tokens 256`,
		Args: atMostOneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			model := strings.Join(args, "")
			if err := f.check(cmd, model); err != nil {
				return err
			}
			return f.run(cmd.Context(), model)
		},
	}
	fs := cmd.Flags()
	f.compileFlags.register(fs)
	f.text.register(fs)
	f.deviceFlags.register(fs)
	fs.StringVar(&f.prompt, "prompt", "", "`TEXT` to continue")
	fs.StringVar(&f.messages, "messages", "", "JSON `FILE` with {\"messages\": [...], \"tools\": [...]}")
	fs.StringVar(&f.ids, "ids", "", "token ids to continue, `1,2,3`")
	fs.IntVar(&f.maxTokens, "max-tokens", 128, "`N` tokens to generate at most")
	fs.BoolVar(&f.ignoreEOS, "ignore-eos", false, "go on behind end-of-sequence tokens")
	fs.Float64Var(&f.sampling.Temperature, "temperature", 0, "`F` of sampling; 0 is greedy")
	fs.Float64Var(&f.sampling.TopP, "top-p", 0, "sample from the fewest tokens that hold this probability `F` (default: all)")
	fs.IntVar(&f.sampling.TopK, "top-k", 0, "sample from the `N` most probable tokens (default: all)")
	fs.Uint64Var(&f.sampling.Seed, "seed", 0, "`N` for sampling: the same seed gives the same text")
	fs.StringVar(&f.logits, "logits", "", "safetensors `FILE` to write the prompt's logits to: \"logits\", f32 [positions, vocabulary]")
	fs.StringVar(&f.profile, "profile", "", "JSON `FILE` to write the measured time of every operator to, for glmc inspect --html")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document at the end instead of text")
	return cmd
}

// check refuses command lines that make no sense before any work is done.
func (f *runFlags) check(cmd *cobra.Command, model string) error {
	given := 0
	for _, name := range []string{"prompt", "messages", "ids"} {
		if cmd.Flags().Changed(name) {
			given++
		}
	}
	switch {
	case given == 0:
		return usagef("run wants something to continue: --prompt TEXT, --messages FILE.json or --ids 1,2,3")
	case given > 1:
		return usagef("--prompt, --messages and --ids exclude one another")
	case f.maxTokens < 0:
		return usagef("--max-tokens %d: wants a number from 0 on", f.maxTokens)
	case model != "" && f.weights == "":
		return noWeights(model)
	}
	if err := f.sampling.Check(); err != nil {
		return &usageError{err}
	}
	if err := f.deviceFlags.check(); err != nil {
		return err
	}
	if cmd.Flags().Changed("ids") {
		var err error
		if f.tokens, err = parseIDs(f.ids); err != nil {
			return err
		}
	}
	return f.checkOutputs(model, f.config, f.messages)
}

// checkOutputs finds out whether the files can be written that the flags name, without overwriting what is read.
func (f *runFlags) checkOutputs(inputs ...string) error {
	if f.logits != "" {
		if err := checkOutput("--logits", f.logits, inputs...); err != nil {
			return err
		}
	}
	if f.profile == "" {
		return nil
	}
	return checkOutput("--profile", f.profile, inputs...)
}

func (f *runFlags) run(ctx context.Context, model string) error {
	files, err := openFiles(f.weights)
	if err != nil {
		return err
	}
	p, err := loadModel(model, &f.compileFlags, files)
	if err != nil {
		return err
	}
	if f.drafts, err = f.draft.settle(p); err != nil {
		return err
	}
	defer f.drafts.Close()
	text, err := f.text.load(files, f.tokens == nil)
	if err != nil {
		return err
	}
	prompt, err := f.promptIDs(text)
	if err != nil {
		return err
	}
	if err := f.fits(p, prompt); err != nil {
		return err
	}
	ckpt, err := files.open()
	if err != nil {
		return err
	}
	defer ckpt.Close()
	if err := f.checkOutputs(ckpt.Files()...); err != nil {
		return err
	}
	made, err := f.packed.open(f.device, files, ckpt)
	if err != nil {
		return err
	}
	defer made.Close()
	ex, err := f.executor(ctx, p, ckpt, made, len(prompt))
	if errors.Is(err, exec.ErrCheckpoint) {
		return f.misfit(model, p, files, ckpt, err)
	}
	if err != nil {
		return err
	}
	defer ex.Close()
	noteRounded(ex.Rounded())
	f.precision.note(p, ex)
	notePacked(made, ex.Weights())
	eng, err := engine.New(ex, f.drafts.options(engine.Options{}))
	if err != nil {
		return err
	}
	if err := f.generate(ctx, eng, p, text, prompt); err != nil {
		return err
	}
	return f.writeProfile(p)
}

func (f *runFlags) promptIDs(text *textTools) ([]int32, error) {
	switch {
	case f.tokens != nil:
		return f.tokens, nil
	case f.messages == "":
		return text.tokenizer.Encode(f.prompt), nil
	}
	data, err := readLimited(f.messages, maxMessagesFile)
	if err != nil {
		return nil, err
	}
	conv, err := chat.ParseConversation(data)
	switch {
	case err != nil && !json.Valid(data):
		return nil, fmt.Errorf("%s: wants JSON, {\"messages\": [...], \"tools\": [...]}: %w", f.messages, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.messages, err)
	}
	return text.conversation(conv)
}

// fits finds out before the weights are loaded that a model cannot continue a prompt.
func (f *runFlags) fits(p *plan.Plan, prompt []int32) error {
	if len(prompt) == 0 {
		return usagef("the prompt is empty: the model needs at least one token to begin with")
	}
	for i, id := range prompt {
		if vocab := p.Facts.VocabSize; vocab > 0 && int(id) >= vocab {
			return fmt.Errorf("token %d of the prompt is %d, but the model's vocabulary has %d: do the ids, or the tokenizer, belong to this model?", i, id, vocab)
		}
	}
	if most := p.Facts.MaxPositions; most > 0 && f.maxTokens > most-len(prompt) {
		return fmt.Errorf("the prompt's %s and --max-tokens %d are more than the model's %d positions", diag.Count(len(prompt), "token"), f.maxTokens, most)
	}
	return nil
}

// executor loads the weights, with a KV cache for one sequence.
func (f *runFlags) executor(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, made *packed.File, prompt int) (*exec.Executor, error) {
	tokens := prompt + f.maxTokens
	pages := (tokens + p.Cache.PageSize - 1) / p.Cache.PageSize
	o := f.execOptions(pages, made, f.drafts)
	if f.profile != "" {
		f.recorder = profile.NewRecorder(p.Module.Ranks)
		o.Timed = func(_ int, entry string, b ir.Bucket, n *ir.Node, took time.Duration) {
			f.recorder.Add(entry, b, n, took)
		}
	}
	return exec.New(ctx, p, ckpt, o)
}

// writeProfile writes what was measured to the file of --profile.
func (f *runFlags) writeProfile(p *plan.Plan) error {
	if f.profile == "" {
		return nil
	}
	data, err := json.Marshal(profile.Profile{Format: profile.Format, Model: p.Model, Target: p.Target, Ranks: p.Module.Ranks,
		Device: f.device, Threads: f.threads, Measured: f.recorder.Measured()})
	if err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	return writeFile(f.profile, append(data, '\n'))
}

// runResult is what run --json prints.
type runResult struct {
	PromptIDs    []int32    `json:"prompt_ids"`
	OutputIDs    []int32    `json:"output_ids"`
	Text         string     `json:"text"`
	FinishReason string     `json:"finish_reason"`
	Precision    string     `json:"precision"` // of products
	Timings      timings    `json:"timings"`
	Draft        draftStats `json:"draft"`
}

type timings struct {
	PromptMS   float64 `json:"prompt_ms"`
	GenerateMS float64 `json:"generate_ms"`
}

// draftStats are what became of drafts.
type draftStats struct {
	Kind     string `json:"kind"`
	Steps    uint64 `json:"steps"`    // that checked drafts
	Drafted  uint64 `json:"drafted"`  // tokens that were checked
	Accepted uint64 `json:"accepted"` // of them, those that are part of the output
}

func draftStatsOf(kind string, s engine.Stats) draftStats {
	d := s.AllDrafts()
	return draftStats{Kind: kind, Steps: d.Steps, Drafted: d.Checked, Accepted: d.Accepted}
}

func (f *runFlags) generate(ctx context.Context, eng *engine.Engine, p *plan.Plan, text *textTools, prompt []int32) error {
	r := engine.Request{Prompt: prompt, MaxTokens: f.maxTokens, Sampling: f.sampling}
	if !f.ignoreEOS {
		r.Stop = text.stop
	}
	var out *tokenPrinter
	if !f.asJSON {
		out = text.printer()
		r.OnToken = out.token
	}
	resp, err := generate(ctx, eng, r, f.logits)
	if out != nil {
		if endErr := out.end(err == nil); err == nil {
			err = endErr
		}
	}
	if err != nil {
		return err
	}
	if !f.asJSON {
		printSpeeds(os.Stderr, len(prompt), resp)
		return nil
	}
	if resp.Output == nil {
		resp.Output = []int32{}
	}
	return printJSON(runResult{PromptIDs: prompt, OutputIDs: resp.Output, Text: text.decode(resp.Output), FinishReason: resp.Finish, Precision: f.precision.used.String(),
		Timings: timings{float64(resp.Prompt.Microseconds()) / 1e3, float64(resp.Generate.Microseconds()) / 1e3}, Draft: draftStatsOf(f.drafts.kind, eng.Stats())})
}
