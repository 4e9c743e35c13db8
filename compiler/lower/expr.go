package lower

import (
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/syntax"
)

// isTensor reports whether an expression stands for tensors, as against a compile-time value.
func (l *lowerer) isTensor(x syntax.Expr) bool {
	switch x := x.(type) {
	case *syntax.Name:
		_, ok := l.scope[x.Parts[0]].(*ir.Value)
		return ok && len(x.Parts) == 1
	case *syntax.Call:
		name := strings.Join(x.Func.Parts, ".")
		return l.callees[name] != nil || ir.SurfaceOf(name) != nil
	case *syntax.Unary:
		return l.isTensor(x.X)
	case *syntax.Binary:
		return l.isTensor(x.X) || l.isTensor(x.Y)
	case *syntax.Cond:
		return l.isTensor(x.Then) || l.isTensor(x.Else)
	case *syntax.As, *syntax.At:
		return true
	}
	return false
}

// tensor evaluates an expression that stands for one tensor.
func (l *lowerer) tensor(x syntax.Expr) *ir.Value {
	vs := l.tensors(x)
	if len(vs) != 1 {
		l.errorf(x.Span(), idResultCount, "this gives %d values where one is wanted", len(vs))
		return poison
	}
	return vs[0]
}

// tensors evaluates an expression that stands for one or more tensors.
func (l *lowerer) tensors(x syntax.Expr) []*ir.Value {
	if !l.step(x.Span()) {
		return []*ir.Value{poison}
	}
	switch x := x.(type) {
	case *syntax.Name:
		return []*ir.Value{l.name(x)}
	case *syntax.Call:
		return l.call(x, "")
	case *syntax.Cond:
		on, ok := l.condition(x.If)
		switch {
		case !ok:
			return []*ir.Value{poison}
		case on:
			return l.tensors(x.Then)
		}
		return l.tensors(x.Else)
	case *syntax.At:
		return l.below(x, "")
	case *syntax.As:
		return []*ir.Value{l.reshape(x)}
	case *syntax.Binary:
		return []*ir.Value{l.binary(x)}
	case *syntax.Unary:
		if x.Op == "-" {
			return []*ir.Value{l.emit(x.Span(), "scale", []*ir.Value{l.tensor(x.X)}, ir.Attr{Key: "by", Value: -1.0})}
		}
	}
	l.errorf(x.Span(), idNotTensor, "this is a compile-time value where a tensor is wanted")
	return []*ir.Value{poison}
}

func (l *lowerer) name(x *syntax.Name) *ir.Value {
	name := strings.Join(x.Parts, ".")
	switch v := l.scope[name].(type) {
	case *ir.Value:
		return v
	case config.Value:
		l.errorf(x.Span(), idNotTensor, "%s is %s %s where a tensor is wanted", name, v.Type(), v)
		return poison
	}
	if !l.unsure {
		l.errorf(x.Span(), idUnknownName, "%s is not defined", name)
	}
	return poison
}

// below evaluates `x at "path"`, where x stands below the weight path outer already. The path is that of the
// call's own weights: arguments are evaluated where the call stands, so that in
// `attention(rms_norm(x, input_layernorm)) at "self_attn"` the norm's weight is not the attention's.
func (l *lowerer) below(x syntax.Expr, outer string) []*ir.Value {
	switch x := x.(type) {
	case *syntax.At:
		path, ok := l.expandPath(x.Path)
		if !ok {
			return []*ir.Value{poison}
		}
		return l.below(x.X, join(outer, path))
	case *syntax.Call:
		return l.call(x, outer)
	case *syntax.Cond:
		on, ok := l.condition(x.If)
		switch {
		case !ok:
			return []*ir.Value{poison}
		case on:
			return l.below(x.Then, outer)
		}
		return l.below(x.Else, outer)
	}
	l.errorf(x.Span(), idAtWithoutCall, "`at` gives a call its weight path; this is no call")
	return []*ir.Value{poison}
}

func (l *lowerer) expandPath(s *syntax.StrLit) (string, bool) {
	p, err := pattern.Parse(s.Value)
	if err == nil {
		var path string
		path, err = p.Expand(func(name string) (string, bool) {
			v, ok := l.value(name)
			if !ok {
				return "", false
			}
			return v.Text(), true
		})
		if err == nil {
			return path, true
		}
	}
	l.errorf(s.Span(), idBadPattern, "%v", err)
	return "", false
}

