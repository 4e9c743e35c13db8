package config

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/syntax"
)

// EvalError says why an expression has no value, and which part of it is to blame.
type EvalError struct {
	Span    syntax.Span
	Message string
	Help    string // what to write instead; may be empty
	Missing string // the name without a value, where that is the reason
}

// Error implements error: "file:line:column: message".
func (e *EvalError) Error() string {
	s := e.Span.Diag().String() + ": " + e.Message
	if e.Help != "" {
		s += "; " + e.Help
	}
	return s
}

// Env gives names their values.
type Env func(name string) (Value, bool)

// Eval evaluates a compile-time expression: literals, lists of ints, names, + - * / % ^, comparisons, in, and, or,
// not, if-then-else, and the functions int, float, log, min and max.
//
//   - An int and a float give a float. Ints do not overflow: that is an error, as is a float that is not finite.
//   - int / int must divide without remainder.
//   - % takes ints; the result has the sign of the divisor, as in Python.
//   - int ^ int is an int unless the exponent is negative.
//   - int(x) cuts off the fraction.
//   - and, or and if-then-else evaluate only what they need.
//
// The error is an *EvalError.
func Eval(expr syntax.Expr, env func(name string) (Value, bool)) (Value, error) {
	v, err := evaluator{env}.eval(expr)
	if err != nil {
		return nil, err
	}
	return v, nil
}

type evaluator struct{ env Env }

func fail(at syntax.Node, format string, args ...any) *EvalError {
	return &EvalError{Span: at.Span(), Message: fmt.Sprintf(format, args...)}
}

func (e *EvalError) help(format string, args ...any) *EvalError {
	e.Help = fmt.Sprintf(format, args...)
	return e
}

func (ev evaluator) eval(x syntax.Expr) (Value, *EvalError) {
	switch x := x.(type) {
	case *syntax.IntLit:
		return Int(x.Value), nil
	case *syntax.FloatLit:
		return Float(x.Value), nil
	case *syntax.StrLit:
		return String(x.Value), nil
	case *syntax.BoolLit:
		return Bool(x.Value), nil
	case *syntax.Name:
		return ev.name(x)
	case *syntax.Unary:
		return ev.unary(x)
	case *syntax.Binary:
		return ev.binary(x)
	case *syntax.Cond:
		return ev.cond(x)
	case *syntax.Call:
		return ev.call(x)
	case *syntax.ListLit:
		return ev.list(x)
	}
	return nil, fail(x, "this is not a compile-time value")
}

func (ev evaluator) list(x *syntax.ListLit) (Value, *EvalError) {
	list := Ints{}
	for _, e := range x.Elems {
		v, err := ev.eval(e)
		if err != nil {
			return nil, err
		}
		n, ok := v.(Int)
		if !ok {
			return nil, fail(e, "a list has ints, and %s is %s", v, article(v))
		}
		list = append(list, int64(n))
	}
	return list, nil
}

func (ev evaluator) name(x *syntax.Name) (Value, *EvalError) {
	name := strings.Join(x.Parts, ".")
	if v, ok := ev.env(name); ok {
		return v, nil
	}
	err := fail(x, "%s has no value at compile time", name)
	err.Missing = name
	return nil, err
}

func (ev evaluator) unary(x *syntax.Unary) (Value, *EvalError) {
	v, err := ev.eval(x.X)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case Bool:
		if x.Op == "not" {
			return !v, nil
		}
	case Int:
		if x.Op == "-" && v == math.MinInt64 {
			return nil, overflow(x)
		} else if x.Op == "-" {
			return -v, nil
		}
	case Float:
		if x.Op == "-" {
			return -v, nil
		}
	}
	return nil, fail(x, "%s does not apply to %s, which is %s", x.Op, v, article(v))
}

func (ev evaluator) cond(x *syntax.Cond) (Value, *EvalError) {
	c, err := ev.condition(x.If)
	if err != nil {
		return nil, err
	}
	if c {
		return ev.eval(x.Then)
	}
	return ev.eval(x.Else)
}

func (ev evaluator) condition(x syntax.Expr) (Bool, *EvalError) {
	v, err := ev.eval(x)
	if err != nil {
		return false, err
	}
	b, ok := v.(Bool)
	if !ok {
		return false, fail(x, "a condition is true or false, but this is %s", v)
	}
	return b, nil
}

func (ev evaluator) binary(x *syntax.Binary) (Value, *EvalError) {
	if x.Op == "and" || x.Op == "or" {
		l, err := ev.condition(x.X)
		if err != nil || bool(l) == (x.Op == "or") {
			return l, err
		}
		return ev.condition(x.Y)
	}
	l, err := ev.eval(x.X)
	if err != nil {
		return nil, err
	}
	r, err := ev.eval(x.Y)
	if err != nil {
		return nil, err
	}
	switch x.Op {
	case "==", "!=", "<", "<=", ">", ">=":
		return compare(x, l, r)
	case "in":
		return member(x, l, r)
	}
	return arithmetic(x, l, r)
}

