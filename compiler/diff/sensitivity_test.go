package diff_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/diff"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// sensitive is a small plan that has something of everything.
func sensitive(t *testing.T) *plan.Plan {
	p := model(t, "glm4moe", tinyConfig, compiler.Options{Target: "h200", TensorParallel: 2,
		Set: map[string]string{"num_hidden_layers": "1", "decode.capture": "1"}}, nil)
	p.Aliases = append(p.Aliases, plan.Alias{Name: "x", Target: "y", Index: []plan.Index{{Hole: "e"}, {From: 3}, {From: 1, To: 2, Range: true}}})
	p.Ignores = append(p.Ignores, plan.Ignore{Name: "z", Reason: "unused"})
	return p
}

// TestNothingIsOverlooked changes every value of a plan, one at a time, and wants a difference each time.
func TestNothingIsOverlooked(t *testing.T) {
	p, other := sensitive(t), sensitive(t)
	w := walker{seen: map[uintptr]bool{}, changed: func(path string) {
		d := diff.Plans(p, other)
		if d.Equal {
			t.Errorf("%s differs, and nothing says so", path)
		}
		var b strings.Builder
		if err := diff.Text(&b, d); err != nil || strings.Contains(b.String(), "no differences") {
			t.Errorf("%s differs, and the text is %s (%v)", path, b.String(), err)
		}
	}}
	w.walk("plan", reflect.ValueOf(other))
	if d := diff.Plans(p, other); !d.Equal {
		t.Fatal("the test did not put everything back")
	}
	if w.count < 500 {
		t.Errorf("only %d values were changed", w.count)
	}
}

// walker visits every value below a pointer, changes it, calls changed, and puts it back.
type walker struct {
	seen    map[uintptr]bool
	changed func(path string)
	count   int
}

// uncompared are the fields that two equal plans may differ in.
var uncompared = map[reflect.Type][]string{
	reflect.TypeFor[ir.Value](): {"ID", "Def"}, // Def is visited as a node
	reflect.TypeFor[ir.Node]():  {"ID", "Op"},
	reflect.TypeFor[ir.Graph](): {"Buckets"}, // the layouts have them
}

func (w *walker) walk(path string, v reflect.Value) {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case ir.Type:
			if x.State {
				return // it has no dtype and no shape
			}
		case ir.Shape:
			if len(x) > 0 {
				w.try(path, v, reflect.ValueOf(x.With(0, ir.Fixed(12345))))
			}
			return
		case *ir.Recipe:
			w.recipe(path, x)
			return
		case plan.Index: // not all fields mean something in all of them
			w.try(path, v, reflect.ValueOf(plan.Index{From: 12345}))
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || w.seen[v.Pointer()] {
			return
		}
		w.seen[v.Pointer()] = true
		w.walk(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || slices.Contains(uncompared[v.Type()], f.Name) {
				continue
			}
			if v.Type() == reflect.TypeFor[ir.Value]() && f.Name == "Input" && v.Field(i).IsZero() {
				continue // it is no input
			}
			w.walk(path+"."+f.Name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			w.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Interface: // the value of an attribute
		if other := changedValue(v.Elem()); other.IsValid() {
			w.try(path, v, other)
		}
	default:
		w.try(path, v, changedValue(v))
	}
}

// recipe changes a recipe where the text form shows it: the rest means nothing in a recipe of its kind.
func (w *walker) recipe(path string, r *ir.Recipe) {
	for i, a := range r.Args {
		w.recipe(fmt.Sprintf("%s.Args[%d]", path, i), a)
	}
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Slice {
			continue
		}
		before, text := reflect.ValueOf(f.Interface()), r.String()
		f.Set(changedValue(f))
		shown := r.String() != text
		f.Set(before)
		if shown {
			w.try(path+"."+v.Type().Field(i).Name, f, changedValue(f))
		}
	}
}

func (w *walker) try(path string, v, to reflect.Value) {
	before := reflect.ValueOf(v.Interface())
	v.Set(to)
	w.count++
	w.changed(path)
	v.Set(before)
}

// changedValue is another value of the same type.
func changedValue(v reflect.Value) reflect.Value {
	if s, ok := v.Interface().(ir.Shape); ok {
		return reflect.ValueOf(append(s[:len(s):len(s)], ir.Fixed(7)))
	}
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(v.String() + "x")
	case reflect.Bool:
		out.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		out.SetInt(v.Int() + 1)
	case reflect.Uint8:
		if v.Type() == reflect.TypeFor[dtype.DType]() {
			return reflect.ValueOf(dtype.DType(v.Uint()%5 + 1))
		}
		out.SetUint(v.Uint() + 1)
	case reflect.Float64:
		out.SetFloat(v.Float() + 1)
	default:
		panic("a plan has values of type " + v.Type().String())
	}
	return out
}

// TestDataFlowIsCompared: the same operators in the same order, connected in another way, are another plan.
func TestDataFlowIsCompared(t *testing.T) {
	p, other := sensitive(t), sensitive(t)
	for _, g := range other.Module.Graphs {
		for _, n := range g.Nodes {
			for i, v := range n.In {
				if v == nil {
					continue
				}
				for _, to := range lookalikes(g, v) {
					n.In[i] = to
					if diff.Plans(p, other).Equal {
						t.Errorf("%s: operand %d of %s is another value, and nothing says so", g.Name, i, n)
					}
				}
				n.In[i] = v
			}
		}
		for i, v := range g.Outputs {
			for _, to := range lookalikes(g, v) {
				g.Outputs[i] = to
				if diff.Plans(p, other).Equal {
					t.Errorf("%s: output %d is another value, and nothing says so", g.Name, i)
				}
			}
			g.Outputs[i] = v
		}
	}
}

// lookalikes are some of the other values of a graph that have the type of v.
func lookalikes(g *ir.Graph, v *ir.Value) []*ir.Value {
	var out []*ir.Value
	add := func(x *ir.Value) {
		if len(out) < 4 && x != nil && x != v && x.Type.Equal(v.Type) && (x.Weight == nil || x.Weight != v.Weight) && (x.Cache == nil || x.Cache != v.Cache) {
			out = append(out, x)
		}
	}
	for _, n := range g.Nodes {
		for _, x := range append(n.Out[:len(n.Out):len(n.Out)], n.In...) {
			add(x)
		}
	}
	return out
}

// TestOrderIsCompared: operators that run in another order are told, with the places that they run at.
func TestOrderIsCompared(t *testing.T) {
	p, other := sensitive(t), sensitive(t)
	g := other.Module.Graphs[0]
	for i := range len(g.Nodes) - 1 {
		if g.Nodes[i].Origin.Layer == g.Nodes[i+1].Origin.Layer {
			continue
		}
		g.Nodes[i], g.Nodes[i+1] = g.Nodes[i+1], g.Nodes[i]
		d := diff.Plans(p, other)
		if len(d.Operators) != 1 || d.Operators[0].Details[0].Kind != "position" {
			t.Errorf("nodes %d and %d change places, and the difference is %+v", i, i+1, d.Operators)
		}
		g.Nodes[i], g.Nodes[i+1] = g.Nodes[i+1], g.Nodes[i]
	}
}
