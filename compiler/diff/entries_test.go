package diff_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/diff"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// split gives the buckets of an entry's program from one on a program of their own.
func split(t *testing.T, p *plan.Plan, entry string, at int) *plan.Plan {
	t.Helper()
	out := again(t, p)
	var programs []*plan.Program
	out.Module.Graphs = nil
	add := func(g *ir.Graph) {
		q := plan.NewProgram(g)
		for _, b := range g.Buckets {
			if err := q.LayOut(b); err != nil {
				t.Fatal(err)
			}
		}
		programs = append(programs, q)
		out.Module.Graphs = append(out.Module.Graphs, g)
	}
	for _, q := range out.Programs {
		if q.Graph.Name != entry {
			add(q.Graph)
			continue
		}
		other := q.Graph.Clone()
		q.Graph.Buckets, other.Buckets = q.Graph.Buckets[:at], other.Buckets[at:]
		add(q.Graph)
		add(other)
	}
	out.Programs = programs
	return out
}

// TestVariants: an entry that has several programs is compared for each set of sizes, and only that it has several is
// a difference.
func TestVariants(t *testing.T) {
	p := model(t, "glm4moe", tinyConfig, compiler.Options{Set: map[string]string{"decode.capture": "1,8"}}, nil)
	two := split(t, p, "forward", 2)
	d := diff.Plans(p, two)
	one, several := "forward, draft", "forward (decode 1..8), forward (prefill 512), draft"
	want := []diff.Fact{{Name: "entries", Pair: diff.Pair[string]{A: &one, B: &several}}}
	if difference := cmp.Diff(want, d.Facts); difference != "" {
		t.Errorf("-want +got:\n%s", difference)
	}
	if n := len(d.Operators) + len(d.Launches) + len(d.Memory) + len(d.Weights) + len(d.Caches) + len(d.Remarks); n > 0 {
		t.Errorf("%d other differences", n)
	}

	// One operator of one program differs.
	other := split(t, p, "forward", 2)
	g := other.Variants("forward")[1].Graph
	for _, n := range g.Nodes {
		if n.Op.Name == "norm.add_rms" {
			n.Attrs = n.Attrs.With("eps", 0.5)
			break
		}
	}
	d = diff.Plans(two, other)
	if len(d.Operators) != 1 || d.Operators[0].Entry != "forward" || d.Operators[0].Buckets != "prefill 512" {
		t.Errorf("operators: %+v", d.Operators)
	}
	var b bytes.Buffer
	if err := diff.Text(&b, d); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\n  forward (prefill 512), layer 0\n") {
		t.Errorf("the text:\n%s", b.String())
	}

	// Sizes that have nothing in common are compared all the same.
	d = diff.Plans(split(t, p, "forward", 1), split(t, p, "forward", 2))
	for _, o := range d.Operators {
		t.Errorf("%+v", o)
	}
	if d.Equal {
		t.Error("other sizes are no difference")
	}
}

// TestProvenance: operators say which pass is why they differ.
func TestProvenance(t *testing.T) {
	p := model(t, "glm4moe", tinyConfig, compiler.Options{}, nil)
	other := model(t, "glm4moe", tinyConfig, compiler.Options{Disable: []string{"fuse_qknorm_rope_kv"}}, nil)
	by := map[string]string{}
	for _, o := range diff.Plans(p, other).Operators {
		side := first(o.A, o.B)
		by[side.Op] = strings.Join(o.Passes, ", ")
	}
	want := map[string]string{
		"attn.qknorm_rope_kv": "fuse_qknorm_rope_kv", "kv.write": "fuse_qknorm_rope_kv", "rope.apply": "fuse_qknorm_rope_kv",
		"attn.paged": "fuse_qknorm_rope_kv", // it reads what the fused operator writes
		"norm.rms":   "",                    // its place is its own, and no remark's
	}
	if difference := cmp.Diff(want, by); difference != "" {
		t.Errorf("-want +got:\n%s", difference)
	}
}
