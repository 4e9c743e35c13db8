package suffix

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/draft"
)

// oracle is a tree in the simplest form there is: a node for each token of each suffix, found by maps.
type oracle struct {
	depth int
	root  *place
	open  []int32
	past  map[uint64][]int32
}

type place struct {
	count uint64
	kids  map[int32]*place
	best  int32
}

func newOracle(depth int) *oracle {
	return &oracle{depth: depth, root: &place{kids: map[int32]*place{}}, past: map[uint64][]int32{}}
}

// append adds one to all that ends in the token.
func (o *oracle) append(token int32) {
	o.open = append(o.open, token)
	for m := 1; m <= min(o.depth, len(o.open)); m++ {
		at := o.root
		suffix := o.open[len(o.open)-m:]
		for _, tok := range suffix[:m-1] {
			at = at.kids[tok]
		}
		kid := at.kids[token]
		if kid == nil {
			kid = &place{kids: map[int32]*place{}}
			at.kids[token] = kid
		}
		kid.count++
		if best := at.kids[at.best]; best == nil || kid.count > best.count {
			at.best = token
		}
	}
}

func (o *oracle) seal(id uint64) { o.past[id], o.open = o.open, nil }

func (o *oracle) remove(id uint64) {
	tokens := o.past[id]
	delete(o.past, id)
	for i := range tokens {
		at := o.root
		for _, tok := range tokens[i:min(len(tokens), i+o.depth)] {
			kid := at.kids[tok]
			kid.count--
			if at.best == tok {
				for other, k := range at.kids {
					if b := at.kids[at.best]; k.count > b.count || k.count == b.count && at.best != tok && other < at.best {
						at.best = other
					}
				}
			}
			if kid.count == 0 {
				delete(at.kids, tok)
			}
			at = kid
		}
	}
}

func (o *oracle) find(tokens []int32) *place {
	at := o.root
	for _, tok := range tokens {
		if at = at.kids[tok]; at == nil {
			return nil
		}
	}
	return at
}

// draft is the best draft behind a context; own is 1 where that is the open sequence, which does not count where it ends.
func (o *oracle) draft(context []int32, own uint64, opt Options) draft.Draft {
	var best draft.Draft
	bestScore := uint64(0)
	least := uint64(math.Ceil(opt.MinProb * one))
	for m := 1; m <= min(len(context), o.depth-1); m++ {
		at := o.find(context[len(context)-m:])
		if at == nil {
			break
		}
		limit := int(math.Floor(opt.Factor*float64(m) + opt.Offset + 1e-6))
		if opt.MaxTokens > 0 {
			limit = min(limit, opt.MaxTokens)
		}
		d, score := path(at, own, limit, least)
		if opt.Tree {
			d, score = branches(at, own, limit, least)
		}
		if score > 0 && score >= bestScore {
			best, bestScore = d, score
			best.Match, best.Score = m, float64(score)/one
		}
	}
	return best
}

func path(at *place, own uint64, limit int, least uint64) (d draft.Draft, score uint64) {
	p := uint64(one)
	for len(d.Tokens) < limit && len(at.kids) > 0 {
		kid := at.kids[at.best]
		if p = p * kid.count / (at.count - own); p < least {
			break
		}
		own = 0
		d.Parents = append(d.Parents, int32(len(d.Tokens))-1)
		d.Tokens = append(d.Tokens, at.best)
		d.Probs = append(d.Probs, float32(float64(p)/one))
		d.Kinds = append(d.Kinds, seenKind(kid.count))
		score += p
		at = kid
	}
	return d, score
}

func branches(at *place, own uint64, limit int, least uint64) (d draft.Draft, score uint64) {
	type item struct {
		p      uint64
		parent int32
		token  int32
		at     *place
	}
	var list []item
	add := func(at *place, own, p uint64, parent int32) {
		for tok, kid := range at.kids {
			if q := p * kid.count / (at.count - own); q >= least {
				list = append(list, item{q, parent, tok, kid})
			}
		}
	}
	for add(at, own, one, -1); len(list) > 0 && len(d.Tokens) < limit; {
		i := 0
		for k, x := range list {
			if b := list[i]; x.p > b.p || x.p == b.p && (x.parent < b.parent || x.parent == b.parent && x.token < b.token) {
				i = k
			}
		}
		x := list[i]
		list = slices.Delete(list, i, i+1)
		d.Tokens, d.Parents, d.Probs = append(d.Tokens, x.token), append(d.Parents, x.parent), append(d.Probs, float32(float64(x.p)/one))
		d.Kinds = append(d.Kinds, seenKind(x.at.count))
		score += x.p
		add(x.at, 0, x.p, int32(len(d.Tokens))-1)
	}
	return d, score
}

// fact is what a tree says of some tokens: how often they occur, and what follows them most often.
type fact struct {
	Count uint64
	Best  int32
}

func (o *oracle) facts() map[string]fact {
	facts := map[string]fact{}
	var visit func(at *place, name string)
	visit = func(at *place, name string) {
		for tok, kid := range at.kids {
			f := fact{Count: kid.count, Best: -1}
			if len(kid.kids) > 0 {
				f.Best = kid.best
			}
			to := fmt.Sprintf("%s %d", name, tok)
			facts[to] = f
			visit(kid, to)
		}
	}
	visit(o.root, "")
	return facts
}

