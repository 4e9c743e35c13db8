package verify

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strconv"

	"github.com/glmc/glmc/dsl/config"
)

// key is an integer of the configuration and what became of it.
type key struct {
	name       string
	value, now int
}

// shrunken is a subject with small numbers.
type shrunken struct {
	subject Subject
	keys    []key    // in the order of the model's file
	lost    []string // what the large one has and this one lacks
	result  *compiled
}

// shrink makes the numbers of a model's configuration small.
//
// First, each integer is given the smallest number that has the same properties: whether it divides by the ranks and how
// far, whether it is a power of two, which smaller integers it is a multiple of, equal to or different from. What a
// fraction of it has to be whole for, such as the rotary part of a head, is not known; so where the model does not
// compile, more factors of two are kept, or the order of the numbers.
//
// Then the integers on which the number of operators depends, which are counts of layers, are made as small as they can
// be with every kind of layer, every two kinds that follow each other, and every kind of remark on each still there.
//
// In between, passes that ask for prices are made to decide as they did for the large model.
//
// Last, where that leaves more than fewWeights, numbers that no pass looks at together lose what they have in common:
// 7168 is 512 times 14, and half a dozen such chains make a model of a hundred million weights, which says no
// more than a small one.
//
// Numbers that stand for something else than sizes keep the properties too, which does no harm.
func shrink(s Subject, large *compiled) (*shrunken, error) {
	want := large.kinds()
	keys := integers(large)
	var failed error
	var best *shrunken
	for try := range 14 {
		out := &shrunken{subject: s, keys: smallest(keys, large.Plan.Module.Ranks, 1+try/2, try%2 == 1)}
		if failed = out.compile(want); failed != nil {
			continue
		}
		if best == nil || len(out.lost) < len(best.lost) {
			best = out
		}
		if len(out.lost) == 0 {
			break
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no small configuration of model %s was found: %w", large.Plan.Model, failed)
	}
	best.follow(large, want)
	best.fewerLayers(want)
	for i := range best.largestFirst() {
		if best.weights() > fewWeights {
			best.relax(i, want, large.Plan.Module.Ranks)
		}
	}
	if n := best.weights(); n > maxWeights {
		return nil, fmt.Errorf("the smallest configuration of model %s that was found has %d weights, and no more than %d are executed: sizes that stand in the model itself, and not in its config, cannot be made small",
			large.Plan.Model, n, maxWeights)
	}
	return best, nil
}

// follow makes the passes decide as they did for the large model, where prices made them decide otherwise: sites of
// kinds that were not rewritten are left alone, and then, where that is not enough, whatever a price would decide
// is applied to the others.
func (s *shrunken) follow(large *compiled, want kinds) {
	for _, unpriced := range []bool{false, true} {
		if len(s.lost) == 0 {
			return
		}
		other := &shrunken{subject: s.subject, keys: s.keys}
		other.subject.like, other.subject.Options.Unpriced = large.decisions(), unpriced
		if err := other.compile(want); err == nil && len(other.lost) < len(s.lost) {
			*s = *other
		}
	}
}

// fewWeights is how many weights are executed in a moment.
const fewWeights = 4 << 20

// maxWeights is how many weights are executed at all: each rank has its part four bytes wide, several times over.
const maxWeights = 1 << 26

func (s *shrunken) weights() int {
	n := 0
	for _, w := range s.result.lowered.Weights {
		size := 1
		for _, d := range w.Shape {
			size *= d
		}
		n += size
	}
	return n
}

// largestFirst gives the keys' indices, those with the largest numbers first.
func (s *shrunken) largestFirst() iter.Seq[int] {
	order := make([]int, len(s.keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return s.keys[b].value - s.keys[a].value })
	return slices.Values(order)
}

// relax gives a key the smallest number that has its own properties and with which nothing is lost.
func (s *shrunken) relax(i int, want kinds, ranks int) {
	k, tries := s.keys[i], 0
	for n := 2; n < k.now && tries < 8; n++ {
		taken := slices.ContainsFunc(s.keys, func(o key) bool { return o.now == n && o.value != k.value })
		if taken || !like(n, k.value, ranks, 1) {
			continue
		}
		tries++
		other := s.but(i, n)
		for j, o := range s.keys {
			if o.value == k.value {
				other.keys[j].now = n
			}
		}
		if err := other.compile(want); err == nil && len(other.lost) <= len(s.lost) {
			*s = *other
			return
		}
	}
}

// compile compiles the model with the numbers as they are now.
func (s *shrunken) compile(want kinds) error {
	r, err := s.subject.with(s.set()).compile(true)
	if err != nil {
		return err
	}
	s.result, s.lost = r, want.missing(r.kinds())
	return nil
}

func (s *shrunken) set() map[string]string {
	set := map[string]string{}
	for _, k := range s.keys {
		set[k.name] = strconv.Itoa(k.now)
	}
	return set
}

// String lists the integers that were changed.
func (s *shrunken) String() string {
	text := ""
	for _, k := range s.keys {
		if k.now != k.value {
			text += fmt.Sprintf(" %s=%d", k.name, k.now)
		}
	}
	if text == "" {
		return "as it is"
	}
	return text[1:]
}

// integers lists the integers of a configuration.
func integers(c *compiled) []key {
	var keys []key
	for _, name := range config.Known(c.Model) {
		v, _ := c.Values.Get(name)
		if n, ok := v.(config.Int); ok {
			keys = append(keys, key{name, int(n), int(n)})
		}
	}
	return keys
}

// smallest gives each integer above one the smallest number with its properties, from the smallest integer to the
// largest: each looks at those before it. factors is how many factors of two are kept.
func smallest(keys []key, ranks, factors int, ordered bool) []key {
	keys = slices.Clone(keys)
	order := make([]*key, len(keys))
	for i := range keys {
		order[i] = &keys[i]
	}
	slices.SortStableFunc(order, func(a, b *key) int { return a.value - b.value })
	for i, k := range order {
		if k.value < 2 {
			continue
		}
		for n := 2; n <= k.value; n++ {
			if like(n, k.value, ranks, factors) && !slices.ContainsFunc(order[:i], func(o *key) bool { return !fits(n, k.value, o, ordered) }) {
				k.now = n
				break
			}
		}
	}
	return keys
}

// like reports whether n has the properties of v that concern no other key.
func like(n, v, ranks, factors int) bool {
	two := 1 << factors
	return gcd(n, ranks) == gcd(v, ranks) && (ranks%n == 0) == (ranks%v == 0) &&
		gcd(n, two) == gcd(v, two) && (bits.OnesCount(uint(n)) == 1) == (bits.OnesCount(uint(v)) == 1)
}

// fits reports whether n is to a smaller key's number what v is to its value.
func fits(n, v int, smaller *key, ordered bool) bool {
	if smaller.value < 2 {
		return true
	}
	if v == smaller.value {
		return n == smaller.now
	}
	return (n > smaller.now || !ordered && n != smaller.now) && (v%smaller.value != 0 || n%smaller.now == 0)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// fewerLayers lowers the integers on which the number of operators depends, as long as nothing that was there is
// lost. One that depends on another may go further down in a second round.
func (s *shrunken) fewerLayers(want kinds) {
	for range 2 {
		for i := range s.keys {
			if s.keys[i].now > 1 && s.counts(i) {
				s.lower(i, want)
			}
		}
	}
}

// counts reports whether the number of operators depends on a key: with one less there are more or fewer.
func (s *shrunken) counts(i int) bool {
	other := s.but(i, s.keys[i].now-1)
	r, err := other.subject.with(other.set()).compile(false)
	return err == nil && countNodes(r) != countNodes(s.result)
}

func countNodes(c *compiled) int {
	n := 0
	for _, g := range c.lowered.Graphs {
		n += len(g.Nodes)
	}
	return n
}

// lower gives a key the smallest number with which nothing is lost.
func (s *shrunken) lower(i int, want kinds) {
	for n := 1; n < s.keys[i].now; n++ {
		other := s.but(i, n)
		if err := other.compile(want); err == nil && len(other.lost) <= len(s.lost) && countNodes(other.result) < countNodes(s.result) {
			*s = *other
			return
		}
	}
}

func (s *shrunken) but(i, n int) *shrunken {
	out := &shrunken{subject: s.subject, keys: slices.Clone(s.keys)}
	out.keys[i].now = n
	return out
}
