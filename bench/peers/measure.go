package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/glmc/glmc/runtime/bench"
)

// measure runs both sides in turn, round after round, so that what disturbs the machine disturbs both.
func (o *options) measure(ctx context.Context, p *peer, m model, c contest, list []workload, r *report) error {
	sides := make([]side, len(c.ours))
	var theirs [][]float64 // [round][workload]
	for round := range o.rounds {
		note("%s, round %d of %d: llama.cpp %s", m.name, round+1, o.rounds, c.name)
		rates, err := o.theirs(ctx, p, c.file, list)
		if err != nil {
			return err
		}
		theirs = append(theirs, rates)
		for i, e := range c.ours {
			if sides[i].failed != nil {
				continue
			}
			note("%s, round %d of %d: glmc %s", m.name, round+1, o.rounds, e.name)
			loads, err := o.ours(ctx, e, list)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				sides[i].failed = err
				r.LeftOut = append(r.LeftOut, fmt.Sprintf("%s %s: %v", m.name, e.name, err))
				continue
			}
			sides[i].loads = append(sides[i].loads, loads)
		}
	}
	for i, w := range list {
		for k, e := range c.ours {
			if sides[k].failed == nil {
				r.Results = append(r.Results, sides[k].result(m, c, e, w, i, theirs))
			}
		}
	}
	return nil
}

// side is what one way of glmc's came to.
type side struct {
	loads  [][]load // [round][workload]
	failed error
}

// load is what glmc bench model --json says of one of its loads.
type load struct {
	Prompt       float64 `json:"prompt_tokens_per_s"`
	Generate     float64 `json:"generate_tokens_per_s"`
	ReadGB       float64 `json:"read_gb_s"`
	ReadLimit    float64 `json:"read_limit_gb_s"`
	ReadShare    float64 `json:"limit_share"`
	ProductGFLOP float64 `json:"prompt_gflop_s"`
	ProductLimit float64 `json:"product_limit_gflop_s"`
	ProductShare float64 `json:"product_share"`
}

func (s *side) result(m model, c contest, e entry, w workload, index int, theirs [][]float64) result {
	r := result{Model: m.name, Workload: w.name, PeerFormat: c.name, GlmcFormat: e.name, Peer: column(theirs, index)}
	var ratios, shares, limits []float64
	for round, loads := range s.loads {
		l := loads[index]
		rate, share, limit := l.Generate, l.ReadShare, l.ReadLimit
		if w.gen == 0 {
			rate, share, limit = l.Prompt, l.ProductShare, l.ProductLimit
		}
		r.Glmc = append(r.Glmc, rate)
		ratios = append(ratios, rate/r.Peer[round])
		shares, limits = append(shares, share), append(limits, limit)
	}
	r.Ratio, r.Share, r.Limit = bench.Median(ratios), bench.Median(shares), bench.Median(limits)
	return r
}

func column(rows [][]float64, i int) []float64 {
	var c []float64
	for _, row := range rows {
		c = append(c, row[i])
	}
	return c
}

// ours runs glmc once for all workloads.
func (o *options) ours(ctx context.Context, e entry, list []workload) ([]load, error) {
	var prompts, gens, batches []string
	for _, w := range list {
		gen := 0
		if w.gen > 0 {
			gen = w.gen + 1 // the first is the prompt's own, and not counted
		}
		prompts = append(prompts, strconv.Itoa(max(w.prompt, 1))) // glmc has nothing to generate behind without a prompt
		gens = append(gens, strconv.Itoa(gen))
		batches = append(batches, strconv.Itoa(max(w.batch, 1)))
	}
	args := []string{"bench", "model", "--weights", e.dir, "--prompt", strings.Join(prompts, ","), "--gen", strings.Join(gens, ","),
		"--batch", strings.Join(batches, ","), "--runs", "1", "--threads", strconv.Itoa(o.threads), "--precision", e.precision, "--set", "weights=" + e.weights, "--json"}
	out, err := output(exec.CommandContext(ctx, o.glmc, args...))
	if err != nil {
		return nil, err
	}
	return parseOurs(out, len(list))
}

