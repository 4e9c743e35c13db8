package diff

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/plan"
)

// Weight is a weight that only one plan has, or that differs. Weights belong together that are made of the same
// stored tensors, in the same order, for the same entry and layer.
type Weight struct {
	Entry string `json:"entry"` // the first one that uses it
	Pair[WeightSide]
}

// WeightSide is a weight in one plan.
type WeightSide struct {
	Name   string `json:"name"`
	Layer  int    `json:"layer"` // the first number in its name; -1 where there is none
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"` // of one rank
	Bytes  int64  `json:"bytes"` // of one rank, with scales
	Recipe string `json:"recipe"`
}

// Cache is a KV cache that only one plan has, or that differs.
type Cache struct {
	Entry string `json:"entry"`
	Pair[CacheSide]
}

// CacheSide is a KV cache in one plan: its heads on one rank.
type CacheSide struct {
	Name     string `json:"name"`
	Layer    int    `json:"layer"`
	Heads    int    `json:"heads"`
	HeadDim  int    `json:"head_dim"`
	ValueDim int    `json:"value_dim"`
}

// stored lists the tensors of the checkpoint that a recipe reads.
func stored(r *ir.Recipe, names []string) []string {
	if r == nil {
		return names
	}
	if r.Name != "" {
		names = append(names, r.Name)
	}
	for _, a := range r.Args {
		names = stored(a, names)
	}
	return names
}

// storedNames remembers what weights are made of: that may be many tensors, and many operators may use them.
type storedNames struct {
	keys    map[*ir.Weight]string
	digests map[*ir.Weight][sha256.Size]byte
	same    map[[2]*ir.Weight]bool // what sameStored found, of one entry
	entry   *entry
}

func newStoredNames() *storedNames {
	return &storedNames{keys: map[*ir.Weight]string{}, digests: map[*ir.Weight][sha256.Size]byte{}}
}

// key is one text for weights that are made of the same tensors, whichever layer they belong to and however a rank
// cuts them.
func (s *storedNames) key(w *ir.Weight) string {
	key, ok := s.keys[w]
	if !ok {
		names := stored(w.Recipe, nil)
		for i, n := range names {
			names[i] = generic(n)
		}
		key = fmt.Sprintf("%q", names)
		s.keys[w] = key
		s.digests[w] = sha256.Sum256([]byte(key))
	}
	return key
}

// digest is the key in few bytes.
func (s *storedNames) digest(w *ir.Weight) [sha256.Size]byte {
	s.key(w)
	return s.digests[w]
}

// sameStored reports whether two weights are made of the same tensors but for layers that belong together.
func (c *comparison) sameStored(e *entry, a, b *ir.Weight) bool {
	s := c.stored
	if s.digest(a) != s.digest(b) {
		return false
	}
	if s.entry != e {
		s.entry, s.same = e, map[[2]*ir.Weight]bool{}
	}
	pair := [2]*ir.Weight{a, b}
	same, known := s.same[pair]
	if !known {
		x, y := stored(a.Recipe, nil), stored(b.Recipe, nil)
		same = slices.EqualFunc(x, y, e.sameName)
		s.same[pair] = same
	}
	return same
}

// held is something that a plan holds for a layer of an entry.
type held[T any] struct {
	entry, key, layer string
	side              *T
	same              string // everything about it, without the layer's number
}

// compareHeld pairs what two plans hold by entry, layer and key, in their order, and hands over what differs.
func compareHeld[T any](c *comparison, a, b []held[T], differs func(entry string, p Pair[T])) {
	index := func(list []held[T], layers func(*entry) map[int]int) ([]string, map[string]*held[T]) {
		var order []string
		out := map[string]*held[T]{}
		seen := map[string]int{}
		for i := range list {
			h := &list[i]
			where := fmt.Sprintf("%q", h.layer) // where it is no layer of the entry
			if e := c.byName[h.entry]; e != nil {
				if at, ok := layers(e)[layerNumber(h.layer)]; ok && h.layer != "" {
					where = strconv.Itoa(at)
				}
			}
			name := fmt.Sprintf("%q %q %s", h.entry, h.key, where)
			seen[name]++
			name += fmt.Sprintf(" %d", seen[name])
			order = append(order, name)
			out[name] = h
		}
		return order, out
	}
	orderA, inA := index(a, func(e *entry) map[int]int { return e.layers.a })
	orderB, inB := index(b, func(e *entry) map[int]int { return e.layers.b })
	for _, name := range union(orderA, orderB) {
		x, y := inA[name], inB[name]
		switch {
		case x == nil:
			differs(y.entry, Pair[T]{B: y.side})
		case y == nil:
			differs(x.entry, Pair[T]{A: x.side})
		case x.same != y.same:
			differs(x.entry, Pair[T]{x.side, y.side})
		}
	}
}

// firstUse says which entry uses a weight or a cache first.
func firstUse(p *plan.Plan) map[any]string {
	out := map[any]string{}
	for _, g := range p.Module.Graphs {
		for _, n := range g.Nodes {
			for _, v := range n.In {
				switch {
				case v == nil:
				case v.Weight != nil && out[v.Weight] == "":
					out[v.Weight] = g.Name
				case v.Cache != nil && out[v.Cache] == "":
					out[v.Cache] = g.Name
				}
			}
		}
	}
	return out
}

func (c *comparison) weights() []Weight {
	out := []Weight{}
	compareHeld(c, c.weightsOf(c.a), c.weightsOf(c.b), func(entry string, p Pair[WeightSide]) {
		out = append(out, Weight{entry, p})
	})
	return out
}

func (c *comparison) weightsOf(p *plan.Plan) []held[WeightSide] {
	uses := firstUse(p)
	var out []held[WeightSide]
	for _, w := range p.Module.Weights {
		name, layer := layers.Generic(w.Name)
		recipe := w.Recipe.String()
		out = append(out, held[WeightSide]{
			entry: uses[w], key: c.stored.key(w), layer: layer,
			side: &WeightSide{w.Name, layerNumber(layer), w.DType.String(), w.Shape, w.Bytes(), recipe},
			same: fmt.Sprintf("%q %s %v %q", name, w.DType, w.Shape, layers.Replace(recipe, layer)),
		})
	}
	return out
}

func (c *comparison) caches() []Cache {
	out := []Cache{}
	compareHeld(c, cachesOf(c.a), cachesOf(c.b), func(entry string, p Pair[CacheSide]) {
		out = append(out, Cache{entry, p})
	})
	return out
}

func cachesOf(p *plan.Plan) []held[CacheSide] {
	uses := firstUse(p)
	var out []held[CacheSide]
	for _, k := range p.Module.Caches {
		name, layer := layers.Generic(k.Name)
		out = append(out, held[CacheSide]{
			entry: uses[k], key: name, layer: layer,
			side: &CacheSide{k.Name, layerNumber(layer), k.Heads, k.HeadDim, k.ValueSize()},
			same: fmt.Sprint(k.Heads, k.HeadDim, k.ValueDim),
		})
	}
	return out
}

// layerNumber is the number of a layer as it stands in a name; -1 where there is none.
func layerNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}
