package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/syntax"
)

// expr checks an expression and returns what it stands for.
func (f *function) expr(x syntax.Expr) value {
	v := f.value(x)
	f.typed(x, v)
	return v
}

func (f *function) value(x syntax.Expr) value {
	switch x := x.(type) {
	case *syntax.IntLit:
		return one(integer)
	case *syntax.FloatLit:
		return one(float)
	case *syntax.StrLit:
		return one(text)
	case *syntax.BoolLit:
		return one(boolean)
	case *syntax.Name:
		return f.name(x)
	case *syntax.Call:
		return f.call(x)
	case *syntax.Unary:
		return f.unary(x)
	case *syntax.Binary:
		return f.binary(x)
	case *syntax.Cond:
		return f.cond(x)
	case *syntax.As:
		of := f.want(x.X, tensor, `"as" gives a tensor another shape`)
		f.shape(x.Dims)
		return tensorOf(f.reshaped(x, of.typ()))
	case *syntax.At:
		return f.at(x)
	case *syntax.ListLit:
		for _, e := range x.Elems {
			f.want(e, integer, "a list has ints")
		}
		return one(list)
	}
	panic(fmt.Sprintf("check: no case for %T", x))
}

// single checks an expression that has to stand for one value.
func (f *function) single(x syntax.Expr) value {
	v := f.expr(x)
	if v.results > 1 || v.results == 0 {
		f.errorf(x, idResultCount, "this gives %s where one is wanted", quantity(v.results, "value")).
			Suggest("give each a name: `a, b = ...`")
		return failed
	}
	return v
}

// want checks an expression that has to be of a kind. Why is the beginning of the message otherwise.
func (f *function) want(x syntax.Expr, k kind, why string) value {
	got := f.single(x)
	if got.kind.fits(k) {
		return got
	}
	id := idTypeMismatch
	switch {
	case got.kind == tensor:
		id = idNotCompileTime
	case k == tensor:
		id = idNotTensor
	}
	f.errorf(x, id, "%s, and this is %s", why, got.kind)
	return failed
}

// compileTime checks an expression that has to be known at compile time.
func (f *function) compileTime(x syntax.Expr) kind {
	k := f.single(x).kind
	if k == tensor {
		f.errorf(x, idNotCompileTime, "this has to be known at compile time, and is a tensor")
		return unknown
	}
	return k
}

// condition checks what decides an if, a when, or an assertion.
func (f *function) condition(x syntax.Expr) {
	f.want(x, boolean, "a condition is true or false at compile time")
}

func (f *function) name(x *syntax.Name) value {
	name := x.Parts[0]
	if len(x.Parts) > 1 {
		f.errorf(x, idUnexpectedPath, "%s is the path of a weight, and no weight is wanted here", strings.Join(x.Parts, "."))
		return failed
	}
	if s := f.vars[name]; s != nil {
		s.used = true
		if f.state[name].status != always {
			f.unassigned(x, s.name)
		}
		v := one(s.kind)
		if s.kind == tensor {
			v = tensorOf(f.state[name].typ)
		}
		f.ref(x, s, v.String())
		return v
	}
	if s := f.globals.symbols[name]; s != nil {
		s.used = true
		f.ref(x, s, typeNames[s.kind])
		return one(s.kind)
	}
	if t := f.targets[name]; t != nil {
		f.early[name] = true
		f.unassigned(x, t)
		return one(unknown)
	}
	f.unknownName(x, name)
	return one(unknown)
}

// unassigned reports the use of a variable that has no value. First is where it gets one.
func (f *function) unassigned(x syntax.Node, first *syntax.Ident) {
	message := "%q has no value on this path"
	if f.state[first.Name].status == sometimes {
		message = "%q has a value only on some of the paths that lead here"
	}
	f.errorf(x, idUnassigned, message, first.Name).
		Note(first.Span().Diag(), "assigned here").
		Suggest("assign it before the if or for, or on every path")
}

