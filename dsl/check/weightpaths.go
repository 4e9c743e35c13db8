package check

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/syntax"
)

// maxWeightPaths bounds the paths that are looked at. GLM-4.7's file has 40.
const maxWeightPaths = 2000

// maxEffort bounds the bytes of aliases' names that are compared with other names, for files that nobody wrote.
const maxEffort = 1 << 20

// unusedAliases warns of aliases for names that no weight of the model can have, whatever the configuration, and that
// no other alias leads to.
func (m *model) unusedAliases(syn *syntax.Model) {
	var aliases []*syntax.Alias
	for _, r := range syn.Rules() {
		if r.Alias != nil {
			aliases = append(aliases, r.Alias)
		}
	}
	if len(aliases) == 0 {
		return
	}
	w := &weightPaths{builtins: m.builtins, blocks: map[*syntax.Block][]string{}, outside: map[*syntax.File]callees{}}
	inside := callees(syn.Callees())
	var paths []string
	for _, e := range syn.Entries() {
		paths = append(paths, w.body(e.Body, inside)...)
	}
	names := w.possibleNames(paths)
	targets := len(names) // where those of the aliases begin
	for _, a := range aliases {
		target, err := pattern.Parse(a.Target.Value)
		if err != nil {
			return // which has been reported
		}
		names = append(names, target.Parts())
	}
	effort := 0
	for i, a := range aliases {
		p, err := pattern.Parse(a.Name.Value)
		if err != nil {
			continue
		}
		if w.gaveUp || effort > maxEffort {
			return
		}
		used := false
		for j, name := range names {
			own := j == targets+i // an alias that leads to itself is no use of it
			if used || own {
				continue
			}
			effort += len(a.Name.Value)
			used = overlap(p.Parts(), name)
		}
		if !used {
			d := m.diags.Warnf(a.Name.Span().Diag(), idUnusedAlias, "no weight of the model can have the name %q", a.Name.Value)
			if near := nearestName(p.Parts(), names[:targets]); near != "" {
				d.Suggest("the model has %q", near)
			}
		}
	}
}

// possibleNames returns what weights at these paths can be called: a function adds .weight or .bias, or takes the path
// as it is.
func (w *weightPaths) possibleNames(paths []string) [][]pattern.Part {
	var names [][]pattern.Part
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			continue
		}
		seen[path] = true
		p, err := pattern.Parse(path)
		if err != nil { // it is too long, or has been reported
			w.gaveUp = true
			return nil
		}
		for _, suffix := range []string{".weight", ".bias"} {
			names = append(names, extended(p.Parts(), suffix))
		}
		names = append(names, p.Parts())
	}
	return names
}

// extended is a pattern with a text behind it.
func extended(parts []pattern.Part, suffix string) []pattern.Part {
	out := slices.Clone(parts)
	if last := &out[len(out)-1]; last.Name == "" {
		last.Text += suffix
		return out
	}
	return append(out, pattern.Part{Text: suffix})
}

// nearestName returns the name that looks most like an alias's, whatever the holes are called.
func nearestName(alias []pattern.Part, names [][]pattern.Part) string {
	byShape := map[string]string{}
	var shapes []string
	for _, n := range names {
		shape := withoutHoles(n)
		if _, known := byShape[shape]; !known {
			byShape[shape] = spelled(n)
			shapes = append(shapes, shape)
		}
	}
	return byShape[diag.Nearest(withoutHoles(alias), shapes)]
}

// withoutHoles writes a pattern with "*" for each hole.
func withoutHoles(parts []pattern.Part) string {
	var s strings.Builder
	for _, part := range parts {
		if part.Name != "" {
			s.WriteByte('*')
		}
		s.WriteString(part.Text)
	}
	return s.String()
}

// spelled writes a pattern as it stands in a file.
func spelled(parts []pattern.Part) string {
	var s strings.Builder
	for _, part := range parts {
		if part.Name != "" {
			s.WriteString("{" + part.Name + "}")
		}
		s.WriteString(part.Text)
	}
	return s.String()
}

// weightPaths collects the paths of weights that statements ask for. It follows every branch: which ones are taken
// depends on the configuration.
type weightPaths struct {
	builtins builtin.Table
	blocks   map[*syntax.Block][]string // what is below a call of each
	outside  map[*syntax.File]callees   // what calls in blocks outside of models mean
	count    int
	gaveUp   bool // there are too many, or one is too long to be a pattern: every name may be a weight's
}

// callees are the blocks that calls mean, by name.
type callees map[string]*syntax.Block

func (w *weightPaths) add(list []string, path string) []string {
	if w.count++; w.count > maxWeightPaths {
		w.gaveUp = true
		return list
	}
	return append(list, path)
}

func (w *weightPaths) body(b *syntax.Body, names callees) []string {
	var list []string
	for _, s := range b.Stmts {
		switch {
		case s.Assign != nil:
			list = append(list, w.expr(s.Assign.Value, "", names)...)
		case s.Return != nil:
			for _, x := range s.Return.Values {
				list = append(list, w.expr(x, "", names)...)
			}
		case s.For != nil:
			list = append(list, w.body(s.For.Body, names)...)
		case s.If != nil:
			list = append(list, w.branches(s.If, names)...)
		}
	}
	return list
}

