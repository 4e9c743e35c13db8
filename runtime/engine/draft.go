package engine

import (
	"context"
	"slices"
)

// Origin says where a draft comes from.
type Origin uint8

// Origins of drafts.
const (
	FromMTP     Origin = iota // the model's own draft layer
	FromDrafter               // Options.Drafter
	Origins                   // how many there are
)

const (
	// DefaultDraftTokens is the number of tokens that a drafter guesses at most.
	DefaultDraftTokens = 16
	// AdaptDraftTokens is the same where the engine takes as many of them as pay.
	AdaptDraftTokens = 32
	// MostDrafts is the number of tokens that anybody may guess: constraints can take back so many.
	MostDrafts = 64
)

// drafting reports whether anybody guesses.
func (e *Engine) drafting() bool { return e.mtp != nil || e.options.Drafter != nil }

// mostDrafts is the most tokens of a draft.
func (e *Engine) mostDrafts() int { return max(e.options.MTP, e.options.DraftTokens) }

// propose finds out what may come next in the sequences of the step that is over. It runs the model's draft layer, for which it
// needs the step's results. What fails costs drafts and nothing else: no draft changes what is generated.
func (e *Engine) propose(ctx context.Context) {
	if !e.drafting() || e.step.err != nil {
		return
	}
	defer e.leave()
	if e.adapt != nil {
		e.adapt.learn(&e.step)
	}
	for i := range e.step.parts {
		e.ask(e.step.parts[i].seq)
	}
	if e.adapt != nil {
		e.decide()
	}
	if e.mtp != nil {
		e.mtp.run(ctx, e)
	}
	for i := range e.step.parts {
		if q := e.step.parts[i].seq; len(q.drafts) > 0 {
			e.cut(q)
			e.stats.Drafts[q.origin].Proposed += uint64(len(q.drafts))
		}
	}
}

// startGuesses has the drafter follow a sequence that runs from now on.
func (e *Engine) startGuesses(q *Sequence) {
	if e.options.Drafter != nil && q.guesses == nil {
		q.guesses = e.options.Drafter.Start(q.request.Prompt)
		q.told = len(q.request.Prompt)
	}
}

// unguess ends that. Others may learn from what was said to those without a salt: how fast an answer comes would else tell
// what others were answered.
func (e *Engine) unguess(q *Sequence, well bool) {
	if q.guesses == nil {
		return
	}
	q.tellGuesses()
	q.guesses.End(well && q.request.Salt == "" && !q.private)
	q.guesses = nil
}

// tellGuesses gives the drafter the tokens that came.
func (q *Sequence) tellGuesses() {
	if q.told < len(q.tokens) {
		q.guesses.Append(q.tokens[q.told:]...)
		q.told = len(q.tokens)
	}
}

// ask lets the drafter guess for a sequence of the step. Where the model's own layer can guess too, it does so unless this guess promises more.
func (e *Engine) ask(q *Sequence) {
	if q.ended || q.guesses == nil || e.adapt != nil && q.hopes.rests() {
		return
	}
	q.tellGuesses()
	most := e.allowed(q, e.options.DraftTokens)
	if most == 0 {
		return
	}
	q.guesses.Draft(most, &e.guess)
	n := min(len(e.guess.Tokens), most)
	if !e.trees() {
		n = path(&e.guess, n)
	}
	if e.adapt != nil {
		e.adapt.hear(q, &e.guess, n)
	} else if e.mtp != nil && float64(sum(e.guess.Probs[:min(n, len(e.guess.Probs))])) <= e.stats.Drafts[FromMTP].promise(e.options.MTP) {
		return
	}
	q.origin = FromDrafter
	q.plant(&e.guess, n)
	e.reserve(q, len(q.drafts))
}

func sum(list []float32) (s float32) {
	for _, x := range list {
		s += x
	}
	return s
}

// promise is how many tokens of a draft come out, by what did so far. Until there is something to go by, it is half of them.
func (s *DraftStats) promise(most int) float64 {
	const start = 16 // drafts
	return (float64(s.Accepted) + start*float64(most)/2) / float64(s.Steps+start)
}

// continues reports whether the next step picks a token of the output for the sequence, as the last one did.
func (q *Sequence) continues() bool {
	return !q.ended && q.kv != nil && !q.held && q.generates() && q.left() == 1
}

