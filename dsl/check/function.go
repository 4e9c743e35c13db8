package check

import (
	"slices"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/shape"
	"github.com/glmc/glmc/dsl/syntax"
)

// function checks the body of a block or an entry. Without a body (see model.scope) it checks expressions in
// which only configuration keys and lets are visible.
type function struct {
	*model
	facts   shape.Facts // equations that hold where the check is
	global  bool        // there is no body
	caller  *block      // nil in an entry
	title   string      // "block mlp"
	results []*syntax.Type
	targets map[string]*syntax.Ident // names that the body assigns anywhere, with the first place
	early   map[string]bool          // those that were used before they were assigned
	vars    map[string]*symbol
	locals  []*symbol                // all that were ever in vars
	state   map[string]state         // of vars on the path that leads here
	trail   []change                 // changes of state, for branches to undo
	loops   int                      // that were entered: each has a variable of its own
	gone    map[string]*syntax.Ident // variables of loops that have ended
	shapes  *diag.List               // takes mismatches of shapes: diags, or the maybe of a loop
	maybe   *diag.List               // the mismatches in what a loop runs under a condition; nil outside of loops
	returns *syntax.Return           // the first one
	count   int                      // of its values; -1: not known
}

// status says whether a variable has a value on the path that leads to a statement.
type status int

const (
	unassigned status = iota
	sometimes         // on some of the paths that lead here
	always
)

// state is what is known of a variable at one point: whether it has a value, and which.
type state struct {
	status
	typ    *tensorType // of a tensor
	number *number     // of a compile-time number
}

// known is the state of a name that has a value on every path.
func known(t *tensorType, n *number) state { return state{always, t, n} }

// change is a state that was overwritten.
type change struct {
	name string
	old  state
}

// maxParams bounds the parameters of a block: every call looks at all of them.
const maxParams = 100

// function checks a block (caller) or an entry (caller is nil).
func (m *model) function(caller *block, dims []*syntax.Ident, params []*syntax.Param, results []*syntax.Type, body *syntax.Body, title string) {
	if len(params) > maxParams {
		m.errorf(params[maxParams], idTooManyParams, "%s has more than %d parameters", title, maxParams)
		return
	}
	f := m.scope()
	f.global, f.caller, f.title, f.results = false, caller, title, results
	f.collect(body)
	f.dimensions(dims, params)
	outside := m.scope() // the caller makes the shapes of arguments: parameters are not visible in them
	for _, d := range f.locals {
		outside.vars[d.name.Name], outside.state[d.name.Name] = d, f.state[d.name.Name]
	}
	for _, p := range params {
		s := &symbol{what: "parameter", name: p.Name, kind: outside.typeOf(p.Type), used: caller == nil}
		if p.Name.Name != "_" && f.free(p.Name) {
			f.declare(s)
			f.set(p.Name.Name, known(typeIn(p.Type, outside.number, f.written), atom(p.Name.Name, s.kind)))
			f.refDeclared(p.Name, s)
		}
	}
	for _, t := range results {
		if k := f.typeOf(t); k != tensor && k != unknown {
			f.errorf(t, idNotTensor, "results are tensors")
		}
	}
	if !f.body(body) {
		name := body.Span()
		name.Pos = name.End
		name.Pos.Column--
		name.Pos.Offset--
		f.diags.Errorf(name.Diag(), idMissingReturn, "%s ends here without having returned on every path", title)
	}
	for _, s := range f.locals {
		if !s.used {
			f.unused(s)
		}
	}
}

// dimensions declares the names of dimensions. A call binds each by the shape of an argument in which it stands
// alone; where there is none, no call could.
func (f *function) dimensions(dims []*syntax.Ident, params []*syntax.Param) {
	for _, d := range dims {
		if !f.free(d) {
			continue
		}
		s := &symbol{what: dimension, name: d, kind: integer, used: true}
		f.declare(s)
		f.set(d.Name, known(nil, atom(d.Name, integer)))
		f.refDeclared(d, s)
		if !slices.ContainsFunc(params, func(p *syntax.Param) bool { return slices.ContainsFunc(p.Type.Dims, d.Is) }) {
			f.errorf(d, idUnboundDimension, "no parameter of %s has the dimension %s, so that no call gives it a value", f.title, d.Name).
				Suggest("write it as a dimension of its own: x: [T, %s]", d.Name)
		}
	}
}