func (l *lowerer) reshape(x *syntax.As) *ir.Value {
	v := l.tensor(x.X)
	shape, ok := l.shape(x.Dims)
	if v == poison || !ok {
		return poison
	}
	return l.emit(x.Span(), "reshape", []*ir.Value{v}, ir.Attr{Key: "shape", Value: shape})
}

var binaryOps = map[string]string{"+": "add", "-": "sub", "*": "mul", "/": "div"}

// binary lowers an operation of which at least one side is a tensor.
func (l *lowerer) binary(x *syntax.Binary) *ir.Value {
	op := binaryOps[x.Op]
	if op == "" {
		l.errorf(x.Span(), idTensorOperator, "%s does not work on tensors: + - * / do", x.Op)
		return poison
	}
	if !l.isTensor(x.X) || !l.isTensor(x.Y) {
		return l.withScalar(x)
	}
	a, b := l.tensor(x.X), l.tensor(x.Y)
	if a == poison || b == poison {
		return poison
	}
	// The table's operators broadcast their second operand; + and * may be written either way round.
	if (op == "add" || op == "mul") && len(b.Type.Shape) >= len(a.Type.Shape) && !a.Type.Shape.Equal(b.Type.Shape) &&
		(len(b.Type.Shape) > len(a.Type.Shape) || a.Type.Shape.Last() == ir.Fixed(1)) {
		a, b = b, a
	}
	return l.emit(x.Span(), op, []*ir.Value{a, b})
}

// withScalar lowers an operation of a tensor and a compile-time number.
func (l *lowerer) withScalar(x *syntax.Binary) *ir.Value {
	tensor, scalar := x.X, x.Y
	if !l.isTensor(tensor) {
		tensor, scalar = x.Y, x.X
	}
	v := l.tensor(tensor)
	n, ok := l.eval(scalar)
	if !ok || v == poison {
		return poison
	}
	by := 0.0
	switch n := n.(type) {
	case config.Int:
		by = float64(n)
	case config.Float:
		by = float64(n)
	default:
		l.errorf(scalar.Span(), idTypeMismatch, "%s works with a number, this is %s", x.Op, n.Type())
		return poison
	}
	op := "scale"
	switch {
	case x.Op == "+":
		op = "shift"
	case x.Op == "-" && tensor == x.X:
		op, by = "shift", -by
	case x.Op == "-":
		v = l.emit(x.Span(), "scale", []*ir.Value{v}, ir.Attr{Key: "by", Value: -1.0})
		op = "shift"
	case x.Op == "/" && tensor == x.X && by != 0:
		by = 1 / by
	case x.Op == "/":
		l.errorf(x.Span(), idTensorOperator, "a number cannot be divided by a tensor, nor a tensor by zero")
		return poison
	}
	return l.emit(x.Span(), op, []*ir.Value{v}, ir.Attr{Key: "by", Value: by})
}

// emit adds a node with one result; a shape that does not fit is an error that shows where the operands got
// theirs.
func (l *lowerer) emit(span syntax.Span, op string, in []*ir.Value, attrs ...ir.Attr) *ir.Value {
	out, err := l.emitAll(span, op, in, attrs...)
	if err != nil {
		return poison
	}
	return out[0]
}

func (l *lowerer) emitAll(span syntax.Span, op string, in []*ir.Value, attrs ...ir.Attr) ([]*ir.Value, error) {
	for _, v := range in {
		if v == poison {
			return nil, errPoisoned
		}
	}
	outer := l.at
	l.at = span
	defer func() { l.at = outer }()
	n, err := l.graph.NewNode(op, in, attrs, l.origin())
	if err != nil {
		d := l.errorf(span, idShapeMismatch, "%v", err)
		for i, v := range in {
			if v != nil && v.Weight == nil && l.spans[v].Pos.Line > 0 {
				d.Note(l.spans[v].Diag(), "%s is %s: it got this shape here", ir.Lookup(op).Operands[i].Name, v.Type)
			}
		}
		return nil, errPoisoned
	}
	l.graph.Nodes = append(l.graph.Nodes, n)
	for _, v := range n.Out {
		l.spans[v] = span
	}
	return n.Out, nil
}
