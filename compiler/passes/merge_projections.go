package passes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
)

// projections merges linears of one value into one linear.split, for the passes merge_qkv and merge_gate_up, which
// differ in where they look:
//
//	q = linear(x, Q); k = linear(x, K); v = linear(x, V)  =>  q, k, v = linear.split(x, [Q; K; V])
//
// Why it is right: a row of a projection's weight gives one value of the result and knows nothing of the other rows,
// so that rows below one another give the values side by side, with the same bits: the sum of each runs over x as
// before, the scale of an fp8 row is the row's own, and rows of x are quantised as a whole, once instead of three
// times. The merged operator stands where the first of its projections stood; all of them wanted x and nothing
// else that is computed. A slice of a projection's value is some of the same columns: where a value is cut into
// slices and read by nothing else, the operator gives the slices.
//
// It must not fire where the projections read different values, as the second projections of latent attention do: x
// K y Q has no common left side. Nor where their weights have different dtypes: a weight has one. Nor where one
// quantises its rows of x and the other does not, as the result of the other would move. Where some have a bias
// and some do not, a merged bias would need zeros that no checkpoint holds, and adding them is not the identity:
// -0 + 0 is +0. And a weight that something else reads as well would be held twice.
//
// On a device that leaves weights in the checkpoint's file where they are stored as they are wanted, one matrix of
// three is a copy in memory for a launch that costs little there: three that lie in the file stay three.
//
// The weight is a recipe, concat(Q, K, V), of what each rank holds of them. The loader writes stored rows to where
// they belong in the result; there is no moment at which a part and the whole both take memory.
type projections struct {
	c      *Context
	sites  []*projectionSite
	nodes  map[*ir.Node]*projectionSite
	order  map[*ir.Node]int // where in its graph a projection stands
	users  map[*ir.Value][]*ir.Node
	merged map[string]*ir.Weight // by key: entries share their layers
}

// projectionSite is some projections of one value that have one format.
type projectionSite struct {
	graph   *ir.Graph
	linears []*ir.Node // in the order of the results
	key     string     // names the weights
}

// projectionSearch is where a merging pass looks: for every node it names the values that projections lead to, nil where
// there is nothing to look for. sources names the operands that a value is put together of on the way from a
// projection; missed says why nothing is merged where no two projections have the same operand.
type projectionSearch struct {
	ends    func(n *ir.Node) []*ir.Value
	sources func(v *ir.Value) []*ir.Value
	missed  string
}

// run merges what a search finds in the module.
func (s *projectionSearch) run(c *Context) error {
	p := &projections{c: c, nodes: map[*ir.Node]*projectionSite{}, order: map[*ir.Node]int{},
		users: map[*ir.Value][]*ir.Node{}, merged: map[string]*ir.Weight{}}
	for _, g := range c.Module.Graphs {
		p.find(g, s)
		maps.Copy(p.users, g.Users())
	}
	p.dropShared()
	p.dropMapped()
	if p.ask() {
		p.dropShared() // an entry may share its weights with one that was left alone
	}
	rewrites := map[*ir.Graph]*ir.Rewrite{}
	for _, site := range p.sites {
		if rewrites[site.graph] == nil {
			rewrites[site.graph] = ir.NewRewrite(site.graph)
		}
		if err := p.merge(site, rewrites[site.graph]); err != nil {
			return err
		}
	}
	for _, rw := range rewrites {
		rw.Apply()
	}
	return nil
}

// find collects the sites of a graph. Projections that lead to several ends, and those of several ends that read the
// same value, are one site.
func (p *projections) find(g *ir.Graph, s *projectionSearch) {
	var inputs []*ir.Value // in the order of their first projection
	readers := map[*ir.Value][]*ir.Node{}
	seen := map[*ir.Node]bool{}
	for i, n := range g.Nodes {
		if n.Op.Name == "linear" {
			p.order[n] = i
		}
		ends := s.ends(n)
		if ends == nil {
			continue
		}
		of := map[*ir.Value]int{}
		together := false
		for _, l := range s.lead(ends) {
			x := l.Arg("x")
			of[x]++
			together = together || of[x] > 1
			if !seen[l] {
				if len(readers[x]) == 0 {
					inputs = append(inputs, x)
				}
				seen[l], readers[x] = true, append(readers[x], l)
			}
		}
		if !together {
			p.c.missed(g, n.Origin, "inputs", "%s", s.missed)
		}
	}
	for _, x := range inputs {
		p.group(g, readers[x])
	}
}

