package check

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/shape"
	"github.com/glmc/glmc/dsl/syntax"
)

// tensorType is what is known of a tensor: nil is nothing.
type tensorType struct {
	shape.Type
	from syntax.Span // where it got its shape
}

// wording gives an expression the words that messages have for it; "" leaves it to its normal form.
type wording func(x syntax.Expr) string

// dims evaluates the dimensions of a shape.
func dims(list []syntax.Expr, env numbers, words wording) []shape.Dim {
	out := make([]shape.Dim, len(list))
	for i, x := range list {
		out[i] = dim(x, env, words)
	}
	return out
}

func dim(x syntax.Expr, env numbers, words wording) shape.Dim {
	if n, ok := x.(*syntax.Name); ok && len(n.Parts) == 1 {
		switch n.Parts[0] {
		case "T":
			return shape.NewDim(shape.T, "")
		case "B":
			return shape.NewDim(shape.B, "")
		}
	}
	n := symbolic(x, env)
	if n == nil || !n.integer {
		return shape.Unknown(words(x))
	}
	return shape.NewDim(n.Poly, words(x))
}

// written is an expression as it is written in the model's file.
func (m *model) written(x syntax.Expr) string { return written(x, m.file) }

// written is an expression as it is written in a file, in one line.
func written(x syntax.Expr, in *syntax.File) string {
	s, source := x.Span(), in.Source
	if s.Pos.Offset < 0 || s.End.Offset > len(source) || s.Pos.Offset > s.End.Offset {
		return ""
	}
	return strings.Join(strings.Fields(string(source[s.Pos.Offset:s.End.Offset])), " ")
}

// declared is the type that a parameter or a result has in the function's own body; nil where it is no tensor.
func (f *function) declared(t *syntax.Type) *tensorType {
	return typeIn(t, f.number, f.written)
}

// typeIn is a type with the numbers that names have; nil where it is no tensor, or none that is known.
func typeIn(t *syntax.Type, env numbers, words wording) *tensorType {
	if len(t.Dims) == 0 {
		return nil
	}
	out := &tensorType{from: t.Span()}
	if t.Name != nil {
		out.DType = t.Name.Name
		if !slices.Contains(dtypeNames, out.DType) {
			return nil
		}
	}
	out.Dims = dims(t.Dims, env, words)
	return out
}

// shapeErrorf reports shapes that do not go together.
func (f *function) shapeErrorf(at syntax.Node, format string, args ...any) *diag.Diagnostic {
	return f.shapes.Errorf(at.Span().Diag(), idShapeMismatch, format, args...)
}

// mismatch reports two types that do not go together, with the places where they come from.
func (f *function) mismatch(at syntax.Node, operands []operand, format string, args ...any) *diag.Diagnostic {
	d := f.shapeErrorf(at, format, args...)
	for _, o := range operands {
		if o.typ != nil && o.typ.from.Pos.Line > 0 {
			d.Note(o.typ.from.Diag(), "%s is %s: it got this shape here", o.name, o.typ)
		}
	}
	return d
}

// operand is a tensor with what messages call it.
type operand struct {
	name string
	typ  *tensorType
}

// reshaped is the type of `x as [...]`.
func (f *function) reshaped(x *syntax.As, of *tensorType) *tensorType {
	out := &tensorType{from: x.Span(), Type: shape.Type{Dims: dims(x.Dims, f.number, f.written)}}
	if of == nil {
		return nil // its dtype is not known
	}
	out.DType = of.DType
	have, ok1 := of.Elems()
	want, ok2 := out.Elems()
	if ok1 && ok2 && !f.facts.MayEqual(have, want) {
		d := f.mismatch(x, []operand{{"the value", of}}, "%s has %s elements, and %s has %s", of, have, out, want)
		f.promise(d, shape.NewDim(have.Div(shape.T), ""), shape.NewDim(want.Div(shape.T), ""))
	}
	return out
}

