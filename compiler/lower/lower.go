// Package lower turns a checked model at one configuration into graphs: it evaluates the entries' statements
// with the configuration's values, which unrolls the layers, decides the conditions and names the weights,
// and writes a node for each operation on tensors.
//
// Shapes are checked here, by the operators' own rules, so that a model is checked by lowering it. A value
// that went wrong is poisoned: what is computed from it reports nothing more, and everything else is still
// looked at.
package lower

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// Input is what a lowering works on.
type Input struct {
	Model      *syntax.Model
	Values     *config.Values
	Stored     dtype.DType          // of weights that nothing else is said of
	Quantised  *config.Quantization // nil: the checkpoint is not quantised
	Activation dtype.DType
}

// Result is a model at one configuration.
type Result struct {
	Module  *ir.Module
	Aliases []plan.Alias
	Ignores []plan.Ignore
	Asked   map[string]diag.Span // where the text asks for a weight, by the weight's name
	Wanted  map[string]bool      // weights whose dtype the text decides, such as a router's in f32, by their names
}

// Model lowers a model. The result is only meaningful when the list has no errors.
func Model(in Input) (*Result, *diag.List) {
	l := &lowerer{Input: in, list: &diag.List{}, ofModel: in.Model.Callees(), ofFile: map[*syntax.File]map[string]*syntax.Block{}, reported: map[string]bool{},
		weights: map[string]*weight{}, caches: map[string]*ir.Cache{},
		res: &Result{Module: &ir.Module{Name: in.Model.Name.Name, Ranks: 1}, Asked: map[string]diag.Span{}, Wanted: map[string]bool{}}}
	l.callees = l.ofModel
	for _, r := range in.Model.Rules() { // before the entries: weights ask where they are stored
		l.rule(r)
	}
	for _, e := range in.Model.Entries() {
		l.entry(e)
	}
	return l.res, l.list
}

type lowerer struct {
	Input
	list     *diag.List
	reported map[string]bool                           // errors by place and ID: a layer's error is one error, not one for each layer
	callees  map[string]*syntax.Block                  // the blocks that calls mean where the lowering stands
	ofModel  map[string]*syntax.Block                  // in the model
	ofFile   map[*syntax.File]map[string]*syntax.Block // outside of models, as far as it came there
	weights  map[string]*weight
	caches   map[string]*ir.Cache
	res      *Result
	aliases  []alias // those of res, parsed

	// The entry at hand.
	graph   *ir.Graph
	states  map[*ir.Cache]bool
	spans   map[*ir.Value]syntax.Span // where a value got its shape
	path    string                    // weight path
	scope   map[string]any            // config.Value or *ir.Value
	at      syntax.Span               // of the call that is being lowered
	scratch bool                      // inside the body of experts: weights stand for many
	depth   int
	unsure  bool // a condition or a bound of this body has no value: names may be missing for that reason

	steps int // statements and tensor expressions that were evaluated, over all entries
}

// alias is an alias rule's two names.
type alias struct{ name, target pattern.Pattern }

// weight is a declared weight with the place that asked for it first.
type weight struct {
	*ir.Weight
	span syntax.Span
}

// poison stands for a value that could not be made.
var poison = &ir.Value{}

// errorf reports an error, once for each place however often a loop comes by.
func (l *lowerer) errorf(span syntax.Span, id, format string, args ...any) *diag.Diagnostic {
	d := &diag.Diagnostic{ID: id, Span: span.Diag(), Message: fmt.Sprintf(format, args...)}
	key := d.Span.String() + id
	if !l.reported[key] && l.steps <= maxSteps {
		l.reported[key] = true
		l.list.Add(d)
	}
	return d
}

// maxSteps bounds what one lowering evaluates. GLM-4.7 takes 8,000 steps; blocks that call others twice, each
// of which calls others twice, would take for ever.
const maxSteps = 1 << 18

// step counts one evaluation. It returns false when there were too many; then everything is poison, and
// nothing further is reported.
func (l *lowerer) step(span syntax.Span) bool {
	if l.steps == maxSteps {
		l.errorf(span, idModelTooLarge, "the model has more than %d operations when its loops are unrolled and its blocks expanded", maxSteps)
	}
	l.steps++
	return l.steps <= maxSteps
}

