package suffix

import (
	"math/bits"

	"github.com/glmc/glmc/runtime/draft"
)

// The kinds of evidence for a token, as draft.Draft.Kinds has them. An estimated probability of 1 means little where the text stood once, behind a
// match of one token: how much little is, is for those to measure who check drafts. Kinds are, from the fastest changing one: how many
// tokens before it are known to match, at how many places it was seen, whose text it is, and what the other tree says.
const (
	matchKinds = 6 // 1, 2-3, 4-7, 8-15, 16-31, more
	seenKinds  = 4 // once, 2-3, 4-7, more
	ownKinds   = 2 // from others' responses, from the request
	viewKinds  = 3 // the other tree has nothing to say, says another token, says the same

	// Kinds is how many there are.
	Kinds = matchKinds * seenKinds * ownKinds * viewKinds
)

const (
	noView uint8 = iota
	otherView
	sameView
)

// seenKind is the kind by places at which a token was seen.
func seenKind(places uint64) uint8 {
	return uint8(min(max(bits.Len64(places), 1)-1, seenKinds-1))
}

// matchKind is the kind by tokens that match.
func matchKind(tokens int) uint8 {
	return uint8(min(bits.Len(uint(tokens))-1, matchKinds-1))
}

// views are, of each token of a draft, its depth and the token of the other tree's draft where all before it is the same; -1: there is none.
type views [MaxDepth]struct {
	depth int32
	same  int32
}

// classify makes kinds of what a draft has in them so far: those by places. The second draft is that of the other tree.
func (v *views) classify(d, second *draft.Draft) {
	for i, parent := range d.Parents {
		depth, before := int32(0), int32(-1)
		open := true // what stands before the token is the same in both
		if parent >= 0 {
			depth, before = v[parent].depth+1, v[parent].same
			open = before >= 0
		}
		view := noView
		same := int32(-1)
		if open {
			view, same = compare(second, before, d.Tokens[i])
		}
		v[i].depth, v[i].same = depth, same
		kind := view
		kind *= ownKinds
		if d.Local {
			kind++
		}
		kind = kind*seenKinds + d.Kinds[i]
		d.Kinds[i] = kind*matchKinds + matchKind(d.Match+int(depth))
	}
}

// compare finds the token behind a place of a draft, and gives its index. A path has one behind each.
func compare(d *draft.Draft, before, token int32) (view uint8, at int32) {
	for i := before + 1; int(i) < len(d.Tokens); i++ {
		if d.Parents[i] != before {
			continue
		}
		if view = otherView; d.Tokens[i] == token {
			return sameView, i
		}
	}
	return view, -1
}
