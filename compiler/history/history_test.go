package history

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

const (
	glm47 = "testdata/configs/glm-4.7.json"
	tiny  = "models/tiny/config.json"
)

func sources(t testing.TB, doc string) (*syntax.File, *config.Document) {
	t.Helper()
	text, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		t.Fatal(err)
	}
	program, list := source.Load("model.glm", text, nil)
	if list.HasErrors() {
		t.Fatal(list)
	}
	data, err := os.ReadFile("../../" + doc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(doc, data)
	if err != nil {
		t.Fatal(err)
	}
	return program.Root, c
}

// record compiles GLM4-MoE and returns the history with the text of the module behind each step.
func record(t testing.TB, doc string, o compiler.Options) (*History, []*ir.Module) {
	t.Helper()
	root, c := sources(t, doc)
	o.Config = c
	r := New()
	var modules []*ir.Module
	o.Observe = func(pass string, m *ir.Module) {
		r.Observe(pass, m)
		copied, err := ir.Parse(m.String())
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, copied)
	}
	if _, _, err := compiler.Compile(root, o); err != nil {
		t.Fatal(err)
	}
	return r.History(), modules
}

// TestLayersThatAreAlike: the same layers are shown in every step.
func TestLayersThatAreAlike(t *testing.T) {
	h, _ := record(t, glm47, compiler.Options{Target: "h200"})
	want := map[string][]string{
		"forward": {"before the layers", "layer 0", "layers 1..2, 2 x", "layers 3..91, 89 x", "behind the layers"},
		"draft":   {"layer 92"},
	}
	for _, s := range h.Steps {
		for _, g := range s.Graphs {
			var got []string
			for _, p := range g.Parts {
				got = append(got, p.Where)
			}
			if diff := cmp.Diff(want[g.Entry], got); diff != "" {
				t.Errorf("%s behind %q: -want +got:\n%s", g.Entry, s.Pass, diff)
			}
		}
	}
}

// TestNodesAreThoseOfTheModule: what a part says of an operator is what the module says.
func TestNodesAreThoseOfTheModule(t *testing.T) {
	h, modules := record(t, tiny, compiler.Options{TensorParallel: 2})
	if len(h.Steps) != len(modules) {
		t.Fatalf("%d steps of %d", len(h.Steps), len(modules))
	}
	shown := 0
	for i, s := range h.Steps {
		for _, g := range s.Graphs {
			byID := map[int]*ir.Node{}
			for _, n := range modules[i].Graph(g.Entry).Nodes {
				byID[n.ID] = n
			}
			if g.Operators != len(byID) {
				t.Errorf("%s behind %q has %d operators, not %d", g.Entry, s.Pass, len(byID), g.Operators)
			}
			for _, p := range g.Parts {
				for _, at := range p.Nodes {
					shown++
					sameNode(t, &h.Nodes[at], byID[h.Nodes[at].ID])
				}
			}
		}
	}
	if shown == 0 {
		t.Error("no operators")
	}
}

func sameNode(t *testing.T, got *Node, want *ir.Node) {
	t.Helper()
	if want == nil {
		t.Errorf("%s is not there", got)
		return
	}
	if got.Op != want.Op.Name || got.Source != want.Origin.Source || got.Layer != want.Origin.Layer || len(got.Attrs) != len(want.Attrs) {
		t.Errorf("%s is shown for %s", got, want)
	}
	for i, v := range want.Out {
		if got.Results[i] != (Result{ID: v.ID, Type: v.Type.String()}) {
			t.Errorf("%s: a result of %s", got, want)
		}
	}
	for i, v := range want.In {
		o := got.Operands[i]
		if v == nil {
			if o.Kind != OperandNone {
				t.Errorf("%s: operand %s of %s", got, o.Arg, want)
			}
			continue
		}
		from := -1
		if v.Def != nil {
			from = v.Def.Origin.Layer
		}
		if o.Value != v.ID || o.Type != v.Type.String() || o.From != from {
			t.Errorf("%s: operand %s of %s", got, o.Arg, want)
		}
		if v.Weight != nil && o.Recipe != "" && o.Name != generic(v.Weight.Name, want.Origin.Layer) {
			t.Errorf("%s: weight %s", got, v.Weight.Name)
		}
	}
}