// elements is the type of x op y for two tensors: b has a's shape, is [..., 1], or has one value a column; + and *
// may be written either way round.
func (f *function) elements(x *syntax.Binary, a, b *tensorType) *tensorType {
	if a == nil || b == nil {
		return nil
	}
	operands := []operand{{"the left side", a}, {"the right side", b}}
	if a.DType != b.DType {
		f.mismatch(x, operands, "%s of %s and %s: the dtypes differ", x.Op, a, b)
		return nil
	}
	wider := a
	switch {
	case f.broadcasts(a, b):
	case (x.Op == "+" || x.Op == "*") && f.broadcasts(b, a):
		wider = b
	default:
		d := f.mismatch(x, operands, "%s of %s and %s: the shapes do not go together", x.Op, a, b)
		f.promiseHelp(d, a, b)
		return nil
	}
	out := &tensorType{wider.Type, x.Span()}
	other, _ := b.Last()
	if last, _ := a.Last(); len(a.Dims) == len(b.Dims) && (isOne(last) || isOne(other)) && !f.facts.Certain(last, other) && f.facts.Same(last, other) {
		out.Dims = slices.Clone(out.Dims) // it may be the other side that is stretched
		out.Dims[len(out.Dims)-1] = shape.Unknown("")
	}
	return out
}

func isOne(d shape.Dim) bool {
	n, ok := d.Const()
	return ok && n == 1 && !d.IsUnknown()
}

// broadcasts reports whether b can be stretched to a.
func (f *function) broadcasts(a, b *tensorType) bool {
	if f.facts.EqualDims(a.Dims, b.Dims) {
		return true
	}
	last, ok := a.Last()
	narrow, ok2 := b.Last()
	if !ok || !ok2 {
		return false
	}
	if len(b.Dims) == 1 && f.facts.Same(last, narrow) {
		return true
	}
	n := len(a.Dims) - 1
	return len(b.Dims) == n+1 && f.facts.EqualDims(a.Dims[:n], b.Dims[:n]) && f.facts.Same(narrow, shape.NewDim(shape.Int(1), ""))
}

// joined is the type of what is one or the other; nil where they differ. A dimension that need not be the same in
// both is not known.
func (f *function) joined(a, b *tensorType) *tensorType {
	if a == nil || b == nil || !f.facts.EqualTypes(a.Type, b.Type) {
		return nil
	}
	out := &tensorType{shape.Type{DType: a.DType, Dims: slices.Clone(a.Dims)}, a.from}
	for i, d := range b.Dims {
		if !f.facts.Certain(a.Dims[i], d) {
			out.Dims[i] = shape.Unknown(d.Text)
		}
	}
	return out
}

// returned compares a result with its declaration.
func (f *function) returned(x syntax.Expr, got *tensorType, i int) {
	want := f.resultType(i)
	if got == nil || want == nil || f.facts.EqualTypes(got.Type, want.Type) {
		return
	}
	d := f.shapeErrorf(x, "this is %s, and the declared result is %s", got, want).
		Note(want.from.Diag(), "declared here")
	f.comesFrom(d, x, got)
	f.help(d, got, want)
}

func (f *function) resultType(i int) *tensorType {
	if i >= len(f.results) {
		return nil
	}
	return f.declared(f.results[i])
}

// comesFrom adds where a value got its shape, unless that is the place of the diagnostic itself.
func (f *function) comesFrom(d *diag.Diagnostic, x syntax.Expr, t *tensorType) {
	if t.from.Pos.Line > 0 && t.from != x.Span() {
		d.Note(t.from.Diag(), "the value got its shape here")
	}
}

// help suggests what would make one type the other, where that is plain.
func (f *function) help(d *diag.Diagnostic, got, want *tensorType) {
	if got.DType == shape.Activation && want.DType == "f32" && f.facts.EqualDims(got.Dims, want.Dims) {
		d.Suggest("activations are bf16 on GPUs: write f32(...)")
	}
	f.promiseHelp(d, got, want)
}

// promiseHelp says how to promise that two dimensions are the same, where one configuration may make them so.
func (f *function) promiseHelp(d *diag.Diagnostic, a, b *tensorType) {
	if a.DType != b.DType || len(a.Dims) != len(b.Dims) {
		return
	}
	differ := -1
	for i := range a.Dims {
		switch {
		case f.facts.Same(a.Dims[i], b.Dims[i]):
		case differ >= 0:
			return
		default:
			differ = i
		}
	}
	if differ >= 0 {
		f.promise(d, a.Dims[differ], b.Dims[differ])
	}
}

// promise suggests the assertion that two sizes are the same, where one is a product: heads * head_dim may well be the
// hidden size, two keys are rather taken for each other.
func (f *function) promise(d *diag.Diagnostic, a, b shape.Dim) {
	if !f.configured(a) || !f.configured(b) || len(a.Atoms()) == 1 && len(b.Atoms()) == 1 {
		return
	}
	d.Suggest(`shapes have to agree for every configuration; where the family promises that, write assert %s == %s, "..."`, a.Text, b.Text)
}

