// Package memory lays the results of a program out in one arena, so that results which are not alive at the
// same time share bytes, and a result takes over those of an operand where the operator works in place. Check
// proves a layout, whoever made it.
package memory

// Buffer is one result: its size in bytes, and the first and last step at which it must hold its value.
type Buffer struct {
	Bytes       int64
	First, Last int
}

// Share says that buffer Into may take over the bytes of buffer From, which has the same size: the step that writes
// Into is the last to read From, and its operator works in place (ir.InPlace).
type Share struct{ From, Into int }

// Layout is where buffers lie.
type Layout struct {
	Offsets []int64
	Arena   int64 // bytes that they take together
	Bound   int64 // see LowerBound
}

// Align is the alignment of every offset: a cache line, and enough for any vector load.
const Align = 64

// Plan gives every buffer an offset. It does not depend on anything but its operands, and its work is bounded (see
// search).
//
// Buffers that may share in place do: one body of bytes then lives from the first step of the one to the last step of
// the other, where otherwise both were alive at the step between. That lowers the bytes that are alive at that step and
// at no step raises them. It takes freedom, too: two buffers in one place may fit worse between others than two
// buffers in two. So where a layout of bodies is above the bound, one without sharing is tried.
func Plan(buffers []Buffer, shares []Share) Layout {
	bodies, body := merge(buffers, match(buffers, shares))
	bound := LowerBound(bodies)
	offsets, arena := search(bodies, bound)
	if arena > bound && len(bodies) < len(buffers) {
		if apart, a := search(buffers, max(bound, LowerBound(buffers))); a < arena {
			return Layout{apart, a, bound}
		}
	}
	out := Layout{Offsets: make([]int64, len(buffers)), Arena: arena, Bound: bound}
	for i, b := range body {
		out.Offsets[i] = offsets[b]
	}
	return out
}

// Apart puts buffers side by side.
func Apart(buffers []Buffer) Layout {
	l := Layout{Offsets: make([]int64, len(buffers)), Bound: LowerBound(buffers)}
	for i, b := range buffers {
		l.Offsets[i] = l.Arena
		l.Arena += aligned(b.Bytes)
	}
	return l
}

// Bound is the most bytes that are alive at one step where every share is taken that can be: no layout can do with
// less.
func Bound(buffers []Buffer, shares []Share) int64 {
	most, _ := Peak(buffers, shares)
	return most
}

// Peak is Bound with the first step at which so much is alive; 0, 0 for no buffers.
func Peak(buffers []Buffer, shares []Share) (most int64, step int) {
	bodies, _ := merge(buffers, match(buffers, shares))
	for i, n := range live(bodies) {
		if n > most {
			most, step = n, i
		}
	}
	return most, step
}

// match picks as many shares as can be taken together, each buffer giving its bytes away once and taking over one at
// most: a matching of the largest size, found by augmenting paths (Kuhn 1955). All sizes in a path are equal, so that
// the most shares are also the most bytes; shares of buffers that do not fit are left out. The result gives the buffer that each takes over, -1 for none.
func match(buffers []Buffer, shares []Share) []int {
	n := len(buffers)
	offers := map[int][]int{} // by Into
	for _, s := range shares {
		if from, into := buffers[s.From], buffers[s.Into]; s.From < s.Into && from.Bytes == into.Bytes && from.Last == into.First {
			offers[s.Into] = append(offers[s.Into], s.From)
		}
	}
	from, into := make([]int, n), make([]int, n)
	for i := range n {
		from[i], into[i] = -1, -1
	}
	var augment func(i int, tried map[int]bool) bool
	augment = func(i int, tried map[int]bool) bool {
		for _, f := range offers[i] {
			if tried[f] {
				continue
			}
			tried[f] = true
			if into[f] < 0 || augment(into[f], tried) {
				from[i], into[f] = f, i
				return true
			}
		}
		return false
	}
	for i := range n {
		if len(offers[i]) > 0 {
			augment(i, map[int]bool{})
		}
	}
	return from
}

// merge makes one body of buffers that take over each other's bytes, and says in which body each buffer is. Results are
// numbered behind what they are made of, so that from[i] is in its body already.
func merge(buffers []Buffer, from []int) (bodies []Buffer, body []int) {
	body = make([]int, len(buffers))
	for i, b := range buffers {
		f := from[i]
		if f < 0 {
			body[i] = len(bodies)
			bodies = append(bodies, b)
			continue
		}
		body[i] = body[f]
		bodies[body[f]].Last = b.Last
	}
	return bodies, body
}

func aligned(n int64) int64 { return (n + Align - 1) / Align * Align }

// live gives the bytes that are alive at each step.
func live(buffers []Buffer) []int64 {
	steps := 0
	for _, b := range buffers {
		steps = max(steps, b.Last+1)
	}
	out := make([]int64, steps+1)
	for _, b := range buffers {
		out[b.First] += aligned(b.Bytes)
		out[b.Last+1] -= aligned(b.Bytes)
	}
	for i := 1; i < len(out); i++ {
		out[i] += out[i-1]
	}
	return out[:steps]
}

// LowerBound is the most bytes that are alive at one step: no layout of these buffers can do with less.
func LowerBound(buffers []Buffer) int64 {
	most := int64(0)
	for _, n := range live(buffers) {
		most = max(most, n)
	}
	return most
}
