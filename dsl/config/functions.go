package config

import (
	"math"
	"strings"

	"github.com/glmc/glmc/dsl/syntax"
)

// call evaluates int(x), float(x), log(x), min(a, b, ...) and max(a, b, ...).
func (ev evaluator) call(x *syntax.Call) (Value, *EvalError) {
	name := strings.Join(x.Func.Parts, ".")
	switch name {
	case "int", "float", "log", "min", "max":
	default:
		return nil, fail(x, "%s is not a compile-time function", name).help("those are int, float, log, min and max")
	}
	var args []Value
	for _, a := range x.Args {
		v, err := ev.eval(a.Value)
		if err != nil {
			return nil, err
		}
		if _, ok := asFloat(v); !ok {
			return nil, fail(a.Value, "%s takes numbers, and %s is %s", name, v, article(v))
		}
		args = append(args, v)
	}
	if name == "min" || name == "max" {
		return extreme(x, name, args)
	}
	if len(args) != 1 {
		return nil, fail(x, "%s takes one number, not %d", name, len(args))
	}
	f, _ := asFloat(args[0])
	switch {
	case name == "float":
		return Float(f), nil
	case name == "log" && f <= 0:
		return nil, fail(x, "log takes a positive number, and %s is none", args[0])
	case name == "log":
		return Float(math.Log(f)), nil
	}
	return toInt(x, args[0])
}

// toInt cuts off the fraction.
func toInt(x *syntax.Call, v Value) (Value, *EvalError) {
	f, ok := v.(Float)
	if !ok {
		return v, nil
	}
	t := math.Trunc(float64(f))
	// The bounds are exact floats: -2^63 fits into an int, 2^63 does not.
	if t < math.MinInt64 || t >= -math.MinInt64 {
		return nil, fail(x, "%s does not fit into an int (64 bits)", v)
	}
	return Int(t), nil
}

// extreme is the smallest or the largest of its arguments; a float if one of them is a float.
func extreme(x *syntax.Call, name string, args []Value) (Value, *EvalError) {
	if len(args) < 2 {
		return nil, fail(x, "%s takes two numbers or more", name)
	}
	best, mixed := args[0], false
	for _, v := range args {
		mixed = mixed || v.Type() == "float"
		order, _ := orderOf(v, best)
		if name == "min" && order < 0 || name == "max" && order > 0 {
			best = v
		}
	}
	if mixed {
		f, _ := asFloat(best)
		return Float(f), nil
	}
	return best, nil
}