// configured reports whether a dimension is made of configuration keys and numbers.
func (f *function) configured(d shape.Dim) bool {
	atoms := d.Atoms()
	return len(atoms) > 0 && !slices.ContainsFunc(atoms, func(a string) bool { return f.globals.symbols[a] == nil })
}

// bound is an argument that was bound to a parameter.
type bound struct {
	x     syntax.Expr
	value value
}

// blockTypes checks the shapes of a block's arguments and returns the types of its results.
func (f *function) blockTypes(call syntax.Node, b *block, args map[string]bound) []*tensorType {
	inside := map[string]*number{}
	f.bindDims(b, args, inside)
	env := f.inside(b, inside)
	words := wordsIn(b, env)
	for _, p := range b.Params {
		a := args[p.Name.Name]
		got, want := a.value.typ(), typeIn(p.Type, env, words)
		if got == nil || want == nil || f.facts.EqualTypes(got.Type, want.Type) {
			continue
		}
		d := f.shapeErrorf(a.x, "this is %s, and %q of block %s is %s", got, p.Name.Name, b.Name.Name, want).
			Note(p.Span().Diag(), "declared here")
		f.comesFrom(d, a.x, got)
		f.help(d, got, want)
	}
	for _, p := range b.Params { // results can have parameters in their shapes, other parameters cannot
		if a, given := args[p.Name.Name]; given && len(p.Type.Dims) == 0 {
			inside[p.Name.Name] = symbolic(a.x, f.number)
		}
	}
	var out []*tensorType
	for _, r := range b.Results {
		t := typeIn(r, env, words)
		if t != nil {
			t.from = call.Span()
		}
		out = append(out, t)
	}
	return out
}

// bindDims gives the names of a block's dimensions the values that the arguments have there.
func (f *function) bindDims(b *block, args map[string]bound, inside map[string]*number) {
	for _, p := range b.Params {
		t := args[p.Name.Name].value.typ()
		if t == nil || len(t.Dims) != len(p.Type.Dims) {
			continue
		}
		for i, x := range p.Type.Dims {
			for _, d := range b.Dims {
				if inside[d.Name] == nil && d.Is(x) && !t.Dims[i].IsUnknown() && !t.Dims[i].IsRuntime() {
					inside[d.Name] = &number{t.Dims[i].Poly, true}
				}
			}
		}
	}
	for _, d := range b.Dims {
		if inside[d.Name] == nil {
			f.runtimeDim(b, d, args)
		}
	}
}

// runtimeDim reports a name of a dimension for which an argument has T or B, and none a number.
func (f *function) runtimeDim(b *block, d *syntax.Ident, args map[string]bound) {
	for _, p := range b.Params {
		a := args[p.Name.Name]
		t := a.value.typ()
		i := slices.IndexFunc(p.Type.Dims, d.Is)
		if t == nil || i < 0 || len(t.Dims) != len(p.Type.Dims) || !t.Dims[i].IsRuntime() {
			continue
		}
		e := f.errorf(a.x, idBadShape, "this is %s, and the dimension %s of block %s is an int: %s is known only when the program runs",
			t, d.Name, b.Name.Name, t.Dims[i].Text).Note(p.Span().Diag(), "declared here")
		f.comesFrom(e, a.x, t)
		return
	}
}

// wordsIn gives the dimensions of a block's types words that the caller understands: as they are written, unless
// they are made of the block's own names.
func wordsIn(b *block, env numbers) wording {
	local := b.localNames()
	return func(x syntax.Expr) string {
		if mentions(x, local) && symbolic(x, env) != nil {
			return ""
		}
		return written(x, b.File)
	}
}

// mentions reports whether an expression has one of the names.
func mentions(x syntax.Expr, names map[string]bool) bool {
	found := false
	syntax.Inspect(x, func(x syntax.Expr) {
		if n, ok := x.(*syntax.Name); ok && names[n.Parts[0]] {
			found = true
		}
	})
	return found
}

// localNames are the names of a block's parameters and dimensions.
func (b *block) localNames() map[string]bool {
	names := map[string]bool{}
	for _, d := range b.Dims {
		names[d.Name] = true
	}
	for _, p := range b.Params {
		names[p.Name.Name] = true
	}
	return names
}

// inside are the numbers that a block sees: those given, and where it is one of this model's, the model's.
func (f *function) inside(b *block, given map[string]*number) numbers {
	local := b.localNames()
	own := f.blocks[b.Name.Name] == b
	return func(name string) *number {
		if n := given[name]; n != nil || local[name] || !own {
			return n
		}
		return f.constant(name)
	}
}
