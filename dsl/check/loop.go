package check

import (
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/shape"
	"github.com/glmc/glmc/dsl/syntax"
)

// forStmt checks a loop. Its range may be empty, so that what it assigns has a value only sometimes.
func (f *function) forStmt(s *syntax.For) {
	f.want(s.From, integer, "a loop counts ints")
	f.want(s.To, integer, "a loop counts ints")
	ok := s.Var.Name != "_" && f.free(s.Var)
	f.loops++
	counter := &number{shape.Fresh(s.Var.Name, f.loops), true}
	outer := *f
	if f.maybe != nil {
		f.shapes = f.maybe // the first time, there may be nothing to count yet
	}
	f.maybe = &diag.List{}
	loop := f.explore(func() bool {
		if ok {
			v := &symbol{what: loopVariable, name: s.Var, kind: integer}
			f.declare(v)
			f.set(s.Var.Name, known(nil, counter))
			f.refDeclared(s.Var, v)
		}
		f.forgetAssigned(s.Body)
		return f.body(s.Body)
	})
	f.settle(loop)
	f.facts, f.shapes, f.maybe = outer.facts, outer.shapes, outer.maybe
	if ok {
		f.gone[s.Var.Name] = s.Var
		delete(f.vars, s.Var.Name)
		delete(loop.assigned, s.Var.Name)
	}
	loop.returns = false
	f.merge(loop, branch{})
}

// settle looks at the shapes that a loop leaves. Where it gives a tensor from in front of it another shape, the body
// was checked with the shapes of the first time only: what was found under a condition, such as `if i > 0 { ... }`, may
// be true of no time, and is left to the compilation; what is behind the loop has the shapes of the last time, which are
// not known.
func (f *function) settle(loop branch) {
	same := true
	for name, after := range loop.assigned {
		if before := f.state[name].typ; before != nil && !loop.returns { // where every path returns there is no second time
			same = same && f.keeps(before, after.typ)
		}
	}
	if same {
		f.shapes.Append(f.maybe)
		return
	}
	for name, s := range loop.assigned {
		s.typ = nil
		loop.assigned[name] = s
	}
}

// keeps reports whether all that is known of a shape is known of the one behind a loop, too.
func (f *function) keeps(before, after *tensorType) bool {
	if after == nil || !f.facts.EqualTypes(before.Type, after.Type) {
		return false
	}
	for i, d := range before.Dims {
		if !d.IsUnknown() && !f.facts.Certain(d, after.Dims[i]) {
			return false
		}
	}
	return true
}

// forgetAssigned drops what is known of the values of numbers that a loop assigns: from the second time on they are
// others. For the shapes of tensors see settle.
func (f *function) forgetAssigned(b *syntax.Body) {
	inner := &function{targets: map[string]*syntax.Ident{}}
	inner.collect(b)
	for name := range inner.targets {
		if s := f.state[name]; s.number != nil {
			s.number = nil
			f.set(name, s)
		}
	}
}
