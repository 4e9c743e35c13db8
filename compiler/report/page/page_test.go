package page_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/compiler/report/page"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
)

var update = flag.Bool("update", false, "rewrite the files that tests compare with")

// compile compiles a file and keeps the module behind every pass.
func compile(t *testing.T, path string, o compiler.Options) page.Input {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, list := syntax.Parse("model.glm", text)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	in := page.Input{Sources: []page.Source{{Name: "model.glm", Text: string(text)}}, Version: "test", Record: page.NewRecorder()}
	o.Observe = in.Record.Observe
	r, list, err := compiler.Compile(f, o)
	if err != nil {
		t.Fatal(err, list.Err())
	}
	in.Plan = r.Plan
	return in
}

// glm47 is GLM-4.7 for eight H200.
func glm47(t *testing.T) page.Input {
	t.Helper()
	const name = "../../../testdata/configs/glm-4.7-fp8.json"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, "../../../models/glm4moe/model.glm", compiler.Options{Target: "h200", Config: doc})
}

func build(t *testing.T, in page.Input) *page.Data {
	t.Helper()
	d, err := page.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, d *page.Data) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSmallModel fixes the document of a model that can be read: two kinds of layers, and two passes.
func TestSmallModel(t *testing.T) {
	others := slices.DeleteFunc(passes.Names(), func(name string) bool { return name == "fuse_swiglu" || name == "fuse_add_norm" })
	d := build(t, compile(t, "testdata/small.glm", compiler.Options{Disable: others}))
	// Predictions are the cost model's, and the passes' own texts are fixed elsewhere.
	for i := range d.Nodes {
		d.Nodes[i].Micros, d.Nodes[i].Doc = nil, ""
	}
	for i := range d.Tracks {
		d.Tracks[i].Work = nil
		for k := range d.Tracks[i].Stages {
			d.Tracks[i].Stages[k].Micros = nil
		}
	}
	d.Passes = slices.DeleteFunc(d.Passes, func(p page.Pass) bool { return p.Disabled })
	for i := range d.Passes {
		d.Passes[i].Doc, d.Passes[i].After = "", nil
	}
	d.Stages = nil // places in the table of all passes
	got, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/small.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got (go test -update writes it):\n%s", diff)
	}
}

// TestGLM47 holds the page of the largest model against what the issue promises of it, and its numbers against the graphs.
func TestGLM47(t *testing.T) {
	in := glm47(t)
	d := build(t, in)
	if size := len(write(t, d)); size > 5<<20 {
		t.Errorf("the page of GLM-4.7 has %d bytes, wants less than 5 MiB", size)
	}
	for _, track := range d.Tracks {
		if track.Entry != "forward" {
			continue
		}
		moe := slices.IndexFunc(track.Sections, func(s page.Section) bool { return s.Count == 89 })
		if moe < 0 || track.Sections[moe].Label != "layers 3..91, 89 x" {
			t.Errorf("%s has the sections %v, wants the 89 MoE layers as one", track.Entry, track.Sections)
		}
	}
	checkData(t, d)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	// The page counts on lists: only what is optional may be absent, and the profile.
	if nulls := regexp.MustCompile(`"\w+":null`).FindAllString(string(text), -1); !slices.Equal(nulls, []string{`"profile":null`}) {
		t.Errorf("the document has %v", nulls)
	}
}

// checkData adds up what the sections say and compares it with the graphs that they were made from.
func checkData(t *testing.T, d *page.Data) {
	t.Helper()
	for _, track := range d.Tracks {
		// Streams run beside each other: the whole takes less than its parts.
		streams := slices.ContainsFunc(track.Program, func(s page.Step) bool { return s.Stream != 0 })
		for i, stage := range track.Stages {
			launches := 0
			micros := make([]float64, len(d.Buckets))
			defined := map[int]bool{}
			for s, part := range stage.Parts {
				for _, at := range part {
					n := d.Nodes[at]
					for _, r := range n.Out {
						defined[r.ID] = true
					}
					if n.View {
						continue
					}
					launches += track.Sections[s].Count
					for b, us := range n.Micros {
						micros[b] += float64(track.Sections[s].Count) * us
					}
				}
			}
			if launches != stage.Launches {
				t.Errorf("%s %s, stage %d: the sections have %d launches, the graph %d", track.Entry, track.Variant, i, launches, stage.Launches)
			}
			for _, l := range track.Layouts {
				sum, whole := micros[l.Bucket], stage.Micros[l.Bucket]
				if whole > 1.01*sum || whole < 0.99*sum && !streams {
					t.Errorf("%s %s, stage %d: the sections take %g µs, the graph %g", track.Entry, track.Variant, i, sum, whole)
				}
			}
			checkOperands(t, d, stage, defined)
		}
	}
}

// checkOperands asks for every operand to be made somewhere on the page.
func checkOperands(t *testing.T, d *page.Data, stage page.Stage, defined map[int]bool) {
	t.Helper()
	for _, part := range stage.Parts {
		for _, at := range part {
			for _, o := range d.Nodes[at].In {
				if o.ID != 0 && o.Weight == 0 && o.Cache == "" && o.Input == "" && !defined[o.ID] {
					t.Fatalf("%s %d takes %%%d, which nothing on the page makes", d.Nodes[at].Op, d.Nodes[at].ID, o.ID)
				}
			}
		}
	}
}

