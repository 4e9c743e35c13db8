package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// callee is what a call calls: a block, or a function of the compiler.
type callee struct {
	title  string // "block mlp"
	params []parameter
	place  diag.Span    // of its declaration; empty for functions
	file   *syntax.File // that declares it; nil for functions
}

// parameter is one parameter of a callee.
type parameter struct {
	name     string
	ident    *syntax.Ident // nil for functions
	typ      *syntax.Type  // nil for functions
	takes    string        // in words
	optional bool
	place    diag.Span // of its declaration; empty for functions
	kind     kind
	special  builtin.Kind // builtin.Weight or builtin.Body; else builtin.Tensor, and kind says the rest
}

func blockCallee(b *block) callee {
	c := callee{title: "block " + b.Name.Name, place: b.Name.Span().Diag(), file: b.File}
	for _, p := range b.Params {
		k := tensor
		if len(p.Type.Dims) == 0 {
			k = configTypes[p.Type.Name.Name]
		}
		c.params = append(c.params, parameter{name: p.Name.Name, ident: p.Name, typ: p.Type, takes: k.String(), place: p.Span().Diag(), kind: k})
	}
	return c
}

func functionCallee(fn *builtin.Func) callee {
	c := callee{title: fn.Name}
	for _, p := range fn.Params {
		q := parameter{name: p.Name, takes: p.Kind.String(), optional: p.Optional, kind: builtinKinds[p.Kind]}
		if p.Kind == builtin.Weight || p.Kind == builtin.Body {
			q.special = p.Kind
		}
		c.params = append(c.params, q)
	}
	return c
}

// note says where the callee was declared, if a file did.
func (c callee) note(d *diag.Diagnostic) *diag.Diagnostic {
	if c.place.File != "" || c.place.Start.Line > 0 {
		d.Note(c.place, "declared here")
	}
	return d
}

func (c callee) names() []string {
	var list []string
	for _, p := range c.params {
		list = append(list, p.name)
	}
	return list
}

func (f *function) call(x *syntax.Call) value {
	name := strings.Join(x.Func.Parts, ".")
	b, found := f.callee(name)
	if found && b == nil { // imported, in vain
		for _, a := range x.Args {
			f.use(a.Value)
		}
		return failed
	}
	if b != nil && !f.global {
		made := call{b, x.Func}
		if f.caller != nil {
			f.caller.calls = append(f.caller.calls, made)
		} else {
			f.entered = append(f.entered, made)
		}
		f.refCall(x, name, b)
		args := f.arguments(x, blockCallee(b))
		return value{tensor, b.count(), f.blockTypes(x, b, args)}
	}
	fn := f.builtins[name]
	if fn == nil {
		f.unknownFunction(x, name)
		for _, a := range x.Args {
			f.use(a.Value)
		}
		return failed
	}
	args := f.arguments(x, functionCallee(fn))
	if fn.Value == builtin.Tensor {
		return value{tensor, fn.Results, f.functionTypes(x, fn, args)}
	}
	return one(resultKind(fn, args))
}

// resultKind is the kind of a compile-time function's result. The smaller and the larger of two ints are ints.
func resultKind(fn *builtin.Func, args map[string]bound) kind {
	if fn.Name != "min" && fn.Name != "max" || len(args) == 0 {
		return builtinKinds[fn.Value]
	}
	k := unknown
	for _, a := range args {
		k, _ = join(k, a.value.kind)
	}
	return k
}

