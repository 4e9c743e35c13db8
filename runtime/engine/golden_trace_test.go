package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
)

// trace collects what rank 0 computes inside of the layers, row behind row over all steps of a prompt.
type trace struct {
	mu      sync.Mutex
	on      bool
	values  map[string][]float32
	experts map[string][]choice
	// residuals counts the residual sums of the step so far.
	residuals int
	// projected is the last result of a projection, reduced over ranks where it is: what a residual sum adds. The sum
	// may take its place before the trace sees it.
	projected []float32
	// sum is the last residual sum.
	sum []float32
}

// choice is one token's experts with their weights, by rising expert.
type choice struct {
	ids     []int32
	weights []float32
}

func (tr *trace) reset() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.on, tr.values, tr.experts = true, map[string][]float32{}, map[string][]choice{}
}

func (tr *trace) step(rank int, n *ir.Node, c *kernels.Call) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !tr.on || rank != 0 {
		return
	}
	layer := fmt.Sprint(n.Origin.Layer)
	add := func(name string, t *kernels.Tensor) {
		tr.values[name] = append(tr.values[name], t.F32[:t.Elems()]...)
	}
	switch {
	case n.Op.Name == "embed":
		add("embed", &c.Out[0])
		tr.residuals, tr.sum = 0, append(tr.sum[:0], c.Out[0].F32[:c.Out[0].Elems()]...)
	case n.Op.Name == "add" && n.Origin.Path == "model.layers."+layer || strings.Contains(n.Op.Name, "add_rms"):
		// A layer adds twice: the attention to its input, and the MLP to that. A sum that is fused with its norm
		// belongs to the norm's layer, which may be the next one; the last sum's norm is the final one.
		if layer = fmt.Sprint(tr.residuals / 2); tr.residuals%2 == 0 {
			tr.values["attn_out."+layer] = append(tr.values["attn_out."+layer], tr.added(n, c)...)
		} else {
			add("hidden."+layer, &c.Out[0])
		}
		tr.residuals++
		tr.sum = append(tr.sum[:0], c.Out[0].F32[:c.Out[0].Elems()]...)
		if n.Op.Name != "add" && n.Origin.Path == "" {
			add("final_norm", &c.Out[1])
		}
	case n.Op.Name == "linear" || n.Op.Name == "linear.w8a8" || n.Op.Name == "comm.all_reduce":
		tr.projected = append(tr.projected[:0], c.Out[0].F32[:c.Out[0].Elems()]...)
	case n.Op.Name == "norm.rms" && n.Origin.Path == "":
		add("final_norm", &c.Out[0])
	case strings.HasPrefix(n.Op.Name, "moe.experts"):
		ids, weights := &c.In[n.Op.Operand("ids")], &c.In[n.Op.Operand("weights")]
		experts := int32(c.In[n.Op.Operand("gate")].Shape[0])
		k := ids.Last()
		for r := range ids.Rows() {
			tr.experts[layer] = append(tr.experts[layer], chosen(ids.I32[r*k:(r+1)*k], weights.F32[r*k:(r+1)*k], experts))
		}
	}
}

// added is what a residual sum adds to the last one. Where it is reduced over ranks in the same operator, it is nowhere
// to be seen.
func (tr *trace) added(n *ir.Node, c *kernels.Call) []float32 {
	if !strings.HasPrefix(n.Op.Name, "comm.all_reduce_add_rms") {
		return tr.projected
	}
	out := make([]float32, len(tr.sum))
	for i := range out {
		out[i] = c.Out[0].F32[i] - tr.sum[i]
	}
	return out
}

func chosen(ids []int32, weights []float32, experts int32) choice {
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(ids[a] - ids[b]) })
	var c choice
	for _, i := range order {
		c.ids = append(c.ids, ids[i])
		c.weights = append(c.weights, weights[i])
	}
	return c
}