// TestPlanAlone: a plan without its source has a page with the final graph.
func TestPlanAlone(t *testing.T) {
	in := compile(t, "testdata/small.glm", compiler.Options{})
	in.Record, in.Sources = nil, nil
	d := build(t, in)
	if d.Complete || len(d.Stages) != 1 || len(d.Tracks) == 0 || len(d.Tracks[0].Stages) != 1 {
		t.Errorf("complete %v with stages %v: wants one", d.Complete, d.Stages)
	}
	if len(d.Sources) != 1 || d.Sources[0].Name != "model.glm" || d.Sources[0].Text != "" {
		t.Errorf("sources %v: wants the name that operators have", d.Sources)
	}
}

var scriptElement = regexp.MustCompile(`(?i)<script[^>]*>`)

// TestHostileNames: names from a file or a plan are text wherever they stand, whatever they hold.
func TestHostileNames(t *testing.T) {
	const hostile = `</script><script>alert(1)</script><!--"'><img src=x onerror=alert(2)>` + "\u2028\x00\x1b[31m"
	in := compile(t, "testdata/small.glm", compiler.Options{})
	in.Plan.Model += hostile
	in.Plan.Target += hostile
	in.Plan.Pipeline += hostile
	in.Sources[0].Text += hostile
	for i := range in.Plan.Remarks {
		in.Plan.Remarks[i].Reason += hostile
		in.Plan.Remarks[i].ID += hostile
		in.Plan.Remarks[i].Source = hostile + ":1:1"
	}
	for _, w := range in.Plan.Module.Weights {
		w.Name += hostile
	}
	for _, g := range in.Plan.Module.Graphs {
		for _, n := range g.Nodes {
			n.Origin.Path += hostile
			n.Origin.Source = hostile
		}
	}
	in.Record = nil // the plan's own names
	text := write(t, build(t, in))
	if got := scriptElement.FindAllString(text, -1); len(got) != 2 {
		t.Errorf("the page has the elements %q, wants the document and the bundle", got)
	}
	for _, bad := range []string{"<img", "alert(1)</script>", "\x00", "\x1b"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	_, rest, _ := strings.Cut(text, `id="data">`)
	doc, _, _ := strings.Cut(rest, "</script>")
	var back page.Data
	if err := json.Unmarshal([]byte(doc), &back); err != nil {
		t.Fatal(err)
	}
	if back.Model != in.Plan.Model {
		t.Errorf("the model is called %q, wants %q", back.Model, in.Plan.Model)
	}
}

// TestPolicy: nothing can run but the bundle, and nothing is fetched.
func TestPolicy(t *testing.T) {
	text := write(t, build(t, compile(t, "testdata/small.glm", compiler.Options{})))
	m := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the page has no policy")
	}
	for _, want := range []string{"default-src &#39;none&#39;", "script-src &#39;sha256-", "style-src &#39;sha256-"} {
		if !strings.Contains(m[1], want) {
			t.Errorf("policy %s lacks %s", m[1], want)
		}
	}
	if strings.Contains(m[1], "unsafe") {
		t.Errorf("policy %s", m[1])
	}
	for _, licence := range []string{"preact ", "@dagrejs/dagre ", "@dagrejs/graphlib ", "d3-scale ", "d3-brush ", "d3-selection "} {
		if !strings.Contains(text, "\n"+licence) {
			t.Errorf("the page lacks the licence of %s", licence)
		}
	}
}

func TestProfile(t *testing.T) {
	in := compile(t, "testdata/small.glm", compiler.Options{})
	g := in.Plan.Programs[0].Graph
	b := in.Plan.Programs[0].Layouts[0]
	m := profile.Measure{Entry: g.Name, Phase: b.Phase, Tokens: b.Max.Tokens, Steps: 2}
	for _, n := range g.Nodes {
		if !n.Op.View {
			m.Operators = append(m.Operators, profile.Operator{Node: n.ID, Op: n.Op.Name, Count: 2, Micros: 8})
		}
	}
	in.Profile = &profile.Profile{Format: profile.Format, Model: in.Plan.Model, Target: in.Plan.Target, Ranks: 1, Device: "cpu",
		Measured: []profile.Measure{m}}
	d := build(t, in)
	if d.Profile == nil || d.Profile.Tracks[0].Steps[0] != 2 {
		t.Fatalf("profile %+v", d.Profile)
	}
	last := d.Tracks[0].Stages[len(d.Tracks[0].Stages)-1]
	for s, rows := range d.Profile.Tracks[0].Micros {
		for i, row := range rows {
			if n := d.Nodes[last.Parts[s][i]]; !n.View && math.Abs(row[0]-4) > 0.01 {
				t.Errorf("%s of %s took %g µs, wants 4", n.Op, d.Tracks[0].Sections[s].Label, row[0])
			}
		}
	}

	in.Profile.Measured[0].Operators[0].Op = "other"
	if _, err := page.Build(in); err == nil || !strings.Contains(err.Error(), "measure again") {
		t.Errorf("an operator that the plan has not: %v", err)
	}
	in.Profile.Target = "h200"
	if _, err := page.Build(in); err == nil || !strings.Contains(err.Error(), "the profile is of") {
		t.Errorf("another plan: %v", err)
	}
}

// BenchmarkGLM47 is what `glmc inspect --html` does once the model is compiled.
func BenchmarkGLM47(b *testing.B) {
	text, err := os.ReadFile("../../../models/glm4moe/model.glm")
	if err != nil {
		b.Fatal(err)
	}
	f, _ := syntax.Parse("model.glm", text)
	r, _, err := compiler.Compile(f, compiler.Options{Target: "h200"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d, err := page.Build(page.Input{Plan: r.Plan})
		if err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		if err := page.Write(&out, d); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.Len()), "bytes")
	}
}
