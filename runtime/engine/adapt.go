package engine

import (
	"math"

	"github.com/glmc/glmc/runtime/draft"
)

// adapting decides how much is guessed, and by whom, from what steps took and from what came of guesses. What it does depends on
// time, therefore, but nothing that is generated does.
type adapting struct {
	costs   costs
	records [Origins]record
	offers  []offer
	all     []offer              // the same, as if the layer followed every sequence
	pays    [costClasses]float64 // of the layer: logarithm of how many times faster it makes steps of so many sequences
	off     [costClasses]bool    // it does not pay
	tries   uint64               // steps that could have drafts
	idle    int                  // of them, those without since the last with
	begun   uint64               // sequences
}

const (
	tryEvery  = 128 // steps without drafts: then a few are checked, to know what they would cost and bring
	leadEvery = 16  // sequences: then the layer follows one although it does not pay
	paysKeeps = 1 - 1.0/32
	paysStart = 0.1  // before anything is known
	paysBand  = 0.01 // by which it has to pay, or not to, before that is changed
)

// propensity is what a sequence knows of its guesses.
type propensity struct {
	odds   []float64       // of each token of the suffix draft, given those before it, as the drafter says
	chance []float64       // of each and all before it, as it turned out
	layer  []float64       // the same of the model's layer
	match  int             // of the suffix draft
	record [Origins]record // what came
	led    bool            // the layer follows the sequence
}

func newAdapting(o *Options) *adapting {
	if !o.Adapt {
		return nil
	}
	a := &adapting{}
	for i := range a.pays {
		a.pays[i] = paysStart
	}
	return a
}

// follows decides whether the layer follows a new sequence, beside so many others.
func (a *adapting) follows(sequences int) bool {
	a.begun++
	return !a.off[costClass(sequences)] || a.begun%leadEvery == 0
}

// learn takes what the step took and what came of its drafts.
func (a *adapting) learn(s *step) {
	if s.err != nil {
		return
	}
	if t := &s.stats; s.decodes > 0 && s.decodes == len(s.parts) {
		a.costs.steps[costClass(s.decodes)].add(float64(s.drafts), t.Schedule+t.Device+t.Host)
	}
	for i := range s.parts {
		p := &s.parts[i]
		if q := p.seq; len(p.drafts) > 0 && !q.ended {
			a.came(q, len(p.drafts), q.computed-p.from-p.tokens)
		}
	}
}

// came takes that of a sequence's drafts so many were right.
func (a *adapting) came(q *Sequence, drafts, right int) {
	for i := range min(drafts, right+1) {
		class, odds := placeClass(i), 1.0
		if q.origin == FromDrafter {
			if i >= len(q.hopes.odds) {
				return
			}
			class, odds = matchClass(q.hopes.match, i), q.hopes.odds[i]
		}
		q.hopes.record[q.origin].add(class, odds, i < right, 1)
		a.records[q.origin].add(class, odds, i < right, recordKeeps)
	}
}

// ratio is how often guesses of a class come for a sequence, for once that they should.
func (a *adapting) ratio(q *Sequence, from Origin, class int) float64 {
	return q.hopes.record[from].ratio(class, a.records[from].ratio(class, recordStart))
}

// hear takes a suffix draft: a path, of which it finds out how probable it is.
func (a *adapting) hear(q *Sequence, g *draft.Draft, n int) {
	h := &q.hopes
	h.odds, h.chance, h.match = h.odds[:0], h.chance[:0], g.Match
	before, chance := 1.0, 1.0
	for i := range n {
		odds := 1.0
		if i < len(g.Probs) && before > 0 {
			odds = min(1, max(0, float64(g.Probs[i])/before))
			before = float64(g.Probs[i])
		}
		h.odds = append(h.odds, odds)
		chance *= min(1, odds*a.ratio(q, FromDrafter, matchClass(g.Match, i)))
		h.chance = append(h.chance, chance)
	}
}

// layerChances finds out how probable the layer's guesses are.
func (a *adapting) layerChances(q *Sequence, most int) {
	h := &q.hopes
	h.layer = h.layer[:0]
	chance := 1.0
	for i := range most {
		chance *= min(1, a.ratio(q, FromMTP, placeClass(i)))
		h.layer = append(h.layer, chance)
	}
}

// decide cuts the suffix drafts of the sequences that were in the step to what pays, and says how many tokens the layer guesses for the others.
func (e *Engine) decide() {
	a := e.adapt
	a.offers, a.all = a.offers[:0], a.all[:0]
	n, led := 0, 0
	for i := range e.step.parts {
		q := e.step.parts[i].seq
		q.wanted = 0
		if q.ended || q.kv == nil || q.held || !q.generates() || q.left() != 1 {
			continue
		}
		n++
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
	if n == 0 {
		return
	}
	a.tries++
	class := costClass(n)
	steps := &a.costs.steps[class]
	m := market{sequences: n}
	m.base, m.row = steps.fit()
	m.pass, m.token = a.costs.layer.fit()
	m.over, m.first = a.costs.over[class].fit()
	switch {
	case !steps.known() && a.tries%2 == 0, a.idle >= tryEvery:
		a.some(max(2/n, 1))
	case !steps.known(): // steps with and without are needed to know
		a.some(0)
	default:
		e.weigh(&m, class)
		if led == 0 {
			m.over = 0
		}
		m.plan(a.offers, e.options.MTP)
	}
	a.idle++
	for i := range a.offers {
		o := &a.offers[i]
		if o.n > 0 {
			a.idle = 0
		}
		if o.useLayer {
			o.seq.drafts, o.seq.wanted = o.seq.drafts[:0], o.n
		} else {
			o.seq.drafts = o.seq.drafts[:o.n]
		}
	}
	clear(a.offers) // they may be gone
	clear(a.all)
}

// some takes the first tokens of all that is offered.
func (a *adapting) some(most int) {
	for i := range a.offers {
		o := &a.offers[i]
		o.useLayer, o.n = false, min(len(o.suffix), most)
		if o.n == 0 {
			o.useLayer, o.n = true, min(len(o.layer), most)
		}
	}
}

// weigh finds out whether the layer pays at all: going over each token has its price too. Where it does not, it stops to follow
// the sequences that it follows.
func (e *Engine) weigh(m *market, class int) {
	a := e.adapt
	if e.mtp == nil || a.costs.over[class].w < lineKnown {
		return
	}
	with := m.plan(a.all, e.options.MTP)
	for i := range a.all {
		a.all[i].layer = nil
	}
	without := m.plan(a.all, -1)
	if !(with > 0 && without > 0) {
		return
	}
	a.pays[class] = a.pays[class]*paysKeeps + math.Log(with/without)*(1-paysKeeps)
	switch {
	case a.pays[class] < -paysBand && !a.off[class]:
		a.off[class] = true
		for _, q := range e.running {
			q.hopes.led = false
		}
	case a.pays[class] > paysBand:
		a.off[class] = false
	}
}
