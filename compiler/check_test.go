package compiler

import (
	"os"
	"strings"
	"testing"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/synth"
)

func TestCheckDiagnostics(t *testing.T) {
	seen := diagtest.Seen{}
	diagtest.Dir(t, "testdata/check", seen, func(name string, src []byte) *diag.List {
		f, list := syntax.Parse(name, src)
		if list.HasErrors() {
			t.Fatal(list.Err())
		}
		return Check(f, nil)
	})
	t.Run("pipeline", func(t *testing.T) {
		src := "import glm4_moe as glm from \"glmc:glm4moe/model.glm\"\npipeline p for glm { target h200 { tensor_parallel = 8 } }"
		p, list := source.Load("m.glm", []byte(src), models.Open)
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile("../testdata/configs/glm-4.7-fp8.json")
		if err != nil {
			t.Fatal(err)
		}
		doc, err := config.Parse("config.json", []byte(strings.Replace(string(data), `"float-quantized"`, `"pack-quantized"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		got := Check(p.Root, doc)
		seen.Note(got)
		if err := got.Err(); err == nil || !strings.Contains(err.Error(), "m.glm:2:10: error: pipeline p cannot be compiled: ") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no kernels", func(t *testing.T) {
		src := "import glm4_moe as glm from \"glmc:glm4moe/model.glm\"\npipeline p for glm { target h200 { tensor_parallel = 8 } }"
		p, list := source.Load("m.glm", []byte(src), models.Open)
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
		text, err := synth.Config("tiny", dtype.I8)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := config.Parse("config.json", text)
		if err != nil {
			t.Fatal(err)
		}
		got := Check(p.Root, doc)
		seen.Note(got)
		var b strings.Builder
		_ = diag.Render(&b, got, func(string) []byte { return []byte(src) }, false) // a strings.Builder takes everything
		if got.HasErrors() || !strings.Contains(b.String(), "m.glm:2:29: warning: pipeline p cannot serve this checkpoint: h200 has no kernels for int8 weights: only cpu has [no-kernels]") {
			t.Errorf("got %s", b.String())
		}
	})
	t.Run("every ID", func(t *testing.T) { diagtest.Covered(t, seen, "../docs/language.md") })
}
