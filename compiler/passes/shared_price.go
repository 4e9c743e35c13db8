package passes

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
)

// Priced begins the part of a remark's reason that says what the alternatives cost; "on" and the device follow.
const Priced = "; predicted"

// price says whether folding count shared experts into a layer's routed ones pays, and what it and its rivals
// take: "predicted on h200: folded 98.1 µs, overlapped 99.4 µs, apart 108 µs at decode 64; ...". The text is empty, and
// folding pays, where there is no device to price for or no step size.
//
// The rival is the shared experts on a second stream where overlap_shared_expert is going to run, and else behind the
// routed ones. Every bucket of every entry counts the same: folding pays where the geometric mean of the ratios of its
// price to the rival's is at most sharedMargin. So a tenth of decode 1 weighs as much as a tenth of prefill, though it is a thousand
// times shorter: a server spends its time in all of them, and nobody knows here in which shares.
func (f *sharedFold) price(experts *ir.Node, count int) (sharedVerdict, error) {
	if f.c.Options.Device == nil {
		return sharedVerdict{pays: true}, nil
	}
	x := f.c.expertsOf(f.g, experts, count)
	if v, ok := f.priced[x]; ok { // layers are alike
		return v, nil
	}
	v, err := f.c.priceShared(f.g, x)
	f.priced[x] = v
	return v, err
}

// sharedMargin is by how much a rival has to be faster before folding does not pay: a roofline does not tell a percent
// more or less, and the price of two streams is that of a device on which they share memory and arithmetic perfectly.
const sharedMargin = 1.02

// sharedVerdict is what price found out about a layer.
type sharedVerdict struct {
	text string
	pays bool
}

func (c *Context) priceShared(g *ir.Graph, x cost.Experts) (sharedVerdict, error) {
	t := c.target()
	var sizes []ir.Bucket
	for _, h := range c.Module.Graphs {
		sizes = append(sizes, h.Buckets...)
	}
	if len(sizes) == 0 {
		return sharedVerdict{pays: true}, nil
	}
	overlaps := slices.ContainsFunc(c.later, func(p *Pass) bool { return p.Name == "overlap_shared_expert" })
	ratio := 1.0
	for _, b := range sizes {
		p, err := cost.SharedExpert(x, b.Max, t)
		if err != nil {
			return sharedVerdict{}, err
		}
		rival := p.Apart
		if overlaps {
			rival = min(p.Overlapped, p.Apart)
		}
		ratio *= p.Folded / rival
	}
	text, err := sharedText(x, g, t)
	return sharedVerdict{text, math.Pow(ratio, 1/float64(len(sizes))) <= sharedMargin}, err
}

// expertsOf describes experts as one rank will hold them: split and quantised.
func (c *Context) expertsOf(g *ir.Graph, experts *ir.Node, count int) cost.Experts {
	p := &pricer{Context: c, graph: g}
	own := p.share(experts, c.before[g])
	gate := own.Arg("gate").Weight
	x := cost.Experts{Hidden: gate.Shape[2], Width: gate.Shape[1], Count: gate.Shape[0], Shared: count,
		TopK: own.Arg("ids").Type.Shape[1].Add, Weights: gate.DType, Activations: own.Arg("x").Type.DType}
	if own.Attrs.Str("act") != "" {
		x.Rows = gate.DType
	}
	return x
}

// sharedText is the prices at the largest step of each phase.
func sharedText(x cost.Experts, g *ir.Graph, t cost.Target) (string, error) {
	var parts []string
	for _, phase := range []string{ir.Decode, ir.Prefill} {
		s, ok := largest(g, phase)
		if !ok {
			continue
		}
		p, err := cost.SharedExpert(x, s, t)
		if err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("folded %s, overlapped %s, apart %s at %s %d",
			cost.Text(p.Folded), cost.Text(p.Overlapped), cost.Text(p.Apart), phase, s.Tokens))
	}
	if len(parts) == 0 {
		return "", nil
	}
	return fmt.Sprintf("%s on %s: %s", strings.TrimPrefix(Priced, "; "), t.Name, strings.Join(parts, "; ")), nil
}