// lead lists the projections that lead to values, in the order of the values and without repeating any. It looks
// through projections, too: those of latent attention stand one behind the other.
func (s *projectionSearch) lead(ends []*ir.Value) []*ir.Node {
	var found []*ir.Node
	seen := map[*ir.Value]bool{}
	var visit func(v *ir.Value)
	visit = func(v *ir.Value) {
		if seen[v] || v.Def == nil {
			return
		}
		seen[v] = true
		if v.Def.Op.Name == "linear" {
			found = append(found, v.Def)
		}
		for _, from := range s.sources(v) {
			visit(from)
		}
	}
	for _, v := range ends {
		visit(v)
	}
	return found
}

// group makes sites of projections of one value: one for each format that two or more have. The others are compared
// with those of the most usual format, or with the first.
func (p *projections) group(g *ir.Graph, linears []*ir.Node) {
	if len(linears) < 2 {
		return
	}
	var formats []projectionFormat
	of := map[projectionFormat][]*ir.Node{}
	for _, l := range linears {
		f := formatOf(l)
		if len(of[f]) == 0 {
			formats = append(formats, f)
		}
		of[f] = append(of[f], l)
	}
	usual := formats[0]
	for _, f := range formats {
		if len(of[f]) > len(of[usual]) {
			usual = f
		}
	}
	for _, f := range formats {
		switch alike := of[f]; {
		case len(alike) > ir.MaxResults:
			p.c.missed(g, alike[0].Origin, "many", "%d projections of one value: an operator gives at most %d results", len(alike), ir.MaxResults)
		case len(alike) > 1:
			p.add(g, alike)
		case f != usual:
			why := differ(alike[0], of[usual][0])
			p.c.missed(g, alike[0].Origin, why.id, "%s", why.text)
		}
	}
}

// projectionFormat is what projections must have in common to be merged.
type projectionFormat struct {
	weight, bias, act string // bias is "" where there is none
}

func formatOf(l *ir.Node) projectionFormat {
	f := projectionFormat{weight: l.Arg("w").Type.DType.String(), act: l.Attrs.Str("act")}
	if bias := l.Arg("bias"); bias != nil {
		f.bias = bias.Type.DType.String()
	}
	return f
}

// differ says what keeps two projections of one value from being merged.
func differ(l, other *ir.Node) missReason {
	name, otherName := l.Arg("w").Weight.Name, other.Arg("w").Weight.Name
	f, o := formatOf(l), formatOf(other)
	switch {
	case f.weight != o.weight:
		return missReason{"format", fmt.Sprintf("%s is %s, %s is %s", name, f.weight, otherName, o.weight)}
	case f.act != o.act:
		return missReason{"format", fmt.Sprintf("the rows that go into %s are quantised in another way than those for %s", name, otherName)}
	case f.bias == "":
		return missReason{"bias", fmt.Sprintf("%s has no bias, %s has one", name, otherName)}
	case o.bias == "":
		return missReason{"bias", fmt.Sprintf("%s has a bias, %s has none", name, otherName)}
	}
	return missReason{"bias", fmt.Sprintf("%s has a bias in %s, %s one in %s", name, f.bias, otherName, o.bias)}
}

func (p *projections) add(g *ir.Graph, linears []*ir.Node) {
	var key strings.Builder
	site := &projectionSite{graph: g, linears: linears}
	for _, l := range linears {
		p.nodes[l] = site
		for _, operand := range []string{"w", "bias"} {
			if v := l.Arg(operand); v != nil {
				fmt.Fprintf(&key, "%s %q ", operand, v.Weight.Name)
			}
		}
	}
	site.key = key.String()
	p.sites = append(p.sites, site)
}

// ask finds the sites that are to be left alone, and reports whether there are any.
func (p *projections) ask() bool {
	before := len(p.sites)
	p.keep(func(site *projectionSite) bool { return p.c.may(site.graph, site.linears[0].Origin) })
	return len(p.sites) < before
}

