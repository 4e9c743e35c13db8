package ir

import (
	"fmt"
	"strconv"
	"strings"
	"text/scanner"

	"github.com/glmc/glmc/kernels/dtype"
)

// Parse reads the text form that Module.String prints. It checks the grammar and that names resolve; whether
// the module means something is for Verify to say.
func Parse(text string) (*Module, error) {
	p := newParser(text)
	m := p.module()
	if p.err != nil {
		return nil, p.err
	}
	return m, nil
}

// newParser returns a parser that stands at the first token.
func newParser(text string) *parser {
	p := &parser{weights: map[string]*Weight{}, caches: map[string]*Cache{}}
	p.s.Init(strings.NewReader(text))
	p.s.Mode = scanner.ScanIdents | scanner.ScanInts | scanner.ScanFloats | scanner.ScanStrings
	p.s.IsIdentRune = isIdentRune
	p.s.Error = func(_ *scanner.Scanner, msg string) { p.fail("%s", msg) }
	p.next()
	return p
}

// parser is a recursive-descent parser. After the first error tok is EOF, so that every loop ends.
type parser struct {
	s       scanner.Scanner
	tok     rune
	err     error
	weights map[string]*Weight
	caches  map[string]*Cache
	graph   *Graph
	values  map[int]*Value
	nodes   map[int]*Node
	depth   int
}

func (p *parser) next() {
	if p.err != nil {
		p.tok = scanner.EOF
		return
	}
	p.tok = p.s.Scan()
	if p.err != nil {
		p.tok = scanner.EOF
	}
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("graph text:%d:%d: %s", p.s.Line, p.s.Column, fmt.Sprintf(format, args...))
	}
	p.tok = scanner.EOF
}

