package exec

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
	"github.com/glmc/glmc/kernels/panel"
	"github.com/glmc/glmc/kernels/ref"
)

// widening runs the reference kernels on weights in any format and layout.
type widening struct {
	refDevice
	panels bool
	seen   map[string][]kernels.Tensor // weights of two dimensions and more, by the operator that read them
}

func (d *widening) Panels(t dtype.DType) bool        { return d.panels && panel.Holds(t) }
func (d *widening) Weight(t dtype.DType) dtype.DType { return t }
func (d *widening) Kernels() kernels.Set {
	set := ref.Kernels()
	for name, build := range set {
		set[name] = func(a kernels.Attrs) (kernels.Func, error) {
			run, err := build(a)
			return func(c *kernels.Call) error {
				wide := *c
				wide.In = append([]kernels.Tensor{}, c.In...)
				for i, t := range wide.In {
					if t.U16 != nil || t.U8 != nil {
						d.seen[name] = append(d.seen[name], t)
						wide.In[i] = kerneltest.Dequantise(t)
					}
				}
				return run(&wide)
			}, err
		}
	}
	return set
}

// narrow gives the toy's matrices bf16 weights.
func narrow(p *plan.Plan) *plan.Plan {
	for _, w := range p.Module.Weights {
		if len(w.Shape) > 1 {
			w.DType = dtype.BF16
		}
	}
	return p
}

// TestPanels: a device that multiplies panels gets the weights of products in them, an embedding as it lies in the
// checkpoint, and the results of rows.
func TestPanels(t *testing.T) {
	for _, ranks := range []int{1, 2} {
		results := map[bool][][]float32{}
		for _, panels := range []bool{false, true} {
			var devices []*widening
			o := Options{newDevice: func(string, int, int, plan.Precision) (Device, error) {
				devices = append(devices, &widening{panels: panels, seen: map[string][]kernels.Tensor{}})
				return devices[len(devices)-1], nil
			}}
			e := start(t, narrow(toy(t, ranks, dtype.F32)), o)
			results[panels] = runStep(t, e, toyInputs(5, 2, 1))
			for _, d := range devices {
				for op, seen := range d.seen {
					for _, w := range seen {
						if want := panels && op == "linear"; (w.Layout == kernels.Panels) != want {
							t.Errorf("%s reads layout %d", op, w.Layout)
						}
					}
				}
				if len(d.seen["linear"]) != 3 || len(d.seen["embed"]) != 1 {
					t.Errorf("bf16 weights were read by %d products and %d embeddings", len(d.seen["linear"]), len(d.seen["embed"]))
				}
			}
		}
		if diff := cmp.Diff(results[false], results[true]); diff != "" {
			t.Errorf("%d ranks (-rows +panels)\n%s", ranks, diff)
		}
	}
}

func TestWhichWeightsLieInPanels(t *testing.T) {
	const bf16, f32 = dtype.BF16, dtype.F32
	for _, tt := range []struct {
		name   string
		dtypes []dtype.DType // of the weights
		nodes  [][]int       // the weights that each node reads
		ops    []string      // of each node
		want   []bool        // of each weight
	}{
		{"a product", []dtype.DType{bf16}, [][]int{{0}}, []string{"linear"}, []bool{true}},
		{"in a dtype that no panel holds", []dtype.DType{dtype.F16}, [][]int{{0}}, []string{"linear"}, []bool{false}},
		{"in f32", []dtype.DType{f32}, [][]int{{0}}, []string{"linear"}, []bool{true}},
		{"experts in f32", []dtype.DType{f32, f32, f32}, [][]int{{0, 1, 2}}, []string{"moe.experts"}, []bool{false, false, false}},
		{"an embedding", []dtype.DType{bf16}, [][]int{{0}}, []string{"embed"}, []bool{false}},
		{"an embedding that is the head too", []dtype.DType{bf16}, [][]int{{0}, {0}}, []string{"embed", "linear"}, []bool{true}},
		{"a router", []dtype.DType{f32}, [][]int{{0}}, []string{"linear.f32"}, []bool{true}},
		{"a router in bf16", []dtype.DType{bf16}, [][]int{{0}}, []string{"linear.f32"}, []bool{false}},
		{"a router that is a product too", []dtype.DType{f32}, [][]int{{0}, {0}}, []string{"linear.f32", "linear"}, []bool{true}},
		{"a product and something else", []dtype.DType{bf16}, [][]int{{0}, {0}}, []string{"linear", "norm.rms"}, []bool{false}},
		{"experts", []dtype.DType{bf16, bf16, dtype.F8E4M3}, [][]int{{0, 1, 2}}, []string{"moe.experts"}, []bool{true, true, true}},
		{"experts with one matrix in f32, and who shares another", []dtype.DType{bf16, bf16, f32, bf16}, [][]int{{0, 1, 2}, {1}, {3}},
			[]string{"moe.experts", "linear", "linear"}, []bool{false, false, false, true}},
	} {
		var list []*ir.Weight
		for _, d := range tt.dtypes {
			list = append(list, &ir.Weight{DType: d})
		}
		g := &ir.Graph{}
		for i, read := range tt.nodes {
			n := &ir.Node{Op: ir.Lookup(tt.ops[i])}
			for range len(n.Op.Operands) - len(read) {
				n.In = append(n.In, nil)
			}
			for _, w := range read {
				n.In = append(n.In, &ir.Value{Weight: list[w]})
			}
			if len(read) == 1 { // x, then w
				n.In[1], n.In[len(n.In)-1] = n.In[len(n.In)-1], n.In[1]
			}
			g.Nodes = append(g.Nodes, n)
		}
		wants := wantsOf([]*plan.Program{{Graph: g}}, 0, &widening{panels: true})
		for _, w := range wants {
			i := slices.Index(list, w.Weight)
			if got := w.Layout == kernels.Panels; got != tt.want[i] {
				t.Errorf("%s: weight %d in panels: %t", tt.name, i, got)
			}
			if lookedUp := tt.name == "an embedding"; w.AnyLayout != lookedUp {
				t.Errorf("%s: weight %d in any layout: %t", tt.name, i, w.AnyLayout)
			}
		}
	}
}

// TestMemoryOfWeights: weights that this machine cannot hold are refused before any is made.
func TestMemoryOfWeights(t *testing.T) {
	_, err := room(1 << 60)
	wantError(t, err, "the model's weights do not fit", "1073741824.00 GiB of memory are wanted, this machine has", "in a smaller dtype")
}
