package engine

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// DefaultMixedChunk is the number of prompt tokens that a step takes at most beside sequences that generate. ADR 21 says why.
const DefaultMixedChunk = 64

// DefaultPatience is the number of steps that a level of priority is worth.
const DefaultPatience = 1000

// layouts are the largest steps that a plan has room for. A step has to fit one of them.
type layouts []ir.Sizes

// layoutsOf finds the layouts of an entry.
func layoutsOf(e Executor, entry string) (layouts, error) {
	most, err := e.Max(entry)
	if err != nil {
		return nil, err
	}
	all := layouts{most}
	for _, p := range e.Plan().Programs {
		if p.Graph.Name != entry {
			continue
		}
		for _, l := range p.Layouts {
			all = all.with(l.Max)
		}
	}
	return all, nil
}

// with adds a layout, where no other holds all that it does, and drops those that it makes superfluous.
func (l layouts) with(s ir.Sizes) layouts {
	holds := func(a, b ir.Sizes) bool { return a.Tokens >= b.Tokens && a.Seqs >= b.Seqs && a.Rows >= b.Rows }
	var out layouts
	for _, have := range l {
		if holds(have, s) {
			return l
		}
		if !holds(s, have) {
			out = append(out, have)
		}
	}
	return append(out, s)
}

// fits reports whether a layout holds a step.
func (l layouts) fits(tokens, seqs, rows int) bool {
	for _, m := range l {
		if tokens <= m.Tokens && seqs <= m.Seqs && rows <= m.Rows {
			return true
		}
	}
	return false
}

// chunk is the largest part, of at most n tokens, that fits beside what a step holds already: with a row for every token
// where all is set, with one for the last of the n where last is.
func (l layouts) chunk(s *step, n int, all, last bool) int {
	best := 0
	for _, m := range l {
		if len(s.parts) >= m.Seqs || s.rows > m.Rows {
			continue
		}
		rows, fit := m.Rows-s.rows, min(n, m.Tokens-s.tokens)
		switch {
		case all:
			fit = min(fit, rows)
		case last && fit == n && rows < 1:
			fit--
		}
		best = max(best, fit)
	}
	return best
}

// spare is how many tokens with a row each fit beside what a step holds already.
func (l layouts) spare(s *step) int {
	best := 0
	for _, m := range l {
		if len(s.parts) <= m.Seqs {
			best = max(best, min(m.Tokens-s.tokens, m.Rows-s.rows))
		}
	}
	return best
}

// side is the most sequences that can generate side by side: a token and a row each.
func (l layouts) side() int {
	n := 0
	for _, m := range l {
		n = max(n, min(m.Tokens, m.Seqs, m.Rows))
	}
	return n
}

// tokens is the most tokens of a step.
func (l layouts) tokens() int {
	n := 0
	for _, m := range l {
		n = max(n, m.Tokens)
	}
	return n
}

// fill puts the plan's values where the options have none, and refuses those that the plan has no room for. Every running
// sequence can then have a token in each step.
func (o *Options) fill(p *plan.Plan, l layouts) error {
	if o.Chunk == 0 {
		o.Chunk = p.Serving.PrefillChunk
	}
	if o.Chunk < 1 || o.Chunk > l.tokens() {
		return fmt.Errorf("a prefill chunk of %d tokens: the plan has room for 1 to %d", o.Chunk, l.tokens())
	}
	if o.MixedChunk == 0 {
		o.MixedChunk = min(DefaultMixedChunk, o.Chunk)
	}
	if o.MixedChunk < 1 || o.MixedChunk > o.Chunk {
		return fmt.Errorf("a prefill chunk of %d tokens beside sequences that generate: wants 1 to %d, the chunk alone", o.MixedChunk, o.Chunk)
	}
	if o.StepTokens == 0 {
		o.StepTokens = l.tokens()
	}
	if o.StepTokens < 1 || o.StepTokens > l.tokens() {
		return fmt.Errorf("steps of %d tokens: the plan has room for 1 to %d", o.StepTokens, l.tokens())
	}
	side := min(l.side(), o.StepTokens)
	if o.MaxRunning == 0 {
		o.MaxRunning = side
	}
	if o.MaxRunning < 1 || o.MaxRunning > side {
		return fmt.Errorf("%d sequences side by side: the plan and steps of %d tokens have room for 1 to %d; its setting decode.capture lists how many it is compiled for",
			o.MaxRunning, o.StepTokens, side)
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.MTP < 0 || o.MTP > MostDrafts || o.DraftTokens < 0 || o.DraftTokens > MostDrafts {
		return fmt.Errorf("drafts of %d and %d tokens: wants 0 to %d", o.MTP, o.DraftTokens, MostDrafts)
	}
	if o.DraftTokens == 0 && o.Drafter != nil {
		o.DraftTokens = DefaultDraftTokens
		if o.Adapt {
			o.DraftTokens = AdaptDraftTokens
		}
	}
	if o.MaxWaiting < 0 || o.Patience < 0 {
		return fmt.Errorf("at most %d waiting requests, a patience of %d steps: wants numbers from 0 on", o.MaxWaiting, o.Patience)
	}
	return nil
}
