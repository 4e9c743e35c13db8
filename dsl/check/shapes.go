package check

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
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

// mismatch reports two types that do not go together, with the places where they come from.
func (f *function) mismatch(at syntax.Node, operands []operand, format string, args ...any) *diag.Diagnostic {
	d := f.errorf(at, idShapeMismatch, format, args...)
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
	if ok1 && ok2 && !f.facts.Equal(have, want) {
		f.mismatch(x, []operand{{"the value", of}}, "%s has %s elements, and %s has %s", of, have, out, want)
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
		f.mismatch(x, operands, "%s of %s and %s: the shapes do not go together", x.Op, a, b)
		return nil
	}
	return &tensorType{wider.Type, x.Span()}
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

// joined is the type of what is one or the other; nil where they differ.
func (f *function) joined(a, b *tensorType) *tensorType {
	if a == nil || b == nil || !f.facts.EqualTypes(a.Type, b.Type) {
		return nil
	}
	return a
}

// returned compares a result with its declaration.
func (f *function) returned(x syntax.Expr, got *tensorType, i int) {
	want := f.resultType(i)
	if got == nil || want == nil || f.facts.EqualTypes(got.Type, want.Type) {
		return
	}
	d := f.errorf(x, idShapeMismatch, "this is %s, and the declared result is %s", got, want).
		Note(want.from.Diag(), "declared here")
	f.comesFrom(d, x, got)
	f.castHelp(d, got, want)
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

// castHelp suggests f32 where nothing else is missing.
func (f *function) castHelp(d *diag.Diagnostic, got, want *tensorType) {
	if got.DType == shape.Activation && want.DType == "f32" && f.facts.EqualDims(got.Dims, want.Dims) {
		d.Suggest("activations are bf16 on GPUs: write f32(...)")
	}
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
		d := f.errorf(a.x, idShapeMismatch, "this is %s, and %q of block %s is %s", got, p.Name.Name, b.Name.Name, want).
			Note(p.Span().Diag(), "declared here")
		f.comesFrom(d, a.x, got)
		f.castHelp(d, got, want)
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
				if inside[d.Name] == nil && d.Is(x) && !t.Dims[i].IsUnknown() {
					inside[d.Name] = &number{t.Dims[i].Poly, true}
				}
			}
		}
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

// functionTypes checks the shapes of a function's arguments by its signature and returns the types of its results.
func (f *function) functionTypes(call *syntax.Call, fn *builtin.Func, args map[string]bound) []*tensorType {
	if fn.Shapes == nil {
		return nil
	}
	u := &unifier{f: f, fn: fn, args: args, dims: map[string]shape.Dim{}}
	for _, p := range fn.Params {
		if a, given := args[p.Name]; given && p.Kind == builtin.Tensor && a.value.typ() != nil {
			u.param(p.Name, a)
		}
	}
	out := make([]*tensorType, len(fn.Shapes.Results))
	for i, p := range fn.Shapes.Results {
		out[i] = u.result(p, call.Span())
	}
	return out
}

// unifier binds the letters of a signature in one call.
type unifier struct {
	f       *function
	fn      *builtin.Func
	args    map[string]bound
	dims    map[string]shape.Dim // letters that are bound
	rest    []shape.Dim          // what ".." stands for
	hasRest bool
	failed  bool
}

// param checks one argument against its pattern.
func (u *unifier) param(name string, a bound) {
	pattern, got := u.fn.Shapes.Params[name], a.value.typ()
	want := u.expected(pattern, got.DType)
	fits := u.bindRest(pattern, got)
	for i, sum := range pattern.Dims {
		if fits {
			fits = u.bind(sum, got.Dims[len(got.Dims)-len(pattern.Dims)+i])
		}
	}
	if fits && want.DType == got.DType {
		return
	}
	u.failed = true
	d := u.f.errorf(a.x, idShapeMismatch, "%q of %s is %s, and this is %s", name, u.fn.Name, want, got)
	u.f.comesFrom(d, a.x, got)
	for _, p := range u.fn.Params {
		if p.Name == name {
			break
		}
		if other := u.args[p.Name].value.typ(); other != nil && other.from.Pos.Line > 0 {
			d.Note(other.from.Diag(), "%q is %s: it got this shape here", p.Name, other)
		}
	}
	if want.DType == "f32" && got.DType == shape.Activation && fits {
		d.Suggest("activations are bf16 on GPUs: write f32(...)")
	}
}

// bindRest checks the number of dimensions and binds "..".
func (u *unifier) bindRest(p builtin.Pattern, got *tensorType) bool {
	extra := len(got.Dims) - len(p.Dims)
	if extra < 0 || extra > 0 && !p.Rest {
		return false
	}
	switch {
	case !p.Rest:
		return true
	case u.hasRest:
		return u.f.facts.EqualDims(u.rest, got.Dims[:extra])
	}
	u.rest, u.hasRest = got.Dims[:extra], true
	return true
}

// bind compares a dimension with what its letters stand for, or binds the letter.
func (u *unifier) bind(sum builtin.Sum, got shape.Dim) bool {
	if want, ok := u.value(sum); ok {
		return u.f.facts.Same(want, got)
	}
	if len(sum) == 1 && !u.isParam(sum[0].Name) {
		u.dims[sum[0].Name] = got
	}
	return true
}

// isParam reports whether a letter is the name of an int parameter.
func (u *unifier) isParam(name string) bool {
	return slices.ContainsFunc(u.fn.Params, func(p builtin.Param) bool { return p.Name == name && p.Kind == builtin.Int })
}

// value is the dimension that a sum stands for; false where a letter in it is not bound, or not known.
func (u *unifier) value(sum builtin.Sum) (shape.Dim, bool) {
	if len(sum) == 1 && !sum[0].Negative {
		return u.letter(sum[0])
	}
	total := shape.Int(0)
	for _, a := range sum {
		d, ok := u.letter(a)
		switch {
		case !ok || d.IsUnknown():
			return shape.Unknown(""), ok
		case a.Negative:
			total = total.Sub(d.Poly)
		default:
			total = total.Add(d.Poly)
		}
	}
	return shape.NewDim(total, ""), true
}

func (u *unifier) letter(a builtin.Addend) (shape.Dim, bool) {
	if a.Name == "" {
		return shape.NewDim(shape.Int(a.Number), ""), true
	}
	if d, ok := u.dims[a.Name]; ok {
		return d, true
	}
	arg, given := u.args[a.Name]
	if !given || !u.isParam(a.Name) {
		return shape.Unknown(""), false
	}
	return dim(arg.x, u.f.number, u.f.written), true
}

// anyDType is the dtype of a pattern that takes all.
const anyDType = "any"

// expected is a pattern's type as far as its letters are bound; the others stand for themselves. A pattern that
// takes all dtypes gets the one given.
func (u *unifier) expected(p builtin.Pattern, dtype string) shape.Type {
	t := shape.Type{DType: u.dtype(p)}
	if t.DType == anyDType {
		t.DType = dtype
	}
	if p.Rest && u.hasRest {
		t.Dims = slices.Clone(u.rest)
	}
	for _, sum := range p.Dims {
		d, ok := u.value(sum)
		if !ok {
			d = shape.NewDim(shape.Atom(sum.String()), "")
		}
		t.Dims = append(t.Dims, d)
	}
	return t
}

func (u *unifier) dtype(p builtin.Pattern) string {
	switch {
	case p.DType == "act":
		return shape.Activation
	case p.DType != "":
		return p.DType
	case p.Like != "":
		if like := u.args[p.Like].value.typ(); like != nil {
			return like.DType
		}
	}
	return anyDType
}

// result is the type of a result; nil where it is not known.
func (u *unifier) result(p builtin.Pattern, from syntax.Span) *tensorType {
	t := &tensorType{from: from}
	t.DType = u.dtype(p)
	if u.failed || t.DType == anyDType || p.Rest && !u.hasRest {
		return nil
	}
	if p.Rest {
		t.Dims = slices.Clone(u.rest)
	}
	for _, sum := range p.Dims {
		d, ok := u.value(sum)
		if !ok {
			d = shape.Unknown(sum.String())
		}
		t.Dims = append(t.Dims, d)
	}
	return t
}
