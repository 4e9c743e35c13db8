package check

import (
	"strings"

	"github.com/glmc/glmc/dsl/shape"
	"github.com/glmc/glmc/dsl/syntax"
)

// model checks one model.
type model struct {
	*checker
	top       *top                     // of the file
	file      *syntax.File             // that the model is in
	facts     shape.Facts              // what the assertions say
	globals   *names                   // configuration keys and lets, as far as they are declared where the check is
	later     map[string]*syntax.Ident // those that are still to come; nil outside of models
	blocks    map[string]*block        // by name
	blockList []*block
	entered   []call // calls in entries
}

// block is a block with what is known about its calls.
type block struct {
	*syntax.Block
	home    *model // in which its calls mean what they mean: its model, or what stands outside of models in its file
	calls   []call
	results int // how many it returns; as count has it
	state   visit
	reached bool // from an entry
}

// call is a call of another block.
type call struct {
	to *block
	at syntax.Node
}

// visit is the state of a block in a walk over the calls.
type visit int

const (
	unvisited visit = iota
	visiting
	visited
)

// servingKeys are configuration keys that the runtime reads by their name. A model declares them to have them
// checked, and need not use them itself.
var servingKeys = map[string]bool{"max_position_embeddings": true}

func (c *checker) model(syn *syntax.Model, t *top) {
	m := c.outside(t)
	m.later = map[string]*syntax.Ident{}
	for _, f := range syn.Fields() {
		m.later[f.Name.Name] = f.Name
	}
	for _, l := range syn.Lets() {
		m.later[l.Name.Name] = l.Name
	}
	m.classes(syn.For)
	m.declareBlocks(syn)
	for _, f := range syn.Fields() {
		m.field(f)
	}
	for _, l := range syn.Lets() {
		v := m.compileTime(l.Value)
		n := symbolic(l.Value, m.constant)
		if n == nil && v == integer { // a choice, say
			n = &number{shape.Vague(l.Name.Name), true}
		}
		m.global(&symbol{what: "let", name: l.Name, kind: v, number: n})
	}
	for _, a := range syn.Asserts() {
		f := m.scope()
		f.condition(a.Cond)
		m.facts = f.assumed(a.Cond, true)
		if strings.TrimSpace(a.Message.Value) == "" {
			m.errorf(a.Message, idEmptyMessage, "an assertion says what is wrong where it fails")
		}
	}
	for _, b := range m.blockList {
		m.block(b)
	}
	m.entries(syn.Entries())
	for _, r := range syn.Rules() {
		m.rule(r)
	}
	m.unusedAliases(syn)
	m.recursion()
	m.globals.warnUnused()
	m.unusedBlocks()
}

// classes checks the names of Hugging Face's classes behind `for`.
func (m *model) classes(list []*syntax.Str) {
	first := map[string]*syntax.Str{}
	for _, s := range list {
		switch {
		case !isWord(s.Value):
			m.errorf(s, idBadClass, "%q is no class name of Hugging Face's, such as Glm4MoeForCausalLM", s.Value)
		case first[s.Value] != nil:
			m.errorf(s, idDuplicateName, "%q is there already", s.Value).Note(first[s.Value].Span().Diag(), "first named here")
		}
		first[s.Value] = s
	}
}

