package lower

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// errPoisoned says that the reason was reported already.
var errPoisoned = errors.New("poisoned")

// maxCallDepth bounds nested calls; the checker refuses recursion before it comes to that.
const maxCallDepth = 100

// call lowers a call whose weights stand below the given path, relative to where the call stands.
func (l *lowerer) call(x *syntax.Call, below string) []*ir.Value {
	name := strings.Join(x.Func.Parts, ".")
	if l.depth++; l.depth > maxCallDepth {
		l.errorf(x.Span(), idRecursion, "calls are nested deeper than %d", maxCallDepth)
		return []*ir.Value{poison}
	}
	defer func() { l.depth-- }()
	if b := l.callees[name]; b != nil {
		return l.callBlock(x, b, below)
	}
	if op := ir.SurfaceOf(name); op != nil {
		return l.callBuiltin(x, op.Surface, below)
	}
	l.errorf(x.Span(), idUnknownFunction, "%s is neither a block nor a function", name)
	return []*ir.Value{poison}
}

// callBlock evaluates a block's body with its parameters bound.
func (l *lowerer) callBlock(x *syntax.Call, b *syntax.Block, below string) []*ir.Value {
	failed := make([]*ir.Value, max(len(b.Results), 1))
	for i := range failed {
		failed[i] = poison
	}
	scope, ok := l.bindBlock(x, b)
	if !ok {
		return failed
	}
	outer, path, unsure, callees := l.scope, l.path, l.unsure, l.callees
	l.scope, l.path, l.unsure, l.callees = scope, join(path, below), false, l.calleesOf(b)
	out := l.body(b.Body)
	ok = out.returned && l.checkResults(out, b.Results)
	if !out.returned {
		l.missingReturn(b.Name, "block")
	}
	l.scope, l.path, l.unsure, l.callees = outer, path, unsure, callees
	if !ok {
		return failed
	}
	return out.values
}

// calleesOf is what calls in a block mean: a block outside of models knows those of its own file.
func (l *lowerer) calleesOf(b *syntax.Block) map[string]*syntax.Block {
	if !b.Outside {
		return l.ofModel
	}
	names, ok := l.ofFile[b.File]
	if !ok {
		names = b.File.Callees()
		l.ofFile[b.File] = names
	}
	return names
}

// bindBlock evaluates the arguments of a call of a block; false after an error.
func (l *lowerer) bindBlock(x *syntax.Call, b *syntax.Block) (map[string]any, bool) {
	scope, ok := map[string]any{}, true
	given := map[*syntax.Param]syntax.Arg{}
	for i, a := range x.Args {
		p := blockParam(b, i, a.Name)
		if p == nil {
			l.errorf(a.Span(), idUnknownArgument, "block %s has no such parameter", b.Name.Name).Note(b.Name.Span().Diag(), "declared here")
			ok = false
			continue
		}
		v := l.blockArg(a, p)
		ok = ok && v != nil
		given[p], scope[p.Name.Name] = a, v
	}
	for _, p := range b.Params {
		if _, there := given[p]; !there && ok {
			l.errorf(x.Span(), idMissingArgument, "parameter %s of block %s is missing", p.Name.Name, b.Name.Name).Note(p.Span().Diag(), "declared here")
			ok = false
		}
	}
	return scope, ok && l.bindShapes(b, given, scope)
}

func blockParam(b *syntax.Block, i int, name string) *syntax.Param {
	for j, p := range b.Params {
		if name == p.Name.Name || name == "" && i == j {
			return p
		}
	}
	return nil
}

// blockArg evaluates one argument of a block; nil after an error.
func (l *lowerer) blockArg(a syntax.Arg, p *syntax.Param) any {
	if len(p.Type.Dims) > 0 {
		return l.tensor(a.Value)
	}
	v, ok := l.eval(a.Value)
	if !ok {
		return nil
	}
	if n, isInt := v.(config.Int); isInt && p.Type.Name.Name == "float" {
		v = config.Float(n)
	}
	if v.Type() != p.Type.Name.Name {
		l.errorf(a.Value.Span(), idArgumentType, "this is %s %s, parameter %s is %s", v.Type(), v, p.Name.Name, p.Type.Name.Name).
			Note(p.Span().Diag(), "declared here")
		return nil
	}
	return v
}

