package enginetest

import "github.com/glmc/glmc/runtime/exec"

// view is a sequence as a step sees it: the cache through the sequence's page table.
type view struct {
	exec  *Executor
	seq   int
	pages []int32
}

func (e *Executor) view(in exec.Inputs, seq int) view {
	table := in["pages"]
	width := table.Shape[1]
	return view{e, seq, table.I32[seq*width : (seq+1)*width]}
}

// slot is where the token at a position lies.
func (v view) slot(pos int32) int32 {
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
