package engine

import (
	"slices"

	"github.com/glmc/glmc/runtime/draft"
)

// adapting decides how much is guessed, and by whom, from what steps took and from what came of guesses. What it does depends on
// time, therefore, but nothing that is generated does.
type adapting struct {
	costs   costs
	records [Origins]record
	kinds   [draft.Kinds]tally // of suffix drafts' tokens, as the drafter tells them apart
	offers  []offer
	all     []offer // the same, as if the layer followed every sequence
	scouting
	tries uint64 // steps that could have drafts
	idle  int    // of them, those without since the last with,
	busy  int    // and the other way round
}

const (
	leastAnswers = 32  // tokens, before anything is said of what the layer takes for prompts
	dryAfter     = 64  // steps in which nothing of a sequence's suffix drafts came: then it is asked for one
	dryEvery     = 4   // in so many steps
	tryEvery     = 128 // steps with drafts, or without: then one is without, or with a few, to know what they would cost and bring
	weighEvery   = 8   // steps in which the layer follows nobody: then it is asked whether it would pay
)

// propensity is what a sequence knows of its guesses.
type propensity struct {
	odds   []float64       // of each token of the suffix draft, given those before it, as the drafter says,
	likely []float64       // and as it turned out for guesses like it
	kinds  []uint8         // of each
	chance []float64       // of each and all before it, as it turned out for the sequence
	layer  []float64       // the same of the model's layer,
	begun  int             // of which so many tokens are the suffix draft's
	match  int             // of the suffix draft
	dry    int             // steps since anything of one came
	record [Origins]record // what came
	led    bool            // the layer follows the sequence,
	scout  bool            // to find out whether that pays
}

func newAdapting(o *Options) *adapting {
	if !o.Adapt {
		return nil
	}
	return &adapting{}
}

// learn takes what the step took and what came of its drafts.
func (a *adapting) learn(s *step) {
	if s.err != nil {
		return
	}
	t := &s.stats
	took := t.Schedule + t.Device + t.Host
	a.worked += took.Seconds()
	answers := 0
	for i := range s.parts {
		p := &s.parts[i]
		right := p.seq.computed - p.from - p.tokens // of the drafts
		if p.rows > 0 && p.seq.generates() {
			answers += max(1, 1+right)
		}
		if q := p.seq; len(p.drafts) > 0 && !q.ended {
			a.came(q, len(p.drafts), right)
		}
	}
	prompt := s.tokens - s.decodes - s.drafts
	switch {
	case s.decodes == len(s.parts):
		a.costs.took(s.decodes, s.drafts, took)
	case s.decodes == 0:
		a.costs.tookPrompts(prompt, took)
	default:
		a.costs.tookMixed(prompt, s.decodes, s.drafts, took)
	}
	a.costs.answered(prompt, answers)
}

// rests reports whether a sequence is not asked for a suffix draft this time: to look for one takes a hundredth of a small model's step.
func (h *propensity) rests() bool { return h.dry >= dryAfter && h.dry%dryEvery != 0 }

// came takes that of a sequence's drafts so many were right.
func (a *adapting) came(q *Sequence, drafts, right int) {
	h := &q.hopes
	if right > 0 && (q.origin == FromDrafter || h.begun > 0) {
		h.dry = 0
	}
	for i := range min(drafts, right+1) {
		if q.origin == FromMTP && i >= h.begun {
			h.record[FromMTP][placeClass(i)].add(1, i < right, 1)
			a.records[FromMTP][placeClass(i)].add(1, i < right, recordKeeps)
			continue
		}
		if i >= len(h.odds) {
			return
		}
		class := matchClass(h.match, i)
		h.record[FromDrafter][class].add(h.likely[i], i < right, 1)
		a.records[FromDrafter][class].add(h.odds[i], i < right, recordKeeps)
		if i < len(h.kinds) {
			a.kinds[h.kinds[i]].add(h.odds[i], i < right, recordKeeps)
		}
	}
}

// hear takes a suffix draft: a path, of which it finds out how probable it is. What the drafter says of a token is held against what came of
// tokens with as long a match, and of tokens of its kind; and then against what came of such for the sequence.
func (a *adapting) hear(q *Sequence, g *draft.Draft, n int) {
	h := &q.hopes
	h.odds, h.likely, h.chance, h.match = h.odds[:0], h.likely[:0], h.chance[:0], g.Match
	h.kinds = append(h.kinds[:0], g.Kinds[:min(n, len(g.Kinds))]...)
	before, chance := 1.0, 1.0
	for i := range n {
		odds := 1.0
		if i < len(g.Probs) && before > 0 {
			odds = min(1, max(0, float64(g.Probs[i])/before))
			before = float64(g.Probs[i])
		}
		class := matchClass(g.Match, i)
		ratio := a.records[FromDrafter][class].ratio(recordStart)
		if i < len(h.kinds) {
			ratio = a.kinds[h.kinds[i]].ratio(ratio)
		}
		likely := min(1, odds*ratio)
		h.odds = append(h.odds, odds)
		h.likely = append(h.likely, likely)
		chance *= min(1, likely*h.record[FromDrafter][class].ratio(1))
		h.chance = append(h.chance, chance)
	}
}