// bindShapes gives the block's names of dimensions the values that the arguments have there, and then checks the
// arguments against the parameters' types. An argument that does not fit becomes poison.
func (l *lowerer) bindShapes(b *syntax.Block, given map[*syntax.Param]syntax.Arg, scope map[string]any) bool {
	ok := true
	for _, p := range b.Params {
		if v, isTensor := scope[p.Name.Name].(*ir.Value); isTensor && v != poison {
			l.bindDims(b, p, v, scope)
		}
	}
	for _, d := range b.Dims {
		if scope[d.Name] == nil {
			l.unbound(b, d, given, scope)
			scope[d.Name], ok = poison, false
		}
	}
	for _, p := range b.Params {
		if v, isTensor := scope[p.Name.Name].(*ir.Value); isTensor && v != poison && !l.fits(given[p], p, v, scope) {
			scope[p.Name.Name] = poison
		}
	}
	return ok
}

// unbound reports a name of a dimension for which no argument has a number, unless one of them is poison.
func (l *lowerer) unbound(b *syntax.Block, d *syntax.Ident, given map[*syntax.Param]syntax.Arg, scope map[string]any) {
	var first *syntax.Param
	for _, p := range b.Params {
		if !slices.ContainsFunc(p.Type.Dims, d.Is) {
			continue
		}
		if scope[p.Name.Name] == any(poison) {
			return
		}
		if first == nil {
			first = p
		}
	}
	if first == nil {
		return // the declaration was the checker's to report
	}
	a, v := given[first], scope[first.Name.Name].(*ir.Value)
	e := l.errorf(a.Value.Span(), idShapeMismatch, "this is %s, in which parameter %s of block %s finds no number for its dimension %s",
		v.Type, first.Name.Name, b.Name.Name, d.Name).Note(first.Span().Diag(), "declared here")
	if s := l.spans[v]; s.Pos.Line > 0 {
		e.Note(s.Diag(), "the value got its shape here")
	}
}

// bindDims binds the names of dimensions that stand alone in a parameter's shape and have no value yet.
func (l *lowerer) bindDims(b *syntax.Block, p *syntax.Param, v *ir.Value, scope map[string]any) {
	if len(p.Type.Dims) != len(v.Type.Shape) {
		return
	}
	for i, x := range p.Type.Dims {
		for _, d := range b.Dims {
			if dim := v.Type.Shape[i]; scope[d.Name] == nil && dim.IsConst() && d.Is(x) {
				scope[d.Name] = config.Int(dim.Add)
			}
		}
	}
}

// fits compares an argument with the type that its parameter has in this call: the shape is made of the
// configuration and of the dimensions that the arguments have bound.
func (l *lowerer) fits(a syntax.Arg, p *syntax.Param, v *ir.Value, bound map[string]any) bool {
	outer := l.scope
	l.scope = bound
	want, ok := l.tensorType(p.Type)
	l.scope = outer
	if !ok || want.Equal(v.Type) {
		return true
	}
	d := l.errorf(a.Value.Span(), idShapeMismatch, "this is %s, parameter %s is %s", v.Type, p.Name.Name, want).
		Note(p.Span().Diag(), "declared here")
	if s := l.spans[v]; s.Pos.Line > 0 {
		d.Note(s.Diag(), "the value got its shape here")
	}
	return false
}

// callBuiltin binds the arguments of an operator's function and lets the operator's row lower it.
func (l *lowerer) callBuiltin(x *syntax.Call, s *ir.Surface, below string) []*ir.Value {
	failed := []*ir.Value{poison, poison}[:s.Func.Results]
	args := &ir.Args{Values: map[string]any{}}
	for i, a := range x.Args {
		p := builtinParam(&s.Func, i, a.Name)
		if p == nil {
			l.errorf(a.Span(), idUnknownArgument, "%s has no such parameter", s.Func.Name)
			return failed
		}
		v := l.builtinArg(a.Value, p)
		if v == nil || v == any(poison) {
			return failed
		}
		args.Values[p.Name] = v
	}
	for _, p := range s.Func.Params {
		if !p.Optional && args.Values[p.Name] == nil {
			l.errorf(x.Span(), idMissingArgument, "%s needs %s, %s", s.Func.Name, p.Name, p.Kind)
			return failed
		}
	}
	outer, path := l.at, l.path
	l.at, l.path = x.Span(), join(path, below)
	out, err := s.Lower(l, args)
	l.at, l.path = outer, path
	if err != nil {
		if !errors.Is(err, errPoisoned) {
			l.errorf(x.Span(), idShapeMismatch, "%s: %v", s.Func.Name, err)
		}
		return failed
	}
	return out
}

