package report

import (
	"fmt"

	"github.com/glmc/glmc/compiler/plan"
)

// Validation says in a line what a plan's evidence shows of the passes that made it: that all of them were validated, or
// why not. The plan must have evidence.
func Validation(p *plan.Plan) string {
	if err := p.Unproven(); err != nil {
		return "not every pass was validated: " + err.Error()
	}
	count := map[string]int{}
	for _, x := range p.Evidence.Proofs {
		count[x.Status]++
	}
	return fmt.Sprintf("every pass was validated: %d proven, %d idle (glmc verify --seed %d)", count[plan.Proven], count[plan.Idle], p.Evidence.Seed)
}