// layerChances finds out how probable the layer's guesses are. Where there is a suffix draft shorter than they would be, the layer may begin with its tokens
// instead of its own guesses and go on at its end, if more of that is expected to come.
func (a *adapting) layerChances(q *Sequence, most int) {
	h := &q.hopes
	h.layer, h.begun = h.layer[:0], 0
	begun := len(q.drafts)
	if begun >= most {
		begun = 0
	}
	chance, together := 1.0, 1.0
	own, extended := 0.0, 0.0
	var chances [MostDrafts]float64 // of the suffix draft and what the layer would guess behind it
	for i := range most {
		class := placeClass(i)
		likely := min(1, h.record[FromMTP][class].ratio(a.records[FromMTP][class].ratio(recordStart)))
		chance *= likely
		h.layer = append(h.layer, chance)
		if together *= likely; i < begun {
			together = h.chance[i]
		}
		chances[i] = together
		own, extended = own+chance, extended+together
	}
	if begun > 0 && extended > own {
		h.begun = begun
		copy(h.layer, chances[:most])
	}
}

// decide cuts the suffix drafts of the sequences that were in the step to what pays, and says how many tokens the layer guesses for the others.
func (e *Engine) decide() {
	a := e.adapt
	led := e.offers()
	n := len(a.offers)
	if n == 0 {
		return
	}
	a.tries++
	m := a.costs.market(n)
	switch {
	case !a.costs.steps.known() && a.tries%2 == 0, a.idle >= tryEvery && slices.ContainsFunc(a.offers, offer.any):
		a.some(2 + int(a.tries/2%2))
	case !a.costs.steps.known(), a.busy >= tryEvery: // steps with and without are needed to know
		a.some(0)
	default:
		if led > 0 || a.tries%weighEvery == 0 {
			e.weigh(&m)
		}
		if led == 0 {
			m.over = 0
		}
		rate := m.plan(a.offers, e.options.MTP)
		if e.mixes() && a.costs.mixed.known() {
			row, price := a.costs.besidePrompts(m.row, rate)
			m.row = row
			m.take(a.offers, price, e.options.MTP)
		}
	}
	drafts := 0
	for i := range a.offers {
		o := &a.offers[i]
		drafts += o.n
		o.seq.hopes.dry++
		if o.useLayer {
			q := o.seq
			q.begin = append(q.begin[:0], q.drafts[:min(q.hopes.begun, o.n)]...)
			q.drafts, q.wanted = q.drafts[:0], o.n
		} else {
			o.seq.hopes.begun = 0
			o.seq.drafts = o.seq.drafts[:o.n]
		}
	}
	if a.idle, a.busy = a.idle+1, a.busy+1; drafts > 0 {
		a.idle = 0
	} else {
		a.busy = 0
	}
	clear(a.offers) // they may be gone
	clear(a.all)
}

// offers collects what could be guessed for the sequences that generate next, and says how many of them the layer can guess for.
func (e *Engine) offers() (led int) {
	a := e.adapt
	a.offers, a.all = a.offers[:0], a.all[:0]
	for i := range e.step.parts {
		q := e.step.parts[i].seq
		q.wanted, q.begin = 0, q.begin[:0]
		if !q.continues() {
			continue
		}
		o := offer{seq: q}
		if len(q.drafts) > 0 {
			o.suffix = q.hopes.chance[:len(q.drafts)]
		}
		all := o
		if most := e.allowed(q, e.options.MTP); e.mtp != nil && most > 0 {
			a.layerChances(q, most)
			all.layer = q.hopes.layer
			if q.hopes.led && q.drafted == e.step.parts[i].from {
				o.layer = q.hopes.layer
				led++
			}
		}
		a.offers, a.all = append(a.offers, o), append(a.all, all)
	}
	return led
}

// mixes reports whether the next step is likely to run parts of prompts, too.
func (e *Engine) mixes() bool {
	if len(e.waiting) > 0 && len(e.running) < e.options.MaxRunning {
		return true
	}
	return slices.ContainsFunc(e.running, func(q *Sequence) bool { return q.left() > 1 })
}

// some takes a few tokens in all: the first of what is offered to one sequence, or to some, each time to others.
func (a *adapting) some(most int) {
	for i := range a.offers {
		o := &a.offers[(i+int(a.tries))%len(a.offers)]
		o.useLayer, o.n = false, min(len(o.suffix), most)
		if o.n == 0 {
			o.useLayer, o.n = true, min(len(o.layer), most)
		}
		most -= o.n
	}
}
