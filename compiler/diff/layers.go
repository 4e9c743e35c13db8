package diff

import (
	"slices"
	"strconv"

	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/plan"
)

// layerPairs says which layer of A is which of B.
type layerPairs struct {
	list []layerPair // ascending
	a, b map[int]int // from a layer to its place in list
}

// layerPair is one layer, or what stands outside of the layers, on both sides.
type layerPair struct {
	a, b     int
	inA, inB bool
}

// pairLayers pairs layers of one number, and then those that are left in their order: the MTP layer of a model
// with 92 layers is number 92, and that of one with 46 is number 46. Both lists ascend.
func pairLayers(a, b []int) layerPairs {
	p := layerPairs{a: map[int]int{}, b: map[int]int{}}
	inA, inB := setOf(a), setOf(b)
	var left []int // of A
	for _, n := range a {
		switch {
		case inB[n]:
			p.list = append(p.list, layerPair{n, n, true, true})
		case n < 0: // what is outside of the layers is no layer
			p.list = append(p.list, layerPair{a: n, inA: true})
		default:
			left = append(left, n)
		}
	}
	for _, n := range b {
		switch {
		case inA[n]:
		case n >= 0 && len(left) > 0:
			p.list = append(p.list, layerPair{left[0], n, true, true})
			left = left[1:]
		default:
			p.list = append(p.list, layerPair{b: n, inB: true})
		}
	}
	for _, n := range left {
		p.list = append(p.list, layerPair{a: n, inA: true})
	}
	slices.SortFunc(p.list, func(x, y layerPair) int { return x.order() - y.order() })
	for i, x := range p.list {
		if x.inA {
			p.a[x.a] = i
		}
		if x.inB {
			p.b[x.b] = i
		}
	}
	return p
}

func setOf(list []int) map[int]bool {
	set := make(map[int]bool, len(list))
	for _, n := range list {
		set[n] = true
	}
	return set
}

// order is where a pair stands in the list, whichever side is A.
func (p layerPair) order() int {
	switch {
	case !p.inA:
		return p.b
	case !p.inB:
		return p.a
	}
	return max(p.a, p.b)
}

// layersOf lists the layers of a program, ascending.
func layersOf(p *plan.Program) []int {
	var out []int
	for _, n := range nodes(p) {
		out = append(out, n.Origin.Layer)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sameName reports whether two names are one but for layers that belong together.
func (e *entry) sameName(a, b string) bool {
	if a == b {
		return true
	}
	x, layerA := layers.Generic(a)
	y, layerB := layers.Generic(b)
	return x == y && e.layers.paired(layerA, layerB)
}

// paired reports whether two layers, as they stand in names, belong together.
func (p *layerPairs) paired(a, b string) bool {
	na, errA := strconv.Atoi(a)
	nb, errB := strconv.Atoi(b)
	if errA != nil || errB != nil {
		return a == b
	}
	i, okA := p.a[na]
	j, okB := p.b[nb]
	return okA && okB && i == j
}
