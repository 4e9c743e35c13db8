package compiler_test

import (
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
)

// TestRemarks: a pass says nothing twice of one site, says where it is, and says only what its row lists.
func TestRemarks(t *testing.T) {
	type declared struct {
		id      string
		applied bool
	}
	known := map[declared]bool{}
	for _, p := range passes.Table {
		for _, k := range p.Remarks {
			known[declared{p.Name + "." + k.ID, k.Applied}] = true
		}
	}
	f := sourceFile(t, glm4moe)
	for _, c := range published {
		for _, target := range []string{"cpu", "h200"} {
			r := compile(t, f, compiler.Options{Target: target, Config: configFile(t, "../testdata/configs/"+c.name+".json")})
			seen := map[plan.Remark]bool{}
			for _, k := range r.Plan.Remarks {
				if seen[k] {
					t.Errorf("%s, %s: %s is said twice: %+v", c.name, target, k.ID, k)
				}
				seen[k] = true
				if !known[declared{k.ID, k.Applied}] {
					t.Errorf("%s, %s: no row lists %s", c.name, target, k.ID)
				}
				if k.Layer >= 0 && (k.Source == "" || k.End == "") {
					t.Errorf("%s, %s: %s has no place: %+v", c.name, target, k.ID, k)
				}
			}
		}
	}
}
