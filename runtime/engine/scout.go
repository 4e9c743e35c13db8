package engine

import "math"

// scouting decides which sequences the model's draft layer follows. It goes over every token of those, prompts included, and pages that it has not
// gone over are no use to them. So it follows all where it is known to pay; else a scout now and then, to find out.
type scouting struct {
	on     bool
	pays   float64 // logarithm of how many times faster the layer makes the engine, of late
	bar    float64 // what it has to pay to begin
	held   int     // steps since it began
	scouts int     // that there are
	sent   int     // in all, since it was given up
	spent  float64 // seconds that the layer took for their answers, and their prompts at most,
	worked float64 // and of all steps since
}

const (
	paysKeeps = 1 - 1.0/64
	paysMost  = 0.1    // that a step may say for or against it: a few do not decide for long
	paysOff   = -0.005 // below it, the layer is given up
	paysOn    = 0.02   // above it, it begins; twice as much each time that it did not hold
	paysBar   = 0.08   // up to so much,
	paysHolds = 2048   // for so many steps
	scoutPart = 1.0 / 16
)

// sends decides whether a new sequence that costs so many seconds becomes a scout: one at a time, and what all cost stays a part of the time
// that the engine worked, less with each that was sent: so they cost nothing in the long run. The first is free, and costs as much as a prompt.
func (s *scouting) sends(cost float64) bool {
	if s.scouts > 0 || s.sent > 0 && (s.spent+cost)*float64(1+s.sent) > s.worked*scoutPart {
		return false
	}
	s.scouts++
	s.sent++
	s.spent += cost
	return true
}

// judge takes by how much the layer would pay in a step, and reports whether it is given up.
func (s *scouting) judge(gain float64) (given bool) {
	s.pays = s.pays*paysKeeps + max(-paysMost, min(gain, paysMost))*(1-paysKeeps)
	s.held++
	switch {
	case s.on && s.pays < paysOff:
		s.on = false
		s.sent, s.spent, s.worked = 0, 0, 0 // what it took while it paid was not for scouts
		if s.bar = min(2*s.bar, paysBar); s.held > paysHolds {
			s.bar = paysOn
		}
		return true
	case !s.on && s.pays > max(s.bar, paysOn):
		s.on = true
		s.bar = max(s.bar, paysOn)
		s.held = 0
	}
	return false
}

// lead decides whether the layer follows a new sequence.
func (e *Engine) lead(q *Sequence) {
	switch a := e.adapt; {
	case e.mtp == nil:
	case a == nil || a.scouting.on:
		q.hopes.led = true
	default:
		found := 0 // of the prompt, with what the layer has of it
		if q.takes() {
			found, _ = e.pool.Lookup(q.namespace(), q.tokens)
		}
		q.hopes.scout = a.scouting.sends(float64(len(q.tokens)-found) * a.costs.perPrompt())
		if q.hopes.led = q.hopes.scout; !q.hopes.led {
			q.state = ""
		}
	}
}

// back counts a scout that ended.
func (a *adapting) back(q *Sequence) {
	if a != nil && q.hopes.scout {
		q.hopes.scout = false
		a.scouting.scouts--
	}
}

// weigh finds out whether the layer pays at all: going over each token has its price too. Where it does not, it stops to follow
// the sequences that it follows, and does not begin with those that wait.
func (e *Engine) weigh(m *market) {
	a := e.adapt
	if e.mtp == nil || !a.costs.over.known() || a.costs.answers < leastAnswers {
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
	with = 1 / (1/with + a.costs.perAnswer())
	if a.scouting.judge(math.Log(with / without)) {
		for _, q := range e.running { // share tells their pages
			q.hopes.led = false
		}
		for _, q := range e.waiting {
			q.hopes.led, q.state = false, ""
		}
	}
}
