package verify

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/race"
)

// plant returns the table with one pass made wrong: behind what it does, spoil changes the graphs.
func plant(name string, spoil func(g *ir.Graph) error) []*passes.Pass {
	table := slices.Clone(passes.Table)
	i := slices.IndexFunc(table, func(p *passes.Pass) bool { return p.Name == name })
	right := table[i]
	wrong := *right
	wrong.Run = func(c *passes.Context) error {
		if err := right.Run(c); err != nil {
			return err
		}
		for _, g := range c.Module.Graphs {
			if err := spoil(g); err != nil {
				return err
			}
		}
		return nil
	}
	table[i] = &wrong
	return table
}

// scaleShared makes the shared expert's slot take part in the scaling of the routed weights, in one layer: the slot is
// appended first and everything is scaled then.
func scaleShared(entry string, layer int) func(g *ir.Graph) error {
	return func(g *ir.Graph) error {
		for _, n := range g.Nodes {
			if n.Op.Name != "moe.append_shared" || g.Name != entry || n.Origin.Layer != layer {
				continue
			}
			b := &ir.Builder{Graph: g, Origin: n.Origin}
			scaled := b.One("scale", []*ir.Value{n.Out[1]}, ir.Attr{Key: "by", Value: 2.5})
			if err := b.Err(); err != nil {
				return err
			}
			for _, user := range g.Nodes {
				for i, v := range user.In {
					if v == n.Out[1] {
						user.In[i] = scaled
					}
				}
			}
			rw := ir.NewRewrite(g)
			rw.After(n, b.Nodes...)
			rw.Remove(n.In[1].Def)
			n.In[1] = n.In[1].Def.In[0] // what the scaling took
			rw.Apply()
			return nil
		}
		return nil
	}
}

// wholeRotary rotates all of a head.
func wholeRotary(g *ir.Graph) error {
	for _, n := range g.Nodes {
		if n.Op.Name == "attn.qknorm_rope_kv" {
			n.Attrs = n.Attrs.With("dims", int64(n.In[0].Type.Shape.Last().Add))
		}
	}
	return nil
}

// staleSlot writes keys and values where the position says and not where the page table does, in one layer.
func staleSlot(g *ir.Graph) error {
	for _, n := range g.Nodes {
		if n.Op.Name == "attn.qknorm_rope_kv" && n.Origin.Layer == 1 {
			n.In[n.Op.Operand("slots")] = n.Arg("pos")
		}
	}
	return nil
}

// unreduced leaves the last all-reduce of layer 1 out.
func unreduced(g *ir.Graph) error {
	rw := ir.NewRewrite(g)
	for _, n := range slices.Backward(g.Nodes) {
		if n.Op.Name == "comm.all_reduce" && n.Origin.Layer == 1 {
			rw.Replace(n.Out[0], n.In[0])
			rw.Remove(n)
			break
		}
	}
	rw.Apply()
	return nil
}

// TestPlantedFaults: a wrong pass is found, by its name and its site.
func TestPlantedFaults(t *testing.T) {
	for _, c := range []struct {
		name, pass string
		spoil      func(g *ir.Graph) error
		entry      string // of the site and of the first value
		layer      int
		op         string // of the first value that differs and is on both sides; "none" where execution fails before it
		tp         int
	}{
		{"the scale is applied to the shared slot", "fold_shared_expert", scaleShared("forward", 4), "forward", 4, "", 8},
		{"the scale is applied to the shared slot of the MTP layer", "fold_shared_expert", scaleShared("draft", 5), "draft", 5, "", 8},
		{"rotary dims are ignored", "fuse_qknorm_rope_kv", wholeRotary, "forward", 0, "attn.paged", 8},
		{"a slot is stale", "fuse_qknorm_rope_kv", staleSlot, "forward", 1, "none", 8},
		{"partial sums are not reduced", "shard_tensor_parallel", unreduced, "", -1, "", 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := subject(t, "models/glm4moe/model.glm", compiler.Options{Target: "h200", TensorParallel: c.tp, Table: plant(c.pass, c.spoil)})
			f, r, err := Bisect(t.Context(), s, 1)
			if err != nil {
				t.Fatal(err)
			}
			if f == nil {
				t.Fatalf("nothing was found: %+v", r.Results)
			}
			if f.Pass.Name != c.pass || f.Site == nil || f.Site.Entry != c.entry || f.Site.Layer != c.layer {
				t.Errorf("found %s, site %+v: %s", f.Pass.Name, f.Site, f.Wrong)
			}
			if none := f.First == nil; none != (c.op == "none") {
				t.Errorf("the first value that differs is %+v", f.First)
			}
			if f.First != nil && c.entry != "" && (f.First.Entry != c.entry || f.First.Layer != c.layer || c.op != "" && f.First.Op != c.op) {
				t.Errorf("the first value that differs is %+v", f.First)
			}
			var b strings.Builder
			if err := f.Text(&b); err != nil {
				t.Fatal(err)
			}
			t.Log(b.String())
		})
	}
}