func builtinParam(f *builtin.Func, i int, name string) *builtin.Param {
	for j := range f.Params {
		if name == f.Params[j].Name || name == "" && i == j {
			return &f.Params[j]
		}
	}
	return nil
}

// builtinArg evaluates one argument as its parameter wants it; nil after an error.
func (l *lowerer) builtinArg(x syntax.Expr, p *builtin.Param) any {
	switch p.Kind {
	case builtin.Tensor:
		return l.tensor(x)
	case builtin.Body:
		return x
	case builtin.Weight:
		switch x := x.(type) {
		case *syntax.Name:
			return strings.Join(x.Parts, ".")
		case *syntax.StrLit:
			return x.Value
		}
		l.errorf(x.Span(), idArgumentType, "%s is %s", p.Name, p.Kind)
		return nil
	}
	v, ok := l.eval(x)
	if !ok {
		return nil
	}
	switch v := v.(type) {
	case config.Int:
		if p.Kind == builtin.Int || p.Kind == builtin.Float {
			return int64(v)
		}
	case config.Float:
		if p.Kind == builtin.Float {
			return float64(v)
		}
	case config.Bool:
		if p.Kind == builtin.Bool {
			return bool(v)
		}
	case config.String:
		if p.Kind == builtin.String {
			return string(v)
		}
	}
	l.errorf(x.Span(), idArgumentType, "this is %s %s, %s is %s", v.Type(), v, p.Name, p.Kind)
	return nil
}

// Activation implements ir.Lowering, as do the methods below.
func (l *lowerer) Activation() dtype.DType { return l.Input.Activation }

// Emit implements ir.Lowering.
func (l *lowerer) Emit(op string, in []*ir.Value, attrs ...ir.Attr) ([]*ir.Value, error) {
	return l.emitAll(l.at, op, in, attrs...)
}

// RuntimeInput implements ir.Lowering.
func (l *lowerer) RuntimeInput(name string, t ir.Type) *ir.Value { return l.graph.Input(name, t) }

// Cache implements ir.Lowering.
func (l *lowerer) Cache(heads, headDim, valueDim int) (*ir.Value, error) {
	c := l.caches[l.path]
	if c == nil {
		c = &ir.Cache{Name: l.path, Heads: heads, HeadDim: headDim}
		if valueDim != headDim {
			c.ValueDim = valueDim
		}
		l.caches[l.path] = c
		l.res.Module.Caches = append(l.res.Module.Caches, c)
	}
	if c.Heads != heads || c.HeadDim != headDim {
		return nil, fmt.Errorf("the KV cache at %q has %d heads of %d values in another entry, %d of %d here", l.path, c.Heads, c.HeadDim, heads, headDim)
	}
	if c.ValueSize() != valueDim {
		return nil, fmt.Errorf("the KV cache at %q has values of %d in another entry, of %d here", l.path, c.ValueSize(), valueDim)
	}
	if l.states[c] {
		return nil, fmt.Errorf("a second attention at the weight path %q would write over the keys of the first: give each a path of its own with `at`", l.path)
	}
	l.states[c] = true
	return l.graph.State(c), nil
}

// Weight implements ir.Lowering.
func (l *lowerer) Weight(path string, as dtype.DType, linear bool, shape ...int) (*ir.Value, error) {
	name := join(l.path, path)
	w := &ir.Weight{Name: name, Shape: shape, DType: l.storedAs(name, as, linear), Recipe: ir.Stored(name, shape...)}
	if err := w.Type().Shape.Check(); err != nil {
		return nil, fmt.Errorf("weight %s: %w", name, err)
	}
	if l.scratch {
		return l.graph.Load(w), nil
	}
	if as.Valid() {
		l.res.Wanted[name] = true
	}
	return l.declare(w)
}

func (l *lowerer) declare(w *ir.Weight) (*ir.Value, error) {
	old := l.weights[w.Name]
	if old == nil {
		l.weights[w.Name] = &weight{w, l.at}
		l.res.Module.Weights = append(l.res.Module.Weights, w)
		l.res.Asked[w.Name] = l.at.Diag()
		return l.graph.Load(w), nil
	}
	if !old.Type().Equal(w.Type()) {
		l.errorf(l.at, idWeightMismatch, "weight %s is %s here", w.Name, w.Type()).Note(old.span.Diag(), "and %s here", old.Type())
		return nil, errPoisoned
	}
	return l.graph.Load(old.Weight), nil
}