func (f *function) unknownFunction(x *syntax.Call, name string) {
	full := f.diags.Full()
	if b, _ := f.callee(name); b != nil {
		f.errorf(x.Func, idNotCompileTime, "a block computes with tensors, and this has to be known at compile time")
		return
	}
	names := slices.Sorted(maps.Keys(f.builtins))
	var inVain []string // imports that lead nowhere, which has been reported
	for _, block := range f.top.blocks.list {
		if f.top.callable[block] == nil {
			inVain = append(inVain, block)
		} else {
			names = append(names, block)
		}
	}
	if !full && diag.Nearest(name, inVain) != "" {
		return // the name is right here, and misspelt there
	}
	d := f.errorf(x.Func, idUnknownFunction, "unknown function %q", name)
	if full {
		return
	}
	for _, b := range f.blockList {
		names = append(names, b.Name.Name)
	}
	if instead := otherwise[name]; instead != "" {
		d.Suggest("%s", instead)
		return
	}
	d.DidYouMean(name, names)
}

// otherwise has what to write for functions that people know from elsewhere.
var otherwise = map[string]string{
	"sqrt": "write x ^ 0.5", "pow": "write x ^ y", "exp": "there is no exp; sigmoid, silu and softmax are there",
	"range": "a loop is written for i in 0 .. n", "float32": "write f32(x)", "to": "write f32(x)",
	"reshape": "write x as [...]", "view": "write x as [...]", "gelu": "the activation that is there is silu",
	"relu": "the activation that is there is silu", "layer_norm": "the norm that is there is rms_norm",
	"matmul": "a product with a weight is linear(x, w, out)", "embedding": "write embed(tokens, w, vocab, width)",
	"chunk": "write split(x, first)", "cat": "write concat(a, b)",
}

// use marks the names in an argument that cannot be checked as used.
func (f *function) use(x syntax.Expr) {
	syntax.Inspect(x, func(x syntax.Expr) {
		n, ok := x.(*syntax.Name)
		if !ok {
			return
		}
		if s := f.vars[n.Parts[0]]; s != nil {
			s.used = true
		} else if s := f.globals.symbols[n.Parts[0]]; s != nil {
			s.used = true
		}
	})
}

// arguments binds the arguments of a call to the callee's parameters and checks them. It returns those that were
// bound, by the names of the parameters.
func (f *function) arguments(x *syntax.Call, c callee) map[string]bound {
	given := make([]bool, len(c.params))
	named := false
	args := map[string]bound{}
	for i, a := range x.Args {
		p := i
		switch {
		case a.Name != "":
			named = true
			p = slices.IndexFunc(c.params, func(p parameter) bool { return p.name == a.Name })
		case named:
			f.errorf(a, idArgumentOrder, "an argument without a name cannot follow one with a name")
			f.use(a.Value)
			continue
		}
		if !f.bindable(a, p, c, given) {
			f.use(a.Value)
			continue
		}
		given[p] = true
		if q := c.params[p]; f.info != nil && a.Name != "" && q.ident != nil {
			f.ref(&syntax.Ident{Pos: a.Pos, EndPos: a.NameEnd(), Name: a.Name}, &symbol{what: "parameter", name: q.ident}, written(q.typ, c.file))
		}
		args[c.params[p].name] = bound{a.Value, f.argument(a.Value, c, c.params[p])}
	}
	for i, p := range c.params {
		if !given[i] && !p.optional && len(args) == len(x.Args) {
			d := f.errorf(x, idMissingArgument, "%s needs %q, %s", c.title, p.name, p.takes)
			if p.place.Start.Line > 0 {
				d.Note(p.place, "declared here")
			}
		}
	}
	return args
}

// bindable reports whether an argument can be bound to the parameter with index p; if not, it says why.
func (f *function) bindable(a syntax.Arg, p int, c callee, given []bool) bool {
	switch {
	case p < 0:
		d := c.note(f.errorf(a, idUnknownArgument, "%s has no parameter %q", c.title, a.Name))
		if d.DidYouMean(a.Name, c.names()); d.Suggestion == "" {
			d.Suggest("it has %s", strings.Join(c.names(), ", "))
		}
	case p >= len(c.params):
		c.note(f.errorf(a, idTooManyArguments, "%s takes %s", c.title, quantity(len(c.params), "argument")))
	case given[p]:
		f.errorf(a, idDuplicateArgument, "%q is given twice", c.params[p].name)
	default:
		return true
	}
	return false
}

