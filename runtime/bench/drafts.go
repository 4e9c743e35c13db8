package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

// Span is a number of tokens and the time that they took.
type Span struct {
	Tokens int
	Took   time.Duration
}

func (s *Span) add(tokens int, took time.Duration) {
	s.Tokens += tokens
	s.Took += took
}

// Rate is tokens/s.
func (s Span) Rate() float64 { return float64(s.Tokens) / max(s.Took.Seconds(), 1e-9) }

// DraftSpans are what a kind of drafts came to with some prompts.
type DraftSpans struct {
	Answers Span // steps in which nothing but answers was generated
	All     Span // all steps: prompts, too. The tokens are those of answers
}

// DraftRates are what a kind of drafts came to.
type DraftRates struct {
	Kind string
	DraftSpans
	Steps   int          // of Answers
	Groups  []DraftSpans // of each group of prompts
	Drafts  engine.DraftStats
	Origins [engine.Origins]engine.DraftStats
}

// Against is the median, over the groups of prompts, of how many times faster than another kind this one generated. What holds up the machine for
// a while changes sums more than it.
func (r *DraftRates) Against(other *DraftRates) float64 {
	var ratios []float64
	for i, x := range r.Groups {
		if i < len(other.Groups) && x.Answers.Tokens > 0 && other.Groups[i].Answers.Tokens > 0 {
			ratios = append(ratios, x.Answers.Rate()/other.Groups[i].Answers.Rate())
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// Lead is how many times faster one kind of drafts was than the fastest of the others.
type Lead struct {
	Over      string  // the fastest of the others
	Ratio     float64 // of tokens/s
	Low, High float64 // 95 of 100 times the ratio would be between these, as far as the groups of prompts tell
}

// resamples is how often Leads draws groups.
const resamples = 2000

// Leads compares one of the kinds with the others, by the answers alone or by all. The range is that of the bootstrap (Efron 1979): as many groups as there
// were are drawn with replacement, the same for all kinds, again and again; in each draw the fastest of the others is looked for anew.
func Leads(rates []DraftRates, kind int, span func(*DraftSpans) Span) Lead {
	groups := len(rates[kind].Groups)
	r := rand.New(rand.NewPCG(1, uint64(groups)))
	drawn := make([]int, groups)
	best := func() (ratio float64, over string) {
		fastest, own := 0.0, 0.0
		for k := range rates {
			var sum Span
			for _, g := range drawn {
				x := span(&rates[k].Groups[g])
				sum.add(x.Tokens, x.Took)
			}
			if rate := sum.Rate(); k == kind {
				own = rate
			} else if rate > fastest {
				fastest, over = rate, rates[k].Kind
			}
		}
		return own / max(fastest, 1e-9), over
	}
	for i := range drawn {
		drawn[i] = i
	}
	var l Lead
	l.Ratio, l.Over = best()
	ratios := make([]float64, resamples)
	for n := range ratios {
		for i := range drawn {
			drawn[i] = r.IntN(groups)
		}
		ratios[n], _ = best()
	}
	slices.Sort(ratios)
	l.Low, l.High = ratios[resamples/40], ratios[resamples-1-resamples/40]
	return l
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
			if turn/len(kinds)%2 == 1 { // who ran before may matter
				k = len(kinds) - 1 - k
			}
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
	var spans DraftSpans
	for more := true; more; {
		before := k.Engine.Stats().OutputTokens
		start := time.Now()
		var err error
		if more, err = k.Engine.Step(ctx); err != nil {
			return nil, err
		}
		took, tokens := time.Since(start), int(k.Engine.Stats().OutputTokens-before)
		spans.All.add(tokens, took)
		if k.Watch.last.Phase() == "decode" {
			spans.Answers.add(tokens, took)
			r.Steps++
		}
	}
	r.Answers.add(spans.Answers.Tokens, spans.Answers.Took)
	r.All.add(spans.All.Tokens, spans.All.Took)
	r.Groups = append(r.Groups, spans)
	answers := make([][]int32, len(all))
	for i, q := range all {
		if err := q.Result().Err; err != nil {
			return nil, err
		}
		answers[i] = slices.Clone(q.Output())
	}
	return answers, nil
}