// dropShared drops the sites with a weight that something else reads.
func (p *projections) dropShared() {
	others := p.otherReaders()
	p.keep(func(site *projectionSite) bool {
		w := others[site]
		if w != nil {
			p.c.missed(site.graph, site.linears[0].Origin, "other_reader", "%s is read by something else too and would be held twice", w.Name)
		}
		return w == nil
	})
}

// dropMapped drops the sites whose weights all stay in the checkpoint's file as long as they are apart.
func (p *projections) dropMapped() {
	o := p.c.Options
	if o.Device == nil || !o.Device.Mapped || o.Weights.Valid() {
		return
	}
	p.keep(func(site *projectionSite) bool {
		bytes := int64(0)
		for _, l := range site.linears {
			w := l.Arg("w").Weight
			if !inOnePiece(w.Recipe) {
				return true
			}
			bytes += w.Bytes()
		}
		p.c.missed(site.graph, site.linears[0].Origin, "mapped", "the weights are used where they lie in the checkpoint's file; one of them all would be a copy of %d bytes", bytes)
		return false
	})
}

// inOnePiece reports whether a weight is a stored tensor, or rows of one that lie behind one another.
func inOnePiece(r *ir.Recipe) bool {
	switch r.Kind {
	case ir.RecipeTensor:
		return true
	case ir.RecipeShard, ir.RecipeSlice:
		return r.Dim == 0 && inOnePiece(r.Args[0])
	}
	return false
}

// keep drops the sites for which ok is false; to the others they are readers like any.
func (p *projections) keep(ok func(*projectionSite) bool) {
	var kept []*projectionSite
	for _, site := range p.sites {
		if ok(site) {
			kept = append(kept, site)
			continue
		}
		for _, l := range site.linears {
			delete(p.nodes, l)
		}
	}
	p.sites = kept
}

// otherReaders finds for each site a weight that would have to be held beside the merged one: because something else
// in the module reads it, in this entry or another, or a site that merges it with other weights.
func (p *projections) otherReaders() map[*projectionSite]*ir.Weight {
	uses := map[*ir.Weight]string{} // the only use so far
	shared := map[*ir.Weight]bool{}
	for _, g := range p.c.Module.Graphs {
		for _, n := range g.Nodes {
			for i, v := range n.In {
				if v == nil || v.Weight == nil {
					continue
				}
				use := "another"
				if site := p.nodes[n]; site != nil {
					use = site.use(n, i)
				}
				if old, ok := uses[v.Weight]; ok && (old != use || use == "another") {
					shared[v.Weight] = true
				}
				uses[v.Weight] = use
			}
		}
	}
	found := map[*projectionSite]*ir.Weight{}
	for _, site := range p.sites {
		for _, l := range site.linears {
			for _, v := range l.In[1:] {
				if v != nil && found[site] == nil && shared[v.Weight] {
					found[site] = v.Weight
				}
			}
		}
	}
	return found
}

// use names the place of an operand in a site. Sites with the same weights in the same places are the same to them.
func (s *projectionSite) use(n *ir.Node, operand int) string {
	for i, l := range s.linears {
		if l == n {
			return fmt.Sprint(s.key, i, operand)
		}
	}
	panic("passes: a projection is not in its site")
}

// merge puts one operator in the place of a site's projections, and of the slices that a projection's value is only
// cut into: columns of a product can be written anywhere.
func (p *projections) merge(site *projectionSite, rw *ir.Rewrite) error {
	first := site.linears[0]
	var sizes ir.Shape
	var results []*ir.Value // that the operator's are to replace
	gone, cut := slices.Clone(site.linears), 0
	for i, l := range site.linears {
		left := len(site.linears) - i - 1 // results that the others need
		cuts := p.cuts(site, l, ir.MaxResults-len(sizes)-left)
		for _, n := range cuts {
			sizes, results = append(sizes, n.Out[0].Type.Shape.Last()), append(results, n.Out[0])
		}
		if cuts == nil {
			sizes, results = append(sizes, l.Arg("w").Type.Shape[0]), append(results, l.Out[0])
		}
		gone, cut = append(gone, cuts...), cut+len(cuts)
	}
	in := []*ir.Value{first.Arg("x"), p.operand(site, "w"), p.operand(site, "bias")}
	b := &ir.Builder{Graph: site.graph, Origin: first.Origin}
	out := b.Emit("linear.split", in, append(ir.Attrs{{Key: "sizes", Value: sizes}}, first.Attrs...)...)
	if err := b.Err(); err != nil {
		return err
	}
	rw.Before(p.earliest(site), b.Nodes...)
	for i, v := range results {
		rw.Replace(v, out[i])
	}
	rw.Remove(gone...)
	note := ""
	if cut > 0 {
		note = fmt.Sprintf(", %d slices among them", cut)
	}
	p.c.applied(site.graph, first.Origin, "merged", p.c.saved(gone, b.Nodes), "%d projections, to %s values a token%s, in one", len(site.linears), listed(sizes), note)
	return nil
}