// allowed is how many tokens at most may be guessed for a sequence: none unless it generates, and none that could not be part of the
// output, as one more is picked behind them.
func (e *Engine) allowed(q *Sequence, most int) int {
	if !q.continues() {
		return 0
	}
	return max(0, min(most, q.request.MaxTokens-len(q.Output())-1))
}

// reserve takes pages for n tokens behind the last, or for as many as there is room for, and returns the number. Guesses take no page
// that another sequence may need soon.
func (e *Engine) reserve(q *Sequence, n int) int {
	size := e.pool.PageSize()
	have := len(q.kv.Pages())
	if missing := pagesFor(len(q.tokens)+n, size) - have; missing > 0 && missing < e.pool.Free()+e.pool.Cached()-len(e.running)+2 {
		if q.kv.Grow(len(q.tokens)+n) == nil {
			return n
		}
	}
	return max(0, min(n, have*size-len(q.tokens)))
}

// cut takes those off a draft that cannot come: behind a stop token, and from one on that is none
// or that the constraint does not allow.
func (e *Engine) cut(q *Sequence) {
	if len(q.parents) > 0 {
		e.prune(q)
		return
	}
	for i, id := range q.drafts {
		if id < 0 || int(id) >= q.vocab {
			q.drafts = q.drafts[:i]
			break
		}
		if slices.Contains(q.request.Stop, id) {
			q.drafts = q.drafts[:i+1]
			break
		}
	}
	c := q.request.Constraint
	if c == nil || q.origin == FromMTP { // which guessed what may come
		return
	}
	n := 0
	err := safely("the constraint", func() error {
		for n < len(q.drafts) && allows(c.Mask(), q.drafts[n]) && c.Accept(q.drafts[n]) == nil {
			n++
		}
		c.Rollback(n)
		return nil
	})
	if q.drafts = q.drafts[:n]; err != nil {
		e.end(q, "", err)
	}
}

// allows reports whether a mask has a token.
func allows(mask []uint64, id int32) bool {
	return mask == nil || int(id)/64 < len(mask) && mask[id/64]>>(id%64)&1 == 1
}

// speculate puts drafts into the step, where it has room left and their sequences have pages.
func (e *Engine) speculate() {
	s := &e.step
	for i := range s.parts {
		p := &s.parts[i]
		q := p.seq
		if len(q.drafts) == 0 || !p.last() || p.rows != 1 || p.tokens != 1 {
			continue
		}
		n := min(len(q.drafts), len(q.kv.Pages())*e.pool.PageSize()-len(q.tokens), e.layouts.spare(s), e.options.StepTokens-s.tokens)
		if n <= 0 {
			continue
		}
		p.drafts = q.drafts[:n]
		if len(q.parents) > 0 {
			p.parents = q.parents[:n]
		}
		q.path = q.path[:0]
		s.tokens += n
		s.rows += n
		s.drafts += n
	}
}

// checked counts the drafts of a part that was run.
func (e *Engine) checked(p *part) {
	if len(p.drafts) == 0 {
		return
	}
	q := p.seq
	q.result.Verified++
	q.result.Drafted += len(p.drafts)
	s := &e.stats.Drafts[q.origin]
	s.Steps++
	s.Checked += uint64(len(p.drafts))
}

// came finds out whether the token that was picked is a draft, and counts it then.
func (e *Engine) came(p *pick) {
	if p.child = p.part.child(p.at, p.token.ID); p.child < 0 {
		return
	}
	p.seq.result.Accepted++
	e.stats.Drafts[p.seq.origin].Accepted++
	e.step.stats.Accepted++
}

// further goes on with sequences whose drafts were right so far: what was picked last is a draft behind the one before, whose row
// comes next. Only they remain in the step's picks. Since the draw at a position depends on nothing but the seed and the position, each pick
// is the one that a step without drafts would make. False where there are none.
func (e *Engine) further() bool {
	picks := &e.step.picks
	kept := picks.rows[:0]
	for _, p := range picks.rows {
		q := p.seq
		if p.prompt >= 0 || q.ended || p.child < 0 {
			continue
		}
		p.at = p.child
		p.logits = p.behind[p.at*q.vocab : (p.at+1)*q.vocab]
		q.path = append(q.path, int32(p.at))
		kept = append(kept, p)
	}
	picks.rows = kept
	e.settle()
	for i := range kept {
		kept[i].seq.constrain()
	}
	if len(kept) > 0 {
		picks.run()
	}
	for i := range kept { // pages that were shared since are discarded where logits are not finite
		e.judge(&kept[i])
	}
	return len(kept) > 0
}