// TestChanges: what was there before a pass and the changes make what is there behind it.
func TestChanges(t *testing.T) {
	h, _ := record(t, glm47, compiler.Options{Target: "h200"})
	kinds := map[ChangeKind]int{}
	for i, s := range h.Steps {
		if s.Changed && i == 0 {
			t.Error("the lowered module has changed")
		}
		for _, g := range s.Graphs {
			for _, p := range g.Parts {
				if len(p.Changes) == 0 {
					continue
				}
				if !s.Changed {
					t.Errorf("%s has not changed, and %s %s has", s.Pass, g.Entry, p.Where)
				}
				var before, after []int
				for _, c := range p.Changes {
					kinds[c.Kind]++
					if c.Before >= 0 {
						before = append(before, c.Before)
					}
					if c.After >= 0 {
						after = append(after, c.After)
					}
				}
				var was []int
				for _, q := range h.Steps[i-1].Graphs[g.Before].Parts {
					if q.Key == p.Key {
						was = q.Nodes
					}
				}
				if diff := cmp.Diff(was, before) + cmp.Diff(p.Nodes, after); diff != "" {
					t.Errorf("%s of %s behind %s:\n%s", p.Where, g.Entry, s.Pass, diff)
				}
			}
		}
	}
	for _, k := range []ChangeKind{Kept, Removed, Added, Changed} {
		if kinds[k] == 0 {
			t.Errorf("nothing was %s", k)
		}
	}
}

// TestReplaced: a value that a fusion makes anew can be followed.
func TestReplaced(t *testing.T) {
	h, _ := record(t, glm47, compiler.Options{Target: "h200"})
	i := slices.IndexFunc(h.Steps, func(s Step) bool { return s.Pass == "fuse_add_norm" })
	after := h.Steps[i].Graphs[0]
	made := map[int]string{}
	for _, p := range after.Parts {
		for _, at := range p.Nodes {
			for _, r := range h.Nodes[at].Results {
				made[r.ID] = h.Nodes[at].Op
			}
		}
	}
	found := 0
	for _, pair := range after.Replaced {
		if made[pair[0]] != "" {
			t.Errorf("%%%d is still made", pair[0])
		}
		if made[pair[1]] == "norm.add_rms" {
			found++
		}
	}
	if found < 6 { // a sum and a norm in each of the three layers that are shown
		t.Errorf("%d values are those of a fused add and norm: %v", found, after.Replaced)
	}
}

// TestOperandsOfOtherLayers: a value of a layer that is not shown has one that is shown in its place.
func TestOperandsOfOtherLayers(t *testing.T) {
	h, _ := record(t, glm47, compiler.Options{Target: "h200"})
	last := h.Steps[len(h.Steps)-1].Graphs[0]
	made := map[int]bool{}
	for _, p := range last.Parts {
		for _, at := range p.Nodes {
			for _, r := range h.Nodes[at].Results {
				made[r.ID] = true
			}
		}
	}
	others := 0
	for _, p := range last.Parts {
		for _, at := range p.Nodes {
			for _, o := range h.Nodes[at].Operands {
				if o.Kind != OperandValue {
					continue
				}
				if o.Shown != 0 {
					others++
				}
				if !made[o.Value] && !made[o.Shown] {
					t.Errorf("%s: nothing shows %s", &h.Nodes[at], o.Arg)
				}
			}
		}
	}
	if others == 0 {
		t.Error("no layer takes what a layer makes that is not shown")
	}
}

// TestSize: a history of GLM-4.7 is small, and the same each time.
func TestSize(t *testing.T) {
	h, _ := record(t, glm47, compiler.Options{Target: "h200"})
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d states of operators", len(text), len(h.Nodes))
	if len(text) > 1<<20 {
		t.Errorf("%d bytes", len(text))
	}
	again, _ := record(t, glm47, compiler.Options{Target: "h200"})
	if diff := cmp.Diff(h, again); diff != "" {
		t.Errorf("another time:\n%s", diff)
	}
}

// BenchmarkRecord is what observing costs: GLM-4.7 through every pass.
func BenchmarkRecord(b *testing.B) {
	root, c := sources(b, glm47)
	for _, observed := range []bool{false, true} {
		b.Run(fmt.Sprintf("observed=%v", observed), func(b *testing.B) {
			for b.Loop() {
				o := compiler.Options{Target: "h200", Config: c}
				r := New()
				if observed {
					o.Observe = r.Observe
				}
				if _, _, err := compiler.Compile(root, o); err != nil {
					b.Fatal(err)
				}
				if observed {
					r.History()
				}
			}
		})
	}
}
