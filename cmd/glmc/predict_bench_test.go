package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/runtime/calibrate"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

// BenchmarkPredicted measures this machine, compiles the small model for it, and runs what was predicted: a prompt in one
// step, and tokens one by one. It reports how many times longer each took than predicted. On a machine that does
// nothing else that is less than two, either way.
func BenchmarkPredicted(b *testing.B) {
	f, err := calibrate.Measure(context.Background(), calibrate.Full)
	if err != nil {
		b.Fatal(err)
	}
	device := measuredDevice(f, time.Now())
	b.Logf("%+v", f)
	const prompt, tokens = 192, 33
	root := repository(b)
	p := tinyPlan(b, root, device, prompt)
	ckpt, err := safetensors.Open(filepath.Join(root, "models", "tiny"))
	if err != nil {
		b.Fatal(err)
	}
	defer ckpt.Close()
	e, err := exec.New(context.Background(), p, ckpt, exec.Options{Device: "cpu", Pages: 64, Entries: []string{"forward"}})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	g, err := engine.New(e, engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	request := engine.Request{Prompt: make([]int32, prompt), MaxTokens: tokens}
	for i := range request.Prompt {
		request.Prompt[i] = int32(i * 61 % 4000)
	}
	var promptTime, tokenTime time.Duration
	for b.Loop() {
		r, err := g.Generate(context.Background(), request)
		if err != nil {
			b.Fatal(err)
		}
		promptTime += r.Prompt
		tokenTime += r.Generate / (tokens - 1)
	}
	predicted := func(s ir.Sizes, context int) float64 {
		t, err := cost.OfPlan(p)
		if err != nil {
			b.Fatal(err)
		}
		t.Context = context
		return cost.Program(p.Program("forward").Graph, s, t).Seconds
	}
	n := float64(b.N)
	b.ReportMetric(promptTime.Seconds()/n/predicted(ir.Sizes{Tokens: prompt, Seqs: 1, Rows: 1}, prompt/2), "prompt-taken/predicted")
	b.ReportMetric(tokenTime.Seconds()/n/predicted(ir.Sizes{Tokens: 1, Seqs: 1, Rows: 1}, prompt+tokens/2), "token-taken/predicted")
	b.ReportMetric(1e6*promptTime.Seconds()/n, "prompt-µs")
	b.ReportMetric(1e6*tokenTime.Seconds()/n, "token-µs")
}

// tinyPlan is the small model's for the device, with prompts in steps of so many tokens.
func tinyPlan(b *testing.B, root string, device *cost.Device, chunk int) *plan.Plan {
	b.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(root, "models", name))
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	file, list := syntax.Parse("model.glm", read("glm4moe/model.glm"))
	if err := list.Err(); err != nil {
		b.Fatal(err)
	}
	doc, err := config.Parse("config.json", read("tiny/config.json"))
	if err != nil {
		b.Fatal(err)
	}
	r, list, err := compiler.Compile(file, compiler.Options{Config: doc, Set: map[string]string{"prefill.chunk": fmt.Sprint(chunk)},
		Device: func(string) (*cost.Device, error) { return device, nil }})
	if err != nil {
		b.Fatal(err, list.Err())
	}
	return r.Plan
}
