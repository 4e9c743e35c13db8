package lower

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestRandomShapes holds the checker, which looks at all configurations at once, against the lowering, which looks at
// one: a program that lowers at every configuration of a set in which each branch is taken has no error, and a
// program without branches and loops that has none lowers at all of them.
func TestRandomShapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &randomProgram{t: t, plain: rapid.Bool().Draw(t, "plain")}
		src := g.source()
		f, list := syntax.Parse("random.glm", []byte(src))
		if err := list.Err(); err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		checked := check.File(f, ir.Surfaces())
		wrong := ""
		for _, set := range randomConfigs() {
			values, bound := config.Bind(f.Models[0], nil, set)
			if err := bound.Err(); err != nil {
				t.Fatalf("%v\n%s", err, src)
			}
			_, lowered := Model(Input{Model: f.Models[0], Values: values, Stored: dtype.BF16, Activation: dtype.BF16})
			if lowered.HasErrors() {
				wrong = fmt.Sprintf("at %v: %v", set, lowered.Err())
				break
			}
		}
		switch {
		case wrong == "" && checked.HasErrors():
			t.Fatalf("the checker refuses what always lowers: %v\n%s", checked.Err(), src)
		case wrong != "" && g.plain && !checked.HasErrors():
			t.Fatalf("the checker accepts what does not lower, %s\n%s", wrong, src)
		}
	})
}

// randomConfigs are configurations in which every condition that randomProgram draws holds, and in which it does not,
// together with each other one. The sizes have no factors in common, so that no two shapes are equal by chance.
func randomConfigs() []map[string]string {
	var list []map[string]string
	for bits := range 1 << 5 {
		for _, n := range []string{"0", "1", "3"} {
			set := map[string]string{"n": n, "a": "5", "b": "7", "c": "11", "ab": "35"}
			if bits>>4 == 1 {
				set["b"], set["ab"] = "5", "25"
			}
			for i, key := range []string{"p", "q", "r", "s"} {
				set[key] = fmt.Sprint(bits>>i&1 == 1)
			}
			list = append(list, set)
		}
	}
	return list
}

// randomDim is a dimension: a sum of products, by the products, which are sorted names with "*" between them.
type randomDim map[string]int

// randomProgram draws models. What it knows of shapes guides it to operations that may fit; some do not.
type randomProgram struct {
	t      *rapid.T
	plain  bool // no conditions and no loops
	b      strings.Builder
	vars   map[string][]randomDim // the dimensions behind T; nil where they are not known
	conds  []string               // that were not drawn yet: drawn twice, a branch may never be taken
	asked  map[string]bool        // loops of which a condition was drawn
	aIsB   bool
	next   int
	loops  []string // the variables of the loops around, as holes of a path
	result []randomDim
}

func (g *randomProgram) pick(n int, label string) int {
	return rapid.IntRange(0, n-1).Draw(g.t, label)
}

func (g *randomProgram) source() string {
	g.conds = []string{"p", "q", "r", "s", "a == b", "a != b", "not (a == b)", "a == b and true"}
	g.asked = map[string]bool{}
	g.vars = map[string][]randomDim{"x": {{"a": 1}}, "y": {{"b": 1}}, "z": {{"a": 1}, {"b": 1}}, "kept": {{"a": 1}}}
	g.result = []randomDim{g.dim()}
	g.body(rapid.IntRange(1, 6).Draw(g.t, "statements"), 0)
	g.giveBack(0)
	return fmt.Sprintf(`block times[k](x: [T, k], m: int) -> [T, k * m] { return linear(x, w, m * k) }
block turned[k, l](x: [T, k, l]) -> [T, l, k] { return linear(x as [T, k * l], w, l * k) as [T, l, k] }
model m {
  config { a int = 5  b int = 7  c int = 11  ab int = 35  n int = 2  p bool = true  q bool = true  r bool = true  s bool = true }
  let twice = 2 * a
  let part = (a + b) * c / (a + b)
  assert ab == a * b, "said"
  entry forward(kept: [T, a], x: [T, a], y: [T, b], z: [T, a, b]) -> [T%s] {
%s  }
}
`, g.dims(g.result), g.b.String())
}

func (g *randomProgram) body(statements, depth int) {
	for range statements {
		kinds := 6
		if depth < 2 && !g.plain {
			kinds = 9
		}
		switch k := g.pick(kinds, "statement"); {
		case k < 6:
			g.assign(k, depth)
		case k < 8:
			g.branch(depth)
		default:
			g.loop(depth)
		}
	}
}

