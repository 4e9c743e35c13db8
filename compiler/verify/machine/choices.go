package machine

import (
	"fmt"
	"math"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/ref"
)

// Choices records which experts routers chose, by step, entry, place of the router and row.
type Choices struct{ ids map[string][]int32 }

// routes reports whether a node chooses experts.
func routes(n *ir.Node) bool {
	return n.Attrs.Get("k") != nil && n.Attrs.Get("groups") != nil && n.Attrs.Get("keep") != nil
}

// route executes a router, and records or replays what it chooses.
func (r *machineRank) route(g *ir.Graph, n *ir.Node, f kernels.Func, c *kernels.Call) error {
	place := fmt.Sprintf("%d %s %s %s", r.steps, g.Name, n.Origin.Path, n.Origin.Source)
	r.seen[place]++
	place = fmt.Sprintf("%s %d", place, r.seen[place])
	k := n.Attrs.Int("k")
	if r.options.Replay != nil {
		forced := r.options.Replay.ids[place]
		if len(forced) != c.In[0].Rows()*k {
			return fmt.Errorf("%d experts for %d rows were recorded here", len(forced), c.In[0].Rows())
		}
		return r.replay(n, f, c, forced, k)
	}
	if err := f(c); err != nil {
		return err
	}
	if r.rank == 0 {
		var ids []int32
		for row := range c.Out[0].Rows() {
			ids = append(ids, c.Out[0].I32[row*c.Out[0].Last():][:k]...)
		}
		r.Chosen.ids[place] = ids
	}
	return nil
}

// replay runs the router row by row with a bias that makes it choose what is given, in that order. The weights
// are those that it gives these experts: they do not depend on the bias.
func (r *machineRank) replay(n *ir.Node, f kernels.Func, c *kernels.Call, forced []int32, k int) error {
	experts := c.In[0].Last()
	for row := range c.In[0].Rows() {
		ids := forced[row*k:][:k]
		scores := choiceScores(n, c, row)
		r.excess = max(r.excess, beaten(scores, ids, n.Attrs.Int("groups")))
		// The steps between the biases are far above any score, and small enough that none is lost in f32.
		step := 4 * (1 + largest(scores))
		bias := make([]float32, experts)
		for i, e := range ids {
			bias[e] = step * float32(k-i)
		}
		one := &kernels.Call{Comm: c.Comm, In: slices.Clone(c.In)}
		one.In[0] = rowOf(&c.In[0], row)
		one.In[1] = kernels.FromF32(bias, experts)
		for i := range c.Out {
			one.Out = append(one.Out, rowOf(&c.Out[i], row))
		}
		if err := f(one); err != nil {
			return err
		}
		if got := one.Out[0].I32[:k]; !slices.Equal(got, ids) {
			return fmt.Errorf("row %d chose %v although %v was asked for", row, got, ids)
		}
	}
	return nil
}

// choiceScores are the scores plus bias by which a row's experts are chosen.
func choiceScores(n *ir.Node, c *kernels.Call, row int) []float32 {
	experts := c.In[0].Last()
	s := slices.Clone(c.In[0].F32[row*experts:][:experts])
	switch n.Attrs.Str("score") {
	case "sigmoid":
		for e, v := range s {
			s[e] = ref.Sigmoid(v)
		}
	case "softmax":
		ref.Softmax(s)
	}
	for e := range c.In[1].F32 {
		s[e] += c.In[1].F32[e]
	}
	return s
}

// beaten is by how much the best expert that was left out, of the groups from which one was taken, beats the worst
// one that was taken, relative to the largest score.
func beaten(scores []float32, ids []int32, groups int) float64 {
	size := len(scores) / groups
	worst, best := float32(math.Inf(1)), float32(math.Inf(-1))
	open := map[int]bool{}
	for _, e := range ids {
		worst = min(worst, scores[e])
		open[int(e)/size] = true
	}
	for e, v := range scores {
		if open[e/size] && !slices.Contains(ids, int32(e)) {
			best = max(best, v)
		}
	}
	if best <= worst || largest(scores) == 0 {
		return 0
	}
	return float64(best-worst) / float64(largest(scores))
}

func largest(x []float32) float32 {
	var most float32
	for _, v := range x {
		most = max(most, float32(math.Abs(float64(v))))
	}
	return most
}

// rowOf is one row of a tensor of rows.
func rowOf(t *kernels.Tensor, row int) kernels.Tensor {
	out, n := *t, t.Last()
	out.Shape = append([]int{1}, t.Shape[1:]...)
	if t.F32 != nil {
		out.F32 = t.F32[row*n:][:n]
	}
	if t.I32 != nil {
		out.I32 = t.I32[row*n:][:n]
	}
	return out
}
