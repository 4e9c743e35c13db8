package check

import (
	"slices"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/shape"
	"github.com/glmc/glmc/dsl/syntax"
)

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
	d := u.f.shapeErrorf(a.x, "%q of %s is %s, and this is %s", name, u.fn.Name, want, got)
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
	if len(got.Dims) != len(pattern.Dims) && !pattern.Rest {
		d.Suggest("it has %s, and %s wants %d: write as [...] behind it", quantity(len(got.Dims), "dimension"), u.fn.Name, len(pattern.Dims))
	}
	u.f.promiseHelp(d, got, &tensorType{Type: want})
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