// dimension is what messages call a name of a dimension. Its value is the shape's: nothing assigns it.
const dimension = "dimension"

// loopVariable is what messages call the variable of a loop, which nothing else assigns either.
const loopVariable = "loop variable"

// free reports whether a parameter or variable can have the name; if not, it says why.
func (f *function) free(name *syntax.Ident) bool {
	var first *symbol
	if f.vars[name.Name] != nil {
		first = f.vars[name.Name]
	} else if g := f.globals.symbols[name.Name]; g != nil {
		first = g
	}
	switch {
	case runtimeDims[name.Name] != "":
		f.reserved(name)
	case first != nil:
		f.errorf(name, idDuplicateName, "there is %s %q already", article(first.what), name.Name).
			Note(first.name.Span().Diag(), "first declared here")
	default:
		return true
	}
	return false
}

// collect notes what a body assigns.
func (f *function) collect(b *syntax.Body) {
	for _, s := range b.Stmts {
		switch {
		case s.Assign != nil:
			for _, t := range s.Assign.Targets {
				if f.targets[t.Name] == nil && t.Name != "_" {
					f.targets[t.Name] = t
				}
			}
		case s.For != nil:
			f.collect(s.For.Body)
		case s.If != nil:
			f.collectIf(s.If)
		}
	}
}

func (f *function) collectIf(i *syntax.If) {
	f.collect(i.Then)
	switch {
	case i.Else == nil:
	case i.Else.If != nil:
		f.collectIf(i.Else.If)
	default:
		f.collect(i.Else.Body)
	}
}

func (f *function) declare(s *symbol) {
	s.used = s.used || f.early[s.name.Name]
	f.vars[s.name.Name] = s
	f.locals = append(f.locals, s)
}

// refDeclared notes the declaration of a name of the function, whose state is known by now.
func (f *function) refDeclared(name *syntax.Ident, s *symbol) {
	v := one(s.kind)
	if s.kind == tensor {
		v = tensorOf(f.state[name.Name].typ)
	}
	f.ref(name, s, v.String())
}

func (f *function) set(name string, s state) {
	if old := f.state[name]; old != s {
		f.trail = append(f.trail, change{name, old})
		f.state[name] = s
	}
}

// body checks statements; it reports whether all paths return.
func (f *function) body(b *syntax.Body) (returns bool) {
	for i, s := range b.Stmts {
		if returns {
			f.diags.Warnf(s.Span().Diag(), idUnreachable, "this is never reached").
				Note(b.Stmts[i-1].Span().Diag(), "every path returns here")
			break
		}
		returns = f.stmt(s)
	}
	return returns
}

func (f *function) stmt(s *syntax.Stmt) (returns bool) {
	switch {
	case s.If != nil:
		return f.ifStmt(s.If)
	case s.For != nil:
		f.forStmt(s.For)
	case s.Return != nil:
		f.returnStmt(s.Return)
		return true
	case s.Assign != nil:
		f.assign(s.Assign)
	}
	return false
}

// branch is what a branch did: the variables that it gave values, and whether all of its paths return.
type branch struct {
	assigned map[string]state
	returns  bool
}

// explore checks a part of a body that may or may not run, notes what it assigns, and takes it back.
func (f *function) explore(run func() bool) branch {
	mark := len(f.trail)
	b := branch{assigned: map[string]state{}}
	b.returns = run()
	for _, c := range f.trail[mark:] {
		b.assigned[c.name] = f.state[c.name]
	}
	for i := len(f.trail) - 1; i >= mark; i-- {
		f.state[f.trail[i].name] = f.trail[i].old
	}
	f.trail = f.trail[:mark]
	return b
}

// merge goes on behind two branches of which one ran. Paths that returned do not count.
func (f *function) merge(a, b branch) (returns bool) {
	if a.returns && b.returns {
		return true
	}
	names := map[string]bool{}
	for _, side := range []branch{a, b} {
		for name := range side.assigned {
			names[name] = true
		}
	}
	for name := range names {
		x, y := f.behind(a, name), f.behind(b, name)
		switch {
		case a.returns:
			f.set(name, y)
		case b.returns:
			f.set(name, x)
		default:
			f.set(name, f.either(x, y))
		}
	}
	return false
}