// facts are those of every token of every label.
func (t *Tree) facts() map[string]fact {
	facts := map[string]fact{}
	var visit func(id uint32, name string)
	visit = func(id uint32, name string) {
		for c := range t.children(t.at(id)) {
			n := t.at(c)
			to := name
			mask := t.resting(c, n)
			length := t.length(n)
			for i := range length {
				to += fmt.Sprintf(" %d", t.store.at(n.ref+i))
				f := fact{Count: uint64(n.count), Best: -1}
				for off := range i + 1 {
					f.Count -= mask >> off & 1
				}
				switch {
				case i+1 < length:
					f.Best = t.store.at(n.ref + i + 1)
				case n.kids != 0:
					f.Best = t.store.at(t.at(t.bestOf(n)).ref)
				}
				facts[to] = f
			}
			visit(c, to)
		}
	}
	visit(root, "")
	return facts
}

// same compares a tree with the oracle.
func (o *oracle) same(t *Tree) error {
	if err := t.Check(); err != nil {
		return err
	}
	if d := cmp.Diff(o.facts(), t.facts()); d != "" {
		return fmt.Errorf("counts or best children differ (-want +got):\n%s", d)
	}
	return nil
}

func drawOptions(rt *rapid.T) Options {
	return Options{
		MaxTokens: rapid.IntRange(0, 12).Draw(rt, "max"),
		Factor:    rapid.SampledFrom([]float64{0.5, 1, 1.5, 3}).Draw(rt, "factor"),
		Offset:    rapid.SampledFrom([]float64{-1, 0, 2}).Draw(rt, "offset"),
		MinProb:   rapid.SampledFrom([]float64{0, 0.1, 0.3, 0.5, 1}).Draw(rt, "prob"),
		Tree:      rapid.Bool().Draw(rt, "tree"),
	}
}

// emptyIsNil: lists without anything in them are equal.
var emptyIsNil = cmpopts.EquateEmpty()

func check(t interface{ Fatalf(string, ...any) }, what string, o *oracle, want, got draft.Draft, opt Options) {
	if opt.MaxTokens == 0 {
		opt.MaxTokens = o.depth
	}
	got.Local = false
	if d := cmp.Diff(want, got, emptyIsNil); d != "" {
		t.Fatalf("%s with %+v (-want +got):\n%s", what, opt, d)
	}
}

// TestTreeIsTheOracle: whatever is appended, sealed and removed, counts, best children and drafts are the oracle's.
func TestTreeIsTheOracle(t *testing.T) { rapid.Check(t, treeIsTheOracle) }

// FuzzTree is the same with what the fuzzer comes upon.
func FuzzTree(f *testing.F) { f.Fuzz(rapid.MakeFuzz(treeIsTheOracle)) }

func treeIsTheOracle(rt *rapid.T) {
	depth := rapid.SampledFrom([]int{2, 3, 5, 8, 64}).Draw(rt, "depth")
	alphabet := rapid.SampledFrom([]int32{1, 2, 3, 4, 30}).Draw(rt, "alphabet")
	tree, o := New(depth), newOracle(depth)
	if rapid.Bool().Draw(rt, "wrap") { // positions begin shortly before they wrap around
		start := ^uint32(0) - uint32(rapid.IntRange(0, 300).Draw(rt, "start"))
		tree.store.begin, tree.store.end, tree.opens, tree.open.pos = start, start, start, start
	}
	text := rapid.SliceOfN(rapid.Int32Range(0, alphabet-1), 0, 24)
	var r reader
	var tail []int32
	rt.Repeat(map[string]func(*rapid.T){
		"append": func(rt *rapid.T) {
			for _, tok := range text.Draw(rt, "tokens") {
				tree.Append(tok)
				o.append(tok)
			}
		},
		"repeat": func(rt *rapid.T) {
			if len(o.open) == 0 {
				rt.Skip()
			}
			from := rapid.IntRange(0, len(o.open)-1).Draw(rt, "from")
			for _, tok := range slices.Clone(o.open[from:min(len(o.open), from+70)]) {
				tree.Append(tok)
				o.append(tok)
			}
		},
		"seal": func(rt *rapid.T) { o.seal(tree.Seal()) },
		"remove": func(rt *rapid.T) {
			if len(o.past) == 0 || len(o.open) > 0 {
				rt.Skip()
			}
			var ids []uint64
			for id := range o.past {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			id := rapid.SampledFrom(ids).Draw(rt, "id")
			if rapid.Bool().Draw(rt, "oldest") {
				id = ids[0]
				if oldest, ok := tree.Oldest(); !ok || oldest != id {
					rt.Fatalf("the oldest is %d, not %d", oldest, id)
				}
			}
			tree.Remove(id)
			o.remove(id)
		},
		"speculate": func(rt *rapid.T) {
			opt := drawOptions(rt)
			context := text.Draw(rt, "context")
			var d draft.Draft
			tree.Speculate(context, opt, &d)
			check(rt, fmt.Sprint(context), o, o.draft(context, 0, opt), d, opt)
		},
		"read": func(rt *rapid.T) {
			opt := drawOptions(rt)
			for _, tok := range text.Draw(rt, "read") {
				tail = append(tail, tok)
				if r.changes == tree.changes {
					tree.read(&r.window, tok)
				}
			}
			if r.changes != tree.changes {
				tree.reread(&r, tail[max(0, len(tail)-depth+1):])
			}
			least := opt.least()
			var d draft.Draft
			var f frontier
			g := tree.best(&r.window, &opt, least, &f)
			tree.tell(&g, &opt, least, &f, &d)
			check(rt, fmt.Sprint("read ", tail), o, o.draft(tail, 0, opt), d, opt)
		},
		"continue": func(rt *rapid.T) {
			opt := drawOptions(rt)
			var d draft.Draft
			tree.Continue(opt, &d)
			check(rt, fmt.Sprint("open ", o.open), o, o.draft(o.open, 1, opt), d, opt)
		},
		"": func(rt *rapid.T) {
			if err := o.same(tree); err != nil {
				rt.Fatal(err)
			}
		},
	})
}