// accept takes the current token if its text is that.
func (p *parser) accept(text string) bool {
	if p.tok == scanner.EOF || p.tok == scanner.String || p.s.TokenText() != text {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(texts ...string) {
	for _, t := range texts {
		if p.err == nil && !p.accept(t) {
			p.fail("expected %q, found %q", t, p.s.TokenText())
		}
	}
}

func (p *parser) ident() string {
	t := p.s.TokenText()
	if p.tok != scanner.Ident {
		p.fail("expected a name, found %q", t)
		return ""
	}
	p.next()
	return t
}

func (p *parser) str() string {
	s, err := strconv.Unquote(p.s.TokenText())
	if p.tok != scanner.String || err != nil {
		p.fail("expected a string, found %q", p.s.TokenText())
		return ""
	}
	p.next()
	return s
}

func (p *parser) int() int {
	sign := 1
	if p.accept("-") {
		sign = -1
	} else {
		p.accept("+")
	}
	v, err := strconv.Atoi(p.s.TokenText())
	if p.tok != scanner.Int || err != nil {
		p.fail("expected an integer, found %q", p.s.TokenText())
		return 0
	}
	p.next()
	return sign * v
}

func (p *parser) module() *Module {
	p.expect("module")
	m := &Module{Name: p.str()}
	p.expect("ranks", "=")
	m.Ranks = p.int()
	for p.accept("cache") {
		p.expect("@")
		c := &Cache{Name: p.str()}
		p.expect("heads", "=")
		c.Heads = p.int()
		p.expect("dim", "=")
		c.HeadDim = p.int()
		if p.accept("values") {
			p.expect("=")
			c.ValueDim = p.int()
		}
		if p.caches[c.Name] != nil {
			p.fail("cache %q is declared twice", c.Name)
		}
		p.caches[c.Name] = c
		m.Caches = append(m.Caches, c)
	}
	for p.accept("weight") {
		m.Weights = append(m.Weights, p.weight())
	}
	for p.accept("graph") {
		m.Graphs = append(m.Graphs, p.parseGraph())
	}
	if p.err == nil && p.tok != scanner.EOF {
		p.fail("expected a graph, found %q", p.s.TokenText())
	}
	return m
}

func (p *parser) weight() *Weight {
	p.expect("@")
	w := &Weight{Name: p.str()}
	p.expect(":")
	t := p.tensorType()
	w.DType = t.DType
	for _, d := range t.Shape {
		if !d.IsConst() {
			p.fail("weight %q has the symbolic dimension %s", w.Name, d)
		}
		w.Shape = append(w.Shape, d.Add)
	}
	p.expect("=")
	w.Recipe = p.recipe()
	if p.weights[w.Name] != nil {
		p.fail("weight %q is declared twice", w.Name)
	}
	p.weights[w.Name] = w
	return w
}

func (p *parser) recipe() *Recipe {
	if p.depth++; p.depth > MaxRecipeDepth {
		p.fail("recipe nested deeper than %d", MaxRecipeDepth)
	}
	defer func() { p.depth-- }()
	r := &Recipe{}
	name := p.ident()
	for k, n := range recipeNames {
		if n == name && n != "" {
			r.Kind = RecipeKind(k)
		}
	}
	p.expect("(")
	switch r.Kind {
	case 0:
		p.fail("unknown recipe %q", name)
	case RecipeTensor, RecipeEach:
		r.Name = p.str()
		r.Shape = p.ints()
		if r.Kind == RecipeEach {
			p.expect(",")
			r.Count = p.int()
		}
	default:
		p.recipeArgs(r)
	}
	p.expect(")")
	return r
}

// recipeArgs parses one recipe or more and then the numbers of the recipe's kind.
func (p *parser) recipeArgs(r *Recipe) {
	for len(r.Args) == 0 || p.tok == scanner.Ident {
		r.Args = append(r.Args, p.recipe())
		if !p.accept(",") {
			return
		}
	}
	fields := map[RecipeKind][]*int{
		RecipeConcat: {&r.Dim},
		RecipeSlice:  {&r.Dim, &r.Start, &r.Size},
		RecipeShard:  {&r.Dim, &r.Parts, &r.Group},
	}[r.Kind]
	for i, f := range fields {
		if i > 0 {
			p.expect(",")
		}
		*f = p.int()
	}
}

func (p *parser) ints() []int {
	p.expect("[")
	out := []int{}
	for p.err == nil && !p.accept("]") {
		if len(out) > 0 {
			p.expect(",")
		}
		out = append(out, p.int())
	}
	return out
}

func (p *parser) valueType() Type {
	if p.accept("cache") {
		return Type{State: true}
	}
	return p.tensorType()
}

func (p *parser) tensorType() Type {
	d, err := dtype.Parse(p.ident())
	if err != nil {
		p.fail("%v", err)
	}
	return Type{DType: d, Shape: p.shape()}
}

func (p *parser) shape() Shape {
	p.expect("[")
	s := Shape{}
	for p.err == nil && !p.accept("]") {
		if len(s) > 0 {
			p.expect(",")
		}
		s = append(s, p.dim())
	}
	return s
}

// dim parses 64, T, 4*T, B+1, 4*T-2.
func (p *parser) dim() Dim {
	d := Dim{Mul: 1}
	if p.tok != scanner.Ident {
		d.Mul = p.int()
		if !p.accept("*") {
			return Fixed(d.Mul)
		}
	}
	name := p.ident()
	for s, n := range symNames {
		if n == name && n != "" {
			d.Sym = Sym(s)
		}
	}
	if d.Sym == Const {
		p.fail("unknown size %q", name)
	}
	if t := p.s.TokenText(); p.err == nil && (t == "+" || t == "-") {
		d.Add = p.int()
	}
	return d
}

func (p *parser) parseGraph() *Graph {
	p.graph, p.values, p.nodes = NewGraph(p.ident()), map[int]*Value{}, map[int]*Node{}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		if len(p.graph.Inputs) > 0 {
			p.expect(",")
		}
		id := p.newID()
		v := &Value{ID: id, Input: p.ident()}
		p.expect(":")
		v.Type = p.valueType()
		p.bind(v)
		p.graph.Inputs = append(p.graph.Inputs, v)
	}
	if p.accept("buckets") {
		p.graph.Buckets = append(p.graph.Buckets, p.bucket())
		for p.accept(",") {
			p.graph.Buckets = append(p.graph.Buckets, p.bucket())
		}
	}
	p.expect("{")
	for p.err == nil && !p.accept("return") {
		p.node()
	}
	for p.err == nil && !p.accept("}") {
		if len(p.graph.Outputs) > 0 {
			p.expect(",")
		}
		p.graph.Outputs = append(p.graph.Outputs, p.ref())
	}
	return p.graph
}

// bucket parses a phase with its tokens, sequences and rows: decode(4, 4, 4).
func (p *parser) bucket() Bucket {
	b := Bucket{Phase: p.ident()}
	p.expect("(")
	b.Max.Tokens = p.int()
	p.expect(",")
	b.Max.Seqs = p.int()
	p.expect(",")
	b.Max.Rows = p.int()
	p.expect(")")
	return b
}

func (p *parser) newID() int {
	p.expect("%")
	return p.number()
}

// MaxID bounds the numbers of values and nodes: plans store them in 32 bits.
const MaxID = 1<<31 - 1

// number parses the number of a value or a node.
func (p *parser) number() int {
	id := p.int()
	if id < 0 || id > MaxID {
		p.fail("number %d is out of range", id)
	}
	p.graph.nextID = max(p.graph.nextID, id)
	return id
}

func (p *parser) bind(v *Value) {
	if p.values[v.ID] != nil {
		p.fail("%%%d is defined twice", v.ID)
	}
	p.values[v.ID] = v
}

func (p *parser) node() {
	n := &Node{}
	if p.tok == '%' {
		p.results(n)
	}
	name := p.ident()
	if n.Op = Lookup(name); n.Op == nil {
		p.fail("unknown operator %q", name)
		return
	}
	p.expect("[")
	n.ID = p.number()
	p.expect("]", "(")
	for p.err == nil && !p.accept(")") {
		if len(n.In) > 0 {
			p.expect(",")
		}
		n.In = append(n.In, p.ref())
	}
	if p.accept("{") {
		p.attrs(n)
	}
	p.schedule(n)
	n.Origin.Source, n.Origin.End = CutRange(p.str())
	n.Origin.Path, n.Origin.Layer = p.str(), p.int()
	for _, v := range n.Out {
		p.bind(v)
	}
	p.nodes[n.ID] = n
	p.graph.Nodes = append(p.graph.Nodes, n)
}

// results parses the values in front of an operator that has any, and the equals sign.
func (p *parser) results(n *Node) {
	for p.err == nil && !p.accept("=") {
		if len(n.Out) > 0 {
			p.expect(",")
		}
		v := &Value{ID: p.newID(), Def: n}
		p.expect(":")
		v.Type = p.valueType()
		n.Out = append(n.Out, v)
	}
}

func (p *parser) attrs(n *Node) {
	for p.err == nil && !p.accept("}") {
		if len(n.Attrs) > 0 {
			p.expect(",")
		}
		key := p.ident()
		p.expect(":")
		n.Attrs = append(n.Attrs, Attr{key, p.attrValue()})
	}
}

func (p *parser) attrValue() any {
	switch {
	case p.tok == scanner.String:
		return p.str()
	case p.tok == '[':
		return p.shape()
	}
	text := ""
	if p.accept("-") {
		text = "-"
	}
	text += p.s.TokenText()
	if p.tok == scanner.Int {
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			p.fail("integer %s is out of range", text)
		}
		p.next()
		return v
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || p.tok != scanner.Float { // it would take "inf" and "nan" too
		p.fail("expected a value, found %q", text)
	}
	p.next()
	return v
}

func (p *parser) ref() *Value {
	switch {
	case p.accept("none"):
		return nil
	case p.accept("weight"):
		v := &Value{ID: p.newID()}
		p.expect("@")
		name := p.str()
		if v.Weight = p.weights[name]; v.Weight == nil {
			p.fail("unknown weight %q", name)
			return v
		}
		v.Type = v.Weight.Type()
		return p.shared(v)
	case p.accept("cache"):
		v := &Value{ID: p.newID(), Type: Type{State: true}}
		p.expect("@")
		name := p.str()
		if v.Cache = p.caches[name]; v.Cache == nil {
			p.fail("unknown cache %q", name)
		}
		return p.shared(v)
	}
	id := p.newID()
	v := p.values[id]
	if v == nil {
		p.fail("%%%d is not defined", id)
	}
	return v
}

// shared returns the value that already stands for that number, so that two uses of one operand stay one.
func (p *parser) shared(v *Value) *Value {
	if old := p.values[v.ID]; old != nil {
		if old.Weight != v.Weight || old.Cache != v.Cache {
			p.fail("%%%d stands for two things", v.ID)
		}
		return old
	}
	p.values[v.ID] = v
	return v
}