func parseOurs(text string, loads int) ([]load, error) {
	var doc struct {
		Loads []load `json:"loads"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("glmc bench model: %w", err)
	}
	if len(doc.Loads) != loads {
		return nil, fmt.Errorf("glmc bench model measured %d loads, not %d", len(doc.Loads), loads)
	}
	return doc.Loads, nil
}

// theirs runs the peer's tools: llama-bench once for all but the sequences side by side, and llama-batched-bench for those. Each
// test warms up by itself.
func (o *options) theirs(ctx context.Context, p *peer, file string, list []workload) ([]float64, error) {
	rates := make([]float64, len(list))
	var prompts, gens []string
	for _, w := range list {
		switch {
		case w.batch > 0:
		case w.gen > 0:
			gens = append(gens, strconv.Itoa(w.gen))
		default:
			prompts = append(prompts, strconv.Itoa(w.prompt))
		}
	}
	var tests []test
	if len(prompts)+len(gens) > 0 {
		out, err := output(p.command(ctx, "llama-bench", "-m", file, "-t", strconv.Itoa(o.threads), "-r", "1", "-o", "json",
			"-p", orZero(prompts), "-n", orZero(gens)))
		if err != nil {
			return nil, err
		}
		if tests, err = parseTests(out); err != nil {
			return nil, err
		}
	}
	for i, w := range list {
		var err error
		if w.batch > 0 {
			rates[i], err = o.together(ctx, p, file, w)
		} else {
			rates[i], err = find(tests, w)
		}
		if err != nil {
			return nil, err
		}
	}
	return rates, nil
}

func orZero(list []string) string {
	if len(list) == 0 {
		return "0"
	}
	return strings.Join(list, ",")
}

// test is one of llama-bench's results.
type test struct {
	Prompt   int     `json:"n_prompt"`
	Generate int     `json:"n_gen"`
	Rate     float64 `json:"avg_ts"`
}

func parseTests(text string) ([]test, error) {
	var tests []test
	if err := json.Unmarshal([]byte(text), &tests); err != nil {
		return nil, fmt.Errorf("llama-bench: %w", err)
	}
	return tests, nil
}

func find(tests []test, w workload) (float64, error) {
	for _, t := range tests {
		if t.Prompt == w.prompt && t.Generate == w.gen {
			return t.Rate, nil
		}
	}
	return 0, fmt.Errorf("llama-bench did not measure %s", w.doc)
}

// together is the rate of sequences side by side.
func (o *options) together(ctx context.Context, p *peer, file string, w workload) (float64, error) {
	context := max(w.batch*(w.prompt+w.gen), 512)
	out, err := output(p.command(ctx, "llama-batched-bench", "-m", file, "-t", strconv.Itoa(o.threads), "-c", strconv.Itoa(context),
		"-npp", strconv.Itoa(w.prompt), "-ntg", strconv.Itoa(w.gen), "-npl", strconv.Itoa(w.batch), "--output-format", "jsonl"))
	if err != nil {
		return 0, err
	}
	return parseTogether(out, w)
}

func parseTogether(text string, w workload) (float64, error) {
	for line := range strings.Lines(text) {
		var t struct {
			Batch int     `json:"pl"`
			Rate  float64 `json:"speed_tg"`
		}
		if json.Unmarshal([]byte(line), &t) == nil && t.Batch == w.batch {
			return t.Rate, nil
		}
	}
	return 0, fmt.Errorf("llama-batched-bench did not measure %s", w.doc)
}

// version is what a glmc says of itself.
func version(ctx context.Context, glmc string) string {
	out, err := output(exec.CommandContext(ctx, glmc, "version"))
	if err != nil {
		return "glmc of " + glmc
	}
	return firstLine(out)
}

// busy is the number of processes that wanted to run, on average over a minute, or -1.
func busy() float64 {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	first, _, _ := strings.Cut(string(data), " ")
	v, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return v
}
