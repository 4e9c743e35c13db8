package diff_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/diff"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/source"
)

var update = flag.Bool("update", false, "rewrite the files that tests compare with")

// model compiles a family at a configuration. Its sources are named by the family's folder. Edit may change the text.
func model(t testing.TB, family, doc string, o compiler.Options, edit func(string) string) *plan.Plan {
	t.Helper()
	text, err := os.ReadFile("../../models/" + family + "/model.glm")
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		text = []byte(edit(string(text)))
	}
	program, list := source.Load(family+"/model.glm", text, nil)
	if list.HasErrors() {
		t.Fatal(list)
	}
	if doc != "" {
		data, err := os.ReadFile("../../" + doc)
		if err != nil {
			t.Fatal(err)
		}
		if o.Config, err = config.Parse(doc, data); err != nil {
			t.Fatal(err)
		}
	}
	r, _, err := compiler.Compile(program.Root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Plan
}

const tinyConfig = "models/tiny/config.json"

// plans are what the tests compare with one another.
func plans(t testing.TB) map[string]*plan.Plan {
	tiny := func(o compiler.Options) *plan.Plan { return model(t, "glm4moe", tinyConfig, o, nil) }
	small := map[string]string{"num_hidden_layers": "4"}
	return map[string]*plan.Plan{
		"tiny":     tiny(compiler.Options{}),
		"no folds": tiny(compiler.Options{Disable: []string{"fold_shared_expert", "fuse_qknorm_rope_kv"}}),
		"tp 2":     tiny(compiler.Options{TensorParallel: 2}),
		"h200":     tiny(compiler.Options{Target: "h200", TensorParallel: 1, Set: map[string]string{"decode.capture": "1,8"}}),
		"no mtp":   tiny(compiler.Options{Set: map[string]string{"num_nextn_predict_layers": "0"}}),
		"4 layers": tiny(compiler.Options{Set: small}),
		"moved": model(t, "glm4moe", tinyConfig, compiler.Options{}, func(text string) string {
			return strings.Replace(text, "  block mlp(", "  // A line more.\n  block mlp(", 1)
		}),
		"air":   model(t, "glm4moe", "testdata/configs/glm-4.5-air.json", compiler.Options{}, nil),
		"qwen3": model(t, "qwen3moe", "testdata/configs/qwen3-30b-a3b.json", compiler.Options{}, nil),
	}
}

