package source

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/dsl/diag/diagtest"
)

// files is a file system for tests.
type files map[string]string

func (f files) open(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, errors.New("no such file")
}

func (f files) load(root string) (*Program, string) {
	p, diags := Load(root, []byte(f[root]), f.open)
	text := ""
	for _, d := range diags.All() {
		text += d.String() + "\n"
		for _, n := range d.Notes {
			text += "  note: " + n.String() + ": " + n.Message + "\n"
		}
		if d.Suggestion != "" {
			text += "  help: " + d.Suggestion + "\n"
		}
	}
	return p, text
}

const block = "block %s(x: [T, 8]) -> [T, 8] { return x }\n"

func blocks(names ...string) string {
	text := ""
	for _, n := range names {
		text += fmt.Sprintf(block, n)
	}
	return text
}

func TestLoad(t *testing.T) {
	f := files{
		"models/a/model.glm": `import one, two as zwei from "../lib/blocks.glm"
import m from "glmc:b/model.glm"
` + blocks("own"),
		"models/lib/blocks.glm": `import three from "more.glm"` + "\n" + blocks("one", "two"),
		"models/lib/more.glm":   blocks("three"),
		"glmc:b/model.glm":      "import four from \"../c/blocks.glm\"\nmodel m { }",
		"glmc:c/blocks.glm":     blocks("four"),
	}
	p, diags := f.load("models/a/model.glm")
	if diags != "" {
		t.Fatal(diags)
	}
	var names []string
	for _, file := range p.Files {
		names = append(names, file.Name)
		if string(p.Source(file.Name)) != f[file.Name] {
			t.Errorf("the source of %s is another", file.Name)
		}
	}
	want := []string{"models/a/model.glm", "models/lib/blocks.glm", "models/lib/more.glm", "glmc:b/model.glm", "glmc:c/blocks.glm"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	root := p.Root
	if root.Block("own") != root.Blocks[0] || root.Block("one") != p.Files[1].Blocks[0] || root.Block("zwei") != p.Files[1].Blocks[1] {
		t.Error("a block is not linked to its declaration")
	}
	if root.Block("two") != nil || root.Block("three") != nil {
		t.Error("a block has a name that was not imported")
	}
	if root.Model("m") != p.Files[3].Models[0] {
		t.Error("the model is not linked")
	}
	if p.Source("nothing") != nil {
		t.Error("a file that is not there has a source")
	}
}

// TestLoadBothKinds imports a block and a model that have one name.
func TestLoadBothKinds(t *testing.T) {
	f := files{
		"a.glm": "import foo from \"b.glm\"\nimport bar as x from \"b.glm\"\nimport other as x from \"b.glm\"\n",
		"b.glm": blocks("foo", "bar") + "model foo { }\nmodel other { }",
	}
	p, diags := f.load("a.glm")
	if diags != "" {
		t.Fatal(diags)
	}
	b := p.Files[1]
	if p.Root.Block("foo") != b.Blocks[0] || p.Root.Model("foo") != b.Models[0] || p.Root.Block("x") != b.Blocks[1] || p.Root.Model("x") != b.Models[1] {
		t.Error("a name does not lead to both the block and the model")
	}
}

// TestLoadManyPaths imports each file twice: there are 2^99 paths to the last one.
func TestLoadManyPaths(t *testing.T) {
	f := files{}
	for i := range MaxFiles - 1 {
		f[fmt.Sprintf("%d.glm", i)] = fmt.Sprintf("import b as b1 from \"%d.glm\"\nimport b as b2 from \"%d.glm\"\n", i+1, i+1) + blocks("b")
	}
	f[fmt.Sprintf("%d.glm", MaxFiles-1)] = blocks("b")
	p, diags := f.load("0.glm")
	if diags != "" {
		t.Fatal(diags)
	}
	if !p.Root.Linked() || len(p.Root.Reachable()) != MaxFiles {
		t.Errorf("%d files can be reached, want %d that are linked", len(p.Root.Reachable()), MaxFiles)
	}
}

func TestLoadErrors(t *testing.T) {
	tests := []struct {
		name  string
		files files
		want  string
	}{
		{"missing", files{"a.glm": `import x from "b.glm"`},
			`a.glm:1:15: error: cannot import "b.glm": no such file [import-unread]` + "\n"},
		{"absolute", files{"a.glm": `import x from "/etc/b.glm"`},
			"a.glm:1:15: error: \"/etc/b.glm\" is absolute: a path is relative to the file that imports [bad-import-path]\n" +
				"  help: write a relative path, or \"glmc:...\" for a file that the binary carries\n"},
		{"drive", files{"a.glm": `import x from "C:/b.glm"`},
			"a.glm:1:15: error: \"C:/b.glm\": the parts of a path have / between them, and no drive in front [bad-import-path]\n"},
		{"backslash", files{"a.glm": `import x from "lib\\b.glm"`},
			`a.glm:1:15: error: "lib\\b.glm": the parts of a path have / between them, and no drive in front [bad-import-path]` + "\n"},
		{"no .glm", files{"a.glm": `import x from "config.json"`},
			"a.glm:1:15: error: \"config.json\" does not end in .glm [bad-import-path]\n"},
		{"itself", files{"a.glm": `import x from "a.glm"`},
			"a.glm:1:15: error: a.glm imports itself [import-cycle]\n  help: move what both need into a file of its own\n"},
		{"cycle", files{"a.glm": `import x from "b.glm"`, "b.glm": `import x from "c.glm"`, "c.glm": `import x from "./b.glm"`},
			"c.glm:1:15: error: b.glm imports itself, through others [import-cycle]\n" +
				"  note: b.glm:1:1: it imports c.glm here\n  help: move what both need into a file of its own\n" +
				"b.glm:1:8: error: \"c.glm\" declares no block or model \"x\" [unknown-import]\n" +
				"a.glm:1:8: error: \"b.glm\" declares no block or model \"x\" [unknown-import]\n"},
		{"unknown", files{"a.glm": `import swiglo from "b.glm"`, "b.glm": blocks("swiglu", "other")},
			"a.glm:1:8: error: \"b.glm\" declares no block or model \"swiglo\" [unknown-import]\n  help: did you mean \"swiglu\"?\n"},
		{"inside a model", files{"a.glm": `import mlp from "b.glm"`, "b.glm": "model m {\n" + blocks("mlp") + "}"},
			"a.glm:1:8: error: \"b.glm\" declares no block or model \"mlp\" [unknown-import]\n" +
				"  note: b.glm:2:7: this one belongs to model m: only blocks outside of models can be imported\n"},
		{"broken", files{"a.glm": `import x from "b.glm"`, "b.glm": "block x( { }"},
			"b.glm:1:10: error: expected \",\" or \")\", found \"{\" [unexpected-token]\n"},
	}
	seen := diagtest.Seen{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, list := Load("a.glm", []byte(tt.files["a.glm"]), tt.files.open)
			seen.Note(list)
			_, got := tt.files.load("a.glm")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("too many", func(t *testing.T) {
		open := func(path string) ([]byte, error) {
			return []byte(fmt.Sprintf("import x from %q\n", "x"+path)), nil
		}
		p, list := Load("a.glm", []byte(`import x from "b.glm"`), open)
		seen.Note(list)
		if err := list.Err(); len(p.Files) != MaxFiles || !strings.Contains(err.Error(), "the program has more than 100 files [too-many-files]") {
			t.Errorf("%d files: %v", len(p.Files), err)
		}
	})
	t.Run("every ID", func(t *testing.T) { diagtest.Covered(t, seen, "../../docs/language.md") })
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct{ importer, imported, want string }{
		{"model.glm", "b.glm", "b.glm"},
		{"a/model.glm", "../lib/b.glm", "lib/b.glm"},
		{"../a/model.glm", "../../b.glm", "../../b.glm"},
		{"/abs/model.glm", "b.glm", "/abs/b.glm"},
		{`C:\models\model.glm`, "lib/b.glm", "C:/models/lib/b.glm"},
		{"a/model.glm", "glmc:x/./b.glm", "glmc:x/b.glm"},
		{"glmc:a/model.glm", "../lib/b.glm", "glmc:lib/b.glm"},
		{"glmc:a/model.glm", "../../../etc/b.glm", "glmc:../../etc/b.glm"},
	} {
		if got := Resolve(tt.importer, tt.imported); got != tt.want {
			t.Errorf("Resolve(%q, %q) = %q, want %q", tt.importer, tt.imported, got, tt.want)
		}
	}
}
