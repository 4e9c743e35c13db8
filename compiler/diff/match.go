package diff

import (
	"fmt"
	"slices"
	"sort"
	"strings"

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
		for _, p := range align(l.a, l.b) {
			m := match{layer: e.layers.list[i]}
			if p.a >= 0 {
				m.a, m.ia = l.a[p.a].node, l.a[p.a].at
			}
			if p.b >= 0 {
				m.b, m.ib = l.b[p.b].node, l.b[p.b].at
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

// places is a pair of places in two lists, -1 where there is no partner.
type places struct{ a, b int }

// align pairs two lists and keeps the order of both: at every place first what only A has, then what only B has.
func align(a, b []located) []places { return alignBy(nil, a, b, places{}, 0) }

// alignBy aligns two parts of lists, which begin at from, by the keys from strictness on.
func alignBy(out []places, a, b []located, from places, strictness int) []places {
	if strictness == len(located{}.keys) || len(a) == 0 || len(b) == 0 {
		for i := range a {
			out = append(out, places{from.a + i, -1})
		}
		for i := range b {
			out = append(out, places{-1, from.b + i})
		}
		return out
	}
	var last places
	for _, p := range commonSubsequence(keys(a, strictness), keys(b, strictness)) {
		out = alignBy(out, a[last.a:p.a], b[last.b:p.b], places{from.a + last.a, from.b + last.b}, strictness+1)
		out = append(out, places{from.a + p.a, from.b + p.b})
		last = places{p.a + 1, p.b + 1}
	}
	return alignBy(out, a[last.a:], b[last.b:], places{from.a + last.a, from.b + last.b}, strictness+1)
}

func keys(list []located, strictness int) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.keys[strictness]
	}
	return out
}

// commonSubsequence pairs equal keys, rising on both sides. The n-th of several equal keys can only be paired with
// the n-th on the other side, once what is common at the beginning and at the end is set aside; of these pairs it
// takes the longest rising chain. Where keys do not repeat that is the longest common subsequence, in n log n steps
// instead of n². The result does not depend on which list comes first.
func commonSubsequence(a, b []string) []places {
	if slices.Compare(a, b) > 0 { // of several longest chains, the same one for both directions
		out := commonSubsequence(b, a)
		for i, p := range out {
			out[i] = places{p.b, p.a}
		}
		return out
	}
	var out []places
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		out = append(out, places{start, start})
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
	}
	waiting := map[string][]int{}
	for j := start; j < endB; j++ {
		waiting[b[j]] = append(waiting[b[j]], j)
	}
	var pairs []places
	for i := start; i < endA; i++ {
		if w := waiting[a[i]]; len(w) > 0 {
			pairs = append(pairs, places{i, w[0]})
			waiting[a[i]] = w[1:]
		}
	}
	out = append(out, longestRise(pairs)...)
	for i := range len(a) - endA {
		out = append(out, places{endA + i, endB + i})
	}
	return out
}

// longestRise is the longest part of a list, which rises in a, that also rises in b.
func longestRise(pairs []places) []places {
	var tails []int // the pair with the smallest b that ends a chain of each length
	previous := make([]int, len(pairs))
	for i, p := range pairs {
		n := sort.Search(len(tails), func(k int) bool { return pairs[tails[k]].b >= p.b })
		previous[i] = -1
		if n > 0 {
			previous[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]places, len(tails))
	for n, i := len(tails)-1, tails[len(tails)-1]; n >= 0; n, i = n-1, previous[i] {
		out[n] = pairs[i]
	}
	return out
}
