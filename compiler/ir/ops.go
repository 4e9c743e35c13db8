package ir

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/kernels/dtype"
)

// Op is one row of the operator table: all that the compiler knows of an operator. What it computes is
// defined by the kernel of the same name in kernels/ref.
type Op struct {
	Name     string
	Doc      string // one line; shapes in the operands' notation
	Operands []Operand
	Attrs    []AttrSpec
	// Infer is the shape rule. The types of absent optional operands are zero. An error says what does not
	// fit in terms of the operands' names.
	Infer func(in []Type, a Attrs) ([]Type, error)
	// Work counts what one execution does, for the cost model. Nil means that the operator reads its
	// operands and writes its results once, with one operation an element.
	Work func(n *Node, s Sizes) Work
	// Shard says how the operator behaves when an operand is split over ranks.
	Shard ShardRule
	// Effect marks operators that do something besides their results, and so are needed where nobody reads them.
	Effect bool
	// View marks operators that only rename their operand's elements: they cost nothing and share storage.
	View bool
	// InPlace lists the operands whose bytes a result may take over.
	InPlace []InPlace
	// Expand writes the unfused expression that a fused operator stands for and returns its results.
	Expand func(b *Builder, n *Node) []*Value
	// Surface is how .glm files call it; nil for operators that only the compiler writes.
	Surface *Surface
}

// InPlace says that a kernel may be given one buffer for an operand and a result: it holds the operand when the
// kernel starts and the result when it ends. Every kernel of the operator has to bear it, in whatever order and on
// however many threads it goes through the rows: it reads an element for the last time before it writes the one
// that lies there. Elementwise operators do, and those that hold a row before they write it; a product does not,
// whose result's first element is written before the second row of its operand is read.
//
// It holds where both have the same type, and where no other operand of the node lies in those bytes. Each result
// may take another operand at the same time.
type InPlace struct{ Result, Operand int }

// Collective reports whether the ranks have to meet in the operator. Such operators, fused ones too, have names that
// begin with "comm.".
func (o *Op) Collective() bool { return strings.HasPrefix(o.Name, "comm.") }

// Operand is one operand of an operator.
type Operand struct {
	Name     string
	Kind     OperandKind
	Optional bool
	// Late operands came to the operator when there were plans without them. They are optional and stand last, and a node may lack
	// them altogether, so that those plans mean what they meant and their text stays as it was.
	Late bool
}

// OperandKind says what an operand can be.
type OperandKind byte

const (
	ValueOperand  OperandKind = iota // floating-point values: an activation, or a weight
	IndexOperand                     // i32: tokens, positions, slots, experts
	WeightOperand                    // a weight in f32, bf16 or f16
	LinearOperand                    // the weight of a Linear module, which may be in a format with scales
	StateOperand                     // the state of a KV cache
	CodesOperand                     // fp8 values of which another operand has the scales, one for each row
)

// AttrSpec is one attribute of an operator.
type AttrSpec struct {
	Key      string
	Kind     AttrKind
	Optional bool
}

// AttrKind is the type of an attribute.
type AttrKind byte

const (
	IntAttr AttrKind = iota
	FloatAttr
	StringAttr
	ShapeAttr
	SizesAttr // a Shape whose dimensions stand beside one another: their product means nothing and has no bound
)

func (k AttrKind) String() string {
	return [...]string{"an integer", "a float", "a string", "a shape", "a list of sizes"}[k]
}

// check asks for a value of the attribute's kind that means something.
func (s *AttrSpec) check(v any) error {
	ok := false
	switch v := v.(type) {
	case int64:
		ok = s.Kind == IntAttr
	case float64:
		if ok = s.Kind == FloatAttr; ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			return fmt.Errorf("is %g, wants a finite number", v)
		}
	case string:
		ok = s.Kind == StringAttr
	case Shape:
		switch s.Kind {
		case ShapeAttr:
			ok = true
			if err := v.Check(); err != nil {
				return fmt.Errorf("is no shape: %w", err)
			}
		case SizesAttr:
			ok = true
			if err := v.checkSizes(); err != nil {
				return err
			}
		}
	}
	if !ok {
		return fmt.Errorf("is %T, wants %s", v, s.Kind)
	}
	return nil
}

