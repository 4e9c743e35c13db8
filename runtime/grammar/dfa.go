package grammar

import "unicode/utf8"

// dfa is a deterministic automaton over bytes. From each of its states a text can be ended. State 0 is the start.
type dfa struct {
	edges  [][]edge // of a state, in the order of their bytes
	accept []bool
	plain  [classes][]bool // states from which any number of characters of the class may come
}

// next is where a byte leads, or -1.
func (d *dfa) next(state int32, b byte) int32 {
	for _, e := range d.edges[state] {
		if b <= e.hi {
			if b >= e.lo {
				return e.to
			}
			return -1
		}
	}
	return -1
}

// match says whether the automaton takes the whole text.
func (d *dfa) match(text string) bool {
	state := int32(0)
	for i := range len(text) {
		if state = d.next(state, text[i]); state < 0 {
			return false
		}
	}
	return d.accept[state]
}

// trim leaves out states from which no text can be ended, and is nil where nothing is left.
func (d *dfa) trim() *dfa {
	live := d.live()
	if !live[0] {
		return nil
	}
	number := make([]int32, len(live))
	out := &dfa{}
	for s, l := range live {
		number[s] = int32(len(out.accept))
		if l {
			out.accept = append(out.accept, d.accept[s])
		}
	}
	for s, l := range live {
		if !l {
			continue
		}
		var list []edge
		for _, e := range d.edges[s] {
			if live[e.to] {
				list = appendEdge(list, edge{e.span, number[e.to]})
			}
		}
		out.edges = append(out.edges, list)
	}
	out.findPlain()
	return out
}

func (d *dfa) live() []bool {
	from := make([][]int32, len(d.accept))
	var todo []int32
	live := make([]bool, len(d.accept))
	for s, list := range d.edges {
		for _, e := range list {
			from[e.to] = append(from[e.to], int32(s))
		}
		if d.accept[s] {
			live[s] = true
			todo = append(todo, int32(s))
		}
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, f := range from[s] {
			if !live[f] {
				live[f] = true
				todo = append(todo, f)
			}
		}
	}
	return live
}

// intersect is the automaton of texts that both take, or nil where there are none.
func intersect(x, y *dfa, b *budget) (*dfa, error) {
	known := map[[2]int32]int32{}
	var pairs [][2]int32
	out := dfa{}
	intern := func(p [2]int32) (int32, error) {
		if id, ok := known[p]; ok {
			return id, nil
		}
		if err := b.state(); err != nil {
			return 0, err
		}
		id := int32(len(pairs))
		known[p] = id
		pairs = append(pairs, p)
		out.accept = append(out.accept, x.accept[p[0]] && y.accept[p[1]])
		return id, nil
	}
	if _, err := intern([2]int32{}); err != nil {
		return nil, err
	}
	for i := 0; i < len(pairs); i++ {
		var list []edge
		for ex, ey := x.edges[pairs[i][0]], y.edges[pairs[i][1]]; len(ex) > 0 && len(ey) > 0; {
			lo, hi := max(ex[0].lo, ey[0].lo), min(ex[0].hi, ey[0].hi)
			if lo <= hi {
				id, err := intern([2]int32{ex[0].to, ey[0].to})
				if err != nil {
					return nil, err
				}
				list = appendEdge(list, edge{span{lo, hi}, id})
			}
			if ex[0].hi <= ey[0].hi {
				ex = ex[1:]
			} else {
				ey = ey[1:]
			}
		}
		out.edges = append(out.edges, list)
	}
	return out.trim(), nil
}

// countedText is the automaton of the texts of least to most characters that another takes; most -1: no bound. Char takes one
// character. It is nil where there are none.
func countedText(d, char *dfa, least, most int32, b *budget) (*dfa, error) {
	type at struct{ state, char, count int32 }
	known := map[at]int32{}
	var all []at
	out := dfa{}
	intern := func(a at) (int32, error) {
		if id, ok := known[a]; ok {
			return id, nil
		}
		if err := b.state(); err != nil {
			return 0, err
		}
		id := int32(len(all))
		known[a] = id
		all = append(all, a)
		out.accept = append(out.accept, d.accept[a.state] && a.char == 0 && a.count >= least)
		return id, nil
	}
	if _, err := intern(at{}); err != nil {
		return nil, err
	}
	for i := 0; i < len(all); i++ {
		var list []edge
		for _, e := range d.edges[all[i].state] {
			for _, f := range char.edges[all[i].char] {
				lo, hi := max(e.lo, f.lo), min(e.hi, f.hi)
				if lo > hi {
					continue
				}
				to := at{e.to, f.to, all[i].count}
				if char.accept[f.to] {
					to.char = 0
					to.count++
				}
				if most < 0 {
					to.count = min(to.count, least)
				} else if to.count > most {
					continue
				}
				id, err := intern(to)
				if err != nil {
					return nil, err
				}
				list = appendEdge(list, edge{span{lo, hi}, id})
			}
		}
		out.edges = append(out.edges, list)
	}
	return out.trim(), nil
}

// findPlain finds the plain states: the largest set of states from which each character of the class leads back into the set. At
// first all states are in it; one is taken out when a character, read byte by byte, is stuck or ends outside.
func (d *dfa) findPlain() {
	for c := range classes {
		in := make([]bool, len(d.edges))
		for s := range in {
			in[s] = len(d.edges[s]) > 0
		}
		// States are mostly numbered along the text, so that backwards one round is enough as a rule. Where it takes many, the
		// answer is not worth them: it saves time and nothing depends on it.
		changed := true
		for round := 0; changed && round < 8; round++ {
			changed = false
			for s := len(in) - 1; s >= 0; s-- {
				if in[s] && !d.takesClass(int32(s), c, in) {
					in[s], changed = false, true
				}
			}
		}
		if changed {
			clear(in)
		}
		d.plain[c] = in
	}
}

func (d *dfa) takesClass(state int32, c class, in []bool) bool {
	for _, spans := range classSpans[c] {
		if !d.takesSpans(state, spans, in) {
			return false
		}
	}
	return true
}

// takesSpans says whether all bytes of the first span can be taken, and behind each the rest, with an end in the set.
func (d *dfa) takesSpans(state int32, spans []span, in []bool) bool {
	if len(spans) == 0 {
		return in[state]
	}
	at := int(spans[0].lo)
	for _, e := range d.edges[state] {
		if int(e.hi) < at {
			continue
		}
		if int(e.lo) > at {
			return false
		}
		if !d.takesSpans(e.to, spans[1:], in) {
			return false
		}
		if at = int(e.hi) + 1; at > int(spans[0].hi) {
			return true
		}
	}
	return false
}

// classSpans are the UTF-8 forms of the characters of each class.
var classSpans = func() (out [classes][][]span) {
	for c := range classes {
		from := rune(-1)
		for r := rune(0); r <= utf8.RuneSelf; r++ {
			in := r < utf8.RuneSelf && c.has(r)
			if in && from < 0 {
				from = r
			}
			if !in && from >= 0 {
				utf8Spans(from, r-1, func(s []span) { out[c] = append(out[c], s) })
				from = -1
			}
		}
		utf8Spans(utf8.RuneSelf, utf8.MaxRune, func(s []span) { out[c] = append(out[c], s) })
	}
	return out
}()
