package grammar

import (
	"slices"
	"strings"
)

// texts is the automaton of some texts, as a tree.
func texts(list []string) *dfa {
	d := newTree(list)
	d.findPlain()
	return d
}

func newTree(list []string) *dfa {
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	d := &dfa{edges: [][]edge{nil}, accept: []bool{false}}
	for _, text := range list {
		state := int32(0)
		for i := range len(text) {
			// Texts are in order, so the branch is the last edge or not there yet.
			list := d.edges[state]
			if n := len(list); n > 0 && list[n-1].lo == text[i] {
				state = list[n-1].to
				continue
			}
			to := int32(len(d.edges))
			d.edges[state] = append(list, edge{span{text[i], text[i]}, to})
			d.edges = append(d.edges, nil)
			d.accept = append(d.accept, false)
			state = to
		}
		d.accept[state] = true
	}
	return d
}

// complement is the automaton of all sequences of bytes that another does not take.
func complement(d *dfa) *dfa {
	off := int32(len(d.edges))
	out := &dfa{}
	for s, list := range d.edges {
		out.accept = append(out.accept, !d.accept[s])
		out.edges = append(out.edges, fill(list, func(byte) int32 { return off }))
	}
	out.edges = append(out.edges, []edge{{span{0, 255}, off}})
	out.accept = append(out.accept, true)
	return out
}

// fill adds edges for the bytes that have none. Where they lead is at least 0.
func fill(list []edge, to func(byte) int32) []edge {
	var out []edge
	i := 0
	for b := 0; b < 256; b++ {
		if i < len(list) && list[i].lo == byte(b) {
			out = appendEdge(out, list[i])
			b = int(list[i].hi)
			i++
			continue
		}
		if t := to(byte(b)); t >= 0 {
			out = appendEdge(out, edge{span{byte(b), byte(b)}, t})
		}
	}
	return out
}

// without is the automaton of UTF-8 texts in which none of some texts occurs (Aho and Corasick's). None of them may begin in
// another.
func without(list ...string) *dfa {
	tree := newTree(list)
	prefixes := make([]string, len(tree.edges)) // the text that leads to a state
	for s, edges := range tree.edges {
		for _, e := range edges {
			prefixes[e.to] = prefixes[s] + string([]byte{e.lo})
		}
	}
	d := &dfa{edges: make([][]edge, len(tree.edges)), accept: make([]bool, len(tree.edges))}
	for s := range tree.edges {
		d.accept[s] = !tree.accept[s]
		if tree.accept[s] {
			continue
		}
		d.edges[s] = fill(nil, func(b byte) int32 {
			// The longest end of what was read that may begin one of the texts.
			read := prefixes[s] + string([]byte{b})
			for !slices.Contains(prefixes, read) {
				read = read[1:]
			}
			to := int32(slices.Index(prefixes, read))
			if tree.accept[to] {
				return -1
			}
			return to
		})
	}
	d, err := intersect(d, sharedExpression(anyText, asText), newBudget())
	if err != nil || d == nil {
		panic("grammar: the automaton of texts without " + strings.Join(list, ", ") + " does not compile")
	}
	return d
}
