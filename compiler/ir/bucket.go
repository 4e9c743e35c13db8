package ir

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Bucket is one size of step that a graph is compiled for: at most Max of everything, padded up to it where the
// device replays a captured graph. Phase is Prefill or Decode. Max.Pages is 0: page tables are as long as they
// are.
type Bucket struct {
	Phase string
	Max   Sizes
}

// Phases of serving. A step of prefill may hold sequences that decode as well.
const (
	Prefill = "prefill"
	Decode  = "decode"
)

// String is the bucket as people say it: "decode 64".
func (b Bucket) String() string { return fmt.Sprintf("%s %d", b.Phase, b.Max.Tokens) }

func (b Bucket) check() error {
	n := b.Max
	switch {
	case b.Phase != Prefill && b.Phase != Decode:
		return fmt.Errorf("has the phase %q: wants %q or %q", b.Phase, Prefill, Decode)
	case n.Tokens < 1 || n.Tokens > MaxTokens || n.Seqs < 1 || n.Seqs > n.Tokens || n.Rows < 1 || n.Rows > n.Tokens || n.Pages != 0:
		return fmt.Errorf("is for %d tokens, %d sequences, %d rows and %d pages: wants 1 to %d tokens, of the next two no more than tokens, and no pages",
			n.Tokens, n.Seqs, n.Rows, n.Pages, MaxTokens)
	}
	return nil
}

// MaxTokens bounds the tokens of a step.
const MaxTokens = 1 << 20

// BucketNames joins the names of buckets, those that follow one another in a phase as a range: "decode 1..64,
// prefill 16384".
func BucketNames(buckets []Bucket) string {
	var parts []string
	for i := 0; i < len(buckets); {
		j := i
		for j+1 < len(buckets) && buckets[j+1].Phase == buckets[i].Phase {
			j++
		}
		if part := buckets[i].String(); j > i {
			parts = append(parts, fmt.Sprintf("%s..%d", part, buckets[j].Max.Tokens))
		} else {
			parts = append(parts, part)
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// Variants returns the graphs of an entry in order, none where the module has no such entry. More than one
// says that they are for different buckets.
func (m *Module) Variants(entry string) []*Graph {
	var out []*Graph
	for _, g := range m.Graphs {
		if g.Name == entry {
			out = append(out, g)
		}
	}
	return out
}

// Clone returns a copy of the graph whose nodes and values have the same numbers. Weights and caches are those
// of the module, as in the graph itself.
func (g *Graph) Clone() *Graph {
	values := map[*Value]*Value{}
	copied := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		if values[v] == nil {
			w := *v
			w.Def, w.Type.Shape = nil, slices.Clone(v.Type.Shape)
			values[v] = &w
		}
		return values[v]
	}
	all := func(list []*Value) []*Value {
		out := make([]*Value, len(list))
		for i, v := range list {
			out[i] = copied(v)
		}
		return out
	}
	out := &Graph{Name: g.Name, Buckets: slices.Clone(g.Buckets), Inputs: all(g.Inputs), nextID: g.nextID, replaced: maps.Clone(g.replaced)}
	nodes := map[*Node]*Node{}
	for _, n := range g.Nodes {
		c := *n
		nodes[n] = &c
		c.In, c.Out, c.Attrs, c.Waits = all(n.In), all(n.Out), slices.Clone(n.Attrs), slices.Clone(n.Waits)
		for i, w := range c.Waits {
			c.Waits[i] = nodes[w]
		}
		for _, v := range c.Out {
			v.Def = &c
		}
		out.Nodes = append(out.Nodes, &c)
	}
	out.Outputs = all(g.Outputs)
	return out
}

// variants checks that graphs of one name are for different buckets, take the same inputs and return the same
// results, so that a caller need not know which one a step takes.
func (v *moduleVerifier) variants() {
	first, seen := map[string]*Graph{}, map[string]map[Bucket]bool{}
	for _, g := range v.module.Graphs {
		if f := first[g.Name]; f == nil {
			first[g.Name], seen[g.Name] = g, map[Bucket]bool{}
		} else if len(f.Buckets) == 0 || len(g.Buckets) == 0 {
			v.fail("graph %q: its name is taken: graphs of one entry are for different buckets", g.Name)
		} else if err := sameFace(f, g); err != nil {
			v.fail("graph %q for %s: %w", g.Name, BucketNames(g.Buckets), err)
		}
		for _, b := range g.Buckets {
			if err := b.check(); err != nil {
				v.fail("graph %q: a bucket %w", g.Name, err)
			}
			if seen[g.Name][b] {
				v.fail("graph %q: the bucket %s stands there twice", g.Name, b)
			}
			seen[g.Name][b] = true
		}
	}
}

// sameFace compares what a caller sees of two graphs.
func sameFace(a, b *Graph) error {
	inputs := func(g *Graph) map[string]string {
		out := map[string]string{}
		for _, v := range g.Inputs {
			out[v.Input] = v.Type.String()
		}
		return out
	}
	if !maps.Equal(inputs(a), inputs(b)) {
		return errors.New("takes other inputs than another graph of the entry")
	}
	if !slices.EqualFunc(a.Outputs, b.Outputs, func(x, y *Value) bool { return x.Type.Equal(y.Type) }) {
		return errors.New("returns other results than another graph of the entry")
	}
	return nil
}