// behind is the state of a name behind a branch.
func (f *function) behind(b branch, name string) state {
	if s, ok := b.assigned[name]; ok {
		return s
	}
	return f.state[name]
}

// either is what is known where one of two states holds.
func (f *function) either(x, y state) state {
	s := state{status: sometimes, typ: f.joined(x.typ, y.typ)}
	if x.status == y.status {
		s.status = x.status
	}
	if x.number != nil && y.number != nil && x.number.integer == y.number.integer && x.number.Equal(y.number.Poly) {
		s.number = x.number
	}
	return s
}

func (f *function) ifStmt(s *syntax.If) (returns bool) {
	f.condition(s.Cond)
	yes, no := f.assumed(s.Cond, true), f.assumed(s.Cond, false) // before a branch gives the names other values
	then := f.explore(func() bool {
		return f.under(yes, func() bool { return f.body(s.Then) })
	})
	other := f.explore(func() bool {
		return f.under(no, func() bool { return f.elseBranch(s.Else) })
	})
	switch { // behind it the other branch ran
	case then.returns:
		f.facts = no
	case other.returns:
		f.facts = yes
	}
	return f.merge(then, other)
}

func (f *function) elseBranch(s *syntax.Else) (returns bool) {
	switch {
	case s == nil:
		return false
	case s.If != nil:
		return f.ifStmt(s.If)
	}
	return f.body(s.Body)
}

func (f *function) returnStmt(s *syntax.Return) {
	count := 0
	for _, x := range s.Values {
		v := f.expr(x)
		if v.kind != tensor && v.kind != unknown {
			f.errorf(x, idNotTensor, "a result is a tensor, and this is %s", v.kind)
		}
		if count >= 0 {
			for i, t := range v.types {
				f.returned(x, t, count+i)
			}
		}
		if v.results < 0 || count < 0 {
			count = -1
		} else {
			count += v.results
		}
	}
	if count < 0 {
		return
	}
	if len(f.results) > 0 {
		if count != len(f.results) {
			f.errorf(s, idResultCount, "%s returns %s, and this is %d", f.title, quantity(len(f.results), "result"), count).
				Note(f.results[0].Span().Diag(), "declared here")
		}
		return
	}
	if f.returns != nil && count != f.count {
		f.errorf(s, idResultCount, "%s returned %s before, and this is %d", f.title, quantity(f.count, "result"), count).
			Note(f.returns.Span().Diag(), "returned here")
	} else if f.returns == nil {
		f.returns, f.count = s, count
	}
}

func (f *function) assign(s *syntax.Assign) {
	v := f.expr(s.Value)
	if v.results >= 0 && v.results != len(s.Targets) {
		f.errorf(s.Value, idResultCount, "this gives %s for %s", quantity(v.results, "value"), quantity(len(s.Targets), "name"))
		v.kind, v.types = unknown, nil
	}
	here := map[string]bool{}
	for i, t := range s.Targets {
		if here[t.Name] && t.Name != "_" {
			f.errorf(t, idDuplicateName, "%q is assigned twice at once", t.Name)
			continue
		}
		here[t.Name] = true
		to := known(nil, nil)
		if i < len(v.types) {
			to.typ = v.types[i]
		}
		if v.kind.isNumber() {
			to.number = symbolic(s.Value, f.number)
		}
		f.bind(t, v.kind, to)
	}
}

// bind gives a variable a value.
func (f *function) bind(name *syntax.Ident, k kind, to state) {
	if name.Name == "_" {
		return
	}
	s := f.vars[name.Name]
	if s == nil || s.what == dimension || s.what == loopVariable {
		if !f.free(name) {
			return
		}
		s = &symbol{what: "variable", name: name, kind: k}
		f.declare(s)
	}
	joined, ok := join(s.kind, k)
	if !ok {
		f.errorf(name, idTypeMismatch, "%q is %s here", name.Name, k).
			Note(s.name.Span().Diag(), "and %s here", s.kind)
	}
	s.kind = joined
	f.set(name.Name, to)
	f.refDeclared(name, s)
}
