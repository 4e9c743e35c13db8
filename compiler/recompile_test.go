package compiler_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	glm "github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/models"
)

// TestRecompile: a plan holds what it was compiled from, and compiled again it is the same, byte for byte.
func TestRecompile(t *testing.T) {
	data, err := os.ReadFile("../testdata/configs/glm-4.5-air.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse("some/where/config.json", data)
	if err != nil {
		t.Fatal(err)
	}
	src := []byte(`import glm4_moe from "glmc:glm4moe/model.glm"
pipeline mine for glm4_moe { target h200 { tensor_parallel = 8 } decode { capture = [1, 4] } }
`)
	program, list := glm.Load("dir/mine.glm", src, models.Open)
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	r, list, err := compiler.Compile(program.Root, compiler.Options{Pipeline: "mine", TensorParallel: 4, Config: doc, Stored: dtype.F16,
		Set: map[string]string{"prefill.chunk": "64", "num_hidden_layers": "3"}, Disable: []string{"fuse_route"}, StopAfter: "quantise",
		Device: func(target string) (*cost.Device, error) {
			d := *cost.Devices[target]
			d.Source, d.Bandwidth = "measured", 1.5e12
			return &d, nil
		}})
	if err != nil {
		t.Fatal(err, list.Err())
	}
	file, err := r.Plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	again, list, err := compiler.Recompile(&p.Source, nil)
	if err != nil {
		t.Fatal(err, list.Err())
	}
	if second, err := again.Plan.Encode(); err != nil || !bytes.Equal(file, second) {
		t.Errorf("compiled again it is another plan (%v)", err)
	}
	other, _, err := compiler.Recompile(&p.Source, func(o *compiler.Options) { o.StopAfter = "" })
	if err != nil || len(other.Passes) <= len(again.Passes) {
		t.Errorf("with other options: %v", err)
	}
	other, _, err = compiler.Recompile(&p.Source, func(o *compiler.Options) { o.Pipeline, o.Target = "", "h100" })
	if err != nil || other.Plan.Source.Device.Source != cost.Builtin {
		t.Errorf("for another device: %v", err)
	}
	if text := p.Source.Text("glmc:glm4moe/model.glm"); text == "" || p.Source.Text("none.glm") != "" {
		t.Errorf("the imported file has the text %q", text)
	}
}

// TestRecompileFailures: a source is as little trusted as the plan around it.
func TestRecompileFailures(t *testing.T) {
	if _, _, err := compiler.Recompile(&plan.Source{}, nil); !errors.Is(err, compiler.ErrNoSource) {
		t.Errorf("no source: got error %v", err)
	}
	broken := &plan.Source{Files: []plan.SourceFile{{Name: "a.glm", Text: "model {"}}}
	if _, list, err := compiler.Recompile(broken, nil); !errors.Is(err, compiler.ErrDiagnostics) || !list.HasErrors() {
		t.Errorf("a syntax error: got error %v", err)
	}
	missing := &plan.Source{Files: []plan.SourceFile{{Name: "a.glm", Text: `import m from "b.glm"`}}}
	if _, list, err := compiler.Recompile(missing, nil); !errors.Is(err, compiler.ErrDiagnostics) || !list.HasErrors() {
		t.Errorf("a missing file: got error %v", err)
	}
	missing.Config = plan.SourceFile{Name: "config.json", Text: "["}
	if _, _, err := compiler.Recompile(missing, nil); err == nil {
		t.Error("a broken configuration is taken")
	}
}
