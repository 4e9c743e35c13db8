package format

import (
	"sort"

	"github.com/glmc/glmc/dsl/syntax"
)

// role is what the tree knows of a token.
type role struct {
	start     pieceKind // it begins a declaration, statement, key, rule or setting
	bodyOpen  bool      // "{" of a list of pieces, each on lines of its own
	bodyClose bool
	tight     bool  // no space in front: f(x), i32[T]
	unary     bool  // no space behind: -x
	op        class // a binary operator: breakable behind it
	clause    class // begins a clause: breakable in front of it
	target    bool  // an assigned name: kept behind the comma in front of it
	assign    bool  // "=" of a whole piece: breakable behind it
	elseWord  bool  // of a statement
	cell      int   // begins a column of its piece: 1, 2 or 3
}

// pieceKind is what a piece is, as far as columns depend on it.
type pieceKind int

const (
	noPiece pieceKind = iota
	otherPiece
	fieldPiece
	aliasPiece
	settingPiece
)

// class orders the places where a line can be broken, among those with as many brackets around them: the lower,
// the better. Zero is no such place.
type class int

const (
	clauseClass class           = iota + 1 // when, from, because, ->
	commaClass                             // and what is as loose: "or" between strings, then, else
	opClass                                // plus the precedence of the operator, up to 7
	postClass   = opClass + 8              // as, at
	openClass   = postClass + 1            // behind a bracket
	assignClass = openClass + 6            // behind "="
	deeper      = 12                       // what each bracket adds
)

// oneLineBody is a body that may stay on the line of its block or entry.
type oneLineBody struct {
	piece       int // first token of the declaration
	open, close int
	stmt        int
}

// marker writes the roles of tokens into items.
type marker struct {
	items  []*item
	tokens []int // items that are not comments, in order
	bodies []oneLineBody
}

func newMarker(items []*item) *marker {
	m := &marker{items: items}
	for i, t := range items {
		if !t.comment() {
			m.tokens = append(m.tokens, i)
		}
	}
	return m
}

// at is the position in m.tokens of the first token that begins at the offset or behind it.
func (m *marker) at(p syntax.Pos) int {
	return sort.Search(len(m.tokens), func(i int) bool { return m.items[m.tokens[i]].Pos.Offset >= p.Offset })
}

func (m *marker) token(i int) *item { return m.items[m.tokens[i]] }

// first is the token that begins at p.
func (m *marker) first(p syntax.Pos) *item { return m.token(m.at(p)) }

// last is the token that ends at p.
func (m *marker) last(p syntax.Pos) *item { return m.token(m.at(p) - 1) }

// before is the token in front of what begins at p, parentheses around that passed over: they are not in the tree.
func (m *marker) before(p syntax.Pos) *item {
	i := m.at(p) - 1
	for m.token(i).is("(") {
		i--
	}
	return m.token(i)
}

// after is the token behind what ends at p, parentheses around that passed over.
func (m *marker) after(p syntax.Pos) *item {
	i := m.at(p)
	for m.token(i).is(")") {
		i++
	}
	return m.token(i)
}

func (m *marker) file(f *syntax.File) {
	for _, d := range f.Decls() {
		switch d := d.(type) {
		case *syntax.Import:
			m.first(d.Pos).start = otherPiece
			m.before(d.Path.Pos).clause = clauseClass
		case *syntax.Block:
			m.block(d)
		case *syntax.Model:
			m.model(d)
		case *syntax.Pipeline:
			m.pipeline(d)
		}
	}
}

func (m *marker) model(d *syntax.Model) {
	m.first(d.Pos).start = otherPiece
	m.names(d.For)
	header := d.Name.EndPos
	if n := len(d.For); n > 0 {
		header = d.For[n-1].EndPos
	}
	m.body(m.first(header), d.EndPos)
	for _, member := range d.Members {
		m.first(member.Pos).start = otherPiece
		switch {
		case member.Config != nil:
			m.config(member.Config)
		case member.Let != nil:
			m.before(member.Let.Value.Span().Pos).assign = true
			m.expr(member.Let.Value)
		case member.Assert != nil:
			m.expr(member.Assert.Cond)
		case member.Block != nil:
			m.block(member.Block)
		case member.Entry != nil:
			m.entry(member.Entry)
		case member.Checkpoint != nil:
			m.checkpoint(member.Checkpoint)
		}
	}
}

// names marks the words in front of the strings of `for "A" or "B"` and `from "a" or "b"`.
func (m *marker) names(list []*syntax.Str) {
	for i, s := range list {
		m.before(s.Pos).clause = commaClass
		if i == 0 {
			m.before(s.Pos).clause = clauseClass
		}
	}
}

func (m *marker) body(open *item, end syntax.Pos) {
	open.bodyOpen = true
	m.last(end).bodyClose = true
}

func (m *marker) config(d *syntax.Config) {
	m.body(m.token(m.at(d.Pos)+1), d.EndPos)
	for _, f := range d.Fields {
		m.first(f.Pos).start = fieldPiece
		m.first(f.Type.Pos).cell = 1
		end := f.Type.EndPos
		if f.Default != nil {
			m.first(end).cell = 2
			m.expr(f.Default)
			end = f.Default.Span().End
		}
		if f.Else != nil {
			m.expr(f.Else)
		}
		m.names(f.From)
		if f.Else != nil || f.MayMiss() || len(f.From) > 0 {
			clause := m.after(end)
			clause.cell, clause.clause = 3, clauseClass
		}
	}
}

