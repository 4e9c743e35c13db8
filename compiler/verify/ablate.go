package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/passes"
)

// Ablation is one compilation with a random subset of the passes in a random legal order.
type Ablation struct {
	Order    []string // of the passes that ran
	Outcome  Outcome
	Disabled []string
}

// String lists the passes that ran.
func (a *Ablation) String() string { return strings.Join(a.Order, ", ") }

// Ablate compiles a subject count times with random subsets of the passes in random legal orders, and holds each result
// against the module as it was lowered, in the loosest class of the passes that did something. It returns what it
// did, and ends with the first that is wrong. The subject is executed as it is: Small makes one small.
func Ablate(ctx context.Context, s Subject, seed uint64, count int) ([]Ablation, error) {
	rng := rand.New(rand.NewPCG(seed, 4))
	s.Options.IgnoreRequire = true
	var all []Ablation
	for range count {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		one, err := ablate(s, seed, rng)
		if err != nil {
			return all, err
		}
		all = append(all, *one)
		if one.Outcome.Wrong != "" {
			break
		}
	}
	return all, nil
}

func ablate(s Subject, seed uint64, rng *rand.Rand) (*Ablation, error) {
	a := &Ablation{Disabled: slices.Clone(s.Options.Disable)}
	s.Options.Table = passes.LegalOrder(rng.IntN)
	for _, p := range s.Options.Table {
		if rng.IntN(2) == 0 && !slices.Contains(a.Disabled, p.Name) {
			a.Disabled = append(a.Disabled, p.Name)
		}
	}
	s.Options.Disable = a.Disabled
	class := passes.Exact
	r, err := s.compile(true)
	if err != nil {
		return nil, fmt.Errorf("in the order %s without %s: %w", strings.Join(tableNames(s.Options.Table), ", "), strings.Join(a.Disabled, ", "), err)
	}
	for _, p := range r.Passes {
		if p.Disabled {
			continue
		}
		a.Order = append(a.Order, p.Pass.Name)
		if r.changed[p.Pass.Name] {
			class = looser(class, p.Pass.Numeric)
		}
	}
	after := r.lowered
	if len(a.Order) > 0 {
		if after, err = r.behind(a.Order[len(a.Order)-1]); err != nil {
			return nil, err
		}
	}
	a.Outcome, err = NewChecker(r.lowered, seed).Compare(r.lowered, after, class)
	return a, err
}

func tableNames(table []*passes.Pass) []string {
	names := make([]string, len(table))
	for i, p := range table {
		names[i] = p.Name
	}
	return names
}

// looser is the class that allows more.
func looser(a, b passes.Numeric) passes.Numeric {
	order := []passes.Numeric{passes.Exact, passes.Reassociates, passes.ChangesDType}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// Small is a subject with the integers of its configuration made small, as Verify executes it.
func Small(s Subject) (Subject, error) {
	large, err := s.compile(false)
	if err != nil {
		return s, err
	}
	small, err := shrink(s, large)
	if err != nil {
		return s, err
	}
	return small.subject.with(small.set()), nil
}
