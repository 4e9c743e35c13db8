package plan_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler/plan"
)

// proven is a small plan with evidence for each of its passes.
func proven(t *testing.T) *plan.Plan {
	t.Helper()
	p := small(t)
	p.Passes = []plan.Pass{{Name: "a", Applied: 2, NodesBefore: 9, NodesAfter: 7}, {Name: "b", NodesBefore: 7, NodesAfter: 7}, {Name: "c", Disabled: true}}
	p.Remarks = nil
	p.Evidence = &plan.Evidence{Seed: 3, Config: "hidden_size=8", Proofs: []plan.Proof{
		{Pass: "a", Status: plan.Proven, Cases: 4, MaxError: 1e-7, Bound: 1e-5}, {Pass: "b", Status: plan.Idle}, {Pass: "c", Status: plan.Disabled}}}
	return p
}

func TestEvidenceRoundTrip(t *testing.T) { checkRoundTrip(t, proven(t)) }

func TestUnproven(t *testing.T) {
	for _, c := range []struct {
		change func(p *plan.Plan)
		want   string
	}{
		{func(*plan.Plan) {}, "<nil>"},
		{func(p *plan.Plan) { p.Evidence = nil }, plan.ErrNoEvidence.Error()},
		{func(p *plan.Plan) { p.Evidence.Proofs = p.Evidence.Proofs[1:] }, "the plan has no evidence for pass a"},
		{func(p *plan.Plan) { p.Evidence.Proofs[0].Status = plan.Uncovered }, "the plan has no evidence for pass a: it is uncovered there"},
		{func(p *plan.Plan) { p.Passes[2].Disabled = false }, "the plan has no evidence for pass c: it is disabled there"},
		{func(p *plan.Plan) { p.Evidence.Proofs[0].Status = plan.Idle }, "the plan has no evidence for pass a: what was validated is that it does nothing"},
		{func(p *plan.Plan) { p.Evidence.Lost = []string{"x", "y"} }, "the evidence is about a model that lacks 2 things of this one, such as: x"},
	} {
		p := proven(t)
		c.change(p)
		if got := fmt.Sprint(p.Unproven()); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestEvidenceErrors(t *testing.T) {
	for _, c := range []struct {
		change func(e *plan.Evidence)
		want   string
	}{
		{func(e *plan.Evidence) { e.Proofs[0].Status = "wrong" }, `evidence for pass a: the status is "wrong": wants one of [proven idle disabled uncovered]`},
		{func(e *plan.Evidence) { e.Proofs[0].MaxError = 1 }, "evidence for pass a: an error of 1 within 1e-05"},
		{func(e *plan.Evidence) { e.Proofs[0].Bound = math.NaN() }, "evidence for pass a: an error of 1e-07 within NaN"},
		{func(e *plan.Evidence) { e.Proofs[0].Bound = math.Inf(1) }, "evidence for pass a: an error of 1e-07 within +Inf"},
		{func(e *plan.Evidence) { e.Proofs[0].Cases = 0 }, "evidence for pass a: proven in 0 cases"},
		{func(e *plan.Evidence) { e.Proofs[1] = e.Proofs[0] }, "evidence for pass a stands there twice"},
		{func(e *plan.Evidence) { e.Proofs[1].Pass = "z" }, "evidence names pass 4294967295 of 3"},
		{func(e *plan.Evidence) { e.Config = strings.Repeat("x", 1<<17) }, "the evidence is too long"},
		{func(e *plan.Evidence) { e.Lost = make([]string, 1<<13) }, "the evidence is too long"},
	} {
		p := proven(t)
		c.change(p.Evidence)
		file, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = plan.Decode(file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
