package engine

import (
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/draft"
)

// Drafts may be a tree: then parents has, for each of a sequence's drafts, the index of the one before it, -1 for the sequence's last token. A
// parent stands before its children. The rows of a tree take slots behind the sequence in the order of the drafts, so that a path lies where
// its tokens will stay, and of a tree what was accepted is moved there (ADR 32).

// Mover is an Executor that can check drafts that are trees, where its plan has the input parents. It copies the keys and values of slots
// from to slots to, in all layers, one after the other. It is called between steps. Behind an error the slots to hold anything.
type Mover interface {
	Move(from, to []int32) error
}

// parentsInput is the input of a plan whose attention knows trees.
const parentsInput = "parents"

// moverOf is the executor where it and its plan can check trees; nil: paths alone.
func moverOf(x Executor) Mover {
	if m, ok := x.(Mover); ok && KnowsTrees(x.Plan()) {
		return m
	}
	return nil
}

// KnowsTrees reports whether the attention of a plan has the input parents, so that drafts may be trees.
func KnowsTrees(p *plan.Plan) bool {
	for _, q := range p.Programs {
		named := func(v *ir.Value) bool { return v.Input == parentsInput }
		if q.Graph.Name == "forward" && !slices.ContainsFunc(q.Graph.Inputs, named) {
			return false
		}
	}
	return true
}

// trees reports whether drafts may be trees. Those that adapt are weighed as paths.
func (e *Engine) trees() bool { return e.mover != nil && e.adapt == nil }

// path is how many of the first n tokens of a guess are its first branch.
func path(g *draft.Draft, n int) int {
	for i, parent := range g.Parents[:min(n, len(g.Parents))] {
		if int(parent) != i-1 {
			return i
		}
	}
	return n
}

// undraft forgets a sequence's drafts.
func (q *Sequence) undraft() { q.drafts, q.parents = q.drafts[:0], q.parents[:0] }

// plant takes the first n tokens of a guess as drafts, without those whose parents do not stand before them. What stands behind one token
// twice is one draft, with what follows either.
func (q *Sequence) plant(g *draft.Draft, n int) {
	q.undraft()
	var at [MostDrafts]int32 // where a token of the guess is among the drafts; -1: nowhere
	tree := false
	for i, id := range g.Tokens[:min(n, MostDrafts)] {
		at[i] = -1
		parent := int32(i) - 1
		if i < len(g.Parents) {
			parent = g.Parents[i]
		}
		if parent < -1 || int(parent) >= i {
			continue
		}
		if parent >= 0 {
			if parent = at[parent]; parent < 0 {
				continue
			}
		}
		if at[i] = int32(behind(q.drafts, q.parents, parent, id)); at[i] < 0 {
			at[i] = int32(len(q.drafts))
			tree = tree || int(parent) != len(q.drafts)-1
			q.drafts, q.parents = append(q.drafts, id), append(q.parents, parent)
		}
	}
	if !tree {
		q.parents = q.parents[:0]
	}
}

// behind is the draft of a token behind a parent; -1: there is none.
func behind(drafts, parents []int32, parent, id int32) int {
	for i := max(0, int(parent)+1); i < len(parents); i++ {
		if parents[i] == parent && drafts[i] == id {
			return i
		}
	}
	return -1
}

// child is the draft of a token behind draft at, -1 being the sequence's last token; -1: there is none.
func (p *part) child(at int, id int32) int {
	switch next := at + 1; {
	case len(p.parents) > 0:
		return behind(p.drafts, p.parents, int32(at), id)
	case next < len(p.drafts) && p.drafts[next] == id:
		return next
	}
	return -1
}

// prune is cut for a tree: what cannot come goes, and all that stands behind it.
func (e *Engine) prune(q *Sequence) {
	var stays [MostDrafts]bool
	for i, id := range q.drafts {
		parent := q.parents[i]
		stays[i] = id >= 0 && int(id) < q.vocab && (parent < 0 || stays[parent] && !slices.Contains(q.request.Stop, q.drafts[parent]))
	}
	var err error
	if c := q.request.Constraint; c != nil {
		var allowed [MostDrafts]bool
		err = safely("the constraint", func() error {
			q.walk(c, -1, &stays, &allowed)
			return nil
		})
		stays = allowed
	}
	q.keep(&stays)
	if err != nil {
		e.end(q, "", err)
	}
}

// walk finds out which of the drafts that may stay a constraint allows behind draft at, depth first. The constraint is in the end where
// it was.
func (q *Sequence) walk(c Constraint, at int32, stays, allowed *[MostDrafts]bool) {
	for i := int(at) + 1; i < len(q.drafts); i++ {
		if q.parents[i] != at || !stays[i] || !allows(c.Mask(), q.drafts[i]) || c.Accept(q.drafts[i]) != nil {
			continue
		}
		allowed[i] = true
		q.walk(c, int32(i), stays, allowed)
		c.Rollback(1)
	}
}

// keep takes the drafts out that do not stay. No other has one of them as its parent.
func (q *Sequence) keep(stays *[MostDrafts]bool) {
	var at [MostDrafts]int32
	n, tree := 0, false
	for i, id := range q.drafts {
		if !stays[i] {
			continue
		}
		parent := q.parents[i]
		if parent >= 0 {
			parent = at[parent]
		}
		at[i] = int32(n)
		tree = tree || int(parent) != n-1
		q.drafts[n], q.parents[n] = id, parent
		n++
	}
	q.drafts, q.parents = q.drafts[:n], q.parents[:n]
	if !tree {
		q.parents = q.parents[:0]
	}
}

// settle puts the keys and values of the drafts that were accepted last where their positions are, and says that they are computed. A
// sequence for which that fails has to be computed again.
func (e *Engine) settle() {
	e.from, e.to = e.from[:0], e.to[:0]
	for i := range e.step.picks.rows {
		if p := &e.step.picks.rows[i]; !p.seq.lost && !p.settled() {
			q := p.seq
			e.from = append(e.from, q.kv.Slot(p.part.from+p.part.tokens+p.at))
			e.to = append(e.to, q.kv.Slot(q.computed))
		}
	}
	failed := false
	if len(e.from) > 0 {
		failed = safely("moving keys and values", func() error { return e.mover.Move(e.from, e.to) }) != nil
	}
	if failed {
		e.stats.FailedSteps++ // nobody else would be told: the text stays right
	}
	for i := range e.step.picks.rows {
		p := &e.step.picks.rows[i]
		q := p.seq
		if q.lost = q.lost || failed && !p.settled(); !q.lost {
			q.computed++
			e.share(q)
		}
	}
}

// settled reports whether the draft that was accepted last lies where its token stays.
func (p *pick) settled() bool { return p.at+1 == len(p.seq.path) }

// recover has the sequences of the step computed again that were lost.
func (e *Engine) recover() {
	for i := range e.step.parts {
		if q := e.step.parts[i].seq; q.lost {
			if q.lost = false; !q.ended {
				e.preempt(q)
			}
		}
	}
}
