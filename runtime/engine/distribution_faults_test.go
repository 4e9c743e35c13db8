package engine_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rule is a way to check drafts of most probable tokens, that are right or wrong.
type rule struct {
	name   string
	option string
	// check gives the token of a row with a draft, by the row's law. u and v are random numbers.
	check func(l *law, draft int32, u, v float64) int32
	stale bool     // the rows of a step have the law of what was said before the step, but for the last token
	alike bool     // the rows of a step share one random number
	finds []string // statistics that have to show it; none: it is right
}

// rules are ways that others went, and faults that are easily made.
var rules = []rule{
	{name: "rejection sampling", option: "top_p", check: reject},
	{name: "rejection sampling", option: "everything", check: reject},
	{name: "picking", option: "frequency", check: pickAgain},
	{name: "a draft holds where it is the most probable token", option: "temperature 1",
		check: func(l *law, draft int32, u, _ float64) int32 {
			if draft == l.most() {
				return draft
			}
			return l.draw(u)
		}, finds: []string{"first", "behind right drafts", "behind wrong drafts"}},
	{name: "a draft holds where it could come", option: "top_k",
		check: func(l *law, draft int32, u, _ float64) int32 {
			if l[draft] > 0 {
				return draft
			}
			return l.draw(u)
		}, finds: []string{"first", "behind right drafts"}},
	{name: "what takes a draft's place may be the draft", option: "temperature 1",
		check: func(l *law, draft int32, u, v float64) int32 {
			if u < l[draft] {
				return draft
			}
			return l.draw(v)
		}, finds: []string{"first", "behind right drafts", "behind wrong drafts"}},
	{name: "what takes a draft's place is the most probable token", option: "temperature 1",
		check: func(l *law, draft int32, u, _ float64) int32 {
			if u < l[draft] {
				return draft
			}
			l[draft] = 0
			return l.most()
		}, finds: []string{"first", "behind right drafts", "in the place of wrong drafts"}},
	{name: "penalties do not count drafts", option: "frequency", check: pickAgain, stale: true, finds: []string{"behind right drafts"}},
	{name: "one mask for a step", option: "mask", check: pickAgain, stale: true, finds: []string{"behind right drafts"}},
	{name: "one random number for a step", option: "temperature 1", check: pickAgain, alike: true, finds: []string{"behind right drafts", "two side by side"}},
}

// reject keeps a draft by chance, and takes another token for it otherwise (Leviathan et al., Fast inference from transformers via speculative
// decoding, 2023, for drafts without probabilities).
func reject(l *law, draft int32, u, v float64) int32 {
	if u < l[draft] {
		return draft
	}
	l[draft] = 0
	return l.draw(v)
}

// pickAgain looks at no draft, as the engine does.
func pickAgain(l *law, _ int32, u, _ float64) int32 { return l.draw(u) }

// draw is the token that a number from 0 to 1 falls into.
func (w *law) draw(u float64) int32 {
	u *= w.sum()
	last := int32(0)
	for id, v := range w {
		if v == 0 {
			continue
		}
		if last = int32(id); u < v {
			break
		}
		u -= v
	}
	return last
}

func (w *law) most() int32 { return int32(slices.Index(w[:], slices.Max(w[:]))) }

// simulate has a rule say so many tokens behind drafts.
func (f *frequencies) simulate(c *rule, tokens int) {
	r := rand.New(rand.NewPCG(1, 2))
	for f.tokens < tokens {
		q := f.follow(mostly)
		for ended := false; !ended; {
			drafts := q.guess(r, min(r.IntN(6), f.option.tokens-len(q.output)-1))
			said, u := []int32(nil), r.Float64()
			for i := 0; i <= len(drafts) && !ended; i++ {
				if !c.alike {
					u = r.Float64()
				}
				output := slices.Concat(q.output, said)
				l := f.option.law(output)
				if c.stale && i > 0 {
					l = f.option.stale(output, len(q.output))
				}
				id := l.draw(u)
				if i < len(drafts) {
					id = c.check(&l, drafts[i], u, r.Float64())
				}
				said = append(said, id)
				ended = len(output)+1 == f.option.tokens || slices.Contains(f.option.stop, id)
				if i < len(drafts) && id != drafts[i] {
					break
				}
			}
			q.step(said, drafts, nil)
		}
	}
}