// cuts lists the slices that a projection's value is cut into, in the order of its columns, where nothing but they reads
// it, each column is in one of them, and there are no more than most.
func (p *projections) cuts(site *projectionSite, l *ir.Node, most int) []*ir.Node {
	cuts := slices.Clone(p.users[l.Out[0]])
	if len(cuts) > most || site.graph.IsOutput(l.Out[0]) || slices.ContainsFunc(cuts, func(n *ir.Node) bool { return n.Op.Name != "slice" }) {
		return nil
	}
	slices.SortStableFunc(cuts, func(a, b *ir.Node) int { return a.Attrs.Int("from") - b.Attrs.Int("from") })
	next := 0
	for _, n := range cuts {
		if n.Attrs.Int("from") != next {
			return nil
		}
		next = n.Attrs.Int("to")
	}
	if ir.Fixed(next) != l.Out[0].Type.Shape.Last() {
		return nil
	}
	return cuts
}

// earliest is the projection of a site that stands first in the graph.
func (p *projections) earliest(site *projectionSite) *ir.Node {
	return slices.MinFunc(site.linears, func(a, b *ir.Node) int { return p.order[a] - p.order[b] })
}

// operand is the merged weight or bias, nil where there is none.
func (p *projections) operand(site *projectionSite, name string) *ir.Value {
	var parts []*ir.Weight
	for _, l := range site.linears {
		v := l.Arg(name)
		if v == nil {
			return nil
		}
		parts = append(parts, v.Weight)
	}
	key := name + " " + site.key
	w := p.merged[key]
	if w == nil {
		w = concatenated(parts)
		p.merged[key] = w
		p.c.Module.Weights = append(p.c.Module.Weights, w)
	}
	return site.graph.Load(w)
}

// concatenated is a weight with the rows of others, one behind the other.
func concatenated(parts []*ir.Weight) *ir.Weight {
	w := &ir.Weight{Name: joinedName(parts), DType: parts[0].DType, Shape: append([]int(nil), parts[0].Shape...)}
	w.Shape[0] = 0
	recipes := make([]*ir.Recipe, len(parts))
	for i, part := range parts {
		recipes[i] = part.Recipe
		w.Shape[0] += part.Shape[0]
	}
	w.Recipe = ir.Concat(0, recipes...)
	return w
}

// joinedName names a weight after its parts. What each rank has of them stands behind the last one where it is the
// same: "q + k + v @0/8".
func joinedName(parts []*ir.Weight) string {
	whole, ofRank := make([]string, len(parts)), make([]string, len(parts))
	full := make([]string, len(parts))
	for i, part := range parts {
		full[i] = part.Name
		whole[i], ofRank[i], _ = strings.Cut(part.Name, " @")
	}
	if ofRank[0] == "" || len(slices.Compact(ofRank)) > 1 {
		return strings.Join(full, " + ")
	}
	return strings.Join(whole, " + ") + " @" + ofRank[0]
}

// listed writes sizes as "12, 4 and 4".
func listed(sizes ir.Shape) string {
	var b strings.Builder
	for i, size := range sizes {
		switch {
		case i == len(sizes)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(size.String())
	}
	return b.String()
}

// mergeRemarks are what both passes say.
var mergeRemarks = []RemarkKind{
	{"merged", true, "projections of one value are one product"},
	{"inputs", false, "the projections do not read one value"},
	{"many", false, "there are more projections of one value than an operator has results"},
	{"format", false, "the weights, or the quantised rows that go into them, have different formats"},
	{"bias", false, "one projection has a bias, or one in another dtype, and another has not"},
	{"mapped", false, "the weights stay in the checkpoint's file, and merged they would be a copy"},
	{"other_reader", false, "a weight is read by something else too and would be held twice"},
}
