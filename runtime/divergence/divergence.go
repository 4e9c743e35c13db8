// Package divergence measures how far the logits of two engines are apart on a text: by the Kullback-Leibler divergence of
// what they predict for each next token, and by the perplexity that the text has for each.
package divergence

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/glmc/glmc/runtime/engine"
)

// Result says how far engine B is from engine A.
type Result struct {
	Tokens      int     // whose next token was predicted
	MeanKL      float64 // of KL(A || B) over the tokens, in nats
	MaxKL       float64
	MaxAt       int     // the token after which the divergence is largest, counted from 0 in the text
	SameTop     float64 // share of the tokens for which both think the same next token likeliest
	PerplexityA float64 // of the text
	PerplexityB float64
}

// Measure runs a text through both engines, cut into pieces of at most window tokens, each of which stands for itself. It
// needs two tokens or more, and two engines, because their steps take turns. At most one row of logits of each engine is kept.
func Measure(ctx context.Context, a, b *engine.Engine, text []int32, window int) (Result, error) {
	if len(text) < 2 || window < 2 {
		return Result{}, fmt.Errorf("the text has %d token(s), cut into pieces of %d: two at least have to follow each other", len(text), window)
	}
	if a == b {
		return Result{}, fmt.Errorf("the two engines are one: the steps of a text in one cannot take turns with those in the other")
	}
	var sum sums
	for at := 0; at < len(text)-1; at += window {
		piece := text[at:min(at+window, len(text))]
		if len(piece) < 2 {
			break
		}
		if err := sum.piece(ctx, a, b, piece, at); err != nil {
			return Result{}, err
		}
	}
	return sum.result(), nil
}

type sums struct {
	n, same      int
	kl, most     float64
	at           int
	lossA, lossB float64
	logA, logB   []float64
}

// piece runs one piece through both engines side by side: the rows of one are pulled as those of the other come.
func (s *sums) piece(ctx context.Context, a, b *engine.Engine, piece []int32, first int) error {
	var failed error
	next, stop := iter.Pull(func(yield func([]float32) bool) {
		failed = rows(ctx, a, piece, func(_ int, row []float32) error {
			if !yield(row) {
				return errStopped
			}
			return nil
		})
	})
	defer stop()
	err := rows(ctx, b, piece, func(i int, rowB []float32) error {
		rowA, ok := next()
		switch {
		case !ok && failed != nil:
			return failed
		case !ok || len(rowA) != len(rowB):
			return fmt.Errorf("one model gives logits for %d tokens, the other for %d: they are not of one vocabulary", len(rowA), len(rowB))
		case i+1 < len(piece):
			return s.add(rowA, rowB, int(piece[i+1]), first+i)
		}
		return nil
	})
	return err
}

// errStopped ends a run whose rows nobody wants any more.
var errStopped = fmt.Errorf("stopped")

// rows gives the logits of each token of a prompt.
func rows(ctx context.Context, e *engine.Engine, prompt []int32, row func(int, []float32) error) error {
	_, err := e.Generate(ctx, engine.Request{Prompt: prompt, MaxTokens: 0, OnPromptLogits: row})
	return err
}

// add counts what both engines predict behind a token, and the token that comes.
func (s *sums) add(rowA, rowB []float32, next, at int) error {
	if next < 0 || next >= len(rowA) {
		return fmt.Errorf("token %d of the text is %d, and the vocabulary has %d", at+1, next, len(rowA))
	}
	var topA, topB int
	s.logA, topA = logSoftmax(s.logA, rowA)
	s.logB, topB = logSoftmax(s.logB, rowB)
	kl := 0.0
	for i, p := range s.logA {
		if e := math.Exp(p); e != 0 { // what is not likely at all adds nothing
			kl += e * (p - s.logB[i])
		}
	}
	kl = max(kl, 0) // rounding may leave a little less
	if math.IsNaN(kl) {
		return fmt.Errorf("the logits behind token %d are no numbers", at)
	}
	s.n++
	s.kl += kl
	if kl > s.most {
		s.most, s.at = kl, at
	}
	if topA == topB {
		s.same++
	}
	s.lossA -= s.logA[next]
	s.lossB -= s.logB[next]
	return nil
}

// logSoftmax stores the logarithms of the probabilities in dst, and finds the largest.
func logSoftmax(dst []float64, logits []float32) ([]float64, int) {
	top := 0
	for i, v := range logits {
		if v > logits[top] {
			top = i
		}
	}
	most, sum := float64(logits[top]), 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - most)
	}
	norm := most + math.Log(sum)
	dst = dst[:0]
	for _, v := range logits {
		dst = append(dst, float64(v)-norm)
	}
	return dst, top
}

func (s *sums) result() Result {
	n := float64(s.n)
	return Result{Tokens: s.n, MeanKL: s.kl / n, MaxKL: s.most, MaxAt: s.at, SameTop: float64(s.same) / n,
		PerplexityA: math.Exp(s.lossA / n), PerplexityB: math.Exp(s.lossB / n)}
}
