package verify

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/verify/machine"
	"github.com/glmc/glmc/kernels"
)

// Finding is where results begin to differ.
type Finding struct {
	Pass   *passes.Pass
	Wrong  string       // what differs behind the pass
	Site   *passes.Site // of the small model, with which results differ and without which they do not; nil where no site is to blame
	Sites  int          // of the pass, in the small model
	Layers []int        // of the large model that are of the same kind as the site's; none where it is in none
	First  *Place       // the first value that differs, with the site and without; nil where no value is on both sides
}

// Place is a value of a run.
type Place struct {
	Entry, Op, Source string
	Layer             int
	Step, Rank        int
	Error             float64 // the difference, relative to the largest value
}

// Bisect validates the passes of a subject one by one and, where one is wrong, finds by halving the first of its sites
// that makes the difference, and the first value that differs. It returns nil where every pass is right.
func Bisect(ctx context.Context, s Subject, seed uint64) (*Finding, *Report, error) {
	s.Options.IgnoreRequire, s.ctx = true, ctx
	large, err := s.compile(false)
	if err != nil {
		return nil, nil, err
	}
	small, err := shrink(s, large)
	if err != nil {
		return nil, nil, err
	}
	r, err := small.verify(ctx, large, seed)
	if err != nil || r.Failed() == nil {
		return nil, r, err
	}
	b := &bisector{ctx: ctx, subject: small.subject.with(small.set()), pass: r.Failed().Pass, checker: NewChecker(small.result.lowered, seed)}
	f := &Finding{Pass: b.pass, Wrong: r.Failed().Outcome.Wrong}
	if err := b.search(f); err != nil {
		return nil, r, err
	}
	if f.Site != nil {
		f.Layers = alike(small.result.lowered, large.lowered, f.Site)
	}
	return f, r, nil
}

// bisector looks for a site of one pass.
type bisector struct {
	ctx     context.Context
	subject Subject
	pass    *passes.Pass
	checker *Checker
	before  *ir.Module
	sites   []passes.Site
}

// with is the module behind the pass with its first n sites rewritten.
func (b *bisector) with(n int) (*ir.Module, error) {
	s := b.subject
	s.Options.StopAfter = b.pass.Name
	b.sites = nil
	s.Options.Only = func(site passes.Site) bool {
		if site.Pass != b.pass.Name {
			return true
		}
		b.sites = append(b.sites, site)
		return site.Ordinal < n
	}
	r, err := s.compile(true)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(r.texts, func(s snapshot) bool { return s.pass == b.pass.Name })
	b.before = r.lowered
	if at > 0 {
		if b.before, err = ir.Parse(r.texts[at-1].text); err != nil {
			return nil, err
		}
	}
	return r.behind(b.pass.Name)
}

func (b *bisector) wrong(n int) (bool, error) {
	if err := b.ctx.Err(); err != nil {
		return false, err
	}
	m, err := b.with(n)
	if err != nil {
		return false, err
	}
	out, err := b.checker.Compare(b.before, m, b.pass.Numeric)
	return out.Wrong != "", err
}

// search finds the smallest number of first sites with which results differ.
func (b *bisector) search(f *Finding) error {
	if _, err := b.with(math.MaxInt); err != nil {
		return err
	}
	sites := b.sites
	f.Sites = len(sites)
	if wrong, err := b.wrong(0); err != nil || wrong || len(sites) == 0 {
		return err // the pass changes something that it did not ask for
	}
	right, off := 0, sites[len(sites)-1].Ordinal+1 // right is known to be right, off is wrong
	for off-right > 1 {
		middle := (right + off) / 2
		wrong, err := b.wrong(middle)
		if err != nil {
			return err
		}
		if wrong {
			off = middle
		} else {
			right = middle
		}
	}
	f.Site = &sites[slices.IndexFunc(sites, func(s passes.Site) bool { return s.Ordinal == off-1 })]
	good, err := b.with(off - 1)
	if err != nil {
		return err
	}
	bad, err := b.with(off)
	if err != nil {
		return err
	}
	f.First, err = b.checker.first(good, bad, b.pass.Numeric)
	return err
}

