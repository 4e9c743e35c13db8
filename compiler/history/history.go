// Package history records a module after each pass, in a form that text, JSON and pages share.
//
// Layers that are alike in every step of the compilation are shown by the first of them, so that a history of a model
// with 92 layers holds a few. Because these stand for the others in all steps, a value can be followed through the
// passes by its number.
package history

// History is a compilation, step by step. Its JSON form may get more fields; lists are never null.
type History struct {
	Model string `json:"model"`
	// Nodes is every state of every operator that is shown; graphs refer to them by place in this list. An operator
	// that a pass leaves as it is keeps its place.
	Nodes []Node `json:"nodes"`
	Steps []Step `json:"steps"` // the module as it was lowered, then one for each pass that ran
}

// Step is the module behind a pass.
type Step struct {
	Pass    string  `json:"pass"` // "" for the module as it was lowered
	Ranks   int     `json:"ranks"`
	Changed bool    `json:"changed"` // whether any operator differs from the step before, shown or not
	Graphs  []Graph `json:"graphs"`
}

// Graph is an entry, or the variant of an entry for some step sizes.
type Graph struct {
	Entry     string   `json:"entry"`
	Variant   string   `json:"variant"` // "" where the entry has one graph, else the step sizes: "decode 1..64"
	Before    int      `json:"before"`  // place, in the step before, of the graph that it comes from; -1: none
	Operators int      `json:"operators"`
	Launches  int      `json:"launches"` // kernels that one execution launches
	Inputs    []Result `json:"inputs"`
	Outputs   []int    `json:"outputs"` // values that the entry returns
	Parts     []Part   `json:"parts"`
	// Replaced are pairs of values: what took the first one before the pass takes the second one behind it.
	Replaced [][2]int `json:"replaced"`
}

// Part is one layer that stands for those that are like it, or what comes before or behind the layers.
type Part struct {
	Key    string `json:"key"`    // the same in all steps: "begin", "end" or the number of the layer that is shown
	Where  string `json:"where"`  // "layers 3..91, 89 x", "before the layers", "behind the layers"
	Layers []int  `json:"layers"` // the layers that it stands for, rising; none outside of the layers
	Nodes  []int  `json:"nodes"`  // places in History.Nodes, in the order of execution
	// Changes lists the part before and behind the pass, operator by operator; none where the part is as it was, and in
	// the first step.
	Changes []Change `json:"changes"`
}

// ChangeKind says what a pass did to an operator.
type ChangeKind string

// What a pass does to an operator. One that runs at another place of the order is removed and added.
const (
	Kept    ChangeKind = "kept"
	Renamed ChangeKind = "renamed" // it differs in nothing but values that Graph.Replaced lists
	Removed ChangeKind = "removed"
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
)

// Same reports whether an operator is as it was, but for the numbers of values that it takes.
func (k ChangeKind) Same() bool { return k == Kept || k == Renamed }

// Change is one operator before and behind a pass: places in History.Nodes, -1 where it is not there.
type Change struct {
	Kind   ChangeKind `json:"kind"`
	Before int        `json:"before"`
	After  int        `json:"after"`
}

// Node is the state of an operator. In names, {n} stands for the number of the layer.
type Node struct {
	ID       int       `json:"id"` // the operator keeps it through all passes
	Op       string    `json:"op"`
	View     bool      `json:"view,omitempty"` // it launches no kernel
	Results  []Result  `json:"results"`
	Operands []Operand `json:"operands"`
	Attrs    []Attr    `json:"attrs"`
	Source   string    `json:"source"` // file:line:col
	End      string    `json:"end"`    // line:col behind the last character there; "" where it is not known
	Path     string    `json:"path"`   // weight path of the block that wrote it
	Layer    int       `json:"layer"`  // -1 outside of the layers
	Stream   int       `json:"stream"` // where it runs, 0 being the main stream
	Waits    []Wait    `json:"waits"`  // for operators of other streams that must have finished before it starts
}

// Wait names an operator.
type Wait struct {
	ID     int `json:"id"`
	Result int `json:"result"` // its first result; 0 where it has none
}

// Result is a value that an operator makes, or that an entry takes.
type Result struct {
	ID   int    `json:"id"` // the value keeps it through all passes
	Type string `json:"type"`
	Name string `json:"name,omitempty"` // of an input
}

// OperandKind says what an operand is.
type OperandKind string

// The kinds of operands.
const (
	OperandValue  OperandKind = "value"  // the result of an operator
	OperandInput  OperandKind = "input"  // an input of the step
	OperandWeight OperandKind = "weight" // loaded before the first step
	OperandCache  OperandKind = "cache"  // the state of a KV cache at the start of the step
	OperandNone   OperandKind = "none"   // an optional operand that is absent
)

// Operand is what an operator takes.
type Operand struct {
	Arg    string      `json:"arg"` // the operand's name in the operator's row of the table
	Kind   OperandKind `json:"kind"`
	Value  int         `json:"value"`            // its number; 0 where it is absent
	Shown  int         `json:"shown,omitempty"`  // the value that stands for it in the parts, where it is made in a layer that is not shown
	From   int         `json:"from"`             // layer of the operator that makes it; -1 outside of the layers, and where it is no result
	Name   string      `json:"name,omitempty"`   // of an input, a weight or a cache
	Recipe string      `json:"recipe,omitempty"` // how a weight is made of stored tensors
	Type   string      `json:"type,omitempty"`   // of one rank
}

// Attr is a parameter of an operator.
type Attr struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}