// guess drafts so many of the most probable tokens, of which some are others.
func (f *followed) guess(r *rand.Rand, n int) (drafts []int32) {
	for range n {
		l := f.option.law(slices.Concat(f.output, drafts))
		id := l.most()
		if r.IntN(4) == 0 {
			id = l.draw(r.Float64())
		}
		drafts = append(drafts, id)
	}
	return drafts
}

// stale is the law behind an output for who has taken notice of its first tokens and of the last one only.
func (o *option) stale(output []int32, first int) law {
	old := *o
	if o.allowed != nil {
		old.allowed = func(_ []int32, id int32) bool { return o.allowed(output[:first], id) }
	}
	return old.lawBehind(output[:first], output[len(output)-1])
}

// TestLawFindsFaults: rules that are wrong show, in a tenth of the tokens, where the engine's do not, and rules that are right do not. So do rows of
// logits in the engine that are those of the token before.
func TestLawFindsFaults(t *testing.T) {
	t.Parallel()
	const tokens = 20_000
	all := options()
	named := func(name string) *option {
		return &all[slices.IndexFunc(all, func(o option) bool { return o.name == name })]
	}
	for _, c := range rules {
		f := newFrequencies(named(c.option))
		f.simulate(&c, tokens)
		f.show(t, c.name, c.finds)
	}
	f := newFrequencies(named("temperature 1"))
	c := newChain()
	c.late = true
	f.generate(t, c, mostly, tokens, 0)
	f.show(t, "rows of the token before", []string{"behind right drafts"})
}

// show holds statistics to what they should say.
func (f *frequencies) show(t *testing.T, rule string, want []string) {
	t.Helper()
	const never = 1e-12
	for name, r := range f.results() {
		switch p := r.p(); {
		case slices.Contains(want, name) && p > never:
			t.Errorf("%s: %q does not show it: p = %.3g", rule, name, p)
		case len(want) == 0 && p < leastP:
			t.Errorf("%s: %q shows a fault where there is none: p = %.3g", rule, name, p)
		}
	}
}

// TestChiSquared compares with quantiles from tables, and counts with probabilities by hand.
func TestChiSquared(t *testing.T) {
	for _, c := range []struct{ freedom, quantile, p float64 }{
		{1, 3.841, 0.05}, {1, 10.828, 0.001}, {2, 5.991, 0.05}, {10, 29.588, 0.001}, {10, 3.940, 0.95}, {100, 124.342, 0.05}, {100, 149.449, 0.001}, {1000, 1074.679, 0.05},
	} {
		if got := gammaQ(c.freedom/2, c.quantile/2); math.Abs(got-c.p) > 1e-3*c.p {
			t.Errorf("%v above %v: %v, want %v", c.freedom, c.quantile, got, c.p)
		}
	}
	var s pearson
	s.add([]int{30, 50, 20, 0}, []float64{0.25, 0.5, 0.25, 0})
	if want := 25.0/25 + 0 + 25.0/25; s.chi != want || s.freedom != 2 || s.draws != 100 {
		t.Errorf("%+v, want chi-squared %v for 2", s, want)
	}
	s = pearson{}
	s.add([]int{10, 2, 1, 7}, []float64{0.5, 0.1, 0.1, 0.3}) // 2 and 2 are expected in the middle, which are taken together with the next
	if want := 0.0; s.chi != want || s.freedom != 1 {
		t.Errorf("%+v, want chi-squared %v for 1", s, want)
	}
	s.add([]int{0, 0, 0, 1}, []float64{0.5, 0.5, 0, 0})
	if s.p() != 0 {
		t.Errorf("p = %v of something impossible", s.p())
	}
}
