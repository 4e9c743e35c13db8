package ref

import (
	"fmt"
	"math"

	"github.com/glmc/glmc/kernels"
)

// Routing as in Hugging Face's Glm4MoeTopkRouter, but for one point: there, experts of the groups that were
// not kept get the choice 0 and may still win against negative choices; here they are out.

// router is the attributes and scratch of moe.top_k.
type router struct {
	kernels.Choice
	choice     []float32 // [E]
	groupScore []float32 // [groups]
	open       []bool    // [E]: may still be picked
	openGroup  []bool    // [groups]
	kept       []int32   // [keep]
}

func topK(a kernels.Attrs) (kernels.Func, error) {
	choice, err := kernels.ReadChoice(a)
	if err != nil {
		return nil, err
	}
	return newRouter(choice).run, nil
}

func newRouter(c kernels.Choice) *router {
	return &router{Choice: c, groupScore: make([]float32, c.Groups), openGroup: make([]bool, c.Groups), kept: make([]int32, c.Keep)}
}

func (r *router) run(c *kernels.Call) error {
	scores, bias, ids, weight := &c.In[0], c.Optional(1), &c.Out[0], &c.Out[1]
	experts := scores.Last()
	if err := r.Check(experts); err != nil {
		return err
	}
	for t := range scores.Shape[0] {
		r.row(ids.I32[t*r.K:(t+1)*r.K], weight.F32[t*r.K:(t+1)*r.K], scores.F32[t*experts:(t+1)*experts], bias.F32)
	}
	return nil
}

// row chooses the experts of one token. bias is nil where there is none.
func (r *router) row(ids []int32, weights, scores, bias []float32) {
	r.choice, r.open = kernels.Resize(r.choice, len(scores)), kernels.Resize(r.open, len(scores))
	for e, s := range scores {
		if bias != nil {
			s += bias[e]
		}
		r.choice[e] = lowestNaN(s)
		r.open[e] = r.Groups == 1
	}
	if r.Groups > 1 {
		r.openGroups()
	}
	pick(ids, r.choice, r.open)
	for j, e := range ids {
		weights[j] = scores[e]
	}
}

// route is moe.route: the scores, moe.top_k, and what becomes of the weights.
func route(a kernels.Attrs) (kernels.Func, error) {
	routing, err := kernels.ReadRouting(a)
	if err != nil {
		return nil, err
	}
	r := newRouter(routing.Choice)
	var scores []float32 // [E]
	return func(c *kernels.Call) error {
		logits, bias := &c.In[0], c.Optional(1)
		experts, k, n := logits.Last(), routing.K, routing.K+routing.Count
		if err := r.Check(experts); err != nil {
			return err
		}
		scores = kernels.Resize(scores, experts)
		for t := range logits.Shape[0] {
			copy(scores, logits.F32[t*experts:(t+1)*experts])
			if routing.Softmax {
				Softmax(scores)
			} else {
				for e, v := range scores {
					scores[e] = Sigmoid(v)
				}
			}
			ids, weights := c.Out[0].I32[t*n:(t+1)*n], c.Out[1].F32[t*n:(t+1)*n]
			r.row(ids[:k], weights[:k], scores, bias.F32)
			routing.Weigh(ids, weights)
		}
		return nil
	}, nil
}

// lowestNaN ranks NaN with -Inf, so that a damaged score is picked last and never makes an invalid id.
func lowestNaN(x float32) float32 {
	if x != x {
		return float32(math.Inf(-1))
	}
	return x
}

// openGroups opens the experts of the groups whose two best choices have the largest sums.
func (r *router) openGroups() {
	size := len(r.choice) / r.Groups
	for g := range r.Groups {
		first, second := float32(math.Inf(-1)), float32(math.Inf(-1))
		for _, v := range r.choice[g*size : (g+1)*size] {
			if v > first {
				first, second = v, first
			} else if v > second {
				second = v
			}
		}
		r.groupScore[g] = first
		if size > 1 {
			r.groupScore[g] = lowestNaN(first + second)
		}
	}
	for g := range r.openGroup {
		r.openGroup[g] = true
	}
	pick(r.kept, r.groupScore, r.openGroup)
	for _, g := range r.kept {
		for e := int(g) * size; e < (int(g)+1)*size; e++ {
			r.open[e] = true
		}
	}
}

// pick stores the indices of the len(dst) largest open values, descending, ties to the lowest index, and closes
// them. There must be as many open ones; no value is NaN.
func pick(dst []int32, values []float32, open []bool) {
	for j := range dst {
		best := -1
		for i, v := range values {
			if open[i] && (best < 0 || v > values[best]) {
				best = i
			}
		}
		open[best] = false
		dst[j] = int32(best)
	}
}

func appendShared(a kernels.Attrs) (kernels.Func, error) {
	first, err := a.Int("first")
	if err != nil {
		return nil, err
	}
	count, err := a.Int("count")
	if err != nil {
		return nil, err
	}
	if first < 0 || count < 0 {
		return nil, fmt.Errorf("shared experts %d to %d: want no negative numbers", first, first+count-1)
	}
	return func(c *kernels.Call) error {
		ids, weight := &c.In[0], &c.In[1]
		k := ids.Last()
		n := k + count
		for t := range ids.Shape[0] {
			outID, outWeight := c.Out[0].I32[t*n:(t+1)*n], c.Out[1].F32[t*n:(t+1)*n]
			copy(outID, ids.I32[t*k:(t+1)*k])
			copy(outWeight, weight.F32[t*k:(t+1)*k])
			for j := range count {
				outID[k+j], outWeight[k+j] = int32(first+j), 1
			}
		}
		return nil
	}, nil
}
