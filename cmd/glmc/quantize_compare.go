package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/divergence"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// evaluationText is what models are compared on where no other text is named: prose about a compiler and Go source.
//
//go:embed evaluation.txt
var evaluationText string

const (
	maxEvaluationFile = 64 << 20
	evaluationWindow  = 512 // tokens that are predicted from one beginning
)

// loadedModel is a model that is ready to run.
type loadedModel struct {
	ckpt *safetensors.Checkpoint
	ex   *exec.Executor
}

func (m *loadedModel) close() {
	m.ex.Close()
	_ = m.ckpt.Close() // nothing was written
}

// quantizeDivergent is how far a quantised checkpoint is from its source.
type quantizeDivergent struct {
	Text             string  `json:"text"`
	Tokens           int     `json:"tokens"`
	MeanKL           float64 `json:"mean_kl"`
	MaxKL            float64 `json:"max_kl"`
	MaxAt            int     `json:"max_at"`
	SameTop          float64 `json:"same_top"`
	PerplexitySource float64 `json:"perplexity_source"`
	Perplexity       float64 `json:"perplexity"`
}

func (d *quantizeDivergent) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "on %s of %s: KL divergence %.3g on average, %.3g at most (behind token %d); the likeliest next token is the same for %.1f %%; perplexity %.4g, was %.4g\n",
		diag.Count(d.Tokens, "token"), d.Text, d.MeanKL, d.MaxKL, d.MaxAt, 100*d.SameTop, d.Perplexity, d.PerplexitySource)
	return err
}

// compare runs a text through the source and the result.
func (f *quantizeFlags) compare(ctx context.Context, files checkpointFiles, text *comparedText) (*quantizeDivergent, error) {
	window := min(evaluationWindow, len(text.ids))
	a, err := f.executorFor(ctx, files, window)
	if err != nil {
		return nil, err
	}
	defer a.close()
	b, err := f.executorFor(ctx, directory(f.out), window)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var engines [2]*engine.Engine
	for i, m := range []*loadedModel{a, b} {
		if engines[i], err = engine.New(m.ex, engine.Options{}); err != nil {
			return nil, err
		}
	}
	if most := a.ex.Plan().Facts.MaxPositions; most > 0 {
		window = min(window, most)
	}
	r, err := divergence.Measure(ctx, engines[0], engines[1], text.ids, window)
	if err != nil {
		return nil, err
	}
	return &quantizeDivergent{text.name, r.Tokens, r.MeanKL, r.MaxKL, r.MaxAt, r.SameTop, r.PerplexityA, r.PerplexityB}, nil
}

// comparedText is what models are compared on.
type comparedText struct {
	name string
	ids  []int32
}

// text reads what to compare on, before any work is done; nil for nothing. Without a tokenizer there is nothing, which only
// matters to who named a text.
func (f *quantizeFlags) text(files checkpointFiles) (*comparedText, error) {
	if f.noKL {
		return nil, nil
	}
	if _, err := fs.Stat(files.fs(), "tokenizer.json"); errors.Is(err, fs.ErrNotExist) {
		if f.calibration != "" {
			return nil, fmt.Errorf("%s has no tokenizer.json, and %s cannot be made into tokens: leave --calibration out", files.path("."), f.calibration)
		}
		fmt.Fprintf(os.Stderr, "glmc: note: %s has no tokenizer.json: the models are not compared\n", files.path("."))
		return nil, nil
	}
	tools, err := (&textFlags{}).load(files, true)
	if err != nil {
		return nil, err
	}
	text, name := evaluationText, "the text in the binary"
	if f.calibration != "" {
		data, err := readLimited(f.calibration, maxEvaluationFile)
		if err != nil {
			return nil, err
		}
		if !utf8.Valid(data) {
			return nil, fmt.Errorf("%s is not UTF-8 text", f.calibration)
		}
		text, name = string(data), f.calibration
	}
	// A token is a few bytes: what can be no part of the first ones need not be looked at.
	if most := 64 * f.tokens; len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	ids := tools.tokenizer.Encode(text)
	ids = ids[:min(len(ids), f.tokens)]
	if len(ids) < 2 {
		return nil, fmt.Errorf("%s has %s: two at least have to follow each other", name, diag.Count(len(ids), "token"))
	}
	return &comparedText{name, ids}, nil
}

// shortened names modules in short, and not all of many.
func shortened(names []string) string {
	kinds := map[string][]string{}
	var order []string
	for _, name := range names {
		s := weights.Skeleton(name)
		if kinds[s] == nil {
			order = append(order, s)
		}
		kinds[s] = append(kinds[s], name)
	}
	var list []string
	for _, s := range order[:min(len(order), shownKept)] {
		list = append(list, weights.Alike(kinds[s]))
	}
	if n := len(order) - len(list); n > 0 {
		list = append(list, fmt.Sprintf("and %d more kinds", n))
	}
	return strings.Join(list, ", ")
}
