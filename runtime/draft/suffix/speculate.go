package suffix

import (
	"math"
	"math/bits"

	"github.com/glmc/glmc/runtime/draft"
)

// Options say how bold drafts are. The rules are SuffixDecoding's (Oliaro et al., arXiv:2411.04975) as ArcticInference has them.
type Options struct {
	MaxTokens int     // of a draft; 0: as many as the depth allows
	Factor    float64 // a match of n tokens gives at most Factor*n + Offset tokens
	Offset    float64
	MinProb   float64 // least estimated probability of a token, together with all before it
	Tree      bool    // alternatives, the likeliest tokens first, and not only the best path
}

// Defaults are ArcticInference's.
var Defaults = Options{Factor: 1, MinProb: 0.1}

// Generous is for those who cut drafts themselves, by what a token costs and by what came of tokens of its kind: more than most will take.
var Generous = Options{Factor: 4, MinProb: 0.03}

// one is the probability 1. Probabilities are whole multiples of 2^-32, so that sums do not depend on their order.
const one = 1 << 32

// limit is how many tokens a match may give, depth aside.
func (o *Options) limit(match int) int {
	n := math.Floor(o.Factor*float64(match) + o.Offset + 1e-6)
	if o.MaxTokens > 0 {
		n = min(n, float64(o.MaxTokens))
	}
	return int(max(0, min(n, MaxDepth)))
}

// least is the fixed-point form of MinProb.
func (o *Options) least() uint64 {
	return uint64(math.Ceil(max(0, min(1, o.MinProb)) * one))
}

// guess is the best draft of a tree so far: where it begins, not yet what it says.
type guess struct {
	node, offset uint32
	match, limit int
	score        uint64
	own          bool // it begins where the tree's own open sequence ends
}

// best looks for the best draft behind the places of a window. The score is the sum of the probabilities; of equal ones the longer
// match counts. Since a draft of n tokens scores n at most, most places need no look: the first one is where the bound is highest.
func (t *Tree) best(w *window, o *Options, least uint64, heap *frontier) (g guess) {
	if w.n == 0 {
		return g
	}
	depth := int(t.depth)
	try := func(match int, bound int) {
		slot := (w.pos - uint32(match)) % MaxDepth
		id := w.node[slot]
		n := t.at(id)
		offset := t.length(n) - (w.due[slot] - w.pos)
		own := w == &t.open
		if own {
			offset = uint32(n.length) - (w.due[slot] - w.pos)
		}
		beat := g.score
		if match < g.match {
			beat++
		}
		var score uint64
		if o.Tree {
			score = t.grow(id, offset, bound, own, least, beat, heap, nil)
		} else {
			score = t.walk(id, offset, bound, own, least, beat, nil)
		}
		if score > g.score || score == g.score && score > 0 && match > g.match {
			g = guess{node: id, offset: offset, match: match, limit: bound, score: score, own: own}
		}
	}
	peak, high := 0, 0
	var bounds [MaxDepth]uint8
	for match := int(w.n); match > 0; match-- {
		bound := o.limit(match)
		if !o.Tree {
			bound = min(bound, depth-match)
		}
		bounds[match] = uint8(bound)
		if bound > high {
			peak, high = match, bound
		}
	}
	if peak == 0 {
		return g
	}
	try(peak, high)
	for match := int(w.n); match > 0; match-- {
		bound := uint64(bounds[match]) * one
		if match != peak && (bound > g.score || bound == g.score && match > g.match) {
			try(match, int(bounds[match]))
		}
	}
	return g
}

// tell writes down the draft that a guess stands for.
func (t *Tree) tell(g *guess, o *Options, least uint64, heap *frontier, into *draft.Draft) {
	into.Reset()
	if g.score == 0 {
		return
	}
	if o.Tree {
		t.grow(g.node, g.offset, g.limit, g.own, least, 0, heap, into)
	} else {
		t.walk(g.node, g.offset, g.limit, g.own, least, 0, into)
	}
	into.Score = float64(g.score) / one
	into.Match = g.match
}

// length is how long a label is: that of a leaf of the open sequence ends with it.
func (t *Tree) length(n *node) uint32 {
	return min(uint32(n.length), t.store.end-n.ref)
}

// resting gives as bits the offsets in an edge at which suffixes of the open sequence stand. There is one at most at each.
func (t *Tree) resting(id uint32, n *node) (mask uint64) {
	if n.resting == 0 {
		return 0
	}
	w := &t.open
	for j := w.pos - w.n; j != w.pos; j++ {
		if slot := j % MaxDepth; w.node[slot] == id && w.due[slot] != w.pos {
			mask |= 1 << (uint32(n.length) - (w.due[slot] - w.pos))
		}
	}
	return mask
}

// walk follows the best path from a place, and gives the sum of the probabilities of at most so many tokens. Own says that the tree's own
// sequence ends at the place: it is no evidence of what follows there, and does not count. What cannot reach the score to beat is given up: it gets 0.
func (t *Tree) walk(id, offset uint32, limit int, own bool, least, beat uint64, into *draft.Draft) (score uint64) {
	p, n, left := uint64(one), t.at(id), uint32(limit)
	for left > 0 {
		if score+p*uint64(left) < beat { // probabilities only fall
			return 0
		}
		length := t.length(n)
		bottom := uint64(n.count) - uint64(n.resting)
		mask := t.resting(id, n)
		for offset < length && left > 0 {
			run := length - offset
			if mask != 0 {
				if mask>>offset&1 != 0 { // one ends here
					here := bottom + uint64(bits.OnesCount64(mask>>offset))
					if !own {
						p = p * (here - 1) / here
					}
					if own = false; p < least {
						return score
					}
				}
				run = min(run, uint32(bits.TrailingZeros64(mask>>offset>>1))+1)
			}
			run = min(run, left)
			score += p * uint64(run)
			if into != nil {
				t.say(n.ref+offset, run, p, bottom+uint64(bits.OnesCount64(mask>>offset>>1)), into)
			}
			offset += run
			left -= run
		}
		if n.kids == 0 || left == 0 {
			return score
		}
		id = t.bestOf(n)
		n = t.at(id)
		if own {
			bottom--
		}
		if p = p * uint64(n.count) / bottom; p < least {
			return score
		}
		own = false
		offset = 0
	}
	return score
}

// say adds a run of tokens from the store to a path. They follow what stands before them at so many places.
func (t *Tree) say(from, run uint32, p, places uint64, into *draft.Draft) {
	prob, seen := float32(float64(p)/one), seenKind(places)
	for i := range run {
		into.Kinds = append(into.Kinds, seen)
		into.Parents = append(into.Parents, int32(len(into.Tokens))-1)
		into.Tokens = append(into.Tokens, t.store.at(from+i))
		into.Probs = append(into.Probs, prob)
	}
}