// eval evaluates a compile-time expression; false after an error was reported.
func (l *lowerer) eval(x syntax.Expr) (config.Value, bool) {
	v, err := config.Eval(x, l.value)
	if err == nil {
		return v, true
	}
	if e, ok := err.(*config.EvalError); ok {
		if l.scope[e.Missing] == any(poison) || l.unsure && e.Missing != "" {
			return nil, false
		}
		d := l.errorf(e.Span, idCannotEvaluate, "%s", e.Message)
		if e.Help != "" {
			d.Suggest("%s", e.Help)
		}
		return nil, false
	}
	l.errorf(x.Span(), idCannotEvaluate, "%v", err)
	return nil, false
}

// value looks a compile-time name up: locals first, then the configuration.
func (l *lowerer) value(name string) (config.Value, bool) {
	if v, ok := l.scope[name]; ok {
		c, ok := v.(config.Value)
		return c, ok
	}
	return l.Values.Get(name)
}

func (l *lowerer) condition(x syntax.Expr) (value, ok bool) {
	v, ok := l.eval(x)
	if !ok {
		return false, false
	}
	b, isBool := v.(config.Bool)
	if !isBool {
		l.errorf(x.Span(), idTypeMismatch, "the condition is %s, wants true or false", v.Type())
	}
	return bool(b), isBool
}

func (l *lowerer) integer(x syntax.Expr) (int, bool) {
	v, ok := l.eval(x)
	if !ok {
		return 0, false
	}
	n, isInt := v.(config.Int)
	if !isInt {
		l.errorf(x.Span(), idTypeMismatch, "this is %s %s, wants an integer", v.Type(), v)
	}
	return int(n), isInt
}

// entry lowers one entry into a graph of its own.
func (l *lowerer) entry(e *syntax.Entry) {
	l.scope, l.path, l.depth, l.unsure = map[string]any{}, "", 0, false
	if e.When != nil {
		if on, ok := l.condition(e.When); !ok || !on {
			return
		}
	}
	l.graph = ir.NewGraph(e.Name.Name)
	l.states, l.spans = map[*ir.Cache]bool{}, map[*ir.Value]syntax.Span{}
	for _, p := range e.Params {
		t, ok := l.tensorType(p.Type)
		if !ok {
			return
		}
		if what := runtimeInputs[p.Name.Name]; what != "" {
			l.errorf(p.Name.Span(), idReservedName, "the runtime gives the input %s, %s, to every entry by itself", p.Name.Name, what)
			return
		}
		v := l.graph.Input(p.Name.Name, t)
		l.spans[v] = p.Span()
		l.scope[p.Name.Name] = v
	}
	out := l.body(e.Body)
	if !out.returned {
		l.missingReturn(e.Name, "entry")
		return
	}
	if !l.checkResults(out, e.Results) || slices.Contains(out.values, poison) {
		return
	}
	l.graph.Outputs = out.values
	l.res.Module.Graphs = append(l.res.Module.Graphs, l.graph)
}

// runtimeInputs are the names of inputs that operators and passes ask the runtime for (ir.SlotsInput and what
// follows it), so that a parameter cannot have them.
var runtimeInputs = map[string]string{
	"slots": "where keys and values go", "seq_start": "where sequences begin", "pages": "the page tables", "rows": "the rows whose logits are wanted",
	"parents": "the rows that stand before those of a tree",
}

// tensorType evaluates a tensor type such as `[T, hidden_size]` or `i32[T]`.
func (l *lowerer) tensorType(t *syntax.Type) (ir.Type, bool) {
	d := l.Input.Activation
	if t.Name != nil {
		var err error
		if d, err = dtype.Parse(t.Name.Name); err != nil {
			l.errorf(t.Name.Span(), idUnknownType, "%v", err)
			return ir.Type{}, false
		}
	}
	shape, ok := l.shape(t.Dims)
	if !ok {
		return ir.Type{}, false
	}
	if err := shape.Check(); err != nil {
		l.errorf(t.Span(), idBadDimension, "%v", err)
		return ir.Type{}, false
	}
	return ir.Type{DType: d, Shape: shape}, true
}

