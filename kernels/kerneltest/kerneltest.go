// Package kerneltest makes operands for tests of kernel sets and runs single operators.
package kerneltest

import (
	"math"
	"math/rand/v2"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// TB is what both testing.TB and rapid.T offer.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Build makes operator name of the set, or ends the test.
func Build(t TB, set kernels.Set, name string, a kernels.Attrs) kernels.Func {
	t.Helper()
	b := set[name]
	if b == nil {
		t.Fatalf("no operator %s", name)
	}
	f, err := b(a)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

// Run builds and runs an operator once, or ends the test.
func Run(t TB, set kernels.Set, name string, a kernels.Attrs, c *kernels.Call) {
	t.Helper()
	if err := Build(t, set, name, a)(c); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Rand draws operands. Equal seeds draw equal operands.
type Rand struct{ *rand.Rand }

// NewRand seeds a generator.
func NewRand(seed uint64) Rand { return Rand{rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))} }

// F32 draws normally distributed values.
func (r Rand) F32(shape ...int) kernels.Tensor {
	t := kernels.New(dtype.F32, shape...)
	for i := range t.F32 {
		t.F32[i] = float32(r.NormFloat64())
	}
	return t
}

// IDs draws ids from [0, n).
func (r Rand) IDs(n int, shape ...int) kernels.Tensor {
	t := kernels.New(dtype.I32, shape...)
	for i := range t.I32 {
		t.I32[i] = int32(r.IntN(n))
	}
	return t
}

// Distinct draws rows of k different ids from [0, n).
func (r Rand) Distinct(n, rows, k int) kernels.Tensor {
	t := kernels.New(dtype.I32, rows, k)
	for i := range rows {
		for j, id := range r.Perm(n)[:k] {
			t.I32[i*k+j] = int32(id)
		}
	}
	return t
}

// Weights draws a weight tensor in storage format d; the scaled formats get a scale for each row, or group of a row.
// The scales of I4 are BF16 values.
func (r Rand) Weights(d dtype.DType, shape ...int) kernels.Tensor {
	values := r.F32(shape...)
	t := kernels.New(d, shape...)
	if d.Scaled() {
		n := t.Rows()
		if d == dtype.I4 {
			n *= (t.Last() + dtype.Group - 1) / dtype.Group
		}
		t.Scale = make([]float32, n)
		for i := range t.Scale {
			t.Scale[i] = dtype.RoundBF16(float32(math.Exp(r.NormFloat64())))
		}
	}
	if most := map[dtype.DType]float32{dtype.I8: 40, dtype.I4: 3}[d]; most > 0 { // use the range
		for i := range values.F32 {
			values.F32[i] *= most
		}
	}
	t.Store(0, values.F32)
	return t
}

// Dequantise returns a float32 copy of a weight tensor.
func Dequantise(w kernels.Tensor) kernels.Tensor {
	if !w.Present() || w.DType == dtype.I32 {
		return w
	}
	out := kernels.New(dtype.F32, w.Shape...)
	d := w.Last()
	for i := range w.Rows() {
		w.LoadRow(out.F32[i*d:(i+1)*d], i)
	}
	return out
}

// RoundBF16 returns a copy with every value rounded to bfloat16.
func RoundBF16(x kernels.Tensor) kernels.Tensor {
	out := kernels.New(dtype.F32, x.Shape...)
	for i, v := range x.F32 {
		out.F32[i] = dtype.RoundBF16(v)
	}
	return out
}

// A Batch is the description of a step's sequences over a paged cache, as attn.paged takes it.
type Batch struct {
	Cache  *kernels.Cache
	Pos    kernels.Tensor // i32 [T]
	Starts kernels.Tensor // i32 [B+1]
	Pages  kernels.Tensor // i32 [B, P]
	Slots  kernels.Tensor // i32 [T]: where kv.write puts the rows; -1 for padding
	// Parents is i32 [T] where sequences have trees of drafts, and absent elsewhere.
	Parents kernels.Tensor
}

// Sequence describes one sequence of a Batch: rows of this step after a number of cached tokens.
type Sequence struct{ Cached, Rows int }

// Batch lays sequences out over shuffled pages of a cache filled with random keys and values, and adds padding
// rows after the last one.
func (r Rand) Batch(d dtype.DType, pageSize, heads, headDim, padding int, seqs ...Sequence) Batch {
	return r.UnequalBatch(d, pageSize, heads, headDim, headDim, padding, seqs...)
}

// UnequalBatch is Batch with values of another size than the keys.
func (r Rand) UnequalBatch(d dtype.DType, pageSize, heads, headDim, valueDim, padding int, seqs ...Sequence) Batch {
	perSeq, rows := 1, padding
	for _, s := range seqs {
		perSeq = max(perSeq, (s.Cached+s.Rows+pageSize-1)/pageSize)
		rows += s.Rows
	}
	n := perSeq*len(seqs) + 1
	b := Batch{
		Cache:  kernels.NewCache(d, pageSize, n, heads, headDim, valueDim),
		Pos:    kernels.New(dtype.I32, rows),
		Starts: kernels.New(dtype.I32, len(seqs)+1),
		Pages:  kernels.New(dtype.I32, len(seqs), perSeq),
		Slots:  kernels.New(dtype.I32, rows),
	}
	b.Cache.K.Store(0, r.F32(n*pageSize, heads, headDim).F32)
	b.Cache.V.Store(0, r.F32(n*pageSize, heads, valueDim).F32)
	order := r.Perm(n)
	for i := range b.Slots.I32 {
		b.Slots.I32[i] = kernels.PaddingSlot
	}
	row := 0
	for i, s := range seqs {
		for p := range perSeq {
			b.Pages.I32[i*perSeq+p] = int32(order[i*perSeq+p])
		}
		for j := range s.Rows {
			p := s.Cached + j
			b.Pos.I32[row] = int32(p)
			b.Slots.I32[row] = b.Pages.I32[i*perSeq+p/pageSize]*int32(pageSize) + int32(p%pageSize)
			row++
		}
		b.Starts.I32[i+1] = int32(row)
	}
	return b
}

// Clone returns a cache with the same contents.
func Clone(c *kernels.Cache) *kernels.Cache {
	out := *c
	for _, t := range []*kernels.Tensor{&out.K, &out.V} {
		t.F32 = append([]float32(nil), t.F32...)
		t.U16 = append([]uint16(nil), t.U16...)
		t.U8 = append([]byte(nil), t.U8...)
	}
	return &out
}

// Quantise stores the fp8 codes of x's rows and their scales, as dtype.QuantizeF8E4M3 defines them.
func Quantise(x, codes, scales kernels.Tensor) {
	d := x.Last()
	values := make([]float32, d)
	for r := range x.Rows() {
		scales.F32[r] = dtype.QuantizeF8E4M3(values, x.F32[r*d:(r+1)*d])
		codes.Store(r*d, values)
	}
}

// Peers is a kernels.Comm for a rank that is alone. To AllReduce every other rank brings the same values; to
// AllGather rank k brings them times k.
type Peers struct{ Ranks int }

func (p Peers) Rank() int { return 0 }
func (p Peers) Size() int { return p.Ranks }
func (p Peers) AllReduce(x []float32) error {
	for i := range x {
		x[i] *= float32(p.Ranks)
	}
	return nil
}
func (p Peers) AllGather(dst, src []float32, rows, cols int) error {
	for r := range rows {
		for k := range p.Ranks {
			for i := range cols {
				dst[(r*p.Ranks+k)*cols+i] = src[r*cols+i] * float32(k)
			}
		}
	}
	return nil
}