// TestRightPasses: nothing is found where nothing is wrong.
func TestRightPasses(t *testing.T) {
	f, r, err := Bisect(t.Context(), subject(t, "models/qwen3/model.glm", compiler.Options{Target: "cpu"}), 1)
	if f != nil || err != nil || r.Failed() != nil {
		t.Errorf("found %+v, error %v", f, err)
	}
}

// TestOverlappingBuffers: a plan in which two results that are alive together share bytes is refused when it is read.
func TestOverlappingBuffers(t *testing.T) {
	r, err := subject(t, "models/glm4moe/model.glm", compiler.Options{Set: lowertest.Small}).compile(false)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Plan.Program("forward")
	planted := 0
	for _, n := range p.Graph.Nodes {
		if n.Op.Name != "norm.add_rms" {
			continue
		}
		sum, _ := p.Storage(n.Out[0])
		norm, _ := p.Storage(n.Out[1])
		for l := range p.Layouts {
			offsets := slices.Clone(p.Layouts[l].Offsets)
			p.Layouts[l].Offsets[norm] = offsets[sum]
			planted++
			if file, err := r.Plan.Encode(); err != nil {
				t.Fatal(err)
			} else if _, err := plan.Decode(file); err == nil || !strings.HasPrefix(err.Error(), "invalid plan: ") {
				t.Errorf("both results of a node at %s lie at one place, and reading the plan gives %v", n.Origin.Source, err)
			}
			p.Layouts[l].Offsets = offsets
		}
	}
	if planted == 0 {
		t.Error("nothing was planted")
	}
	file, err := r.Plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Decode(file); err != nil {
		t.Errorf("the right plan is refused: %v", err)
	}
}

// TestBuffersThatShareBytesComputeSomethingElse: the same fault in a plan that nobody has read, run in its arena.
func TestBuffersThatShareBytesComputeSomethingElse(t *testing.T) {
	r, err := subject(t, "models/glm4moe/model.glm", compiler.Options{Set: lowertest.Small}).compile(false)
	if err != nil {
		t.Fatal(err)
	}
	pass := passes.Table[len(passes.Table)-1]
	check := func() Result {
		t.Helper()
		x, err := NewChecker(r.lowered, 1).placed(pass, r.Plan)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if x := check(); x.Status != Proven || x.Outcome.Cases == 0 {
		t.Errorf("the right plan: %+v", x)
	}
	p := r.Plan.Program("forward")
	for i, n := range p.Graph.Nodes {
		if n.Op.Name != "norm.add_rms" || n.Origin.Layer != 0 {
			continue
		}
		sum, _ := p.Storage(n.Out[0])
		next, ok := p.Storage(p.Graph.Nodes[i+1].Out[0])
		if !ok {
			t.Fatal("the node behind the norm has no result in the arena")
		}
		last := &p.Layouts[len(p.Layouts)-1]
		last.Offsets[next] = last.Offsets[sum]
		break
	}
	if x := check(); x.Status != Wrong {
		t.Errorf("the sum is written over before it is read: %+v", x)
	}
}

// beside puts the gate of the dense layer onto a second stream, with the events that this takes: it waits for the node
// before it, and its reader waits for it, unless that is forgotten.
func beside(forget bool) func(g *ir.Graph) error {
	return func(g *ir.Graph) error {
		for i, n := range g.Nodes {
			if n.Op.Name != "act.swiglu" || n.Origin.Layer != 0 {
				continue
			}
			n.Stream, n.Waits = 1, []*ir.Node{g.Nodes[i-1]}
			if reader := g.Users()[n.Out[0]][0]; !forget {
				reader.Waits = []*ir.Node{n}
			}
		}
		return nil
	}
}

// TestMissingEvent: a result that another stream makes, and that nobody waits for, is found by the checker of races; with
// the event there is nothing to find.
func TestMissingEvent(t *testing.T) {
	for _, forget := range []bool{false, true} {
		_, err := subject(t, "models/glm4moe/model.glm", compiler.Options{Set: lowertest.Small, Table: plant("fuse_add_norm", beside(forget))}).compile(false)
		var found *race.Error
		if errors.As(err, &found) != forget || !forget && err != nil {
			t.Errorf("an event is missing: %t; error %v", forget, err)
		}
	}
}
