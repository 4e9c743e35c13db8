package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/runtime/engine"
)

// Drafting is an engine with a kind of drafts that is measured beside others. Its pages are its own: engines that share an executor would
// find each other's in their prefix caches.
type Drafting struct {
	Kind   string
	Engine *engine.Engine
	Watch  *Watch // the engine's Options.Observe
}

// Watch remembers what the last step was. It is an engine.Observer.
type Watch struct{ last engine.StepStats }

// Stepped is called after every step.
func (w *Watch) Stepped(s engine.StepStats) { w.last = s }

// Ended is called when a request ends.
func (w *Watch) Ended(engine.Result) {}

// DraftLoad is what engines with drafts are measured with.
type DraftLoad struct {
	Prompts [][]int32
	Tokens  int     // behind each, at most
	Stop    []int32 // ids that end an answer before
	Streams int     // answers side by side
	Observe func(done int)
}

// DraftRates are what a kind of drafts came to.
type DraftRates struct {
	Kind     string
	Tokens   int           // that steps gave in which nothing but answers was generated,
	Generate time.Duration // and what these steps took
	Steps    int
	Output   int           // tokens of all steps,
	Total    time.Duration // and their time: prompts, too
	Drafts   engine.DraftStats
	Groups   []float64 // tokens/s of generation, of each group of prompts
	Origins  [engine.Origins]engine.DraftStats
}

// Rate is tokens/s of generation.
func (r *DraftRates) Rate() float64 { return float64(r.Tokens) / max(r.Generate.Seconds(), 1e-9) }

// Against is the median, over the groups of prompts, of how many times faster than another kind this one generated. What holds up the machine for
// a while changes sums more than it.
func (r *DraftRates) Against(other *DraftRates) float64 {
	var ratios []float64
	for i, x := range r.Groups {
		if i < len(other.Groups) && x > 0 && other.Groups[i] > 0 {
			ratios = append(ratios, x/other.Groups[i])
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// errOther is the end of what drafts promise.
var errOther = errors.New("the answer is another one with drafts than without")

// Drafts has each engine answer the prompts, so many at a time. The engines take turns with each group of prompts, in another order each time,
// so that what disturbs the machine disturbs all alike. All have to give the same answers.
func Drafts(ctx context.Context, kinds []Drafting, l DraftLoad) ([]DraftRates, error) {
	rates := make([]DraftRates, len(kinds))
	for at, turn := 0, 0; at < len(l.Prompts); at, turn = at+l.Streams, turn+1 {
		group := l.Prompts[at:min(at+l.Streams, len(l.Prompts))]
		var first [][]int32
		for i := range kinds {
			k := (i + turn) % len(kinds)
			answers, err := rates[k].answer(ctx, &kinds[k], group, &l)
			if err != nil {
				return nil, fmt.Errorf("%s: prompts from %d on: %w", kinds[k].Kind, at, err)
			}
			if first == nil {
				first = answers
			}
			for j := range answers {
				if !slices.Equal(answers[j], first[j]) {
					return nil, fmt.Errorf("%s: prompt %d: %w", kinds[k].Kind, at+j, errOther)
				}
			}
		}
		if l.Observe != nil {
			l.Observe(at + len(group))
		}
	}
	for i := range kinds {
		s := kinds[i].Engine.Stats()
		rates[i].Kind, rates[i].Drafts, rates[i].Origins = kinds[i].Kind, s.AllDrafts(), s.Drafts
	}
	return rates, nil
}

// answer answers a group of prompts.
func (r *DraftRates) answer(ctx context.Context, k *Drafting, prompts [][]int32, l *DraftLoad) ([][]int32, error) {
	var all []*engine.Sequence
	for _, p := range prompts {
		q, err := k.Engine.Add(engine.Request{Prompt: p, MaxTokens: l.Tokens, Stop: l.Stop})
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	tokens, generate := r.Tokens, r.Generate
	for more := true; more; {
		before := k.Engine.Stats().OutputTokens
		start := time.Now()
		var err error
		if more, err = k.Engine.Step(ctx); err != nil {
			return nil, err
		}
		took, tokens := time.Since(start), int(k.Engine.Stats().OutputTokens-before)
		r.Total += took
		r.Output += tokens
		if k.Watch.last.Phase() == "decode" {
			r.Generate += took
			r.Tokens += tokens
			r.Steps++
		}
	}
	r.Groups = append(r.Groups, float64(r.Tokens-tokens)/max((r.Generate-generate).Seconds(), 1e-9))
	answers := make([][]int32, len(all))
	for i, q := range all {
		if err := q.Result().Err; err != nil {
			return nil, err
		}
		answers[i] = slices.Clone(q.Output())
	}
	return answers, nil
}
