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

// fence is an example of the language page: a whole file ("glm"), or what stands inside a model ("glm model")
// or a block's body ("glm body").
var fence = regexp.MustCompile("(?ms)^```glm( model| body)?\n(.*?)^```$")

// TestLanguagePage parses the examples of the language page. Those that are whole files have no diagnostics at
// all; the others use names that are not in them.
func TestLanguagePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	found := fence.FindAllSubmatch(page, -1)
	if n := bytes.Count(page, []byte("```glm")); len(found) != n || n == 0 {
		t.Fatalf("%d of %d examples found", len(found), n)
	}
	for _, m := range found {
		src := string(m[2])
		switch string(m[1]) {
		case " model":
			src = "model m {\n" + src + "}"
		case " body":
			src = "model m { block b() {\n" + src + "} }"
		default:
			if diags := check(t, "language.md", []byte(src)); diags.Len() > 0 {
				t.Errorf("%s\n%v", src, diags.All())
			}
		}
		if _, diags := syntax.Parse("language.md", []byte(src)); diags.HasErrors() {
			t.Errorf("%s\n%v", src, diags.Err())
		}
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

func FuzzCheck(f *testing.F) {
	for _, glob := range []string{modelFile, "testdata/*.glm", "../pipeline/testdata/*.glm"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diags := syntax.Parse("f.glm", src)
		if diags.HasErrors() {
			return
		}
		for _, d := range File(file, functions).All() {
			if d.Start.Offset < 0 || d.End.Offset > len(src) || d.Start.Offset > d.End.Offset || d.Start.Line == 0 {
				t.Fatalf("%s lies outside of the file: %+v", d, d.Span)
			}
		}
	})
}