// ShardRule classifies operators for tensor parallelism; see passes/shard_tensor_parallel.go.
type ShardRule byte

const (
	ShardNone      ShardRule = iota // wants whole operands
	ShardPointwise                  // each element (or each row, for dimensions before the last) stands alone
	ShardRows                       // works along the last dimension: splits of earlier dimensions pass through
	ShardCustom                     // the pass knows this operator
)

// Work is what one execution of an operator does on one rank.
type Work struct {
	Flops       float64
	ReadBytes   float64
	WriteBytes  float64
	WeightBytes float64 // part of ReadBytes
	CommBytes   float64 // this rank's operand of a collective, whatever way it then takes
	CacheRead   float64 // keys and values: elements, because a graph does not know the dtype of the cache; not in ReadBytes
	CacheWrite  float64 // likewise; not in WriteBytes
	CacheSend   float64 // of CacheRead, what goes to another machine

	// Of operators that multiply matrices; zero for others, whose operations are done one by one in f32.
	Products int         // how many there are that wait for one another
	Math     dtype.DType // that they multiply in
	Rows     float64     // rows that are multiplied with a weight matrix each, over all of Matrices
	Matrices float64     // weight matrices that are read; 0: the operands are no weights
	Narrow   bool        // weights have 8 bits or fewer and rows are not quantised: what fast products do in int8
}

// Surface is a function of the language that stands for an operator.
type Surface struct {
	Func  builtin.Func
	Lower func(l Lowering, a *Args) ([]*Value, error)
}

// Lowering is what a Surface needs of the lowering.
type Lowering interface {
	// Activation is the dtype that activations have in this compilation.
	Activation() dtype.DType
	// Emit adds a node and returns its results.
	Emit(op string, in []*Value, attrs ...Attr) ([]*Value, error)
	// Weight declares a weight below the current path. as is the dtype that the operator computes with;
	// dtype.Invalid keeps the one that the checkpoint has. linear says that the weight is a Linear module's,
	// which quantised checkpoints store in their own format.
	Weight(path string, as dtype.DType, linear bool, shape ...int) (*Value, error)
	// RuntimeInput returns a value that the runtime provides at each step.
	RuntimeInput(name string, t Type) *Value
	// Cache returns the state of the KV cache that belongs to the current path: heads keys of headDim and values
	// of valueDim.
	Cache(heads, headDim, valueDim int) (*Value, error)
	// Experts evaluates body once for all count experts and returns the weights of the gated MLP that it
	// must be: [count, width, hidden] for gate and up, [count, hidden, width] for down.
	Experts(x *Value, count int, body any) (gate, up, down *Value, err error)
}

// Args are the bound arguments of a call, by parameter name.
type Args struct {
	Values map[string]any // *Value, string (weight path), int64, float64, bool, or the body's syntax
}

// Tensor returns a tensor argument, nil where it is optional and absent.
func (a *Args) Tensor(name string) *Value { v, _ := a.Values[name].(*Value); return v }

// Path returns a weight's path, "" where it is optional and absent.
func (a *Args) Path(name string) string { v, _ := a.Values[name].(string); return v }

// Int returns an integer argument, or def where it is absent.
func (a *Args) Int(name string, def int) int {
	if v, ok := a.Values[name].(int64); ok {
		return int(v)
	}
	return def
}

