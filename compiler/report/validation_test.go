package report

import (
	"testing"

	"github.com/glmc/glmc/compiler/plan"
)

func TestValidation(t *testing.T) {
	passes := []plan.Pass{{Name: "fuse", Applied: 2, NodesBefore: 9, NodesAfter: 7}, {Name: "share", NodesBefore: 7, NodesAfter: 7}}
	for _, tt := range []struct {
		name     string
		evidence plan.Evidence
		want     string
	}{
		{"all", plan.Evidence{Seed: 7, Proofs: []plan.Proof{{Pass: "fuse", Status: plan.Proven, Cases: 4}, {Pass: "share", Status: plan.Idle}}},
			"every pass was validated: 1 proven, 1 idle (glmc verify --seed 7)"},
		{"one is missing", plan.Evidence{Proofs: []plan.Proof{{Pass: "fuse", Status: plan.Proven, Cases: 4}}},
			"not every pass was validated: the plan has no evidence for pass share"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Validation(&plan.Plan{Passes: passes, Evidence: &tt.evidence}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
