package check

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

const modelFile = "../../models/glm4moe/model.glm"

// functions are the compiler's.
var functions = ir.Surfaces()

func check(t *testing.T, name string, src []byte) *diag.List {
	t.Helper()
	f, diags := syntax.Parse(name, src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return File(f, functions)
}

func TestDiagnostics(t *testing.T) {
	seen := diagtest.Seen{}
	diagtest.Dir(t, "testdata", seen, func(name string, src []byte) *diag.List { return check(t, name, src) })
	t.Run("parameters", func(t *testing.T) {
		var params []string
		for i := range maxParams + 1 {
			params = append(params, fmt.Sprintf("p%d: int", i))
		}
		diags := check(t, "f", []byte("model m { block b("+strings.Join(params, ", ")+") { return 1 } }"))
		seen.Note(diags)
		if err := diags.Err(); err == nil || !strings.Contains(err.Error(), "block b has more than 100 parameters [too-many-parameters]") {
			t.Error(err)
		}
	})
	t.Run("every ID", func(t *testing.T) { diagtest.Covered(t, seen, "../../docs/language.md") })
}

func TestModel(t *testing.T) {
	src, err := os.ReadFile(modelFile)
	if err != nil {
		t.Fatal(err)
	}
	if diags := check(t, "model.glm", src); diags.Len() > 0 {
		var out bytes.Buffer
		if err := diag.Render(&out, diags, func(string) []byte { return src }, false); err != nil {
			t.Fatal(err)
		}
		t.Errorf("the model has diagnostics:\n%s", out.String())
	}
}

func BenchmarkCheck(b *testing.B) {
	src, err := os.ReadFile(modelFile)
	if err != nil {
		b.Fatal(err)
	}
	f, _ := syntax.Parse("model.glm", src)
	for b.Loop() {
		File(f, functions)
	}
}

// fileLine begins a file of a fuzz input. txtar, which looks so, cannot be fuzzed: its parser panics at "-- --".
var fileLine = regexp.MustCompile(`(?m)^-- (\S+) --\n`)

// splitFiles cuts an input into the root and the files that it can import.
func splitFiles(src []byte) (root []byte, files map[string][]byte) {
	files = map[string][]byte{}
	marks := fileLine.FindAllSubmatchIndex(src, -1)
	if len(marks) == 0 {
		return src, files
	}
	for i, m := range marks {
		end := len(src)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		files[string(src[m[2]:m[3]])] = src[m[1]:end]
	}
	return src[:marks[0][0]], files
}

// FuzzCheck checks programs: the file that the input is, or with "-- name.glm --" lines in it, several that can import
// each other.
func FuzzCheck(f *testing.F) {
	for _, glob := range []string{"../../models/*/*.glm", "testdata/*.glm", "../pipeline/testdata/*.glm"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s (%v)", glob, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add([]byte(infoSource + "-- lib.glm --\n" + infoLib))
	f.Add([]byte("import a, b as c from \"b.glm\"\nmodel m { entry e(x: [T, 2]) -> [T, 2] { return a(c(x)) } }\n" +
		"-- b.glm --\nimport c from \"c.glm\"\nblock a[n](x: [T, n]) { return c(x, n) }\nblock b(x: [T, 2]) -> [T, 2] { return x }\n" +
		"-- c.glm --\nimport a from \"b.glm\"\nblock c[k](x: [T, k], n: int) -> [T, n] { return linear(x, w, n) }\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		root, files := splitFiles(src)
		open := func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return text, nil
			}
			return nil, os.ErrNotExist
		}
		p, _ := source.Load("f.glm", root, open)
		if p.Broken {
			return
		}
		inside := func(what string, s diag.Span) {
			if text := p.Source(s.File); s.Start.Offset < 0 || s.End.Offset > len(text) || s.Start.Offset > s.End.Offset {
				t.Fatalf("%s lies outside of the file: %+v", what, s)
			}
		}
		info, diags := Inspect(p.Root, functions)
		for _, d := range diags.All() {
			if inside(d.String(), d.Span); d.Start.Line == 0 {
				t.Fatalf("%s has no place", d)
			}
			for _, n := range d.Notes {
				inside(n.Message, n.Span)
			}
		}
		for _, r := range info.Refs {
			inside(r.Name, r.Use.Diag())
			inside(r.Name, r.Def.Diag())
		}
		for _, typed := range info.Types {
			inside(typed.Type, typed.Span.Diag())
		}
	})
}