// Float returns a float argument; integers convert.
func (a *Args) Float(name string) float64 {
	switch v := a.Values[name].(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// Bool returns a boolean argument, false where it is absent.
func (a *Args) Bool(name string) bool { v, _ := a.Values[name].(bool); return v }

// Table is every operator, in the order of the documentation.
var Table = slices.Concat(denseOps, elementOps, attentionOps, expertOps, commOps, quantOps)

// byName and bySurface are filled by init, because rows refer to functions that look other rows up.
var byName, bySurface map[string]*Op

func init() {
	byName = indexOps(Table)
	bySurface = map[string]*Op{}
	for _, op := range Table {
		if op.Surface != nil {
			bySurface[op.Surface.Func.Name] = op
		}
	}
}

// Lookup returns an operator's row, or nil.
func Lookup(name string) *Op { return byName[name] }

func indexOps(ops []*Op) map[string]*Op {
	m := make(map[string]*Op, len(ops))
	for _, op := range ops {
		if m[op.Name] != nil {
			panic("ir: two rows for operator " + op.Name)
		}
		m[op.Name] = op
	}
	return m
}

func (op *Op) attr(key string) *AttrSpec {
	for i := range op.Attrs {
		if op.Attrs[i].Key == key {
			return &op.Attrs[i]
		}
	}
	return nil
}

// Operand returns the index of the operand of that name. A wrong name is a bug of the caller.
func (op *Op) Operand(name string) int {
	for i, o := range op.Operands {
		if o.Name == name {
			return i
		}
	}
	panic(fmt.Sprintf("ir: operator %s has no operand %q", op.Name, name))
}

// Arg returns the operand of that name, nil where it is absent.
func (n *Node) Arg(name string) *Value {
	if i := n.Op.Operand(name); i < len(n.In) {
		return n.In[i]
	}
	return nil
}

// Surfaces returns the operators' functions together with the compile-time ones, for the checker.
func Surfaces() builtin.Table {
	t := builtin.Table{}
	for _, f := range compileTimeFuncs {
		t[f.Name] = f
	}
	for _, op := range Table {
		if op.Surface != nil {
			t[op.Surface.Func.Name] = &op.Surface.Func
		}
	}
	return t
}

// SurfaceOf returns the operator that a function of the language stands for, or nil.
func SurfaceOf(name string) *Op { return bySurface[name] }

// compileTimeFuncs are evaluated by the front end (dsl/config) and never reach a graph.
var compileTimeFuncs = []*builtin.Func{
	{Name: "int", Params: params(builtin.Float, "x"), Results: 1, Value: builtin.Int, Doc: "x without its fraction"},
	{Name: "float", Params: params(builtin.Float, "x"), Results: 1, Value: builtin.Float, Doc: "x as a float"},
	{Name: "log", Params: params(builtin.Float, "x"), Results: 1, Value: builtin.Float, Doc: "the natural logarithm of x"},
	{Name: "min", Params: params(builtin.Float, "a", "b"), Results: 1, Value: builtin.Float, Doc: "the smaller of two numbers"},
	{Name: "max", Params: params(builtin.Float, "a", "b"), Results: 1, Value: builtin.Float, Doc: "the larger of two numbers"},
}

func params(kind builtin.Kind, names ...string) []builtin.Param {
	out := make([]builtin.Param, len(names))
	for i, n := range names {
		out[i] = builtin.Param{Name: n, Kind: kind}
	}
	return out
}

// surface describes a function of the language: its name, one sentence, the signature of its shapes (see
// builtin.Signature), how it becomes nodes, and its parameters in order.
func surface(name, doc, shapes string, lower func(Lowering, *Args) ([]*Value, error), specs ...builtin.Param) *Surface {
	signature, err := builtin.ParseSignature(shapes, specs)
	if err != nil {
		panic("ir: function " + name + ": " + err.Error())
	}
	return &Surface{
		Func: builtin.Func{
			Name: name, Params: specs, Results: len(signature.Results), Value: builtin.Tensor, Doc: doc, Shapes: signature,
		},
		Lower: lower,
	}
}

func param(name string, kind builtin.Kind) builtin.Param {
	return builtin.Param{Name: name, Kind: kind}
}

func optional(name string, kind builtin.Kind) builtin.Param {
	return builtin.Param{Name: name, Kind: kind, Optional: true}
}

// values and indices are operands of one kind; operand lists are joined with slices.Concat.
func values(names ...string) []Operand { return operands(ValueOperand, names...) }

func indices(names ...string) []Operand { return operands(IndexOperand, names...) }

func operands(kind OperandKind, names ...string) []Operand {
	out := make([]Operand, len(names))
	for i, n := range names {
		out[i] = Operand{Name: n, Kind: kind}
	}
	return out
}