// argument checks one argument.
func (f *function) argument(x syntax.Expr, c callee, p parameter) value {
	switch p.special {
	case builtin.Weight:
		f.weight(x, c, p)
		return one(unknown)
	case builtin.Body:
		return f.expert(x)
	}
	v := f.single(x)
	if !v.kind.fits(p.kind) {
		d := f.errorf(x, idArgumentType, "%q of %s is %s, and this is %s", p.name, c.title, p.takes, v.kind)
		if p.place.Start.Line > 0 {
			d.Note(p.place, "declared here")
		}
		return failed
	}
	return v
}

// weight checks the path of a weight. A name there is never a variable.
func (f *function) weight(x syntax.Expr, c callee, p parameter) {
	switch x := x.(type) {
	case *syntax.Name:
		return
	case *syntax.StrLit:
		if strings.ContainsAny(x.Value, "{}") {
			f.errorf(x, idBadPattern, "the name of a weight has no holes").
				Suggest(`put the hole into a path behind "at"`)
		}
		return
	}
	f.errorf(x, idArgumentType, "%q of %s is the path of a weight, such as q_proj or model.norm", p.name, c.title)
}

// expert checks an expression that is evaluated once for each expert, whose number is `e` in it.
func (f *function) expert(x syntax.Expr) value {
	const name = "e"
	outer, before := f.vars[name], f.state[name]
	f.vars[name] = &symbol{what: "number of the expert", name: &syntax.Ident{Name: name}, kind: integer, used: true}
	f.set(name, known(nil, atom(name, integer)))
	v := f.want(x, tensor, "an expert computes a tensor")
	f.set(name, before)
	if delete(f.vars, name); outer != nil {
		f.vars[name] = outer
	}
	return v
}

// count is the number of results of a block: as declared, or else as its first return has it; -1 where that cannot
// be said.
func (b *block) count() int {
	if len(b.Results) > 0 {
		return len(b.Results)
	}
	if b.results == notCounted {
		b.results = -1 // while it is being counted: a block that calls itself is reported elsewhere
		if r := firstReturn(b.Body); r != nil {
			b.results = b.home.countAll(r.Values)
		}
	}
	return b.results
}

// notCounted is the number of results that nobody has asked for.
const notCounted = -2

func (m *model) countAll(list []syntax.Expr) int {
	sum := 0
	for _, x := range list {
		n := m.count(x)
		if n < 0 {
			return -1
		}
		sum += n
	}
	return sum
}

// count is the number of values that an expression gives.
func (m *model) count(x syntax.Expr) int {
	switch x := x.(type) {
	case *syntax.Call:
		name := strings.Join(x.Func.Parts, ".")
		if b, _ := m.callee(name); b != nil {
			return b.count()
		}
		if fn := m.builtins[name]; fn != nil {
			return fn.Results
		}
		return -1
	case *syntax.Cond:
		return max(m.count(x.Then), m.count(x.Else))
	case *syntax.At:
		return m.count(x.X)
	}
	return 1
}

// firstReturn finds the first return statement of a body, nil if it has none.
func firstReturn(b *syntax.Body) *syntax.Return {
	for _, s := range b.Stmts {
		var r *syntax.Return
		switch {
		case s.Return != nil:
			r = s.Return
		case s.For != nil:
			r = firstReturn(s.For.Body)
		case s.If != nil:
			r = firstReturnInIf(s.If)
		}
		if r != nil {
			return r
		}
	}
	return nil
}

func firstReturnInIf(i *syntax.If) *syntax.Return {
	if r := firstReturn(i.Then); r != nil || i.Else == nil {
		return r
	}
	if i.Else.If != nil {
		return firstReturnInIf(i.Else.If)
	}
	return firstReturn(i.Else.Body)
}