func isWord(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func (m *model) block(b *block) {
	m.function(b, b.Dims, b.Params, b.Results, b.Body, "block "+b.Name.Name)
}

// global declares a configuration key or a let.
func (m *model) global(s *symbol) {
	delete(m.later, s.name.Name)
	if runtimeDims[s.name.Name] != "" {
		m.reserved(s.name)
		return
	}
	m.globals.declare(s)
}

// reserved reports that a name is taken by a dimension.
func (c *checker) reserved(name *syntax.Ident) {
	c.errorf(name, idDuplicateName, "%q is the number of %s in a step, and no other name can be called so", name.Name, runtimeDims[name.Name])
}

func (m *model) field(f *syntax.Field) {
	k, ok := configTypes[f.Type.Name]
	if !ok {
		m.errorf(f.Type, idUnknownType, "unknown type %q: a configuration key is int, float, bool, string or ints", f.Type.Name).
			DidYouMean(f.Type.Name, configTypeNames)
	}
	switch {
	case f.Default != nil:
		if v := m.compileTime(f.Default); !v.fits(k) {
			m.errorf(f.Default, idTypeMismatch, "the default of %q is %s, and its type is %s", f.Name.Name, v, f.Type.Name)
		}
	case f.MayMiss():
		m.errorf(f, idMissingDefault, "%q is optional and has no default", f.Name.Name).
			Suggest("write, for example, `%s %s = ... optional`", f.Name.Name, f.Type.Name)
	}
	if configTypes[f.Name.Name] != unknown {
		m.errorf(f.Name, idDuplicateName, "%q is a type, and no configuration key can be called so", f.Name.Name)
	}
	if f.Else != nil {
		if v := m.compileTime(f.Else); !v.fits(k) {
			m.errorf(f.Else, idTypeMismatch, "behind else is %s, and the type of %q is %s", v, f.Name.Name, f.Type.Name)
		}
		if f.MayMiss() {
			m.diags.Warnf(f.Span().Diag(), idNeedless, "%q is optional already: else says what it is where config.json lacks it", f.Name.Name).
				Suggest("leave optional out")
		}
	}
	m.global(&symbol{what: "configuration key", name: f.Name, kind: k, used: servingKeys[f.Name.Name], number: atom(f.Name.Name, k)})
}

func (m *model) declareBlocks(syn *syntax.Model) {
	blocks := newNames(m.checker)
	for _, b := range syn.Blocks() {
		m.blockName(blocks, &symbol{what: "block", name: b.Name, block: b})
		if outer := m.top.blocks.symbols[b.Name.Name]; outer != nil {
			outer.used = true
			m.errorf(b.Name, idDuplicateName, "there is %s %q outside of the model already", article(outer.what), b.Name.Name).
				Note(outer.name.Span().Diag(), "declared here")
		}
		info := &block{Block: b, home: m, results: notCounted}
		if m.blocks[b.Name.Name] == nil {
			m.blocks[b.Name.Name] = info
		}
		m.blockList = append(m.blockList, info)
	}
}

func (m *model) entries(list []*syntax.Entry) {
	entries := newNames(m.checker)
	for _, e := range list {
		entries.declare(&symbol{what: "entry", name: e.Name})
		if e.When != nil {
			m.condition(e.When)
		}
		for _, p := range e.Params {
			if len(p.Type.Dims) == 0 {
				m.errorf(p.Type, idNotTensor, "the parameters of an entry are tensors").
					Suggest("make it a configuration key, or a tensor such as i32[T]")
			}
		}
		m.entry(e)
	}
}

func (m *model) entry(e *syntax.Entry) {
	outer := m.facts
	if e.When != nil {
		m.facts = m.scope().assumed(e.When, true)
	}
	m.function(nil, nil, e.Params, e.Results, e.Body, "entry "+e.Name.Name)
	m.facts = outer
}

// scope returns a scope in which only configuration keys and lets are visible.
func (m *model) scope() *function {
	return &function{
		model: m, facts: m.facts, global: true, vars: map[string]*symbol{}, state: map[string]state{},
		targets: map[string]*syntax.Ident{}, early: map[string]bool{}, gone: map[string]*syntax.Ident{},
		shapes: m.diags,
	}
}

// compileTime checks an expression of configuration keys and lets, and returns its kind.
func (m *model) compileTime(x syntax.Expr) kind {
	return m.scope().compileTime(x)
}

func (m *model) condition(x syntax.Expr) { m.scope().condition(x) }

// recursion reports the cycles of calls: each once, at the block that the walk finds first.
func (m *model) recursion() {
	var stack []call
	var walk func(b *block)
	walk = func(b *block) {
		b.state = visiting
		for _, c := range b.calls {
			stack = append(stack, c)
			switch c.to.state {
			case unvisited:
				walk(c.to)
			case visiting:
				m.cycle(stack)
			}
			stack = stack[:len(stack)-1]
		}
		b.state = visited
	}
	for _, b := range m.blockList {
		if b.state == unvisited {
			walk(b)
		}
	}
}

// cycle reports the cycle that the last call of a chain closes.
func (m *model) cycle(chain []call) {
	if m.diags.Full() {
		return // it is one error of very many, and the cycle may be long
	}
	target := chain[len(chain)-1].to
	from := len(chain) - 1
	for from > 0 && chain[from-1].to != target {
		from--
	}
	path := []string{target.Name.Name}
	for _, c := range chain[from:] {
		path = append(path, c.to.Name.Name)
	}
	d := m.errorf(target.Name, idRecursion, "a block cannot call itself: %s", shortPath(path))
	for _, c := range chain[from:][:min(len(chain)-from, maxNotes)] {
		d.Note(c.at.Span().Diag(), "%s is called here", c.to.Name.Name)
	}
}

// maxNotes bounds the notes of one diagnostic.
const maxNotes = 8

func shortPath(path []string) string {
	if len(path) > maxNotes {
		path = append(path[:maxNotes-1:maxNotes-1], "...", path[len(path)-1])
	}
	return strings.Join(path, " calls ")
}

// unusedBlocks warns of blocks that no entry leads to.
func (m *model) unusedBlocks() {
	todo := m.entered
	for len(todo) > 0 {
		b := todo[len(todo)-1].to
		todo = todo[:len(todo)-1]
		if !b.reached {
			b.reached = true
			todo = append(todo, b.calls...)
		}
	}
	for _, b := range m.blockList {
		if !b.reached && m.blocks[b.Name.Name] == b { // a second block of a name has been reported
			m.unused(&symbol{what: "block", name: b.Name})
		}
	}
}
