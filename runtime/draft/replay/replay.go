// Package replay measures drafts without a model: it plays recorded sessions again, and takes what was said as the truth that drafts are
// held against. That is what a greedy model would do with the same prompts, and it costs nothing.
package replay

import (
	"context"
	"slices"
	"time"

	"github.com/glmc/glmc/runtime/draft"
	"github.com/glmc/glmc/runtime/draft/suffix"
)

// Turn is a prompt and the reply that it got.
type Turn struct {
	Prompt, Reply []int32
}

// Session is turns in their order; usually the prompt of one begins with the one before it and its reply.
type Session []Turn

// Options of a replay.
type Options struct {
	Cache       suffix.Config
	Limit       int            // tokens of a draft; 0: what the cache's options say
	Concurrency int            // sessions that take turns, a step each; 0: 1
	Observe     func(done int) // is called after each turn, with how many were
}

// Result is what a replay measured.
type Result struct {
	Turns, Steps, Tokens int // steps of a model, and the tokens that they gave
	Drafted, Accepted    int
	Local, Others        int   // steps whose draft came from the request itself, from others
	Speculate, Append    Times // of a call; an append is of all tokens of a step
	Build, Learn         Times // of a prompt's tree until it is ready; of a response until it is learnt
	PromptTokens         int   // that trees were built of
	LocalTokens          int   // in the trees of requests when they ended, summed up
	LocalBytes           int
	Stats                suffix.Stats // when all was done
}

// Times are durations of a kind of call.
type Times []time.Duration

// Mean is the mean duration.
func (t Times) Mean() time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t.Sum() / time.Duration(len(t))
}

// Sum is that of all.
func (t Times) Sum() (sum time.Duration) {
	for _, d := range t {
		sum += d
	}
	return sum
}

// Quantile is the duration that a share of the calls stays within.
func (t Times) Quantile(share float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// AcceptanceLength is how many tokens a step gives on average, the one that the model adds itself included.
func (r *Result) AcceptanceLength() float64 { return ratio(r.Tokens, r.Steps) }

// AcceptanceRate is the share of the drafted tokens that were right.
func (r *Result) AcceptanceRate() float64 { return ratio(r.Accepted, r.Drafted) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Run replays sessions. It waits for the trees of prompts and for responses to be learnt, so that the same sessions give the same
// drafts. When the context ends it gives what it has, and the context's error.
func Run(ctx context.Context, sessions []Session, o Options) (*Result, error) {
	cache, err := suffix.NewCache(o.Cache)
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	p := player{cache: cache, o: o, waiting: sessions}
	for range max(1, o.Concurrency) {
		p.next()
	}
	for len(p.active) > 0 {
		for i := 0; i < len(p.active); i++ {
			if err := ctx.Err(); err != nil {
				return p.end(), err
			}
			a := p.active[i]
			if !p.step(a) {
				continue
			}
			if len(a.turns) > 0 {
				p.start(a)
				continue
			}
			p.active = slices.Delete(p.active, i, i+1)
			i--
			p.next()
		}
	}
	return p.end(), nil
}

// player is a replay under way.
type player struct {
	cache   *suffix.Cache
	o       Options
	waiting []Session
	active  []*actor
	draft   draft.Draft
	result  Result
}

// actor is a session under way.
type actor struct {
	turns   []Turn // that follow
	request *suffix.Request
	truth   []int32 // what is still to be said
}

// next begins the next session that has something to say.
func (p *player) next() {
	for len(p.waiting) > 0 {
		s := p.waiting[0]
		p.waiting = p.waiting[1:]
		if len(s) > 0 {
			a := &actor{turns: s}
			p.start(a)
			p.active = append(p.active, a)
			return
		}
	}
}

// start begins the next turn of a session.
func (p *player) start(a *actor) {
	turn := a.turns[0]
	a.turns, a.truth = a.turns[1:], turn.Reply
	begun := time.Now()
	a.request = p.cache.Request(turn.Prompt)
	<-a.request.Built()
	p.result.Build = append(p.result.Build, time.Since(begun))
	p.result.PromptTokens += len(turn.Prompt)
}

// step is one of the model's: a draft, what of it is right, and a token more. It reports whether the turn ended.
func (p *player) step(a *actor) (ended bool) {
	r := &p.result
	if len(a.truth) > 0 {
		begun := time.Now()
		a.request.Draft(p.o.Limit, &p.draft)
		drafted := time.Now()
		n := p.draft.Accept(a.truth)
		said := min(n+1, len(a.truth))
		checked := time.Now()
		a.request.Append(a.truth[:said]...)
		r.Append = append(r.Append, time.Since(checked))
		r.Speculate = append(r.Speculate, drafted.Sub(begun))
		r.Steps++
		r.Tokens += said
		r.Drafted += len(p.draft.Tokens)
		r.Accepted += n
		switch {
		case len(p.draft.Tokens) == 0:
		case p.draft.Local:
			r.Local++
		default:
			r.Others++
		}
		a.truth = a.truth[said:]
	}
	if len(a.truth) > 0 {
		return false
	}
	tokens, bytes := a.request.Size()
	r.LocalTokens += tokens
	r.LocalBytes += bytes
	begun := time.Now()
	a.request.End(true)
	p.cache.Flush()
	r.Learn = append(r.Learn, time.Since(begun))
	if r.Turns++; p.o.Observe != nil {
		p.o.Observe(r.Turns)
	}
	return true
}

func (p *player) end() *Result {
	p.result.Stats = p.cache.Stats()
	return &p.result
}
