package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
)

// mtp guesses with the entry draft of a plan: a layer behind the model that makes of the token at position t+1 and the model's state at t,
// behind its last norm, the logits of the token at t+2 (multi-token prediction; DeepSeek-V3, 2024, section 2.2). Its keys and values lie
// in the pages of the sequence, at position t. What it makes of each position is a state too, with which it goes on to guess.
//
// So behind each step of the model it runs over the positions that are new, one token further on, with the states of the step.
// Then it runs over what it guessed, for all sequences at once, as often as there are tokens to guess.
type mtp struct {
	exec    Executor
	layouts layouts
	vocab   int
	hidden  int // numbers of a state
	inputs  inputs
	states  []float32 // of the next step, a row for each token
	out     []kernels.Tensor
	ask     []asked // sequences whose next token is guessed by the next step, in order
	rows    int     // logits that the next step gives
}

// asked is a sequence for which a step guesses.
type asked struct {
	seq  *Sequence
	most int // tokens
	last int // row of its last state among those of the step
}

// draftState names pages with keys and values of the draft layer beside the model's.
const draftState = "mtp"

// state is what pages hold beside the model's own keys and values.
func (e *Engine) state() string {
	if e.mtp != nil {
		return draftState
	}
	return ""
}

// newMTP finds out whether the plan can guess.
func newMTP(e Executor, vocab int) (*mtp, error) {
	p := e.Plan()
	draft, forward := p.Program("draft"), p.Program("forward")
	if draft == nil {
		return nil, errors.New("the model has no entry draft: its checkpoint has no layer for multi-token prediction")
	}
	states := func(what string, list []*ir.Value) (int, error) {
		if len(list) > 1 {
			if t := list[1].Type; len(t.Shape) == 2 && t.Shape[0] == ir.Symbolic(ir.T) && t.Shape[1].IsConst() {
				return int(t.Shape[1].Add), nil
			}
		}
		return 0, fmt.Errorf("entry %s has no second result with a state for each token, which drafts are made of", what)
	}
	hidden, err := states("forward", forward.Graph.Outputs)
	if err != nil {
		return nil, err
	}
	own, err := states("draft", draft.Graph.Outputs)
	if err != nil {
		return nil, err
	}
	if own != hidden {
		return nil, fmt.Errorf("entry draft returns states of %d numbers, forward of %d", own, hidden)
	}
	l, err := layoutsOf(e, "draft")
	if err != nil {
		return nil, err
	}
	return &mtp{exec: e, layouts: l, vocab: vocab, hidden: hidden}, nil
}

// run takes the positions of the step that is over, and guesses for the sequences that generate.
func (m *mtp) run(ctx context.Context, e *Engine) {
	led := func(p part) bool { return p.seq.hopes.led }
	if !slices.ContainsFunc(e.step.parts, led) || !m.follow(e) {
		return
	}
	var over *plane // nil: it goes over prompts, too
	if a := e.adapt; a != nil && e.step.decodes == len(e.step.parts) {
		over = &a.costs.over
	}
	ok := m.step(ctx, e.adapt, over) == nil
	for i := range e.step.parts {
		if p := &e.step.parts[i]; p.seq.kv != nil && p.seq.hopes.led && p.seq.drafted == p.from {
			q := p.seq
			if ok {
				q.drafted += q.followed(p.from)
			}
			e.share(q)
		}
	}
	var further *plane
	if e.adapt != nil {
		further = &e.adapt.costs.layer
	}
	for ok && m.take(e) {
		ok = m.step(ctx, e.adapt, further) == nil
	}
	m.back(e)
	clear(m.ask) // they may be gone
	m.ask = m.ask[:0]
}

// follow makes the step over the new positions of all sequences. A sequence that the layer has lost, because a step of it failed, gets
// no drafts until it is computed again. False where there is nothing to do.
func (m *mtp) follow(e *Engine) bool {
	m.ask, m.states, m.rows = m.ask[:0], m.states[:0], 0
	if len(e.step.out) < 2 {
		return false
	}
	width := 0
	for i := range e.step.parts {
		q := e.step.parts[i].seq
		most := e.options.MTP
		if e.adapt != nil {
			most = q.wanted
		}
		if most = e.allowed(q, most); most > 0 && q.hopes.led && q.drafted == e.step.parts[i].from && len(q.drafts) == 0 {
			if most = e.reserve(q, most); most > 0 {
				m.ask = append(m.ask, asked{seq: q, most: most})
			}
		}
		if q.kv != nil {
			width = max(width, len(q.kv.Pages()))
		}
	}
	m.inputs.begin(width)
	states := e.step.out[1].F32
	next, first := 0, 0
	for i := range e.step.parts {
		p := &e.step.parts[i]
		q, at := p.seq, first
		first += p.tokens + len(p.drafts)
		n := q.followed(p.from)
		if q.kv == nil || !q.hopes.led || q.drafted != p.from || n <= 0 || first*m.hidden > len(states) {
			continue
		}
		rows := 0
		if next < len(m.ask) && m.ask[next].seq == q {
			m.ask[next].last = len(m.states)/m.hidden + n - 1
			rows = 1
			next++
		}
		m.rows += rows
		m.inputs.add(q.kv, p.from, rows, q.tokens[p.from+1:p.from+1+n], nil, nil)
		some := min(n, p.tokens)
		m.states = append(m.states, states[at*m.hidden:(at+some)*m.hidden]...)
		for _, draft := range q.path[:n-some] {
			row := at + p.tokens + int(draft)
			m.states = append(m.states, states[row*m.hidden:(row+1)*m.hidden]...)
		}
	}
	m.ask = m.ask[:next]
	return len(m.states) > 0
}