func (l *lowerer) shape(dims []syntax.Expr) (ir.Shape, bool) {
	s := make(ir.Shape, len(dims))
	for i, x := range dims {
		d, ok := l.dim(x)
		if !ok {
			return nil, false
		}
		s[i] = d
	}
	return s, true
}

// dim evaluates one dimension: T, B, or a positive integer.
func (l *lowerer) dim(x syntax.Expr) (ir.Dim, bool) {
	if n, ok := x.(*syntax.Name); ok && len(n.Parts) == 1 {
		switch n.Parts[0] {
		case "T":
			return ir.Symbolic(ir.T), true
		case "B":
			return ir.Symbolic(ir.B), true
		}
	}
	n, ok := l.integer(x)
	if ok && n < 1 {
		l.errorf(x.Span(), idBadDimension, "a dimension of %d: wants a positive number", n)
		return ir.Dim{}, false
	}
	return ir.Fixed(n), ok
}

// results are what a body returned.
type results struct {
	returned bool
	values   []*ir.Value
	exprs    []syntax.Expr
}

func (l *lowerer) body(b *syntax.Body) results {
	for _, s := range b.Stmts {
		if out := l.stmt(s); out.returned {
			return out
		}
	}
	return results{}
}

func (l *lowerer) stmt(s *syntax.Stmt) results {
	switch {
	case !l.step(s.Span()):
	case s.Assign != nil:
		l.assign(s.Assign)
	case s.If != nil:
		return l.ifStmt(s.If)
	case s.For != nil:
		return l.forStmt(s.For)
	case s.Return != nil:
		out := results{returned: true}
		for _, x := range s.Return.Values {
			vs := l.tensors(x)
			out.values = append(out.values, vs...)
			for range vs {
				out.exprs = append(out.exprs, x)
			}
		}
		return out
	}
	return results{}
}

func (l *lowerer) assign(s *syntax.Assign) {
	if len(s.Targets) == 1 && !l.isTensor(s.Value) {
		l.scope[s.Targets[0].Name] = poison
		if v, ok := l.eval(s.Value); ok {
			l.scope[s.Targets[0].Name] = v
		}
		return
	}
	values := l.tensors(s.Value)
	for i, t := range s.Targets {
		v := poison
		if len(values) == len(s.Targets) {
			v = values[i]
		}
		l.scope[t.Name] = v
	}
	if len(values) != len(s.Targets) {
		l.errorf(s.Value.Span(), idResultCount, "this gives %d values for %d names", len(values), len(s.Targets))
	}
}

func (l *lowerer) ifStmt(s *syntax.If) results {
	on, ok := l.condition(s.Cond)
	switch {
	case !ok:
		l.unsure = true
		return results{}
	case on:
		return l.body(s.Then)
	case s.Else == nil:
		return results{}
	case s.Else.If != nil:
		return l.ifStmt(s.Else.If)
	}
	return l.body(s.Else.Body)
}

// maxUnrolled bounds loops; the deepest models have a few hundred layers.
const maxUnrolled = 10000

func (l *lowerer) forStmt(s *syntax.For) results {
	from, ok1 := l.integer(s.From)
	to, ok2 := l.integer(s.To)
	if !ok1 || !ok2 {
		l.unsure = true
		return results{}
	}
	if to > from && uint64(to)-uint64(from) > maxUnrolled {
		l.errorf(s.To.Span(), idModelTooLarge, "the loop runs %d times, at most %d can be unrolled", uint64(to)-uint64(from), maxUnrolled)
		l.unsure = true
		return results{}
	}
	for i := from; i < to && l.steps <= maxSteps; i++ {
		l.scope[s.Var.Name] = config.Int(i)
		if out := l.body(s.Body); out.returned {
			return out
		}
	}
	return results{}
}

// missingReturn reports a body without a return, unless a condition in it that has no value may be why.
func (l *lowerer) missingReturn(name *syntax.Ident, what string) {
	if !l.unsure {
		l.errorf(name.Span(), idMissingReturn, "%s %s returns nothing", what, name.Name)
	}
}