func (w *weightPaths) branches(s *syntax.If, names callees) []string {
	list := w.body(s.Then, names)
	switch {
	case s.Else == nil:
	case s.Else.If != nil:
		list = append(list, w.branches(s.Else.If, names)...)
	default:
		list = append(list, w.body(s.Else.Body, names)...)
	}
	return list
}

// expr returns the paths in an expression. A call's own weights stand below the path; its arguments stand where the
// call does.
func (w *weightPaths) expr(x syntax.Expr, below string, names callees) []string {
	if w.gaveUp {
		return nil
	}
	switch x := x.(type) {
	case *syntax.At:
		return w.expr(x.X, joined(below, x.Path.Value), names)
	case *syntax.Call:
		return w.call(x, below, names)
	case *syntax.Cond:
		return append(w.expr(x.Then, below, names), w.expr(x.Else, below, names)...)
	case *syntax.As:
		return w.expr(x.X, "", names)
	case *syntax.Unary:
		return w.expr(x.X, "", names)
	case *syntax.Binary:
		return append(w.expr(x.X, "", names), w.expr(x.Y, "", names)...)
	}
	return nil
}

func (w *weightPaths) call(x *syntax.Call, below string, names callees) []string {
	name := strings.Join(x.Func.Parts, ".")
	var list []string
	if b := names[name]; b != nil {
		for _, a := range x.Args {
			list = append(list, w.expr(a.Value, "", names)...)
		}
		for _, path := range w.block(b, names) {
			list = w.add(list, joined(below, path))
		}
		return list
	}
	fn := w.builtins[name]
	if fn == nil {
		return nil
	}
	for i, a := range x.Args {
		switch parameterKind(fn, i, a.Name) {
		case builtin.Weight:
			switch v := a.Value.(type) {
			case *syntax.Name:
				list = w.add(list, joined(below, strings.Join(v.Parts, ".")))
			case *syntax.StrLit:
				list = w.add(list, joined(below, v.Value))
			}
		case builtin.Body:
			for _, path := range w.expr(a.Value, "", names) {
				list = w.add(list, joined(below, path))
			}
		default:
			list = append(list, w.expr(a.Value, "", names)...)
		}
	}
	return list
}

// block returns the paths below a call of a block. A block that calls itself, which is an error, has none there.
func (w *weightPaths) block(b *syntax.Block, names callees) []string {
	if list, known := w.blocks[b]; known {
		return list
	}
	w.blocks[b] = nil
	inside := names
	if b.Outside { // it knows the blocks of its own file
		known := false
		if inside, known = w.outside[b.File]; !known {
			inside = b.File.Callees()
			w.outside[b.File] = inside
		}
	}
	w.blocks[b] = w.body(b.Body, inside)
	return w.blocks[b]
}

func parameterKind(fn *builtin.Func, i int, name string) builtin.Kind {
	for j, p := range fn.Params {
		if name == p.Name || name == "" && i == j {
			return p.Kind
		}
	}
	return builtin.Tensor
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// overlap reports whether some name matches both patterns. A hole is taken to stand for any text, dots too: a few
// names more match than do, and none less.
func overlap(a, b []pattern.Part) bool {
	if differ(a[0], b[0], strings.HasPrefix) || differ(a[len(a)-1], b[len(b)-1], strings.HasSuffix) {
		return false
	}
	x, y := letters(a), letters(b)
	// possible[j] says whether the letters of x so far and the first j of y can be the same text.
	possible := make([]bool, len(y)+1)
	possible[0] = true
	for j := range y {
		possible[j+1] = possible[j] && y[j] == anyText
	}
	for i := range x {
		next := make([]bool, len(y)+1)
		next[0] = possible[0] && x[i] == anyText
		for j := range y {
			switch {
			case x[i] == anyText && y[j] == anyText:
				next[j+1] = possible[j] || possible[j+1] || next[j]
			case x[i] == anyText || y[j] == anyText:
				next[j+1] = possible[j+1] || next[j]
			default:
				next[j+1] = possible[j] && x[i] == y[j]
			}
		}
		possible = next
	}
	return possible[len(y)]
}

// differ reports whether the first, or the last, parts of two patterns are texts of which neither begins, or ends,
// with the other.
func differ(a, b pattern.Part, has func(s, affix string) bool) bool {
	return a.Name == "" && b.Name == "" && !has(a.Text, b.Text) && !has(b.Text, a.Text)
}

// anyText stands for any text, also none. It is no byte.
const anyText = -1

// letters writes a pattern as bytes and anyText.
func letters(parts []pattern.Part) []int {
	var list []int
	for _, p := range parts {
		if p.Name != "" {
			list = append(list, anyText)
			continue
		}
		for _, c := range []byte(p.Text) {
			list = append(list, int(c))
		}
	}
	return list
}