// storedAs is the dtype that a weight has on the device before any pass looked at it.
func (l *lowerer) storedAs(name string, as dtype.DType, linear bool) dtype.DType {
	if as.Valid() {
		return as
	}
	if linear && l.Quantised != nil && !l.ignoredByQuantisation(name) {
		return l.Quantised.Weights
	}
	return l.Stored
}

// maxStandIns bounds the names that aliases lead to from one, as the loader does: rules may name each other.
const maxStandIns = 32

// ignoredByQuantisation reports whether a Linear's weight, or the one that an alias says stands in for it, is on
// the list of modules that a quantised checkpoint stores as they are: a head that is the model's own lm_head is
// not quantised just because the list does not know its other name.
func (l *lowerer) ignoredByQuantisation(name string) bool {
	names := []string{name}
	for i := 0; i < len(names) && i < maxStandIns; i++ {
		if l.Quantised.Ignores(strings.TrimSuffix(strings.ReplaceAll(names[i], "{e}", "0"), ".weight")) {
			return true
		}
		for _, a := range l.aliases {
			holes, ok := a.name.Match(names[i])
			if !ok {
				continue
			}
			to, err := a.target.Expand(func(hole string) (string, bool) { v, ok := holes[hole]; return v, ok })
			if err == nil && !slices.Contains(names, to) { // an unbound hole was the checker's to report
				names = append(names, to)
			}
		}
	}
	return false
}

// maxExperts bounds the experts of a layer: each is a stored tensor of its own.
const maxExperts = 1 << 16

// Experts implements ir.Lowering: it evaluates the body once, in a graph of its own, with {e} left open in
// the weights' names, and takes the gated MLP apart that it must be.
func (l *lowerer) Experts(x *ir.Value, count int, body any) (gate, up, down *ir.Value, err error) {
	expr, ok := body.(syntax.Expr)
	if !ok || count < 1 || count > maxExperts {
		return nil, nil, nil, fmt.Errorf("there are %d experts: wants 1 to %d", count, maxExperts)
	}
	graph, scope, scratch := l.graph, l.scope, l.scratch
	l.graph, l.scratch, l.scope = ir.NewGraph("expert"), true, maps.Clone(scope)
	l.scope["e"] = config.String("{e}")
	out := l.tensor(expr)
	l.graph, l.scratch, l.scope = graph, scratch, scope
	if out == poison {
		return nil, nil, nil, errPoisoned
	}
	g, u, d := gatedMLP(out, x)
	if g == nil {
		l.errorf(expr.Span(), idExpertBody, "an expert is down(silu(gate(x)) * up(x)) of the first argument, without bias; this is something else")
		return nil, nil, nil, errPoisoned
	}
	weights := [3]*ir.Value{}
	for i, w := range []*ir.Weight{g, u, d} {
		if !strings.Contains(w.Name, "{e}") {
			l.errorf(expr.Span(), idExpertBody, "the experts would share the weight %s: put {e} into the path behind `at`", w.Name)
			return nil, nil, nil, errPoisoned
		}
		stacked := &ir.Weight{Name: w.Name, DType: w.DType, Shape: append([]int{count}, w.Shape...), Recipe: ir.Each(w.Name, count, w.Shape...)}
		if err := stacked.Type().Shape.Check(); err != nil {
			return nil, nil, nil, fmt.Errorf("weight %s: %w", w.Name, err)
		}
		if weights[i], err = l.declare(stacked); err != nil {
			return nil, nil, nil, err
		}
	}
	return weights[0], weights[1], weights[2], nil
}

// gatedMLP matches down(silu(gate x) * up x) and returns the weights; nil where it is something else.
func gatedMLP(out, x *ir.Value) (gate, up, down *ir.Weight) {
	is := func(v *ir.Value, op string) *ir.Node {
		if v == nil || v.Def == nil || v.Def.Op.Name != op {
			return nil
		}
		return v.Def
	}
	projection := func(v *ir.Value) *ir.Node {
		if n := is(v, "linear"); n != nil && n.Arg("bias") == nil {
			return n
		}
		return nil
	}
	d := projection(out)
	if d == nil {
		return nil, nil, nil
	}
	mul := is(d.Arg("x"), "mul")
	if mul == nil {
		return nil, nil, nil
	}
	for i := range mul.In {
		silu, u := is(mul.In[i], "act.silu"), projection(mul.In[1-i])
		if silu == nil || u == nil || u.Arg("x") != x {
			continue
		}
		if g := projection(silu.In[0]); g != nil && g.Arg("x") == x {
			return g.Arg("w").Weight, u.Arg("w").Weight, d.Arg("w").Weight
		}
	}
	return nil, nil, nil
}
