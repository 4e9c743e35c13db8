package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
)

// Status is the verdict on a pass.
type Status string

const (
	Proven    Status = "proven"    // both sides computed the same
	Idle      Status = "idle"      // the pass changed nothing that is executed, in the small model as in the large one
	Disabled  Status = "disabled"  // it did not run
	Uncovered Status = "uncovered" // it changed the large model and not the small one
	Wrong     Status = "wrong"     // the two sides differ
)

// Result is the verdict on one pass.
type Result struct {
	Pass    *passes.Pass
	Status  Status
	Outcome Outcome // of Proven and Wrong
}

// Report is what the validation of a compilation found.
type Report struct {
	Model, Target string
	Ranks         int
	Seed          uint64
	Config        string   // integers of the configuration that were made small: "KEY=VALUE KEY=VALUE"
	Lost          []string // what the passes had to say about the large model, and not about the small one
	Results       []Result // of every pass of the table, in order
}

// Failed returns the first pass that is wrong, or nil.
func (r *Report) Failed() *Result {
	for i := range r.Results {
		if r.Results[i].Status == Wrong {
			return &r.Results[i]
		}
	}
	return nil
}

// Verify validates every pass that the subject's compilation runs, up to the first that is wrong. An error says that it
// could not be done; that a pass is wrong stands in the report.
func Verify(ctx context.Context, s Subject, seed uint64) (*Report, error) {
	s.ctx = ctx
	large, err := s.compile(false)
	if err != nil {
		return nil, err
	}
	small, err := shrink(s, large)
	if err != nil {
		return nil, err
	}
	return small.verify(ctx, large, seed)
}

// verify validates the passes on the small model.
func (s *shrunken) verify(ctx context.Context, large *compiled, seed uint64) (*Report, error) {
	r := &Report{Model: large.Plan.Model, Target: large.Plan.Target, Ranks: large.Plan.Module.Ranks, Seed: seed, Config: s.String(), Lost: s.lost}
	var err error
	if r.Results, err = s.result.validate(ctx, seed); err != nil {
		return nil, err
	}
	for i, x := range r.Results {
		if x.Status == Idle && large.changed[x.Pass.Name] {
			r.Results[i].Status = Uncovered
		}
	}
	return r, nil
}

// validate compares the module before and behind each pass that ran, up to the first that is wrong: what follows is
// built on it.
func (c *compiled) validate(ctx context.Context, seed uint64) ([]Result, error) {
	checker := NewChecker(c.lowered, seed)
	before := c.lowered
	var results []Result
	for _, ran := range c.Passes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ran.Disabled {
			results = append(results, Result{Pass: ran.Pass, Status: Disabled})
			continue
		}
		after, err := c.behind(ran.Pass.Name)
		if err != nil {
			return nil, err
		}
		r, err := checker.pass(ran.Pass, before, after)
		if err == nil && len(ran.Programs) > 0 {
			r, err = checker.placed(ran.Pass, c.Plan)
		}
		if err != nil {
			return nil, err
		}
		results = append(results, r)
		if r.Status == Wrong {
			break
		}
		before = after
	}
	return results, nil
}

// behind is the module behind a pass.
func (c *compiled) behind(pass string) (*ir.Module, error) {
	i := slices.IndexFunc(c.texts, func(s snapshot) bool { return s.pass == pass })
	if i < 0 {
		return nil, fmt.Errorf("pass %s ran and nobody saw it", pass)
	}
	return ir.Parse(c.texts[i].text)
}

// pass compares the module before and after a pass.
func (c *Checker) pass(p *passes.Pass, before, after *ir.Module) (Result, error) {
	if before.String() == after.String() {
		return Result{Pass: p, Status: Idle}, nil
	}
	out, err := c.Compare(before, after, p.Numeric)
	if err != nil {
		return Result{}, fmt.Errorf("pass %s: %w", p.Name, err)
	}
	status := Proven
	if out.Wrong != "" {
		status = Wrong
	}
	return Result{Pass: p, Status: status, Outcome: out}, nil
}
