// Package builtin describes the functions that .glm files can call, as far as the checker needs to know
// them. The compiler provides the table; see Package compiler/ir.
package builtin

// Kind is what a parameter takes.
type Kind int

const (
	Tensor Kind = iota // an activation
	Weight             // the path of a weight: `q_proj`, `model.norm`
	Int
	Float
	Bool
	String
	Body // an expression that is evaluated once for each expert, with `e` bound to the expert's number
)

var kindNames = [...]string{"a tensor", "a weight", "an integer", "a float", "true or false", "a string", "an expression of e"}

// String returns the kind as messages call it.
func (k Kind) String() string { return kindNames[k] }

// Param is one parameter, in positional order; every parameter can be given by name too.
type Param struct {
	Name     string
	Kind     Kind
	Optional bool
}

// Func is one built-in function.
type Func struct {
	Name    string
	Params  []Param
	Results int        // number of tensors that it returns; 1 for compile-time functions such as int()
	Value   Kind       // kind of the result: Tensor, or Int, Float, ... for compile-time functions
	Doc     string     // one sentence
	Shapes  *Signature // of what it takes and gives; nil for compile-time functions
}

// Table holds the functions by name.
type Table map[string]*Func
