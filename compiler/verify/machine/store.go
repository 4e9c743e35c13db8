package machine

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// Store is a checkpoint of random tensors, made when they are asked for and kept. Machines that share one are made
// one after the other.
type Store struct {
	Seed uint64
	// Stored gives the values of a stored tensor, in place of random ones; nil where all are random.
	Stored func(name string, shape []int) ([]float32, error)
	kept   map[storedKey][]float32
}

type storedKey struct {
	name string
	as   dtype.DType
}

// evaluate makes a recipe's tensor for one rank. Stored tensors are rounded to the dtype that the weight has; with
// scales each row of one, which is an output channel, takes the values that it has after quantisation, so that a
// channel's scale is that of its whole row whichever part of it a rank has.
func (s *Store) evaluate(r *ir.Recipe, rank int, as dtype.DType) ([]int, []float32, error) {
	var shapes [][]int
	var parts [][]float32
	for _, a := range r.Args {
		shape, data, err := s.evaluate(a, rank, as)
		if err != nil {
			return nil, nil, err
		}
		shapes, parts = append(shapes, shape), append(parts, data)
	}
	out, err := r.OutShape()
	if err != nil {
		return nil, nil, err
	}
	data, err := s.apply(r, rank, as, out, shapes, parts)
	return out, data, err
}

func (s *Store) apply(r *ir.Recipe, rank int, as dtype.DType, out []int, shapes [][]int, parts [][]float32) ([]float32, error) {
	switch r.Kind {
	case ir.RecipeTensor:
		return s.stored(r.Name, out, as)
	case ir.RecipeEach:
		var all []float32
		for e := range r.Count {
			one, err := s.stored(strings.ReplaceAll(r.Name, "{e}", strconv.Itoa(e)), r.Shape, as)
			if err != nil {
				return nil, err
			}
			all = append(all, one...)
		}
		return all, nil
	case ir.RecipeStack:
		return joined(out, 0, unsqueezed(shapes), parts), nil
	case ir.RecipeConcat:
		return joined(out, r.Dim, shapes, parts), nil
	case ir.RecipeSlice:
		return cut(shapes[0], parts[0], r.Dim, r.Start, r.Size), nil
	case ir.RecipeShard:
		size := shapes[0][r.Dim] / r.Parts
		return cut(shapes[0], parts[0], r.Dim, rank/r.Group*size, size), nil
	case ir.RecipeLead:
		if rank > 0 {
			return make([]float32, len(parts[0])), nil
		}
		return parts[0], nil
	}
	return nil, fmt.Errorf("machine: unknown recipe %s", r.Kind)
}

// stored is a tensor of the checkpoint. Whoever gets it does not write to it.
func (s *Store) stored(name string, shape []int, as dtype.DType) ([]float32, error) {
	key := storedKey{name, as}
	if x := s.kept[key]; x != nil {
		return x, nil
	}
	var x []float32
	if s.Stored != nil {
		var err error
		if x, err = s.Stored(name, shape); err != nil {
			return nil, err
		}
	} else {
		x = s.random(name, shape)
	}
	round(x, shape[len(shape)-1], as)
	if s.kept == nil {
		s.kept = map[storedKey][]float32{}
	}
	s.kept[key] = x
	return x, nil
}

// random keeps projections of the size of what goes through them, and lets norms scale by about one.
func (s *Store) random(name string, shape []int) []float32 {
	scale, mean := 1/math.Sqrt(float64(shape[len(shape)-1])), 0.0
	if len(shape) == 1 {
		scale = 0.2
		if strings.Contains(name, "norm") {
			mean = 1
		}
	}
	return s.Normal(name, elems(shape), mean, scale)
}

// Normal gives n normally distributed numbers that depend on the name.
func (s *Store) Normal(name string, n int, mean, scale float64) []float32 {
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(h.Sum64(), s.Seed))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(mean + scale*rng.NormFloat64())
	}
	return out
}

func elems(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// round replaces values by what they are in a dtype; row is the length of a row, which has scales in some.
func round(x []float32, row int, as dtype.DType) {
	switch as {
	case dtype.BF16:
		for i, v := range x {
			x[i] = dtype.BF16ToF32(dtype.F32ToBF16(v))
		}
	case dtype.F16:
		for i, v := range x {
			x[i] = dtype.F16ToF32(dtype.F32ToF16(v))
		}
	case dtype.F8E4M3, dtype.I8, dtype.I4:
		for at := 0; at < len(x); at += row {
			roundRow(x[at:][:row], as)
		}
	}
}

// roundRow replaces the values of a row by what they are with scales.
func roundRow(r []float32, as dtype.DType) {
	codes := make([]byte, len(r))
	switch as {
	case dtype.F8E4M3:
		by := dtype.QuantizeF8E4M3(r, r)
		for i := range r {
			r[i] *= by
		}
	case dtype.I8:
		by := dtype.QuantizeI8(codes, r)
		for i := range r {
			r[i] = by * float32(int8(codes[i]))
		}
	case dtype.I4:
		for at := 0; at < len(r); at += dtype.Group {
			group := r[at:min(at+dtype.Group, len(r))]
			by := dtype.QuantizeI4(codes, group)
			for i := range group {
				group[i] = by * dtype.I4ToF32(codes[i])
			}
		}
	}
}

func unsqueezed(shapes [][]int) [][]int {
	out := make([][]int, len(shapes))
	for i, s := range shapes {
		out[i] = append([]int{1}, s...)
	}
	return out
}

// around is the number of elements before and behind a dimension.
func around(shape []int, dim int) (outer, inner int) {
	return elems(shape[:dim]), elems(shape[dim+1:])
}

func joined(out []int, dim int, shapes [][]int, parts [][]float32) []float32 {
	outer, inner := around(out, dim)
	all := make([]float32, 0, elems(out))
	for o := range outer {
		for i, p := range parts {
			run := shapes[i][dim] * inner
			all = append(all, p[o*run:(o+1)*run]...)
		}
	}
	return all
}

func cut(shape []int, data []float32, dim, start, size int) []float32 {
	outer, inner := around(shape, dim)
	all := make([]float32, 0, outer*size*inner)
	for o := range outer {
		at := (o*shape[dim] + start) * inner
		all = append(all, data[at:at+size*inner]...)
	}
	return all
}
