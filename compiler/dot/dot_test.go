package dot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/source"
)

var update = flag.Bool("update", false, "rewrite the files that tests compare with")

// module compiles GLM4-MoE at a configuration.
func module(t testing.TB, doc string, o compiler.Options) *ir.Module {
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
	if o.Config, err = config.Parse(doc, data); err != nil {
		t.Fatal(err)
	}
	r, _, err := compiler.Compile(program.Root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Plan.Module
}

func tiny(t testing.TB) *ir.Module {
	return module(t, "models/tiny/config.json", compiler.Options{TensorParallel: 2})
}

func write(t testing.TB, g *ir.Graph, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, g, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func number(n int) *int { return &n }

// TestGolden holds the drawing of the small model against testdata; -update writes it.
func TestGolden(t *testing.T) {
	const path = "testdata/tiny.dot"
	got := write(t, tiny(t).Graph("forward"), Options{Title: "the small model"})
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, or run with -update:\n%s", diff)
	}
}

var (
	declared = regexp.MustCompile(`(?m)^ +(\w+) \[`)
	edge     = regexp.MustCompile(`(\w+) -> (\w+) \[`)
	box      = regexp.MustCompile(`label=<<B>(layers? [^<]*)</B>>`)
)

// TestKinds: one layer of each kind is drawn, and its box says for which ones it stands.
func TestKinds(t *testing.T) {
	m := module(t, "testdata/configs/glm-4.7.json", compiler.Options{Target: "h200"})
	air := module(t, "testdata/configs/glm-4.5-air.json", compiler.Options{})
	for _, c := range []struct {
		name  string
		graph *ir.Graph
		layer *int
		want  []string
	}{
		{"GLM-4.7", m.Graph("forward"), nil, []string{"layer 0", "layers 1..2, 2 x", "layers 3..91, 89 x"}},
		{"GLM-4.7, its MTP layer", m.Graph("draft"), nil, []string{"layer 92"}},
		{"GLM-4.7, layer 50", m.Graph("forward"), number(50), []string{"layer 50"}},
		{"GLM-4.7, outside of the layers", m.Graph("forward"), number(-1), nil},
		{"GLM-4.5-Air", air.Graph("forward"), nil, []string{"layer 0", "layers 1..45, 45 x"}},
	} {
		text := write(t, c.graph, Options{Layer: c.layer})
		var got []string
		for _, m := range box.FindAllStringSubmatch(text, -1) {
			got = append(got, m[1])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

// TestEdgesHaveEnds: both ends of every edge are nodes of the drawing, which are declared once, and every operator
// that is drawn is connected.
func TestEdgesHaveEnds(t *testing.T) {
	for _, g := range tiny(t).Graphs {
		only := []*int{nil}
		for _, l := range layers.Split(g) {
			only = append(only, &l.Number)
		}
		for _, layer := range only {
			text := write(t, g, Options{Layer: layer})
			nodes := map[string]int{}
			for _, m := range declared.FindAllStringSubmatch(text, -1) {
				if m[1] != "graph" && m[1] != "node" && m[1] != "edge" {
					nodes[m[1]]++
				}
			}
			connected := map[string]bool{}
			for _, m := range edge.FindAllStringSubmatch(text, -1) {
				for _, end := range m[1:] {
					connected[end] = true
					if nodes[end] != 1 {
						t.Errorf("%s: %s of an edge is declared %d times", g.Name, end, nodes[end])
					}
				}
			}
			for name := range nodes {
				if !connected[name] {
					t.Errorf("%s: nothing goes into or out of %s", g.Name, name)
				}
			}
		}
	}
}

// TestMarks: collectives have a double border, views none, caches and their states are dashed, weights are boxes.
func TestMarks(t *testing.T) {
	text := write(t, tiny(t).Graph("forward"), Options{Layer: number(1)})
	for _, c := range []struct {
		what, rx string
		want     int
	}{
		{"collectives", `<B>comm\.all_reduce_add_rms</B>.* peripheries=2`, 2},
		{"views", `label=<reshape>, .* shape=plain`, 4},
		{"caches", `KV cache.* shape=cylinder, style="dashed,filled"`, 1},
		{"states", `-> n\d+ \[style=dashed`, 2},
		{"boxes of weights", `w\d+ \[shape=box`, 8},
		{"types on edges", `-> n\d+ \[label=<&#160;(\w+: )?[a-z0-9]+\[T`, 19},
		{"inputs that an operator reads", `<I>.*pos, slots`, 1},
		{"what comes from the layer before", `of layer 0`, 2},
		{"what goes to the next layer", `of layer 2`, 2},
	} {
		if got := len(regexp.MustCompile(c.rx).FindAllString(text, -1)); got != c.want {
			t.Errorf("%d %s, want %d", got, c.what, c.want)
		}
	}
}

func TestNoSuchLayer(t *testing.T) {
	m := tiny(t)
	for _, c := range []struct {
		entry string
		want  string
	}{
		{"forward", "entry forward has no layer 9: it has layers 0..5, 6 x"},
		{"draft", "entry draft has no layer 9: it has layer 6"},
	} {
		err := Write(io.Discard, m.Graph(c.entry), Options{Layer: number(9)})
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if err := Write(fullDisk{}, m.Graphs[0], Options{}); !errors.Is(err, errFull) {
		t.Errorf("%v, want the writer's error", err)
	}
}

var errFull = errors.New("full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// hostile are names that end a string, a label or a document where they are not escaped.
var hostile = []string{
	`"`, `\`, `\"`, `a\nb`, `\N`, `<`, `>`, `</B>`, `<B>`, `>]; evil [label=<x`, `"]; evil; "`, `&`, `&amp;`, `&#0;`, `&nosuch;`,
	"\x00", "line\nbreak", "\x1b[31m", "\xff\xfe", "\ufffe\uffff", "}", "{", "//", "/*", "#", "<!--", "<![CDATA[", "%s", "{e}",
	"日本語", "\u202egnp", strings.Repeat("long", 1000), "", " ", "graph", "->",
}

// rename puts a text wherever a plan has a name.
func rename(m *ir.Module, text string) {
	for _, w := range m.Weights {
		w.Name += text
	}
	for _, c := range m.Caches {
		c.Name += text
	}
	for _, g := range m.Graphs {
		g.Name = text
		for _, v := range g.Inputs {
			v.Input += text
		}
		for _, n := range g.Nodes {
			n.Origin.Source, n.Origin.Path = text, text
			for i, a := range n.Attrs {
				if _, ok := a.Value.(string); ok {
					n.Attrs[i].Value = text
				}
			}
		}
	}
}

// TestHostileNamesStayNames: whatever names say, the drawing has the same nodes and edges.
func TestHostileNamesStayNames(t *testing.T) {
	shape := func(text string) []string {
		quoted := regexp.MustCompile(`"(\\.|[^"\\])*"`)
		label := regexp.MustCompile(`=<.*>(, |\]|;)`) // a label is in one line
		text = label.ReplaceAllString(quoted.ReplaceAllString(text, "S"), "=L$1")
		return strings.Split(text, "\n")
	}
	want := shape(write(t, tiny(t).Graphs[0], Options{Title: "x"}))
	for _, name := range hostile {
		m := tiny(t)
		rename(m, name)
		if diff := cmp.Diff(want, shape(write(t, m.Graphs[0], Options{Title: name}))); diff != "" {
			t.Errorf("%q changes the drawing:\n%.500s", name, diff)
		}
	}
}

// TestEscaping: a label is well-formed XML that says the text again, and a string in quotes ends where it should.
func TestEscaping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile)).Draw(t, "text")
		var said string
		if err := xml.Unmarshal([]byte("<x>"+html(text)+"</x>"), &said); err != nil {
			t.Fatalf("%q: %v", html(text), err)
		}
		if said != clean(text) {
			t.Fatalf("%q says %q, want %q", html(text), said, clean(text))
		}
		q := quote(text)
		inside := strings.NewReplacer(`\\`, "", `\"`, "").Replace(q[1 : len(q)-1])
		if q[0] != '"' || q[len(q)-1] != '"' || strings.ContainsAny(inside, "\"\\\n\x00") {
			t.Fatalf("%q is no quoted string", q)
		}
	})
}