// checkResults compares what was returned with the declared types. What is not of its type becomes poison, so
// that callers do not report it again; false means that the number is wrong.
func (l *lowerer) checkResults(out results, declared []*syntax.Type) bool {
	if len(declared) == 0 {
		return true
	}
	if len(declared) != len(out.values) {
		l.errorf(declared[0].Span(), idResultCount, "%d results are declared, %d are returned", len(declared), len(out.values))
		return false
	}
	for i, d := range declared {
		want, ok := l.tensorType(d)
		v := out.values[i]
		if !ok || v == poison || want.Equal(v.Type) {
			continue
		}
		l.errorf(out.exprs[i].Span(), idShapeMismatch, "this is %s, the declared result is %s", v.Type, want).
			Note(d.Span().Diag(), "declared here")
		out.values[i] = poison
	}
	return true
}

// origin is where a node comes from.
func (l *lowerer) origin() ir.Origin {
	return ir.Origin{Source: source(l.at), End: end(l.at), Path: l.path, Layer: layerOf(l.path)}
}

func source(s syntax.Span) string {
	return fmt.Sprintf("%s:%d:%d", s.Pos.Filename, s.Pos.Line, s.Pos.Column)
}

func end(s syntax.Span) string { return fmt.Sprintf("%d:%d", s.End.Line, s.End.Column) }

// layerOf is the first number in a weight path; -1 where there is none.
func layerOf(path string) int {
	for _, part := range strings.Split(path, ".") {
		if n, err := strconv.Atoi(part); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// join appends a relative weight path.
func join(path, name string) string {
	switch {
	case path == "":
		return name
	case name == "":
		return path
	}
	return path + "." + name
}

// rule lowers an alias or an ignore of the checkpoint section.
func (l *lowerer) rule(r *syntax.Rule) {
	l.scope = nil
	var when syntax.Expr
	switch {
	case r.Alias != nil:
		when = r.Alias.When
	case r.Ignore != nil:
		when = r.Ignore.When
	}
	if when != nil {
		if on, ok := l.condition(when); !ok || !on {
			return
		}
	}
	switch {
	case r.Alias != nil:
		name, ok1 := l.pattern(r.Alias.Name)
		target, ok2 := l.pattern(r.Alias.Target)
		if !ok1 || !ok2 {
			return
		}
		out := plan.Alias{Name: name.String(), Target: target.String()}
		for _, x := range r.Alias.Index {
			out.Index = append(out.Index, l.index(x, name.Holes()))
		}
		l.res.Aliases = append(l.res.Aliases, out)
		l.aliases = append(l.aliases, alias{name, target})
	case r.Ignore != nil:
		if name, ok := l.pattern(r.Ignore.Name); ok {
			l.res.Ignores = append(l.res.Ignores, plan.Ignore{Name: name.String(), Reason: r.Ignore.Reason.Value})
		}
	}
}

// pattern parses a checkpoint pattern and fills the holes that configuration values have the name of.
func (l *lowerer) pattern(s *syntax.Str) (pattern.Pattern, bool) {
	p, err := pattern.Parse(s.Value)
	if err != nil {
		l.errorf(s.Span(), idBadPattern, "%v", err)
		return p, false
	}
	return p.Bind(func(name string) (string, bool) {
		v, ok := l.Values.Get(name)
		if !ok {
			return "", false
		}
		return v.Text(), true
	}), true
}

// index lowers one index of an alias: a hole of its name, an element or a range.
func (l *lowerer) index(x *syntax.Index, holes []string) plan.Index {
	if n, ok := x.From.(*syntax.Name); ok && x.To == nil && len(n.Parts) == 1 && slices.Contains(holes, n.Parts[0]) {
		return plan.Index{Hole: n.Parts[0]}
	}
	from, ok := l.integer(x.From)
	if ok && (from < 0 || from > ir.MaxDim) {
		l.errorf(x.From.Span(), idBadIndex, "an index of %d", from)
	}
	out := plan.Index{From: from}
	if x.To != nil {
		out.Range = true
		if out.To, ok = l.integer(x.To); ok && (out.To <= from || out.To > ir.MaxDim) {
			l.errorf(x.To.Span(), idBadIndex, "the range from %d to %d has no elements, or too many", from, out.To)
		}
	}
	return out
}
