package diff

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/align"
	"github.com/glmc/glmc/compiler/ir"
)

// match is one operator on both sides, nil where a side lacks it.
type match struct {
	layer  layerPair
	a, b   *ir.Node
	ia, ib int // places in the programs
}

// matchNodes pairs the operators of an entry, layer by layer: first those that are alike in everything that they are
// matched by, then between these the ones that stand elsewhere in the source, because lines were added to the file,
// then those that take other weights. Each step takes a longest common subsequence.
func (c *comparison) matchNodes(e *entry) []match {
	type layerNodes struct{ a, b []located }
	layers := make([]layerNodes, len(e.layers.list))
	for i, n := range nodes(e.a) {
		l := &layers[e.layers.a[n.Origin.Layer]]
		l.a = append(l.a, c.locate(n, i, c.sources.a))
	}
	for i, n := range nodes(e.b) {
		l := &layers[e.layers.b[n.Origin.Layer]]
		l.b = append(l.b, c.locate(n, i, c.sources.b))
	}
	var out []match
	for i, l := range layers {
		for _, p := range alignNodes(l.a, l.b) {
			m := match{layer: e.layers.list[i]}
			if p.A >= 0 {
				m.a, m.ia = l.a[p.A].node, l.a[p.A].at
			}
			if p.B >= 0 {
				m.b, m.ib = l.b[p.B].node, l.b[p.B].at
			}
			out = append(out, m)
		}
	}
	return out
}

// located is an operator with its place in the program and the keys that it is matched by, the strictest first.
type located struct {
	node *ir.Node
	at   int
	keys [3]string
}

func (c *comparison) locate(n *ir.Node, at int, file string) located {
	path := n.Op.Name + "\x00" + generic(n.Origin.Path)
	var weights strings.Builder
	for _, v := range n.In {
		if v != nil && v.Weight != nil {
			fmt.Fprintf(&weights, "\x00%x", c.stored.digest(v.Weight))
		}
	}
	loose := path + weights.String()
	return located{n, at, [3]string{loose + "\x00\x00" + place(file, n.Origin.Source), loose, path}}
}

// alignNodes pairs two lists and keeps the order of both: at every place first what only A has, then what only B has.
// A place without a partner is paired with -1.
func alignNodes(a, b []located) []align.Pair { return alignBy(nil, a, b, align.Pair{}, 0) }

// alignBy aligns two parts of lists, which begin at from, by the keys from strictness on.
func alignBy(out []align.Pair, a, b []located, from align.Pair, strictness int) []align.Pair {
	if strictness == len(located{}.keys) || len(a) == 0 || len(b) == 0 {
		for i := range a {
			out = append(out, align.Pair{A: from.A + i, B: -1})
		}
		for i := range b {
			out = append(out, align.Pair{A: -1, B: from.B + i})
		}
		return out
	}
	var last align.Pair
	for _, p := range align.Common(keys(a, strictness), keys(b, strictness)) {
		out = alignBy(out, a[last.A:p.A], b[last.B:p.B], align.Pair{A: from.A + last.A, B: from.B + last.B}, strictness+1)
		out = append(out, align.Pair{A: from.A + p.A, B: from.B + p.B})
		last = align.Pair{A: p.A + 1, B: p.B + 1}
	}
	return alignBy(out, a[last.A:], b[last.B:], align.Pair{A: from.A + last.A, B: from.B + last.B}, strictness+1)
}

func keys(list []located, strictness int) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.keys[strictness]
	}
	return out
}