func (m *marker) block(d *syntax.Block) {
	m.first(d.Pos).start = otherPiece
	params := m.at(d.Name.EndPos)
	m.token(params).tight = true
	if n := len(d.Dims); n > 0 {
		params = m.at(d.Dims[n-1].EndPos) + 1 // behind "]"
		m.token(params).tight = true
	}
	m.signature(d.Params, d.Results)
	m.stmts(d.Body)
	m.oneLine(d.Pos, d.Body)
}

func (m *marker) entry(d *syntax.Entry) {
	m.first(d.Name.EndPos).tight = true
	m.signature(d.Params, d.Results)
	if d.When != nil {
		m.when(d.When)
	}
	m.stmts(d.Body)
	m.oneLine(d.Pos, d.Body)
}

func (m *marker) signature(params []*syntax.Param, results []*syntax.Type) {
	for _, p := range params {
		m.typ(p.Type)
	}
	for i, r := range results {
		if i == 0 {
			m.before(r.Pos).clause = clauseClass
		}
		m.typ(r)
	}
}

func (m *marker) typ(t *syntax.Type) {
	if t.Name != nil && len(t.Dims) > 0 {
		m.first(t.Name.EndPos).tight = true
	}
	m.exprs(t.Dims)
}

func (m *marker) when(x syntax.Expr) {
	m.before(x.Span().Pos).clause = clauseClass
	m.expr(x)
}

// oneLine notes a body of one plain statement.
func (m *marker) oneLine(start syntax.Pos, b *syntax.Body) {
	if len(b.Stmts) == 1 && b.Stmts[0].If == nil && b.Stmts[0].For == nil {
		m.bodies = append(m.bodies, oneLineBody{
			piece: m.tokens[m.at(start)], open: m.tokens[m.at(b.Pos)], close: m.tokens[m.at(b.EndPos)-1],
			stmt: m.tokens[m.at(b.Stmts[0].Pos)],
		})
	}
}

func (m *marker) stmts(b *syntax.Body) {
	m.body(m.first(b.Pos), b.EndPos)
	for _, s := range b.Stmts {
		m.first(s.Pos).start = otherPiece
		switch {
		case s.Assign != nil:
			for _, t := range s.Assign.Targets {
				m.first(t.Pos).target = true
			}
			m.before(s.Assign.Value.Span().Pos).assign = true
			m.expr(s.Assign.Value)
		case s.Return != nil:
			m.exprs(s.Return.Values)
		case s.If != nil:
			m.ifs(s.If)
		case s.For != nil:
			m.expr(s.For.From)
			m.before(s.For.To.Span().Pos).op = opClass
			m.expr(s.For.To)
			m.stmts(s.For.Body)
		}
	}
}

func (m *marker) ifs(s *syntax.If) {
	for {
		m.expr(s.Cond)
		m.stmts(s.Then)
		if s.Else == nil {
			return
		}
		m.first(s.Then.EndPos).elseWord = true
		if s.Else.Body != nil {
			m.stmts(s.Else.Body)
			return
		}
		s = s.Else.If
	}
}

func (m *marker) checkpoint(d *syntax.Checkpoint) {
	m.body(m.token(m.at(d.Pos)+1), d.EndPos)
	for _, r := range d.Rules {
		if r.Alias != nil {
			m.alias(r.Alias)
			continue
		}
		m.first(r.Pos).start = otherPiece
		m.before(r.Ignore.Reason.Pos).clause = clauseClass
		if r.Ignore.When != nil {
			m.when(r.Ignore.When)
		}
	}
}

func (m *marker) alias(a *syntax.Alias) {
	m.first(a.Pos).start = aliasPiece
	equals := m.first(a.Name.EndPos)
	equals.cell, equals.assign = 1, true
	if len(a.Index) > 0 {
		m.first(a.Target.EndPos).tight = true
	}
	for _, i := range a.Index {
		m.expr(i.From)
		if i.To != nil {
			m.before(i.To.Span().Pos).op = opClass
			m.expr(i.To)
		}
	}
	if a.When != nil {
		m.when(a.When)
	}
}

func (m *marker) pipeline(d *syntax.Pipeline) {
	m.first(d.Pos).start = otherPiece
	m.body(m.first(d.Model.EndPos), d.EndPos)
	for _, s := range d.Settings {
		m.first(s.Pos).start = settingPiece
		end, cell := s.Name.EndPos, 1
		if n := len(s.Args); n > 0 {
			m.first(s.Args[0].Pos).cell = 1
			end, cell = s.Args[n-1].EndPos, 2
		}
		if s.EndPos.Offset > end.Offset {
			m.first(end).cell = cell // "{"
		}
		for _, o := range s.Options {
			if o.Value != nil {
				m.expr(o.Value)
			}
		}
	}
}

func (m *marker) exprs(list []syntax.Expr) {
	for _, x := range list {
		m.expr(x)
	}
}

func (m *marker) expr(x syntax.Expr) {
	syntax.Inspect(x, func(x syntax.Expr) {
		switch x := x.(type) {
		case *syntax.Call:
			m.first(x.Func.Span().End).tight = true
		case *syntax.Unary:
			m.first(x.Span().Pos).unary = x.Op == "-"
		case *syntax.Binary:
			m.first(x.OpPos).op = opClass + class(syntax.Precedence(x.Op))
		case *syntax.Cond:
			m.before(x.Then.Span().Pos).clause = commaClass
			m.before(x.Else.Span().Pos).clause = commaClass
		case *syntax.As:
			m.after(x.X.Span().End).clause = postClass
		case *syntax.At:
			m.after(x.X.Span().End).clause = postClass
		}
	})
}
