package main

import (
	"os"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
)

// TestRecompiledPlanThatDiffers: a plan whose source compiles to something else is inspected all the same, and the
// reader is told.
func TestRecompiledPlanThatDiffers(t *testing.T) {
	m, err := readModel("glmc:glm4moe/model.glm")
	if err != nil {
		t.Fatal(err)
	}
	f := &compileFlags{set: []string{"num_hidden_layers=2"}}
	r, err := m.compileNamed(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, disabled := range [][]string{nil, {"fuse_swiglu"}} {
		r.Plan.Source.Disabled = disabled
		file, err := r.Plan.Encode()
		if err != nil {
			t.Fatal(err)
		}
		passes := 0
		told := stderrOf(t, func() {
			p, err := modelFile{"some.plan", file}.decodeAndRecompile(&compileFlags{}, func(o *compiler.Options) {
				o.Observe = func(string, *ir.Module) { passes++ }
			})
			if err != nil || p.Module.String() != r.Plan.Module.String() {
				t.Errorf("without %v: not the plan of the file (%v)", disabled, err)
			}
		})
		if passes < 2 {
			t.Errorf("without %v: %d passes were observed", disabled, passes)
		}
		if strings.HasPrefix(told, "some.plan was compiled by another glmc") != (disabled != nil) {
			t.Errorf("without %v: %q", disabled, told)
		}
	}
}

// stderrOf returns what a function writes to stderr.
func stderrOf(t *testing.T, run func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = old }()
	run()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
