package check

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/shape"
	"github.com/glmc/glmc/dsl/syntax"
)

// number is a compile-time number for every configuration at once.
type number struct {
	shape.Poly
	integer bool // an int, as against a float
}

// numbers gives names their values; nil where there is none that is known.
type numbers func(name string) *number

// symbolic evaluates a compile-time expression; nil where nothing is known of its value. It reports nothing: the
// expression is checked elsewhere.
func symbolic(x syntax.Expr, env numbers) *number {
	switch x := x.(type) {
	case *syntax.IntLit:
		return &number{shape.Int(x.Value), true}
	case *syntax.FloatLit:
		return &number{shape.Float(x.Value), false}
	case *syntax.Name:
		if len(x.Parts) == 1 {
			return env(x.Parts[0])
		}
	case *syntax.Unary:
		if n := symbolic(x.X, env); n != nil && x.Op == "-" {
			return &number{n.Neg(), n.integer}
		}
	case *syntax.Binary:
		return symbolicBinary(x, env)
	case *syntax.Cond:
		a, b := symbolic(x.Then, env), symbolic(x.Else, env)
		if a != nil && b != nil && a.Equal(b.Poly) && a.integer == b.integer {
			return a
		}
	case *syntax.Call:
		return symbolicCall(x, env)
	}
	return nil
}

func symbolicBinary(x *syntax.Binary, env numbers) *number {
	a, b := symbolic(x.X, env), symbolic(x.Y, env)
	if a == nil || b == nil {
		return nil
	}
	integer := a.integer && b.integer
	switch x.Op {
	case "+":
		return &number{a.Add(b.Poly), integer}
	case "-":
		return &number{a.Sub(b.Poly), integer}
	case "*":
		return &number{a.Mul(b.Poly), integer}
	case "/":
		if b.IsZero() {
			return nil
		}
		return &number{a.Div(b.Poly), integer} // of ints: the language refuses what has a remainder
	case "^":
		if n, ok := b.Const(); ok && n >= 0 && b.integer {
			return &number{a.Pow(n), a.integer}
		}
	case "%":
		return opaque(x, env, "%", true, a.Poly, b.Poly)
	}
	return nil
}

// opaque is the value of a function that is no polynomial. Of numbers it is a number, and nil where the language
// refuses them, or where they are floats that are computed from names: 0.29 * 100 is 28.999... for the language, so that
// int of that must not come from exact arithmetic.
func opaque(x syntax.Expr, env numbers, name string, integer bool, args ...shape.Poly) *number {
	if slices.ContainsFunc(args, func(p shape.Poly) bool { return len(p.Atoms()) > 0 }) {
		return &number{shape.Of(name, args...), integer}
	}
	if integer && name != "int" {
		x = ofNumbers(x, args)
	}
	v, err := config.Eval(x, func(name string) (config.Value, bool) {
		n := env(name)
		if n == nil || !n.integer {
			return nil, false
		}
		value, ok := n.Const()
		return config.Int(value), ok
	})
	if n, ok := v.(config.Int); ok && err == nil {
		return &number{shape.Int(int64(n)), true}
	}
	return nil
}

// ofNumbers is a function of ints, or %, with the numbers that its arguments are.
func ofNumbers(x syntax.Expr, args []shape.Poly) syntax.Expr {
	list := make([]syntax.Expr, len(args))
	for i, p := range args {
		n, ok := p.Const()
		if !ok {
			return x
		}
		list[i] = &syntax.IntLit{Value: n}
	}
	switch x := x.(type) {
	case *syntax.Binary:
		return &syntax.Binary{Op: x.Op, X: list[0], Y: list[1]}
	case *syntax.Call:
		call := &syntax.Call{Func: x.Func}
		for _, n := range list {
			call.Args = append(call.Args, syntax.Arg{Value: n})
		}
		return call
	}
	return x
}

func symbolicCall(x *syntax.Call, env numbers) *number {
	var args []shape.Poly
	integer := true
	for _, a := range x.Args {
		n := symbolic(a.Value, env)
		if n == nil || a.Name != "" {
			return nil
		}
		args, integer = append(args, n.Poly), integer && n.integer
	}
	switch name := strings.Join(x.Func.Parts, "."); {
	case name == "float" && len(args) == 1:
		return &number{args[0], false}
	case name == "int" && len(args) == 1 && integer:
		return &number{args[0], true}
	case name == "int" && len(args) == 1:
		return opaque(x, env, name, true, args...)
	case (name == "min" || name == "max") && len(args) > 0:
		return opaque(x, env, name, integer, args...)
	}
	return nil
}

// number is the value of a name where the check of the function is.
func (f *function) number(name string) *number {
	if f.vars[name] != nil {
		return f.state[name].number
	}
	return f.constant(name)
}

// constant is the value of a configuration key or a let.
func (m *model) constant(name string) *number {
	if s := m.globals.symbols[name]; s != nil {
		return s.number
	}
	return nil
}

// atom is the value of a name that is known by its name only.
func atom(name string, k kind) *number {
	switch k {
	case integer:
		return &number{shape.Atom(name), true}
	case float:
		return &number{shape.Atom(name), false}
	}
	return nil
}

// assumed is what is known where a condition holds, or where it does not: equations of numbers.
func (f *function) assumed(cond syntax.Expr, holds bool) shape.Facts {
	facts := f.facts
	switch x := cond.(type) {
	case *syntax.Unary:
		if x.Op == "not" {
			return f.assumed(x.X, !holds)
		}
	case *syntax.Binary:
		switch {
		case x.Op == "and" && holds, x.Op == "or" && !holds: // both sides say something
			outer := f.facts
			f.facts = f.assumed(x.X, holds)
			facts = f.assumed(x.Y, holds)
			f.facts = outer
		case x.Op == "==" && holds, x.Op == "!=" && !holds:
			l, r := symbolic(x.X, f.number), symbolic(x.Y, f.number)
			if l != nil && r != nil {
				return facts.Assume(l.Poly, r.Poly)
			}
		}
	}
	return facts
}

// under runs a check of something that is reached only where facts hold.
func (f *function) under(facts shape.Facts, run func() bool) bool {
	outer, shapes := f.facts, f.shapes
	if f.facts = facts; f.maybe != nil {
		f.shapes = f.maybe
	}
	returns := run()
	f.facts, f.shapes = outer, shapes
	return returns
}