func (f *function) unknownName(x syntax.Node, name string) {
	if counts := runtimeDims[name]; counts != "" {
		f.errorf(x, idBadShape, "%s, the number of %s, is known only when the program runs", name, counts).
			Suggest("it can stand alone as a dimension: [%s, ...]", name)
		return
	}
	full := f.diags.Full()
	d := f.errorf(x, idUnknownName, "unknown name %q", name)
	switch loop := f.gone[name]; {
	case f.later[name] != nil:
		d.Note(f.later[name].Span().Diag(), "it is declared here, below")
	case loop != nil:
		d.Note(loop.Span().Diag(), "the variable of this loop is gone behind it")
	case !full:
		f.meant(d.DidYouMean(name, f.candidates()).Fix.New)
		if f.outsideModels() && d.Suggestion == "" {
			d.Suggest("a block outside of models sees its parameters and dimensions, and no configuration keys: take it as one of them")
		}
	}
}

// meant counts a name that a mistyped one suggests as used: one mistake is told once.
func (f *function) meant(name string) {
	for _, symbols := range []map[string]*symbol{f.vars, f.globals.symbols} {
		if s := symbols[name]; s != nil {
			s.used = true
			return
		}
	}
}

// candidates are the names that can be used at this point.
func (f *function) candidates() []string {
	var list []string
	for _, s := range f.locals {
		if f.vars[s.name.Name] == s {
			list = append(list, s.name.Name)
		}
	}
	return slices.Concat(list, f.globals.list)
}

func (f *function) unary(x *syntax.Unary) value {
	v := f.single(x.X)
	if x.Op == "not" {
		f.operand(x.X, v.kind, boolean, x.Op)
		return one(boolean)
	}
	if v.kind == boolean || v.kind == text || v.kind == list {
		f.errorf(x, idTypeMismatch, "- does not apply to %s", v.kind)
		return one(unknown)
	}
	return v
}

// operand reports an operand that is not of the kind that its operator takes.
func (f *function) operand(x syntax.Expr, got, want kind, op string) {
	switch {
	case got == tensor:
		f.errorf(x, idNotCompileTime, "%s works at compile time, and this is a tensor", op)
	case !got.fits(want):
		f.errorf(x, idTypeMismatch, "%s takes %s, and this is %s", op, want, got)
	}
}

func (f *function) binary(x *syntax.Binary) value {
	left, right := f.single(x.X), f.single(x.Y)
	l, r := left.kind, right.kind
	if (l == tensor || r == tensor) && (x.Op == "+" || x.Op == "-" || x.Op == "*" || x.Op == "/") {
		return f.elementwise(x, left, right)
	}
	return one(f.compileTimeOp(x, l, r))
}

// compileTimeOp checks an operation on compile-time values and returns the kind of its result.
func (f *function) compileTimeOp(x *syntax.Binary, l, r kind) kind {
	switch x.Op {
	case "and", "or":
		f.operand(x.X, l, boolean, x.Op)
		f.operand(x.Y, r, boolean, x.Op)
		return boolean
	case "==", "!=":
		f.equality(x, l, r)
		return boolean
	case "<", "<=", ">", ">=":
		f.operand(x.X, l, numeric, x.Op)
		f.operand(x.Y, r, numeric, x.Op)
		return boolean
	case "in":
		f.operand(x.X, l, integer, x.Op)
		f.operand(x.Y, r, list, x.Op)
		return boolean
	case "%":
		f.operand(x.X, l, integer, x.Op)
		f.operand(x.Y, r, integer, x.Op)
		return integer
	}
	f.operand(x.X, l, numeric, x.Op)
	f.operand(x.Y, r, numeric, x.Op)
	return arithmetic(x, l, r)
}

// arithmetic is the kind of a number computed from two.
func arithmetic(x *syntax.Binary, l, r kind) kind {
	switch {
	case l == integer && r == integer && x.Op == "^":
		if _, ok := x.Y.(*syntax.IntLit); ok {
			return integer
		}
		return numeric // a float where the exponent is negative
	case l == integer && r == integer:
		return integer
	case l == float || r == float:
		return float
	case l.isNumber() && r.isNumber() && l != unknown && r != unknown:
		return numeric
	}
	return unknown
}

