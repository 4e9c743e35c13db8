package compiler

import (
	"bytes"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/models"
)

const languagePage = "../docs/language.md"

// fence is an example of the language page: a whole file ("glm"), a part of the page's own model ("glm model"), or a
// pipeline for it ("glm pipeline").
var fence = regexp.MustCompile("(?ms)^```glm( model| pipeline)?\n(.*?)^```$")

type languageExamples struct {
	files            []string
	parts, pipelines string
}

func readExamples(t *testing.T) languageExamples {
	t.Helper()
	page, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	found := fence.FindAllSubmatch(page, -1)
	if n := bytes.Count(page, []byte("```glm")); len(found) != n || n < 10 {
		t.Fatalf("%d of %d examples found", len(found), n)
	}
	var e languageExamples
	for _, m := range found {
		switch string(m[1]) {
		case " model":
			e.parts += string(m[2])
		case " pipeline":
			e.pipelines += string(m[2])
		default:
			e.files = append(e.files, string(m[2]))
		}
	}
	return e
}

// open finds the file that an example imports: one that the binary carries, or the example that declares the blocks.
func (e languageExamples) open(name string) ([]byte, error) {
	if strings.HasPrefix(name, source.Carried) {
		return models.Open(name)
	}
	for _, f := range e.files {
		if path.Base(name) == "blocks.glm" && strings.Contains(f, "block swiglu[") {
			return []byte(f), nil
		}
	}
	return nil, os.ErrNotExist
}

// TestLanguagePage compiles every example of the language page, without a warning.
func TestLanguagePage(t *testing.T) {
	e := readExamples(t)
	whole := "model moe_model {\n" + e.parts + "}\n" + e.pipelines
	for _, src := range append(e.files, whole) {
		p, list := source.Load("page/language.md", []byte(src), e.open)
		if !list.HasErrors() {
			list.Append(Check(p.Root, nil))
		}
		if list.Len() > 0 {
			var out bytes.Buffer
			_ = diag.Render(&out, list, p.Source, false)
			t.Errorf("an example has diagnostics:\n%s", out.String())
		}
	}
	p, list := source.Load("page/language.md", []byte(whole), e.open)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"cpu", "h200"} {
		if _, list, err := Compile(p.Root, Options{Target: target}); err != nil {
			t.Errorf("target %s: %v\n%v", target, err, list.Err())
		}
	}
}

// TestLanguagePageHasAll: the page lists every function with its parameters, and every construct and every setting of
// a pipeline stands in an example.
func TestLanguagePageHasAll(t *testing.T) {
	page, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	for name, fn := range ir.Surfaces() {
		listed := regexp.MustCompile("(?m)^\\| .*`" + name + `\(([^)]*)\)`).FindSubmatch(page)
		if listed == nil {
			t.Errorf("the page does not list the function %s", name)
			continue
		}
		for _, p := range fn.Params {
			if name != "rope" && !regexp.MustCompile(`\b`+p.Name+`\b`).Match(listed[1]) { // rope has a table of its own
				t.Errorf("the page does not list the parameter %s of %s", p.Name, name)
			}
			if !bytes.Contains(page, []byte(p.Name)) {
				t.Errorf("the page has no word of the parameter %s of %s", p.Name, name)
			}
		}
	}
	e := readExamples(t)
	all := e.parts + e.pipelines + strings.Join(e.files, "")
	for _, construct := range []string{
		"config {", "let ", "assert ", "block ", "entry ", "checkpoint {", "alias ", "ignore ", "because ", "when ", "import ", " as mlp",
		" from ", "optional", " or ", "for i in", "if ", "} else if", "then ", "else ", "return ", "_, ", " as [", " at \"", "{e}", "{i}",
		"{rest...}", "[e, 0 .. ", " in dense_layers", "^ -0.5", "ints", "string", "bool", "float", "i32[T]", "f32[T", "[n](x",
		"target ", "weights ", "activations ", "cache ", "prefill ", "decode ", "require ", "transfer ", "draft       mtp", "draft       suffix",
	} {
		if !strings.Contains(all, construct) {
			t.Errorf("no example has %q", construct)
		}
	}
}
