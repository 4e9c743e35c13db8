package engine_test

import "slices"

// place is where a token was picked. It is known before the token is, so that tokens of each place follow the law.
type place uint8

const (
	first       place = iota // the first of a step
	behindRight              // behind a draft that was right
	behindWrong              // the first of a step, behind a token that took the place of a draft that was wrong
	places
)

// group is draws of one distribution.
type group struct {
	law   *law
	kind  string
	place place
	draft uint8 // a bit for each token that was guessed; none: nobody guessed, or somebody who knew what would come
}

// pairGroup is pairs of tokens side by side behind histories of one law.
type pairGroup struct {
	law  *law
	next [symbols]*law
}

// frequencies are how often tokens came.
type frequencies struct {
	*histories
	groups   map[group]*[symbols]int
	pairs    map[pairGroup]*[symbols * symbols]int
	tokens   int
	at       [places]int
	replaced int // tokens that took the place of wrong drafts
}

func newFrequencies(o *option) *frequencies {
	return &frequencies{histories: o.histories(), groups: map[group]*[symbols]int{}, pairs: map[pairGroup]*[symbols * symbols]int{}}
}

// followed is an output whose tokens are counted as they come.
type followed struct {
	*frequencies
	kind   string
	output []int32
	trail  []*history // of output without tokens, with one, ...
	wrong  bool       // the last step had a draft that was wrong
}

func (f *frequencies) follow(kind string) *followed {
	return &followed{frequencies: f, kind: kind, trail: []*history{f.root}}
}

// step takes what a step gave that checked drafts: a tree where they have parents.
func (f *followed) step(tokens, drafts, parents []int32) {
	at := -1 // the draft that was right last
	for i, id := range tokens {
		g := group{f.trail[len(f.trail)-1].law, f.kind, first, 0}
		switch {
		case i > 0:
			g.place = behindRight
		case f.wrong: // in the step before
			g.place = behindWrong
		}
		guessed, next := behind(drafts, parents, at, id)
		if f.kind != nearlyRight {
			g.draft = guessed
		}
		f.wrong = guessed != 0 && next < 0
		if at = next; f.wrong {
			f.replaced++
		}
		count(f.groups, g)[id]++
		f.at[g.place]++
		f.tokens++
		f.output = append(f.output, id)
		f.trail = append(f.trail, f.next(f.trail[len(f.trail)-1], f.output))
		if n := len(f.output); n > 1 && n%2 == 1 {
			f.pair(f.trail[n-2], f.output[:n-2], f.output[n-2:])
		}
	}
}

// behind gives the tokens that were guessed behind a draft, and which of the drafts one of them is; -1: none.
func behind(drafts, parents []int32, at int, id int32) (guessed uint8, next int) {
	next = -1
	for i, d := range drafts {
		parent := i - 1
		if len(parents) > 0 {
			parent = int(parents[i])
		}
		if parent != at {
			continue
		}
		guessed |= 1 << d
		if d == id {
			next = i
		}
	}
	return guessed, next
}

// pair takes two tokens behind an output.
func (f *followed) pair(at *history, output, two []int32) {
	g := pairGroup{law: at.law}
	for id := range g.next {
		if at.law[id] > 0 && !slices.Contains(f.option.stop, int32(id)) {
			g.next[id] = f.next(at, append(output[:len(output):len(output)], int32(id))).law
		}
	}
	count(f.pairs, g)[two[0]*symbols+two[1]]++
}

// count is the counts of a group.
func count[K comparable, C any](groups map[K]*C, g K) *C {
	if groups[g] == nil {
		groups[g] = new(C)
	}
	return groups[g]
}

// results are the tests of frequencies.
func (f *frequencies) results() map[string]*pearson {
	r := map[string]*pearson{"first": {}, "behind right drafts": {}, "behind wrong drafts": {}, "in the place of wrong drafts": {}, "two side by side": {}}
	for g, counts := range f.groups {
		r[[places]string{"first", "behind right drafts", "behind wrong drafts"}[g.place]].add(counts[:], g.law[:])
		others, rest := *counts, *g.law // what comes when no draft does has the law of the others
		for id := range rest {
			if g.draft>>id&1 == 1 {
				others[id], rest[id] = 0, 0
			}
		}
		sum := rest.sum()
		if g.draft == 0 || sum == 0 {
			continue
		}
		for id := range rest {
			rest[id] /= sum
		}
		r["in the place of wrong drafts"].add(others[:], rest[:])
	}
	for g, counts := range f.pairs {
		var both [symbols * symbols]float64
		goesOn := 1.0 // behind a stop token nothing comes
		for _, id := range f.option.stop {
			goesOn -= g.law[id]
		}
		for a, p := range g.law {
			if g.next[a] == nil {
				continue
			}
			for b, q := range g.next[a] {
				both[a*symbols+b] = p / goesOn * q
			}
		}
		r["two side by side"].add(counts[:], both[:])
	}
	return r
}

// Kinds of drafts.
const (
	atRandom    = "random drafts"
	mostly      = "likely drafts"
	nearlyRight = "right drafts but one" // which is known from what is drawn: tokens have no law given the draft
	byLayer     = "the draft layer"
	byBoth      = "the layer and random drafts"
	byTree      = "random trees"
)