// compare compares two numbers, exactly, or two values of one other type for equality.
func compare(x *syntax.Binary, l, r Value) (Value, *EvalError) {
	order, ok := orderOf(l, r)
	if !ok && (x.Op == "==" || x.Op == "!=") && l.Type() == r.Type() {
		if order = 1; equal(l, r) {
			order = 0
		}
		ok = true
	}
	if !ok {
		return nil, fail(x, "%s (%s) and %s (%s) cannot be compared with %s", l, l.Type(), r, r.Type(), x.Op)
	}
	switch x.Op {
	case "==":
		return Bool(order == 0), nil
	case "!=":
		return Bool(order != 0), nil
	case "<":
		return Bool(order < 0), nil
	case "<=":
		return Bool(order <= 0), nil
	case ">":
		return Bool(order > 0), nil
	}
	return Bool(order >= 0), nil
}

// member reports whether an int is in a list.
func member(x *syntax.Binary, l, r Value) (Value, *EvalError) {
	n, isInt := l.(Int)
	list, isList := r.(Ints)
	if !isInt || !isList {
		return nil, fail(x, "in looks for an int in a list, not for %s (%s) in %s (%s)", l, l.Type(), r, r.Type())
	}
	return Bool(slices.Contains(list, int64(n))), nil
}

// orderOf is the sign of l - r for numbers. Large ints and floats are compared without rounding.
func orderOf(l, r Value) (int, bool) {
	a, ok := exact(l)
	if !ok {
		return 0, false
	}
	b, ok := exact(r)
	if !ok {
		return 0, false
	}
	return a.Cmp(b), true
}

func exact(v Value) (*big.Float, bool) {
	switch v := v.(type) {
	case Int:
		return new(big.Float).SetInt64(int64(v)), true
	case Float:
		return big.NewFloat(float64(v)), true
	}
	return nil, false
}

// arithmetic applies + - * / % ^.
func arithmetic(x *syntax.Binary, l, r Value) (Value, *EvalError) {
	a, leftInt := l.(Int)
	b, rightInt := r.(Int)
	if leftInt && rightInt && (x.Op != "^" || b >= 0) {
		return intArithmetic(x, a, b)
	}
	f, ok1 := asFloat(l)
	g, ok2 := asFloat(r)
	if !ok1 || !ok2 {
		return nil, fail(x, "%s does not apply to %s (%s) and %s (%s)", x.Op, l, l.Type(), r, r.Type())
	}
	var result float64
	switch x.Op {
	case "+":
		result = f + g
	case "-":
		result = f - g
	case "*":
		result = f * g
	case "/":
		if g == 0 {
			return nil, fail(x, "%s / %s divides by zero", l, r)
		}
		result = f / g
	case "^":
		result = math.Pow(f, g)
	default:
		return nil, fail(x, "%s takes ints, not %s and %s", x.Op, l, r)
	}
	return finite(x, Float(result), "%s %s %s is not a finite number", l, x.Op, r)
}

func asFloat(v Value) (float64, bool) {
	switch v := v.(type) {
	case Int:
		return float64(v), true
	case Float:
		return float64(v), true
	}
	return 0, false
}

func finite(at syntax.Expr, v Float, format string, args ...any) (Value, *EvalError) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return nil, fail(at, format, args...)
	}
	return v, nil
}

func intArithmetic(x *syntax.Binary, a, b Int) (Value, *EvalError) {
	var result *big.Int
	l, r := big.NewInt(int64(a)), big.NewInt(int64(b))
	switch x.Op {
	case "+":
		result = l.Add(l, r)
	case "-":
		result = l.Sub(l, r)
	case "*":
		result = l.Mul(l, r)
	case "^":
		return power(x, a, b)
	case "/", "%":
		return divide(x, a, b)
	}
	if !result.IsInt64() {
		return nil, overflow(x)
	}
	return Int(result.Int64()), nil
}

func overflow(x syntax.Expr) *EvalError {
	return fail(x, "the result does not fit into an int (64 bits)").help("compute with float(...)")
}

// power is a ^ b for b >= 0, by repeated squaring. Where it does not overflow, it takes at most 63 steps
// unless a is 0, 1 or -1, and then squaring keeps it small.
func power(x *syntax.Binary, a, b Int) (Value, *EvalError) {
	result, square := big.NewInt(1), big.NewInt(int64(a))
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			result.Mul(result, square)
		}
		if b > 1 {
			square.Mul(square, square)
		}
		if !result.IsInt64() || !square.IsInt64() && b > 1 {
			return nil, overflow(x)
		}
	}
	return Int(result.Int64()), nil
}

// divide is a / b, which has to be exact, or a % b with the sign of b.
func divide(x *syntax.Binary, a, b Int) (Value, *EvalError) {
	switch {
	case b == 0:
		return nil, fail(x, "%s %s 0 divides by zero", a, x.Op)
	case a == math.MinInt64 && b == -1 && x.Op == "/":
		return nil, overflow(x)
	case b == -1 && x.Op == "%":
		return Int(0), nil
	}
	rest := a % b
	if x.Op == "%" {
		if rest != 0 && (rest < 0) != (b < 0) {
			rest += b
		}
		return rest, nil
	}
	if rest != 0 {
		return nil, fail(x, "%s / %s is not a whole number", a, b).
			help("write float(...) / ... for the fraction, int(float(...) / ...) to cut it off")
	}
	return a / b, nil
}

func article(v Value) string {
	switch v.Type() {
	case "int":
		return "an int"
	case "ints":
		return "a list of ints"
	}
	return "a " + v.Type()
}