// followed is how many positions from one on the layer can go over: those that are computed and have a token behind them.
func (q *Sequence) followed(from int) int { return min(q.computed, len(q.tokens)-1) - from }

// leaves reports whether the layer has to go over a sequence once more that ends with the step: the next turn of the conversation would
// else not find the pages that the step filled, which may be those of its whole prompt.
func (e *Engine) leaves(q *Sequence) bool {
	size := e.pool.PageSize()
	return e.mtp != nil && q.hopes.led && !q.private && (q.drafted+q.followed(q.drafted))/size > q.drafted/size
}

// leave lets those go that the layer has gone over.
func (e *Engine) leave() {
	for _, q := range e.leaving {
		e.vacate(q)
	}
	clear(e.leaving) // they may be gone
	e.leaving = e.leaving[:0]
}

// step runs the layer, and takes the time where somebody wants it.
func (m *mtp) step(ctx context.Context, a *adapting, p *plane) error {
	start := time.Now()
	err := m.execute(ctx)
	if err != nil || a == nil {
		return err
	}
	took := time.Since(start)
	if p == nil {
		a.costs.tookLayerPrompts(len(m.inputs.tokens), took)
	} else {
		a.costs.tookLayer(p, len(m.inputs.tokens), m.rows, took)
		a.scouting.spent += took.Seconds()
	}
	return nil
}

func (m *mtp) execute(ctx context.Context) error {
	n, seqs := len(m.inputs.tokens), len(m.inputs.starts)-1
	if !m.layouts.fits(n, seqs, m.rows) {
		return fmt.Errorf("the plan has no layout of entry draft for %d tokens and %d sequences", n, seqs)
	}
	in := m.inputs.end()
	m.inputs.floats("hidden", m.states, n, m.hidden)
	err := safely("the draft layer", func() (err error) {
		m.out, err = m.exec.Step(ctx, "draft", in)
		return err
	})
	if err == nil && (len(m.out) < 2 || m.out[0].Last() != m.vocab || m.out[0].Rows() != m.rows && m.out[0].Rows() != n || len(m.out[1].F32) < n*m.hidden) {
		err = errors.New("the draft layer's results are not as its entry says")
	}
	return err
}

// take takes the guesses of a step, and makes the next one, over them. False where nobody wants one.
func (m *mtp) take(e *Engine) bool {
	logits, states := &m.out[0], m.out[1].F32
	everything := logits.Rows() == len(m.inputs.tokens) && logits.Rows() != m.rows // a plan without gather_last_token has the logits of all tokens
	m.states = m.states[:0]
	kept := m.ask[:0]
	for i := range m.ask {
		a := m.ask[i]
		row := i
		if everything {
			row = a.last
		}
		q := a.seq
		q.origin = FromMTP
		if !e.guessNext(q, logits.F32[row*m.vocab:][:m.vocab]) || len(q.drafts) == a.most {
			continue
		}
		m.states = append(m.states, states[a.last*m.hidden:][:m.hidden]...)
		a.last = len(kept)
		kept = append(kept, a)
	}
	m.ask = kept
	if len(kept) == 0 {
		return false
	}
	width := 0
	for i := range kept {
		width = max(width, len(kept[i].seq.kv.Pages()))
	}
	m.inputs.begin(width)
	for i := range kept {
		q := kept[i].seq
		m.inputs.add(q.kv, q.computed+len(q.drafts)-1, 1, q.drafts[len(q.drafts)-1:], nil, nil)
	}
	m.rows = len(kept)
	return true
}

// guessNext takes the layer's guess of the next token of a sequence, of those that may come: the constraint is walked along. False where nothing is to be
// guessed behind.
func (e *Engine) guessNext(q *Sequence, logits []float32) bool {
	c, said := q.request.Constraint, len(q.Output())+len(q.drafts)
	id := int32(-1)
	if err := safely("the constraint", func() error {
		var mask []uint64
		if c != nil {
			mask = c.Mask()
		}
		if said < q.request.MinTokens && len(q.request.Stop) > 0 {
			mask = q.withoutStops(mask)
		}
		if n := len(q.drafts); n < len(q.begin) {
			id = q.begin[n]
			if id < 0 || int(id) >= q.vocab || !allows(mask, id) {
				id = -1
			}
		} else {
			id = q.sampler.Best(logits, mask)
		}
		if id >= 0 && c != nil && c.Accept(id) != nil {
			id = -1
		}
		return nil
	}); err != nil {
		e.end(q, "", err)
		return false
	}
	if id < 0 {
		return false
	}
	q.drafts = append(q.drafts, id)
	return !slices.Contains(q.request.Stop, id)
}

// back takes constraints back that were walked along guesses.
func (m *mtp) back(e *Engine) {
	for i := range e.step.parts {
		q := e.step.parts[i].seq
		if c := q.request.Constraint; c != nil && q.origin == FromMTP && len(q.drafts) > 0 {
			if err := safely("the constraint", func() error {
				c.Rollback(len(q.drafts))
				return nil
			}); err != nil {
				e.end(q, "", err)
			}
		}
	}
}
