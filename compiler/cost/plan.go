package cost

import (
	"fmt"

	"github.com/glmc/glmc/compiler/plan"
)

// OfPlan is the target of a plan, with the figures that it was made with. Plans that name none are priced with those of
// their device today. An error says which figure of the plan makes no sense.
func OfPlan(p *plan.Plan) (Target, error) {
	t := Target{Device: Devices[p.Target], Ranks: p.Module.Ranks, Cache: p.Cache.DType, Fast: p.Serving.Precision == plan.Fast}
	if p.Source.Device.Source != "" {
		d, err := FromFigures(p.Target, p.Source.Device.Source, p.Source.Device.Figures)
		if err != nil {
			return Target{}, fmt.Errorf("the plan's figures: %w", err)
		}
		t.Device = d
	}
	if t.Device == nil {
		return Target{}, fmt.Errorf("the plan is for target %q and has no figures of it; this glmc knows %v", p.Target, Names())
	}
	return t, nil
}