// again is the same plan, read from its file.
func again(t *testing.T, p *plan.Plan) *plan.Plan {
	t.Helper()
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := plan.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestEqualPlansAreEqual: a plan does not differ from itself, from its file, or from what is compiled again.
func TestEqualPlansAreEqual(t *testing.T) {
	first, second := plans(t), plans(t)
	for name, p := range first {
		for what, other := range map[string]*plan.Plan{"itself": p, "its file": again(t, p), "a second compilation": second[name]} {
			d := diff.Plans(p, other)
			if d.Equal {
				continue
			}
			text, err := json.Marshal(d)
			t.Errorf("%s differs from %s (%v):\n%.2000s", name, what, err, text)
		}
	}
}

// TestMirror: the other direction is the same document with the sides swapped, keys and order included. Only what
// A alone has comes before what B alone has, at the same place of an entry.
func TestMirror(t *testing.T) {
	all := plans(t)
	for nameA, a := range all {
		for nameB, b := range all {
			if nameA >= nameB {
				continue
			}
			d, back := diff.Plans(a, b), diff.Plans(b, a)
			if d.Equal {
				t.Errorf("%s and %s are said to be equal", nameA, nameB)
			}
			forth, reverse := document(t, d).(map[string]any), swapped(document(t, back)).(map[string]any)
			forth["operators"], reverse["operators"] = sorted(t, forth["operators"]), sorted(t, reverse["operators"])
			if difference := cmp.Diff(forth, reverse); difference != "" {
				t.Errorf("%s and %s (-A to B, +B to A):\n%.3000s", nameA, nameB, difference)
			}
		}
	}
}

func document(t *testing.T, d *diff.Diff) any {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// swapped exchanges the keys a and b of every object.
func swapped(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = swapped(x)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, x := range v {
			switch key {
			case "a":
				key = "b"
			case "b":
				key = "a"
			}
			out[key] = swapped(x)
		}
		return out
	}
	return v
}

// sorted is a list as texts in alphabetical order.
func sorted(t *testing.T, list any) []string {
	t.Helper()
	var out []string
	for _, x := range list.([]any) {
		text, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	slices.Sort(out)
	return out
}

// TestListsAreNeverNull: scripts can range over every list.
func TestListsAreNeverNull(t *testing.T) {
	all := plans(t)
	for _, other := range []string{"tiny", "no folds", "qwen3"} {
		doc := document(t, diff.Plans(all["tiny"], all[other])).(map[string]any)
		for _, key := range []string{"facts", "launches", "memory", "passes", "remarks", "operators", "weights", "caches"} {
			if _, ok := doc[key].([]any); !ok {
				t.Errorf("tiny and %s: %s is %v", other, key, doc[key])
			}
		}
	}
}

// TestGolden holds texts against testdata; -update writes them.
func TestGolden(t *testing.T) {
	all := plans(t)
	for _, c := range []struct{ file, a, b string }{
		{"equal", "tiny", "tiny"},
		{"disabled", "tiny", "no folds"},
		{"ranks", "tiny", "tp 2"},
		{"target", "tiny", "h200"},
		{"no_mtp", "tiny", "no mtp"},
		{"layers", "tiny", "4 layers"},
		{"moved", "tiny", "moved"},
		{"family", "tiny", "air"},
		{"other_family", "air", "qwen3"},
	} {
		t.Run(c.file, func(t *testing.T) {
			d := diff.Plans(all[c.a], all[c.b])
			d.A.File, d.B.File = "a.plan", "b.plan"
			var b bytes.Buffer
			if err := diff.Text(&b, d); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", c.file+".txt")
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if difference := cmp.Diff(string(want), b.String()); difference != "" {
				t.Errorf("-want +got, or run with -update:\n%s", difference)
			}
		})
	}
}

// TestFullSize: what differs between plans of GLM-4.7 is told on two pages, because layers that are alike stand
// together; and everything that is told of its 92 layers is true of each of them.
func TestFullSize(t *testing.T) {
	eight := model(t, "glm4moe", "testdata/configs/glm-4.7.json", compiler.Options{Target: "h200"}, nil)
	for name, o := range map[string]compiler.Options{
		"one rank":          {Target: "h200", TensorParallel: 1},
		"cpu":               {Target: "cpu"},
		"no shared experts": {Target: "cpu", Set: map[string]string{"n_shared_experts": "0"}},
	} {
		other := model(t, "glm4moe", "testdata/configs/glm-4.7.json", o, nil)
		d := diff.Plans(eight, other)
		var b bytes.Buffer
		if err := diff.Text(&b, d); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(b.String(), "\n"); lines > 260 {
			t.Errorf("%s: %d lines", name, lines)
		}
		if !strings.Contains(b.String(), "  forward, layers 3..91, 89 x; draft, layer 92\n") {
			t.Errorf("%s: the layers with experts do not stand together:\n%s", name, b.String())
		}
		perLayer := map[int]int{}
		for _, x := range d.Operators {
			if side := first(x.A, x.B); strings.HasPrefix(x.Entry, "forward") && side.Layer >= 3 {
				perLayer[side.Layer]++
			}
		}
		for layer := 3; layer < 92; layer++ {
			if perLayer[layer] != perLayer[3] || perLayer[3] == 0 {
				t.Errorf("%s: %d operators of layer %d differ, and %d of layer 3", name, perLayer[layer], layer, perLayer[3])
			}
		}
	}
}

func first(a, b *diff.Site) *diff.Site {
	if a != nil {
		return a
	}
	return b
}

// TestAnotherPath: a plan of the same file under another name differs in that name, which is one fact.
func TestAnotherPath(t *testing.T) {
	p := model(t, "glm4moe", tinyConfig, compiler.Options{}, nil)
	other := again(t, p)
	rename := func(source string) string { return "/elsewhere/" + source }
	for _, g := range other.Module.Graphs {
		for _, n := range g.Nodes {
			n.Origin.Source = rename(n.Origin.Source)
		}
	}
	for i := range other.Remarks {
		other.Remarks[i].Source = rename(other.Remarks[i].Source)
	}
	name, renamed := "glm4moe/model.glm", "/elsewhere/glm4moe/model.glm"
	want := []diff.Fact{{Name: "source", Pair: diff.Pair[string]{A: &name, B: &renamed}}}
	d := diff.Plans(p, other)
	if difference := cmp.Diff(want, d.Facts); difference != "" {
		t.Errorf("-want +got:\n%s", difference)
	}
	if d.Equal || len(d.Operators)+len(d.Remarks)+len(d.Weights) > 0 {
		t.Errorf("%d operators, %d remarks and %d weights differ", len(d.Operators), len(d.Remarks), len(d.Weights))
	}
}

// TestTextSteersNoTerminal: names come from plans that nobody trusts.
func TestTextSteersNoTerminal(t *testing.T) {
	p := model(t, "glm4moe", tinyConfig, compiler.Options{}, nil)
	other := again(t, p)
	const hostile = "\x1b[2J\x07\u009b\r\x00\t"
	other.Model += hostile
	other.Module.Weights[0].Name += hostile
	for _, g := range other.Module.Graphs {
		for _, n := range g.Nodes {
			n.Origin.Source += hostile
			n.Origin.Path += hostile
		}
	}
	var b bytes.Buffer
	if err := diff.Text(&b, diff.Plans(p, other)); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(b.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }); i >= 0 {
		t.Errorf("a control character at %d: %q", i, b.String()[max(0, i-20):i+20])
	}
}

// TestWriteErrorsAreReturned: a full disk is no difference.
func TestWriteErrorsAreReturned(t *testing.T) {
	p := model(t, "glm4moe", tinyConfig, compiler.Options{}, nil)
	if err := diff.Text(fullDisk{}, diff.Plans(p, p)); !errors.Is(err, errFull) {
		t.Errorf("%v, want the writer's error", err)
	}
}

var errFull = errors.New("full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// BenchmarkPlans compares GLM-4.7 for eight ranks with the same for one: 2400 operators each.
func BenchmarkPlans(b *testing.B) {
	eight := model(b, "glm4moe", "", compiler.Options{Target: "h200"}, nil)
	one := model(b, "glm4moe", "", compiler.Options{Target: "h200", TensorParallel: 1}, nil)
	for b.Loop() {
		diff.Plans(eight, one)
	}
}
