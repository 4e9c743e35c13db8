package syntax

// Expr is an expression. Its dynamic type is one of the node types below.
type Expr interface {
	// Span is the source that the expression was parsed from.
	Span() Span
}

type (
	// IntLit is an integer literal.
	IntLit struct {
		Span_ Span
		Value int64
	}
	// FloatLit is a floating-point literal.
	FloatLit struct {
		Span_ Span
		Value float64
	}
	// StrLit is a string literal.
	StrLit struct {
		Span_ Span
		Value string
	}
	// BoolLit is true or false.
	BoolLit struct {
		Span_ Span
		Value bool
	}
	// ListLit is `[1, 2, 4]`.
	ListLit struct {
		Span_ Span
		Elems []Expr
	}
	// Name is `x`, or a dotted path such as `model.norm`, which names a weight.
	Name struct {
		Span_ Span
		Parts []string
	}
	// Call is `linear(x, q_proj, bias = true)`.
	Call struct {
		Span_ Span
		Func  *Name
		Args  []Arg
	}
	// Unary is `-x` or `not x`.
	Unary struct {
		Span_ Span
		Op    string
		X     Expr
	}
	// Binary is `x op y`, op one of + - * / % ^ == != < <= > >= in and or.
	Binary struct {
		Span_ Span
		Op    string
		OpPos Pos
		X, Y  Expr
	}
	// Cond is `if c then a else b`.
	Cond struct {
		Span_      Span
		If         Expr
		Then, Else Expr
	}
	// As is `x as [T, heads, head_dim]`: the same elements under another shape.
	As struct {
		Span_ Span
		X     Expr
		Dims  []Expr
	}
	// At is `mlp(x) at "experts.{e}"`: weights named inside X are looked up below that path.
	At struct {
		Span_ Span
		X     Expr
		Path  *StrLit
	}
)

// Arg is a positional argument, or a named one where Name is not empty.
type Arg struct {
	Pos   Pos
	Name  string
	Value Expr
}

// Span implements Expr; so do the methods below.
func (e *IntLit) Span() Span   { return e.Span_ }
func (e *FloatLit) Span() Span { return e.Span_ }
func (e *StrLit) Span() Span   { return e.Span_ }
func (e *BoolLit) Span() Span  { return e.Span_ }
func (e *ListLit) Span() Span  { return e.Span_ }
func (e *Name) Span() Span     { return e.Span_ }
func (e *Call) Span() Span     { return e.Span_ }
func (e *Unary) Span() Span    { return e.Span_ }
func (e *Binary) Span() Span   { return e.Span_ }
func (e *Cond) Span() Span     { return e.Span_ }
func (e *As) Span() Span       { return e.Span_ }
func (e *At) Span() Span       { return e.Span_ }
