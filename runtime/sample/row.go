package sample

import (
	"math"
	"math/bits"
)

// blockSize is how many tokens are looked at together: those of one word of a mask.
const blockSize = 64

// row is one row of logits as a pick sees it: some tokens are masked, and some have other logits than the model gave them. It is never
// written out: of blocks where nothing is different the model's own memory is read.
type row struct {
	logits  []float32
	mask    []uint64 // nil: all tokens
	changed []uint64 // tokens whose logit stands in change
	change  []float32
	block   [blockSize]float32 // a block where something is different
}

func (r *row) begin(logits []float32, mask []uint64) {
	r.logits, r.mask, r.changed = logits, mask, nil
}

// plain reports whether it is what the model gave.
func (r *row) plain() bool { return r.mask == nil && len(r.changed) == 0 }

func (r *row) blocks() int { return (len(r.logits) + blockSize - 1) / blockSize }

// at returns the logits of block b, -Inf for masked tokens, nil where all of them are. They are valid until the next call.
func (r *row) at(b int) []float32 {
	first := b * blockSize
	given := r.logits[first:min(first+blockSize, len(r.logits))]
	all := ^uint64(0) >> (blockSize - len(given))
	allowed, changed := all, uint64(0)
	if r.mask != nil {
		if b >= len(r.mask) {
			return nil
		}
		allowed &= r.mask[b]
	}
	if b < len(r.changed) {
		changed = r.changed[b] & allowed
	}
	switch {
	case allowed == 0:
		return nil
	case allowed == all && changed == 0:
		return given
	}
	block := r.block[:len(given)]
	if bits.OnesCount64(allowed) > blockSize/2 {
		copy(block, given)
		for out := all &^ allowed; out != 0; out &= out - 1 {
			block[bits.TrailingZeros64(out)] = negInf
		}
	} else {
		for i := range block {
			block[i] = negInf
		}
		for in := allowed; in != 0; in &= in - 1 {
			i := bits.TrailingZeros64(in)
			block[i] = given[i]
		}
	}
	for ; changed != 0; changed &= changed - 1 {
		i := bits.TrailingZeros64(changed)
		block[i] = r.change[first+i]
	}
	return block
}

var negInf = float32(math.Inf(-1))

// highest is the largest finite number, -Inf where there is none. Floats are compared as integers in the same order: those compilers
// compare without branches, which in short blocks would be foretold wrongly several times.
func highest(values []float32) float32 {
	a, b, c, d := int32(math.MinInt32), int32(math.MinInt32), int32(math.MinInt32), int32(math.MinInt32)
	for rest := values; ; rest = rest[4:] {
		if len(rest) < 4 {
			for _, v := range rest {
				a = max(a, ordered(v))
			}
			break
		}
		a, b, c, d = max(a, ordered(rest[0])), max(b, ordered(rest[1])), max(c, ordered(rest[2])), max(d, ordered(rest[3]))
	}
	most := max(a, b, c, d)
	if most > math.MaxInt32-1<<23 { // +Inf or NaN
		return highestFinite(values)
	}
	v := math.Float32frombits(uint32(most ^ most>>31&math.MaxInt32))
	if v-v != 0 {
		return negInf
	}
	return v
}

// ordered maps floats to integers in the same order: -Inf below all finite ones, +Inf above, NaN beyond either.
func ordered(v float32) int32 {
	i := int32(math.Float32bits(v))
	return i ^ i>>31&math.MaxInt32
}

// highestFinite is highest where some values are +Inf or NaN.
func highestFinite(values []float32) float32 {
	most := negInf
	for _, v := range values {
		if v > most && v <= math.MaxFloat32 {
			most = v
		}
	}
	return most
}

// index is where the value stands first. It must be there.
func index(values []float32, v float32) int32 {
	for i, x := range values {
		if x == v {
			return int32(i)
		}
	}
	panic("sample: the highest value of a block is not in it")
}

// workspace is the memory that a pick needs. Sequences share a few: one that was given back serves whoever picks next.
type workspace struct {
	row    row
	high   []float32     // the highest logit of each block of the row
	mass   [bins]float64 // weight of the tokens of each bin
	filled int           // bins before it can have some
	used   int           // and those before it are kept
	most   int           // as many tokens of the last one of those are
	count  [bins]int32   // tokens of each bin, or blocks whose highest logit lies there
	found  []found
}

// idle are workspaces that nobody picks with. Unlike a sync.Pool it keeps them: what a token costs does not depend on when garbage was
// last collected. More sequences than it has room for seldom pick at the same time.
var idle = make(chan *workspace, 16)

func takeWorkspace() *workspace {
	select {
	case w := <-idle:
		return w
	default:
		return new(workspace)
	}
}

func (w *workspace) giveBack() {
	w.row.begin(nil, nil) // the logits are somebody else's
	select {
	case idle <- w:
	default:
	}
}

// scan finds the highest logit, the first of equal ones, and those of the blocks. -1: there is none.
func (w *workspace) scan(r *row) (best int32, high float32) {
	best, high = -1, negInf
	w.high = w.high[:0]
	for b := range r.blocks() {
		block := r.at(b)
		v := highest(block)
		w.high = append(w.high, v)
		if v > high {
			best, high = int32(b*blockSize)+index(block, v), v
		}
	}
	return best, high
}
