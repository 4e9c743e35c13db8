package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
)

// mutant changes one node. It returns false where the change would be none, or no module that the verifier takes.
type mutant struct {
	what  string
	apply func(n *ir.Node) bool
}

// mutants are wrong rewrites in the small.
func mutants(n *ir.Node) []mutant {
	var list []mutant
	for i, a := range n.Attrs {
		switch v := a.Value.(type) {
		case float64:
			list = append(list, mutant{a.Key + " is twice as large", func(n *ir.Node) bool { n.Attrs[i].Value = 2 * v; return v != 0 }})
		case int64:
			list = append(list, mutant{a.Key + " is one less", func(n *ir.Node) bool { n.Attrs[i].Value = v - 1; return true }})
		}
	}
	for i, v := range n.In {
		for j := range i {
			w := n.In[j]
			if v == nil || w == nil || v == w || !v.Type.Equal(w.Type) || v.Type.State {
				continue
			}
			list = append(list, mutant{fmt.Sprintf("operands %d and %d are exchanged", j, i), func(n *ir.Node) bool {
				n.In[i], n.In[j] = n.In[j], n.In[i]
				return n.Op.Name != "add" && n.Op.Name != "mul" && n.Op.Name != "norm.add_rms" // sums and products do not care
			}})
		}
	}
	for from, to := range map[string]string{"add": "sub", "mul": "add", "comm.all_reduce": "cast"} {
		if n.Op.Name == from {
			list = append(list, mutant{"is " + to, func(n *ir.Node) bool { n.Op = ir.Lookup(to); return true }})
		}
	}
	return list
}

// TestMutants changes single nodes of what the passes made. Where bits are compared every change is found, and where sums may
// be taken in another order every one but that of eps, which is smaller, beside a sum of squares, than what such a
// sum may change. (The addend of 1e-20 behind the routers' sum changes nothing in f32.)
func TestMutants(t *testing.T) {
	set := lowertest.With(lowertest.Small, "num_hidden_layers", "2")
	s := subject(t, "models/glm4moe/model.glm", compiler.Options{TensorParallel: 2, Set: set})
	c, err := s.compile(true)
	if err != nil {
		t.Fatal(err)
	}
	final := c.texts[len(c.texts)-1].text
	m, err := ir.Parse(final)
	if err != nil {
		t.Fatal(err)
	}
	checker := NewChecker(c.lowered, 1)
	tried := 0
	for gi, g := range m.Graphs {
		for ni, n := range g.Nodes {
			for _, x := range mutants(n) {
				changed, err := ir.Parse(final)
				if err != nil {
					t.Fatal(err)
				}
				node := changed.Graphs[gi].Nodes[ni]
				if strings.HasPrefix(x.what, "shift") || !x.apply(node) || node.Reinfer() != nil || changed.Verify() != nil {
					continue
				}
				tried++
				for _, class := range []passes.Numeric{passes.Exact, passes.Reassociates} {
					if class == passes.Reassociates && strings.HasPrefix(x.what, "eps") {
						continue
					}
					out, err := checker.Compare(m, changed, class)
					if err != nil {
						t.Fatal(err)
					}
					if out.Wrong == "" {
						t.Errorf("%s: not found: in %s, layer %d, %s %s (off by %.2g within %.2g)", class, g.Name, n.Origin.Layer, n.Op.Name, x.what, out.MaxError, out.Bound)
					}
				}
			}
		}
	}
	if tried < 30 {
		t.Errorf("only %d changes were tried", tried)
	}
}