// alike lists the layers of the large model that are of the kind of the site's layer in the small one.
func alike(small, large *ir.Module, site *passes.Site) []int {
	if site.Layer < 0 || small.Graph(site.Entry) == nil {
		return nil
	}
	kind := layerKinds(small.Graph(site.Entry))[site.Layer]
	var layers []int
	for l, k := range layerKinds(large.Graph(site.Entry)) {
		if k == kind {
			layers = append(layers, l)
		}
	}
	slices.Sort(layers)
	return layers
}

// traced is what a value was on each rank.
type traced struct {
	node  *ir.Node
	ranks [][]float32
}

// valueKey names a value of a run; numbers of values are stable across passes.
type valueKey struct {
	entry             string
	variant, step, id int
}

// trace runs a module and keeps every value, in the order of the nodes.
func (c *Checker) trace(m *ir.Module, o machine.Options) (map[valueKey]*traced, []valueKey, *machine.Choices) {
	values := map[valueKey]*traced{}
	var order []valueKey
	at := valueKey{}
	o.Heads = c.heads
	o.Trace = func(rank int, n *ir.Node, call *kernels.Call) {
		i := 0
		for _, v := range n.Out {
			if v.Type.State {
				continue
			}
			key := at
			key.id = v.ID
			t := values[key]
			if t == nil {
				t = &traced{node: n, ranks: make([][]float32, m.Ranks)}
				values[key], order = t, append(order, key)
			}
			t.ranks[rank] = slices.Clone(call.Out[i].F32)
			i++
		}
	}
	x, err := machine.New(m, c.store, o)
	if err != nil {
		return values, order, nil
	}
	for _, graphs := range entries(m) {
		for variant, g := range graphs {
			for step := range steps {
				at = valueKey{entry: g.Name, variant: variant, step: step}
				_, err := x.Run(g, c.inputs.of(c.store, g, step))
				if differ := (*machine.RanksDifferError)(nil); err != nil && !errors.As(err, &differ) {
					return values, order, x.Chosen
				}
			}
		}
	}
	return values, order, x.Chosen
}

// first finds the first value of the second module that is also one of the first and differs beyond the class.
func (c *Checker) first(good, bad *ir.Module, class passes.Numeric) (*Place, error) {
	o := machine.Options{FullPrecision: class != passes.Exact}
	bound := 0.0
	want, _, chosen := c.trace(good, o)
	if class != passes.Exact {
		o.Replay, bound = chosen, max(reassociation(good), reassociation(bad))
	}
	got, order, _ := c.trace(bad, o)
	for _, key := range order {
		g := got[key]
		w := want[key]
		if collective(g.node) && good.Ranks != bad.Ranks {
			operand := key
			operand.id = g.node.In[0].ID
			w = want[operand]
		}
		if w == nil {
			continue
		}
		if rank, off := differs(w, g, bound); off > 0 {
			return &Place{Entry: key.entry, Op: g.node.Op.Name, Source: g.node.Origin.Source, Layer: g.node.Origin.Layer, Step: key.step + 1, Rank: rank, Error: off}, nil
		}
	}
	return nil, nil
}

func collective(n *ir.Node) bool {
	return n.Op.Name == "comm.all_reduce" || n.Op.Name == "comm.all_gather"
}

// differs gives the first rank whose value differs by more than the bound, and by how much. Across a split over ranks
// only values that all ranks have whole can be compared.
func differs(want, got *traced, bound float64) (int, float64) {
	split := len(want.ranks) != len(got.ranks)
	if split && slices.ContainsFunc(got.ranks, func(g []float32) bool { return !machine.SameBits(g, got.ranks[0]) }) {
		return 0, 0
	}
	for rank, g := range got.ranks {
		w := want.ranks[0]
		if !split {
			w = want.ranks[rank]
		}
		if len(w) != len(g) || machine.SameBits(w, g) {
			continue
		}
		if off := machine.Difference(w, g); off > bound {
			return rank, off
		}
	}
	return 0, 0
}