func (g *randomProgram) line(depth int, format string, args ...any) {
	g.b.WriteString(strings.Repeat("  ", depth+2) + fmt.Sprintf(format, args...) + "\n")
}

// known are the variables with shapes that the generator knows, sorted.
func (g *randomProgram) known() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(g.vars)), func(v string) bool { return g.vars[v] == nil })
}

func (g *randomProgram) assign(kind, depth int) {
	all := slices.Sorted(maps.Keys(g.vars))
	from := all[g.pick(len(all), "operand")]
	target := all[g.pick(len(all), "target")]
	if g.pick(2, "new") == 0 || target == "kept" {
		target = fmt.Sprintf("v%d", g.next)
	}
	g.next++
	at := fmt.Sprintf(" at %q", strings.Join(append([]string{fmt.Sprintf("w%d", g.next)}, g.loops...), "."))
	shape := g.vars[from]
	switch {
	case kind == 0 || shape == nil:
		d := g.dim()
		g.line(depth, "%s = linear(%s, w, %s)%s", target, from, g.text(d), at)
		if g.vars[target] = nil; shape != nil {
			g.vars[target] = append(slices.Clone(shape[:len(shape)-1]), d)
		}
		return
	case kind == 1 && len(shape) == 2:
		shape = []randomDim{g.times(shape[0], shape[1])}
		g.line(depth, "%s = %s as [T%s]", target, from, g.dims(shape))
	case kind == 1:
		one := randomDim{"": 1}
		shape = [][]randomDim{{one, shape[0]}, {shape[0], one}}[g.pick(2, "order")]
		g.line(depth, "%s = %s as [T%s]", target, from, g.dims(shape))
	case kind == 2 && len(shape) == 1:
		m := g.dim()
		g.line(depth, "%s = times(%s, %s)%s", target, from, g.text(m), at)
		shape = []randomDim{g.times(shape[0], m)}
	case kind == 2:
		g.line(depth, "%s = turned(%s)%s", target, from, at)
		shape = []randomDim{shape[1], shape[0]}
	case kind == 3:
		g.line(depth, "%s = %s * sum(%s)", target, from, from)
	case kind == 4 && len(shape) == 1:
		g.line(depth, "%s = concat(%s, linear(%s, w, %s)%s)", target, from, from, g.text(randomDim{"c": 1}), at)
		shape = []randomDim{g.plus(shape[0], randomDim{"c": 1})}
	default:
		other := all[g.pick(len(all), "other")] // often one that does not fit
		for _, v := range g.known() {
			if g.pick(8, "fits") > 0 && g.key(g.vars[v]) == g.key(shape) && v != from {
				other = v
			}
		}
		if g.pick(3, "like") > 0 {
			g.line(depth, "%s = %s + linear(%s, w, %s)%s", target, from, other, g.text(shape[len(shape)-1]), at)
			break
		}
		g.line(depth, "%s = %s %s %s", target, from, []string{"+", "-", "*"}[g.pick(3, "op")], other)
	}
	g.vars[target] = shape
}

// condition draws a condition; "" where there is none left.
func (g *randomProgram) condition() string {
	if n := len(g.loops); n > 0 && !g.asked[g.loops[n-1]] && g.pick(2, "first time") == 0 {
		g.asked[g.loops[n-1]] = true
		return strings.Trim(g.loops[n-1], "{}") + []string{" == 0", " > 0"}[g.pick(2, "which")]
	}
	if len(g.conds) == 0 {
		return ""
	}
	cond := g.conds[g.pick(len(g.conds), "condition")]
	g.conds = slices.DeleteFunc(slices.Clone(g.conds), func(c string) bool {
		return c == cond || strings.Contains(c, "a ") && strings.Contains(cond, "a ") // one of a and b is enough
	})
	return cond
}

func (g *randomProgram) branch(depth int) {
	cond := g.condition()
	if cond == "" {
		g.assign(0, depth)
		return
	}
	equal := strings.HasPrefix(cond, "a ==")
	unequal := strings.Contains(cond, "a != b") || strings.Contains(cond, "not (a")
	returns := g.pick(4, "returns") == 0 && !strings.HasSuffix(cond, "== 0") // nothing would be behind that
	before, outer := maps.Clone(g.vars), g.aIsB
	g.line(depth, "if %s {", cond)
	g.aIsB = outer || equal
	g.body(rapid.IntRange(1, 3).Draw(g.t, "then"), depth+1)
	if returns {
		g.giveBack(depth + 1)
	}
	then := g.vars
	g.vars, g.aIsB = maps.Clone(before), outer || unequal
	g.line(depth, "} else {")
	g.body(rapid.IntRange(0, 2).Draw(g.t, "else"), depth+1)
	g.line(depth, "}")
	if returns {
		g.aIsB = outer || unequal
		g.vars = within(before, g.vars)
		return
	}
	g.aIsB = outer
	for v := range before {
		if g.key(then[v]) == g.key(g.vars[v]) {
			before[v] = then[v]
		} else {
			before[v] = nil
		}
	}
	g.vars = before
}