// TestGraphviz has Graphviz itself read every kind of drawing, hostile names included, and wants no word of
// complaint and well-formed SVG.
func TestGraphviz(t *testing.T) {
	program, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz is not installed: its parser was not tried")
	}
	drawings := map[string]string{
		"GLM-4.7": write(t, module(t, "testdata/configs/glm-4.7.json", compiler.Options{Target: "h200"}).Graph("forward"), Options{}),
	}
	for _, g := range tiny(t).Graphs {
		for _, l := range layers.Split(g) {
			drawings[fmt.Sprintf("%s, layer %d", g.Name, l.Number)] = write(t, g, Options{Title: "x", Layer: &l.Number})
		}
	}
	for i, name := range hostile {
		m := tiny(t)
		rename(m, name)
		drawings[fmt.Sprintf("hostile %d, %.20q", i, name)] = write(t, m.Graph(name), Options{Title: name, Layer: number(1)})
	}
	for name, text := range drawings {
		cmd := exec.Command(program, "-Tsvg")
		cmd.Stdin = strings.NewReader(text)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		svg, err := cmd.Output()
		if err != nil || complaints.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, complaints.String())
			continue
		}
		if err := wellFormed(svg); err != nil {
			t.Errorf("%s: the SVG: %v", name, err)
		}
	}
}

func wellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// BenchmarkWrite draws GLM-4.7: 92 layers to two.
func BenchmarkWrite(b *testing.B) {
	g := module(b, "testdata/configs/glm-4.7.json", compiler.Options{Target: "h200"}).Graph("forward")
	for b.Loop() {
		if err := Write(io.Discard, g, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
