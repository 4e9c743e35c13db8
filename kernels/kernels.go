// Package kernels defines what every kernel set shares: tensor views, the KV cache that kernels read and
// write, attributes, collectives and the call frame. Package ref holds the obviously right kernels and
// package cpu the fast ones; each is a Set, a table from operator name to kernel.
//
// Kernels know operators only by name and tensors only as views. They import neither the compiler nor the
// runtime, so that either can be replaced under them.
package kernels

import "github.com/glmc/glmc/kernels/dtype"

// Tensor is a dense view of one operand. Exactly one of the data slices is set, chosen by DType, and holds at least
// Elems() elements, in row-major order but where Layout says something else. A Tensor whose Shape is nil is an
// absent optional operand.
type Tensor struct {
	DType dtype.DType
	Shape []int
	F32   []float32 // DType F32
	I32   []int32   // DType I32
	U16   []uint16  // DType BF16 or F16: raw bits
	U8    []byte    // DType F8E4M3, I8 or I4: raw bits
	// Scale belongs to weights of the scaled formats: value = scale * code. F8E4M3 and I8 have one scale for each row
	// (output channel), in the order of the rows: len(Scale) == Elems()/Shape[last]. I4 has one for each dtype.Group
	// codes of a row, the last group of a row may be shorter; in Panels its scales lie between the codes and Scale is
	// nil. Nil means 1 elsewhere.
	Scale  []float32
	Layout Layout
}

// Layout is the order in which a tensor's elements lie in memory.
type Layout uint8

const (
	RowMajor Layout = iota
	// Panels is the order of package panel, for weights that are multiplied: each matrix [N, K] of the last two
	// dimensions takes panel.Size elements, padded.
	Panels
)

// Present reports whether the operand was given.
func (t *Tensor) Present() bool { return t.Shape != nil }

// Elems is the number of elements.
func (t *Tensor) Elems() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Last is the size of the last dimension; 1 for a scalar.
func (t *Tensor) Last() int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// Rows is the number of rows when everything but the last dimension is flattened.
func (t *Tensor) Rows() int {
	if l := t.Last(); l != 0 {
		return t.Elems() / l
	}
	return 0
}

// Cache is one layer's paged KV cache on one rank. Token slot s (page*PageSize + offset in the page) holds
// Heads rows of HeadDim keys at [(s*Heads+h)*HeadDim] and of ValueDim values at [(s*Heads+h)*ValueDim].
type Cache struct {
	PageSize, Pages, Heads, HeadDim, ValueDim int
	DType                                     dtype.DType // F32, BF16 or F8E4M3
	K, V                                      Tensor      // [Pages*PageSize, Heads, HeadDim], [..., ValueDim]
}

// Comm is the group of ranks that a collective spans. Every rank calls the same collectives in the same
// order. A non-nil error means that the group was torn down (another rank failed or the run was cancelled).
type Comm interface {
	// Rank and Size place the caller in its group.
	Rank() int
	Size() int
	// AllReduce replaces x on every rank by the sum over ranks, added in rank order, so that all ranks
	// hold the same bits.
	AllReduce(x []float32) error
	// AllGather concatenates the ranks' rows: src is [rows, cols] here, dst is [rows, Size*cols].
	AllGather(dst, src []float32, rows, cols int) error
}

// Call is one execution of a kernel. Operands and results come in the order of the operator table; results
// never overlap operands unless the table says that the operator works in place.
type Call struct {
	In    []Tensor
	Out   []Tensor
	Cache *Cache // operators that read or write the KV cache
	Comm  Comm   // collectives; nil with a single rank
	// Send is what kv.send hands the cache and the slots that were written to, padding left out. It returns when it
	// has read them: from then on the slots may be written over. Nil where nobody wants them.
	Send func(c *Cache, slots []int32) error
}

// Optional returns operand i, which is absent also when the call ends before it.
func (c *Call) Optional(i int) *Tensor {
	if i < len(c.In) {
		return &c.In[i]
	}
	return &Tensor{}
}

// Func runs a kernel. Shapes were verified when the plan was loaded; an error is for what only shows in the
// data, such as a token id outside of the vocabulary.
type Func func(c *Call) error

// Builder makes a kernel for one step of a plan from the step's attributes. It fails when an attribute is
// missing, ill-typed or has a value that this kernel set cannot execute.
type Builder func(a Attrs) (Func, error)

// Set is a kernel set: a builder for each operator name.
type Set map[string]Builder