// elementwise checks + - * / on tensors: of two tensors, or of a tensor and a number.
func (f *function) elementwise(x *syntax.Binary, l, r value) value {
	for _, side := range []struct {
		x    syntax.Expr
		kind kind
	}{{x.X, l.kind}, {x.Y, r.kind}} {
		if side.kind != tensor && !side.kind.isNumber() {
			f.errorf(side.x, idTypeMismatch, "%s takes tensors and numbers, and this is %s", x.Op, side.kind)
		}
	}
	if x.Op == "/" && l.kind != tensor && l.kind != unknown {
		f.errorf(x, idTypeMismatch, "a number cannot be divided by a tensor")
	}
	switch {
	case l.kind == tensor && r.kind == tensor:
		return tensorOf(f.elements(x, l.typ(), r.typ()))
	case l.kind == tensor && r.kind != unknown:
		return l
	case r.kind == tensor && l.kind != unknown:
		return r
	}
	return tensorOf(nil)
}

func (f *function) equality(x *syntax.Binary, l, r kind) {
	for _, side := range []struct {
		x    syntax.Expr
		kind kind
	}{{x.X, l}, {x.Y, r}} {
		if side.kind == tensor {
			f.errorf(side.x, idNotCompileTime, "%s works at compile time, and this is a tensor", x.Op)
			return
		}
	}
	if _, ok := join(l, r); !ok {
		f.errorf(x, idTypeMismatch, "%s and %s are never equal", l, r)
	}
}

func (f *function) cond(x *syntax.Cond) value {
	f.condition(x.If)
	var a, b value
	f.under(f.assumed(x.If, true), func() bool { a = f.expr(x.Then); return false })
	f.under(f.assumed(x.If, false), func() bool { b = f.expr(x.Else); return false })
	k, ok := join(a.kind, b.kind)
	if !ok {
		f.errorf(x, idTypeMismatch, "this is %s or %s, depending on the condition", a.kind, b.kind)
		return failed
	}
	if a.results >= 0 && b.results >= 0 && a.results != b.results {
		f.errorf(x, idResultCount, "this gives %s or %d, depending on the condition", quantity(a.results, "value"), b.results)
		return value{kind: k, results: -1}
	}
	out := value{kind: k, results: max(a.results, b.results)}
	if len(a.types) == len(b.types) {
		for i := range a.types {
			out.types = append(out.types, f.joined(a.types[i], b.types[i]))
		}
	}
	return out
}

// at checks `x at "path.{v}"`.
func (f *function) at(x *syntax.At) value {
	f.path(x.Path)
	v := f.expr(x.X)
	if v.kind != tensor && v.kind != unknown {
		f.errorf(x, idNotTensor, `"at" says where the weights of a computation are, and this is %s`, v.kind)
		return failed
	}
	return v
}

// path checks the weight path behind "at": its holes are compile-time values.
func (f *function) path(s *syntax.StrLit) {
	p, err := pattern.Parse(s.Value)
	if err != nil {
		f.errorf(s, idBadPattern, "%s", err)
		return
	}
	for _, part := range p.Parts() {
		if part.Name == "" {
			continue
		}
		if part.Many {
			f.errorf(s, idBadPattern, "{%s...} matches names, and here is one to be made", part.Name)
			continue
		}
		hole := &syntax.Name{Span_: holeSpan(s, part.Name), Parts: []string{part.Name}}
		if f.name(hole).kind == tensor {
			f.errorf(s, idNotCompileTime, "{%s} is a tensor, and a path is made at compile time", part.Name)
		}
	}
}

// holeSpan is the place of the name of a hole in a path; the path's where escapes make that hard to say.
func holeSpan(s *syntax.StrLit, name string) syntax.Span {
	at := strings.Index(s.Value, "{"+name+"}")
	if at < 0 || s.Span_.End.Offset-s.Span_.Pos.Offset != len(s.Value)+2 || s.Span_.Pos.Line != s.Span_.End.Line {
		return s.Span_
	}
	span := s.Span_
	span.Pos.Offset, span.Pos.Column = span.Pos.Offset+at+2, span.Pos.Column+at+2
	span.End = span.Pos
	span.End.Offset, span.End.Column = span.Pos.Offset+len(name), span.Pos.Column+len(name)
	return span
}

func quantity(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