// within are the variables that were there before, as they are now.
func within(before, now map[string][]randomDim) map[string][]randomDim {
	for v := range before {
		before[v] = now[v]
	}
	return before
}

// giveBack returns a variable that has the shape of the result, or makes it.
func (g *randomProgram) giveBack(depth int) {
	for _, v := range g.known() {
		if g.key(g.vars[v]) == g.key(g.result) {
			g.line(depth, "return %s", v)
			return
		}
	}
	g.next++
	g.line(depth, `return linear(kept, w, %s) at "r%d"`, g.text(g.result[0]), g.next)
}

func (g *randomProgram) loop(depth int) {
	before, outer := maps.Clone(g.vars), g.aIsB
	i := fmt.Sprintf("i%d", g.next)
	g.next++
	g.line(depth, "for %s in 0 .. n {", i)
	g.loops = append(g.loops, "{"+i+"}")
	g.body(rapid.IntRange(1, 3).Draw(g.t, "times"), depth+1)
	g.loops = g.loops[:len(g.loops)-1]
	g.line(depth, "}")
	for v := range before {
		if g.key(before[v]) != g.key(g.vars[v]) {
			before[v] = nil
		}
	}
	g.vars, g.aIsB = before, outer
}

// dim draws a dimension.
func (g *randomProgram) dim() randomDim {
	all := []randomDim{{"a": 1}, {"b": 1}, {"a*b": 1}, {"a": 2}, {"a": 1, "b": 1}, {"a": 1, "": 3}, {"c": 1}, {"": 4}}
	return all[g.pick(len(all), "dimension")]
}

func (g *randomProgram) times(d, e randomDim) randomDim {
	out := randomDim{}
	for p, m := range d {
		for q, n := range e {
			names := strings.FieldsFunc(p+"*"+q, func(r rune) bool { return r == '*' })
			slices.Sort(names)
			out[strings.Join(names, "*")] += m * n
		}
	}
	return out
}

func (g *randomProgram) plus(d, e randomDim) randomDim {
	out := maps.Clone(d)
	for p, n := range e {
		out[p] += n
	}
	return out
}

// key is the one text of a shape, where a and b may be the same.
func (g *randomProgram) key(shape []randomDim) string {
	text := fmt.Sprint(len(shape))
	for _, d := range shape {
		if g.aIsB {
			same := randomDim{}
			for p, n := range d {
				same[strings.ReplaceAll(p, "b", "a")] += n
			}
			d = same
		}
		text += fmt.Sprint(", ", map[string]int(d))
	}
	return text
}

// dims is one of the texts of a shape, with a comma in front of each dimension.
func (g *randomProgram) dims(shape []randomDim) string {
	text := ""
	for _, d := range shape {
		text += ", " + g.text(d)
	}
	return text
}

// text is one of the texts of a dimension.
func (g *randomProgram) text(d randomDim) string {
	var sum []string
	for _, p := range slices.Sorted(maps.Keys(d)) {
		factors := strings.FieldsFunc(p, func(r rune) bool { return r == '*' })
		if d[p] != 1 || len(factors) == 0 {
			factors = append(factors, fmt.Sprint(d[p]))
		}
		sum = append(sum, strings.Join(rapid.Permutation(factors).Draw(g.t, "factors"), " * "))
	}
	text := strings.Join(rapid.Permutation(sum).Draw(g.t, "terms"), " + ")
	switch g.pick(12, "spelling") {
	case 0:
		return fmt.Sprintf("(%s) * (a + b) / (b + a)", text)
	case 1:
		return fmt.Sprintf("((%s) * c - c * a) / c + a", text)
	case 2:
		return fmt.Sprintf("(%s) + ab - a * b", text)
	case 3:
		return fmt.Sprintf("(if q then %s else %s)", text, text)
	case 4:
		return fmt.Sprintf("max(0 * a + 1, 1) * (%s)", text)
	case 5:
		if let, ok := map[string]string{"2 * a": "twice", "c": "part"}[text]; ok {
			return let
		}
	}
	return text
}
