package cpu

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/ref"
)

// drawTrees is a random call of attention whose sequences have trees of drafts.
func drawTrees(t *rapid.T) attendCase {
	c := drawAttend(t, rapid.OneOf(rapid.IntRange(0, 5), rapid.SampledFrom([]int{55, 60, 63, 64, 120, 127, 200, 505, 511, 512, 600})))
	kerneltest.NewRand(rapid.Uint64().Draw(t, "trees")).Trees(&c.batch)
	return c
}

// Each row of a tree has the bits that it would have behind a path to it: what other branches hold, and where its own ancestors lie, does not
// show.
func TestAttnPagedTreesArePaths(t *testing.T) {
	d := device(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		c := drawTrees(t)
		for _, set := range []kernels.Set{d.Kernels(), ref.Kernels()} {
			all := attend(t, set, c.batch, c.q, c.scale)
			size, width := c.q.Elems()/max(c.q.Shape[0], 1), all.Elems()/max(all.Shape[0], 1)
			starts := c.batch.Starts.I32
			for s := range len(starts) - 1 {
				for row := int(starts[s]); row < int(starts[s+1]); row++ {
					q := kernels.FromF32(c.q.F32[row*size:(row+1)*size], 1, c.q.Shape[1], c.q.Shape[2])
					sameBits(t, fmt.Sprintf("row %d of sequence %d", row, s), kernels.FromF32(all.F32[row*width:(row+1)*width]), attend(t, set, c.batch.Path(s, row), q, c.scale))
				}
			}
		}
	})
}

func TestAttnPagedTreesAgainstRef(t *testing.T) {
	d := device(t, 3)
	rapid.Check(t, func(t *rapid.T) { drawTrees(t).against(t, d) })
}

// What a branch holds that is infinite or NaN does not reach the rows beside it.
func TestAttnPagedTreesKeepDamage(t *testing.T) {
	d := device(t, 2)
	for _, format := range cacheFormats {
		r := kerneltest.NewRand(12)
		b := r.Batch(format, 4, 2, 24, 0, kerneltest.Sequence{Cached: 60, Rows: 8})
		b.Pos = kernels.FromI32([]int32{60, 61, 62, 61, 62, 63, 61, 62}, 8)
		b.Parents = kernels.FromI32([]int32{-1, -1, -1, 0, 3, 4, 0, 6}, 8)
		q := r.F32(8, 6, 24)
		want := attend(t, d.Kernels(), b, q, 0.3)
		for i := range 24 { // row 4, which row 5 stands behind
			b.Cache.V.Store(int(b.Slots.I32[4])*2*24+i, []float32{nan})
		}
		got := attend(t, d.Kernels(), b, q, 0.3)
		for row := range 8 {
			at := row * 6 * 24
			damaged := got.F32[at] != got.F32[at]
			if damaged != (row == 4 || row == 5) {
				t.Errorf("%v: row %d has %g", format, row, got.F32[at])
			}
			if !damaged {
				sameBits(t, fmt.Sprint(format, " row ", row), kernels.FromF32(got.F32[at:at+6*24]), kernels.FromF32(want.F32[at:at+6*24]))
			}
		}
	}
}

// Parents that are wrong are an error, whatever they are.
func TestAttnPagedRejectsParents(t *testing.T) {
	d := device(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		c := drawTrees(t)
		if n := len(c.batch.Parents.I32); n > 0 {
			at := rapid.IntRange(0, n-1).Draw(t, "row")
			c.batch.Parents.I32[at] = rapid.OneOf(rapid.Int32Range(-2, int32(n)+1), rapid.Int32()).Draw(t, "parent")
			c.batch.Pos.I32[rapid.IntRange(0, n-1).Draw(t, "row")] += rapid.SampledFrom([]int32{0, 0, 0, 1, -1, 2, 1 << 30}).Draw(t, "further on")
		}
		var errs []error
		for _, set := range []kernels.Set{d.Kernels(), ref.Kernels()} {
			out := kernels.New(c.q.DType, c.q.Shape[0], c.q.Shape[1], c.batch.Cache.ValueDim)
			errs = append(errs, kerneltest.Build(t, set, "attn.paged", kernels.Attrs{"scale": c.scale})(&kernels.Call{
				In: []kernels.Tensor{c.q, c.batch.Pos, c.batch.Starts, c.batch.Pages, c.batch.Parents}, Out: []kernels.Tensor{out}, Cache: c.batch.Cache}))
		}
		if fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) {
			t.Fatalf("errors %v", errs)
		}
	})
}

// A step with trees allocates nothing either, and leaves nothing behind in the scratch that the next one would see.
func TestAttnPagedTreesAreSteady(t *testing.T) {
	set := device(t, 1).Kernels()
	for _, format := range cacheFormats {
		r := kerneltest.NewRand(3)
		b := r.Batch(format, 8, 2, 24, 1, kerneltest.Sequence{Cached: 70, Rows: 20}, kerneltest.Sequence{Cached: 3, Rows: 9})
		path := b
		path.Pos = kernels.FromI32(slices.Clone(b.Pos.I32), b.Pos.Shape...)
		r.Trees(&b)
		q := r.F32(len(b.Pos.I32), 6, 24)
		want := attend(t, set, path, q, 0.3)
		f := kerneltest.Build(t, set, "attn.paged", kernels.Attrs{"scale": 0.3})
		run := func(b kerneltest.Batch) kernels.Tensor {
			out := kernels.New(q.DType, q.Shape...)
			c := &kernels.Call{In: []kernels.Tensor{q, b.Pos, b.Starts, b.Pages, b.Parents}, Out: []kernels.Tensor{out}, Cache: b.Cache}
			if n := testing.AllocsPerRun(5, func() {
				if err := f(c); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("%v: %g allocations a call", format, n)
			}
			return out
		}
		tree := run(b)
		sameBits(t, "a path after a tree", run(path), want)
		sameBits(t, "a tree after a path", run(b), tree)
	}
}
