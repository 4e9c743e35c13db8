package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/glmc/glmc/compiler/plan/planpb"
)

// Evidence is what the validation of the passes found (package compiler/verify): the module before and behind each
// one, executed on random inputs.
type Evidence struct {
	Seed   uint64   // of weights and inputs
	Config string   // integers of the configuration that were made small: "KEY=VALUE KEY=VALUE"
	Proofs []Proof  // at most one for each pass
	Lost   []string // what passes had to say about this model, and not about the small one
}

// Proof is the verdict on one pass. One that is wrong is never part of a plan.
type Proof struct {
	Pass            string
	Status          string // one of ProofStatuses
	Cases           int    // results and caches that were compared
	MaxError, Bound float64
}

// What can be said of a pass: both sides computed the same; it changed nothing; it did not run; it changed this model
// and not the small one.
const (
	Proven    = "proven"
	Idle      = "idle"
	Disabled  = "disabled"
	Uncovered = "uncovered"
)

// ProofStatuses are all statuses that a plan can have.
var ProofStatuses = []string{Proven, Idle, Disabled, Uncovered}

// Bounds on what evidence may say.
const (
	maxLost     = 1 << 12
	maxLostText = 1 << 16
)

// ErrNoEvidence says that the passes of a plan were not validated.
var ErrNoEvidence = errors.New("the plan has no evidence that its passes are right: compile it with --verify, or see what glmc verify says of it")

// Unproven says why a plan has no complete evidence for the passes that made it, or returns nil where it has:
// a proof for each pass that ran, and nothing of what passes said about the model lost in the small one.
//
// Evidence says what the compiler found, not who wrote the file: it protects from a wrong pass, and not from a
// forged plan.
func (p *Plan) Unproven() error {
	if p.Evidence == nil {
		return ErrNoEvidence
	}
	for _, ran := range p.Passes {
		if ran.Disabled {
			continue
		}
		i := slices.IndexFunc(p.Evidence.Proofs, func(x Proof) bool { return x.Pass == ran.Name })
		switch {
		case i < 0:
			return fmt.Errorf("the plan has no evidence for pass %s", ran.Name)
		case p.Evidence.Proofs[i].Status == Uncovered || p.Evidence.Proofs[i].Status == Disabled:
			return fmt.Errorf("the plan has no evidence for pass %s: it is %s there", ran.Name, p.Evidence.Proofs[i].Status)
		case p.Evidence.Proofs[i].Status == Idle && ran.NodesBefore != ran.NodesAfter:
			return fmt.Errorf("the plan has no evidence for pass %s: what was validated is that it does nothing", ran.Name)
		}
	}
	if n := len(p.Evidence.Lost); n > 0 {
		return fmt.Errorf("the evidence is about a model that lacks %d things of this one, such as: %s", n, p.Evidence.Lost[0])
	}
	return nil
}

func wireEvidence(p *Plan) *planpb.Evidence {
	if p.Evidence == nil {
		return nil
	}
	out := &planpb.Evidence{Seed: p.Evidence.Seed, Config: p.Evidence.Config, Lost: p.Evidence.Lost}
	for _, x := range p.Evidence.Proofs {
		i := slices.IndexFunc(p.Passes, func(ran Pass) bool { return ran.Name == x.Pass })
		out.Proofs = append(out.Proofs, &planpb.Proof{Pass: uint32(i), Status: x.Status, Cases: uint32(x.Cases), MaxError: x.MaxError, Bound: x.Bound})
	}
	return out
}

func (d *decoder) evidence() error {
	w := d.pb.Evidence
	if w == nil {
		return nil
	}
	if len(w.Config) > maxLostText || len(w.Lost) > maxLost || slices.ContainsFunc(w.Lost, func(s string) bool { return len(s) > maxLostText }) {
		return errors.New("the evidence is too long")
	}
	out := &Evidence{Seed: w.Seed, Config: w.Config, Lost: w.Lost}
	for _, x := range w.Proofs {
		if int64(x.GetPass()) >= int64(len(d.plan.Passes)) {
			return fmt.Errorf("evidence names pass %d of %d", x.GetPass(), len(d.plan.Passes))
		}
		p := Proof{Pass: d.plan.Passes[x.Pass].Name, Status: x.Status, Cases: int(x.Cases), MaxError: x.MaxError, Bound: x.Bound}
		if err := p.check(); err != nil {
			return fmt.Errorf("evidence for pass %s: %w", p.Pass, err)
		}
		if slices.ContainsFunc(out.Proofs, func(y Proof) bool { return y.Pass == p.Pass }) {
			return fmt.Errorf("evidence for pass %s stands there twice", p.Pass)
		}
		out.Proofs = append(out.Proofs, p)
	}
	d.plan.Evidence = out
	return nil
}

func (p *Proof) check() error {
	finite := func(x float64) bool { return x >= 0 && x <= math.MaxFloat64 }
	switch {
	case !slices.Contains(ProofStatuses, p.Status):
		return fmt.Errorf("the status is %q: wants one of %v", p.Status, ProofStatuses)
	case !finite(p.MaxError) || !finite(p.Bound) || p.MaxError > p.Bound:
		return fmt.Errorf("an error of %g within %g", p.MaxError, p.Bound)
	case (p.Status == Proven) != (p.Cases > 0):
		return fmt.Errorf("%s in %d cases", p.Status, p.Cases)
	}
	return nil
}
