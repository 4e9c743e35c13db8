package check

import (
	"slices"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// kind is a coarse type.
type kind int

const (
	unknown kind = iota // of an expression with an error in it, which has been reported: goes with everything
	integer
	float
	numeric // an int or a float, depending on the configuration
	boolean
	text
	list // of ints
	tensor
)

var kindNames = [...]string{"unknown", "an int", "a float", "a number", "true or false", "a string", "a list of ints", "a tensor"}

// String returns the kind as messages call it.
func (k kind) String() string { return kindNames[k] }

func (k kind) isNumber() bool { return k == integer || k == float || k == numeric || k == unknown }

// fits reports whether a value of kind k can stand where want is wanted. An int is a float as well.
func (k kind) fits(want kind) bool {
	switch {
	case k == unknown || want == unknown || k == want:
		return true
	case want == float || want == numeric:
		return k.isNumber()
	case want == integer:
		return k == numeric
	}
	return false
}

// join is the kind of what is one or the other; false if there is none.
func join(a, b kind) (kind, bool) {
	switch {
	case a == b || b == unknown:
		return a, true
	case a == unknown:
		return b, true
	case a.isNumber() && b.isNumber():
		return numeric, true
	}
	return unknown, false
}

// value is what an expression stands for: one compile-time value, or one tensor or several.
type value struct {
	kind    kind
	results int           // how many, for tensors; 1 otherwise; -1 where that is not known
	types   []*tensorType // of the tensors; nil, or with nil in it, where they are not known
}

func one(k kind) value { return value{kind: k, results: 1} }

// tensorOf is one tensor.
func tensorOf(t *tensorType) value { return value{tensor, 1, []*tensorType{t}} }

// failed stands for what an error was reported of.
var failed = value{kind: unknown, results: -1}

// typ is the type of a value that is one tensor, as far as it is known.
func (v value) typ() *tensorType {
	if len(v.types) != 1 {
		return nil
	}
	return v.types[0]
}

// configTypes are the types of configuration keys and of parameters that are no tensors.
var configTypes = map[string]kind{"int": integer, "float": float, "bool": boolean, "string": text, "ints": list}

var configTypeNames = []string{"int", "float", "bool", "string", "ints"}

var dtypeNames = []string{dtype.F32.String(), dtype.BF16.String(), dtype.F16.String(), dtype.F8E4M3.String(), dtype.I32.String()}

// shortDType has our names of dtypes for torch's.
var shortDType = map[string]string{
	"float32": "f32", "float": "f32", "bfloat16": "bf16", "float16": "f16", "half": "f16", "int32": "i32", "int": "i32", "float8_e4m3fn": "fp8_e4m3",
}

// builtinKinds maps what parameters of functions take.
var builtinKinds = map[builtin.Kind]kind{
	builtin.Tensor: tensor, builtin.Int: integer, builtin.Float: float, builtin.Bool: boolean, builtin.String: text,
}

// typeOf checks the type of a parameter or a result and returns its kind.
func (f *function) typeOf(t *syntax.Type) kind {
	if len(t.Dims) > 0 {
		if t.Name != nil && !slices.Contains(dtypeNames, t.Name.Name) {
			d := f.errorf(t.Name, idUnknownType, "unknown dtype %q", t.Name.Name).DidYouMean(t.Name.Name, dtypeNames)
			if short := shortDType[t.Name.Name]; short != "" {
				d.Suggest("did you mean %q?", short)
			}
		}
		f.shape(t.Dims)
		return tensor
	}
	k, ok := configTypes[t.Name.Name]
	switch {
	case ok:
		return k
	case slices.Contains(dtypeNames, t.Name.Name):
		f.errorf(t, idUnknownType, "%s is the dtype of a tensor, and there is no shape behind it", t.Name.Name).
			Suggest("write, for example, %s[T]", t.Name.Name)
	default:
		f.errorf(t, idUnknownType, "unknown type %q", t.Name.Name).
			DidYouMean(t.Name.Name, slices.Concat(configTypeNames, dtypeNames))
	}
	return unknown
}

// runtimeDims are the dimensions that are known only when a program runs, with what they count.
var runtimeDims = map[string]string{"T": "tokens", "B": "sequences"}

// shape checks dimensions: T, B, or ints known at compile time.
func (f *function) shape(dims []syntax.Expr) {
	for _, d := range dims {
		if n, ok := d.(*syntax.Name); ok && len(n.Parts) == 1 && runtimeDims[n.Parts[0]] != "" {
			continue
		}
		f.want(d, integer, "a dimension is an int")
	}
}
