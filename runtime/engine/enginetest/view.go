package enginetest

import (
	"slices"

	"github.com/glmc/glmc/runtime/exec"
)

// view is a sequence as a step sees it: the cache through the sequence's page table.
type view struct {
	exec  *Executor
	seq   int
	pages []int32
	// Where a row of a tree stands: the position first+i lies in slot own[i].
	first int32
	own   []int32
}

func (e *Executor) view(in exec.Inputs, seq int) view {
	table := in["pages"]
	width := table.Shape[1]
	return view{exec: e, seq: seq, pages: table.I32[seq*width : (seq+1)*width]}
}

// stand makes the view that of a row: of one with a parent, the last positions are those of its ancestors in the step, each as many places behind
// the sequence's first row as it stands behind it.
func (v *view) stand(in exec.Inputs, row int) {
	parents, pos, lo := in["parents"].I32, in["pos"].I32, in["seq_start"].I32[v.seq]
	v.own = v.own[:0]
	if v.exec.options.Paths {
		return
	}
	for at := int32(row); parents[at] != -1; at = parents[at] {
		if up := parents[at]; up < lo || up >= at || pos[up] != pos[at]-1 {
			v.exec.failf("sequence %d: row %d at position %d has parent %d", v.seq, at, pos[at], up)
			break
		}
		v.first = pos[at]
		v.own = append(v.own, v.place(pos[lo]+at-lo))
	}
	slices.Reverse(v.own)
}

// slot is where the token at a position lies.
func (v view) slot(pos int32) int32 {
	if i := pos - v.first; len(v.own) > 0 && i >= 0 && int(i) < len(v.own) {
		return v.own[i]
	}
	return v.place(pos)
}

// place is a place of the page table.
func (v view) place(pos int32) int32 {
	size := int32(v.exec.options.PageSize)
	if int(pos/size) >= len(v.pages) {
		return -1
	}
	return v.pages[pos/size]*size + pos%size
}

// at is what lies at a position. Where that is nothing, or of another position, it is a problem and a hash of its own.
func (v view) at(pos int32) slot {
	n := v.slot(pos)
	if n < 0 || int(n) >= len(v.exec.cache) {
		v.exec.failf("sequence %d: position %d has no page in %v", v.seq, pos, v.pages)
		return slot{pos: pos, hash: 2}
	}
	s := v.exec.cache[n]
	if s.hash == 0 || s.pos != pos {
		v.exec.failf("sequence %d: position %d is read from slot %d, which holds position %d, token %d", v.seq, pos, n, s.pos, s.token)
	}
	return s
}

// write puts a token into its slot, and returns the hash of all tokens up to it.
func (v view) write(token, pos, to int32) uint64 {
	h := uint64(1)
	if pos > 0 {
		h = v.at(pos - 1).hash
	}
	h = mix(h, token)
	if want := v.slot(pos); to != want || to < 0 {
		v.exec.failf("sequence %d: position %d goes to slot %d, its page table says %d", v.seq, pos, to, want)
		return h
	}
	v.exec.cache[to] = slot{token, pos, h}
	return h
}

// damage is 0 where every token up to a position is the one that hashes say.
func (v view) damage(pos int32) uint64 {
	h := uint64(1)
	for p := range pos + 1 {
		s := v.at(p)
		if h = mix(h, s.token); h != s.hash {
			v.exec.failf("sequence %d: the token at position %d was written over", v.seq, p)
			return h
		}
	}
	return 0
}

// tokens are those up to a position.
func (v view) tokens(pos int32) []int32 {
	out := make([]int32, pos+1)
	for p := range out {
		out[p] = v.at(int32(p)).token
	}
	return out
}
