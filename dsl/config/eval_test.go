package config

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/dsl/syntax"
)

func evalText(t interface {
	Helper()
	Fatal(...any)
}, src string, env map[string]Value) (Value, error) {
	t.Helper()
	f, diags := syntax.Parse("e", []byte("model m { let x = "+src+" }"))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return Eval(f.Models[0].Lets()[0].Value, func(name string) (Value, bool) { v, ok := env[name]; return v, ok })
}

func TestEval(t *testing.T) {
	env := map[string]Value{
		"n": Int(92), "f": Float(0.5), "s": String("silu"), "b": Bool(true),
		"most": Int(math.MaxInt64), "least": Int(math.MinInt64), "huge": Float(math.MaxFloat64),
	}
	tests := []struct {
		src  string
		want Value
	}{
		{"1 + 2 * 3 - 4", Int(3)},
		{"7 / 7 + 12 / 4", Int(4)},
		{"7.0 / 2", Float(3.5)},
		{"float(7) / 2", Float(3.5)},
		{"int(float(7) / 2)", Int(3)},
		{"int(-3.7)", Int(-3)},
		{"int(5)", Int(5)},
		{"log(1)", Float(0)},
		{"0.1 * log(40.0) + 1", Float(0.1*math.Log(40) + 1)},
		{"int(n * f)", Int(46)},
		{"-7 % 3", Int(2)},
		{"7 % -3", Int(-2)},
		{"-6 % 3", Int(0)},
		{"least % -1", Int(0)},
		{"2 ^ 62", Int(1 << 62)},
		{"(-2) ^ 63", Int(math.MinInt64)},
		{"-2 ^ 2", Int(-4)},
		{"(-1) ^ 9223372036854775807", Int(-1)},
		{"0 ^ 0", Int(1)},
		{"2 ^ -1", Float(0.5)},
		{"4 ^ -0.5", Float(0.5)},
		{"4.0 ^ 2", Float(16)},
		{"most - 1 + 1", Int(math.MaxInt64)},
		{"- most - 1", Int(math.MinInt64)},
		{"min(3, 1, 2)", Int(1)},
		{"max(3, 1.5)", Float(3)},
		{"min(n, f)", Float(0.5)},
		{"1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3 and 1 != 2", Bool(true)},
		{"1 == 1.0", Bool(true)},
		{"most == 9223372036854775808.0", Bool(false)},
		{"most < 9223372036854775808.0", Bool(true)},
		{`s == "silu" and s != "gelu"`, Bool(true)},
		{"b == true and not b == false", Bool(true)},
		{"true or 1 / 0 == 1", Bool(true)},
		{"false and nothing", Bool(false)},
		{"if n > 3 then 1 else 1 / 0", Int(1)},
		{"if n < 3 then 1 / 0 else s", String("silu")},
		{"-f", Float(-0.5)},
		{"[]", Ints{}},
		{"[1, n + 1]", Ints{1, 93}},
		{"2 in [1, 2] and not (3 in [1, 2]) and not (1 in [])", Bool(true)},
		{"n - 1 in [91]", Bool(true)},
		{"[1, 2] == [1, 2] and [1] != [2] and [] != [1]", Bool(true)},
	}
	for _, tt := range tests {
		got, err := evalText(t, tt.src, env)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s (%v) (-want +got):\n%s", tt.src, err, diff)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	env := map[string]Value{
		"most": Int(math.MaxInt64), "least": Int(math.MinInt64), "huge": Float(math.MaxFloat64), "s": String("x"),
	}
	tests := []struct{ src, want string }{
		{"7 / 2", "e:1:19: 7 / 2 is not a whole number; write float(...) / ..."},
		{"1 / 0", "1 / 0 divides by zero"},
		{"1 % 0", "1 % 0 divides by zero"},
		{"1.0 / 0", "1.0 / 0 divides by zero"},
		{"least / -1", "does not fit into an int"},
		{"-least", "does not fit into an int"},
		{"most + 1", "does not fit into an int"},
		{"least - 1", "does not fit into an int"},
		{"most * 2", "does not fit into an int"},
		{"2 ^ 63", "does not fit into an int"},
		{"10 ^ 9223372036854775807", "does not fit into an int"},
		{"huge * 2", "is not a finite number"},
		{"huge + huge", "is not a finite number"},
		{"0 ^ -1", "0 ^ -1 is not a finite number"},
		{"(-8) ^ 0.5", "-8 ^ 0.5 is not a finite number"},
		{"int(huge)", "does not fit into an int"},
		{"int(9223372036854775808.0)", "does not fit into an int"},
		{"int(s)", `int takes numbers, and "x" is a string`},
		{"int(1, 2)", "int takes one number, not 2"},
		{"min(1)", "min takes two numbers or more"},
		{"1.5 % 2", "% takes ints, not 1.5 and 2"},
		{"s + s", `+ does not apply to "x" (string) and "x" (string)`},
		{"s < s", "cannot be compared with <"},
		{"s == 1", "cannot be compared with =="},
		{"true < false", "cannot be compared"},
		{"1 and true", "a condition is true or false, but this is 1"},
		{"if 1 then 2 else 3", "a condition is true or false, but this is 1"},
		{"not 1", "not does not apply to 1, which is an int"},
		{"-true", "- does not apply to true, which is a bool"},
		{"-s", "- does not apply"},
		{"nothing", "e:1:19: nothing has no value at compile time"},
		{"a.b.c", "a.b.c has no value at compile time"},
		{"log(0)", "log takes a positive number, and 0 is none"},
		{"log(-0.5)", "log takes a positive number, and -0.5 is none"},
		{"log(1, 2)", "log takes one number, not 2"},
		{"sqrt(2)", "sqrt is not a compile-time function; those are int, float, log, min and max"},
		{"[1, s]", `a list has ints, and "x" is a string`},
		{"[1, nothing]", "nothing has no value at compile time"},
		{"1 in 2", "in looks for an int in a list, not for 1 (int) in 2 (int)"},
		{"s in [1]", `in looks for an int in a list, not for "x" (string) in [1] (ints)`},
		{"[1] < [1]", "cannot be compared with <"},
		{"-[1]", "- does not apply to [1], which is a list of ints"},
		{`most at "x"`, "this is not a compile-time value"},
	}
	for _, tt := range tests {
		_, err := evalText(t, tt.src, env)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.src, err, tt.want)
		}
	}
}

// TestEvalDivision checks that the remainder is Go's or differs from it by the divisor, that it has the
// divisor's sign, and that ints divide exactly where it is 0.
func TestEvalDivision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64().Draw(t, "a")
		b := rapid.Int64().Filter(func(b int64) bool { return b != 0 }).Draw(t, "b")
		env := map[string]Value{"a": Int(a), "b": Int(b)}
		r, err := evalText(t, "a % b", env)
		if err != nil {
			t.Fatal(err)
		}
		rest := int64(r.(Int))
		if rest != 0 && (rest < 0) != (b < 0) || a%b != rest && a%b+b != rest {
			t.Fatalf("%d %% %d = %d", a, b, rest)
		}
		q, err := evalText(t, "a / b", env)
		if (err == nil) != (rest == 0 && !(a == math.MinInt64 && b == -1)) {
			t.Fatalf("%d / %d: %v", a, b, err)
		}
		if err == nil && int64(q.(Int))*b != a {
			t.Fatalf("%d / %d = %v", a, b, q)
		}
	})
}
