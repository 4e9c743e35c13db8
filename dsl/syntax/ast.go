// Package syntax holds the grammar of .glm files: tokens, syntax tree and parser.
//
// Declarations, statements and settings are described to participle by the struct tags below. Two things are
// parsed by hand, behind participle's Parseable interface: what stands between a pair of braces (braces.go),
// because participle gives up at the first error and one run should report several; and expressions
// (expr.go), by precedence climbing, because a tree of one node an operator is what the checker and the
// lowering want to walk.
package syntax

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// Pos is a place in a source file. Line and Column count from 1, Column in bytes.
type Pos = lexer.Position

// Span is a stretch of source: from Pos up to, not including, End.
type Span struct {
	Pos Pos
	End Pos
}

// Diag returns the span as diagnostics have it.
func (s Span) Diag() diag.Span {
	return diag.Span{
		File:  s.Pos.Filename,
		Start: diag.Pos{Offset: s.Pos.Offset, Line: s.Pos.Line, Column: s.Pos.Column},
		End:   diag.Pos{Offset: s.End.Offset, Line: s.End.Line, Column: s.End.Column},
	}
}

// Ident is a name with its place.
type Ident struct {
	Pos    Pos
	EndPos Pos
	Name   string `parser:"@Ident"`
}

// Str is a string literal, unquoted. "{name}" in it is a hole for a compile-time value where the construct
// says so (paths, checkpoint patterns).
type Str struct {
	Pos    Pos
	EndPos Pos
	Value  string
}

// File is one parsed source file.
type File struct {
	Name      string
	Source    []byte
	Imports   []*Import
	Blocks    []*Block // those that stand outside of models
	Models    []*Model
	Pipelines []*Pipeline
}

// Import takes declarations from another file: `import swiglu, attention as gqa from "../lib/blocks.glm"`.
type Import struct {
	Pos    Pos
	EndPos Pos
	Names  []*ImportName `parser:"'import' @@ ( ',' @@ )*"`
	Path   *Str          `parser:"'from' @@"`
	// File is the file at Path. Package source sets it, and the targets of Names; until then they are nil.
	File *File
}

// ImportName is one name of an import, with the name that it has in this file where that is another.
type ImportName struct {
	Pos    Pos
	EndPos Pos
	Name   *Ident `parser:"@@"`
	As     *Ident `parser:"( 'as' @@ )?"`
	// What was imported: at most one is set.
	Block *Block
	Model *Model
}

// Local is the name that the imported thing has in the importing file.
func (n *ImportName) Local() *Ident {
	if n.As != nil {
		return n.As
	}
	return n.Name
}

// Model says what is computed: configuration, blocks, entries, and how its checkpoints name things. For has the
// classes that it describes, as the "architectures" of a config.json name them.
//
//	Model = "model" Ident ( "for" Str ( "or" Str )* )? "{" Member* "}"
type Model struct {
	Pos     Pos
	EndPos  Pos
	File    *File // that declares it
	Name    *Ident
	For     []*Str
	Members []*Member
	broken  []*syntaxError // syntax errors inside the braces
}

// Member is one declaration of a model; exactly one field is set.
type Member struct {
	Pos        Pos
	EndPos     Pos
	Config     *Config     `parser:"  @@"`
	Let        *Let        `parser:"| @@"`
	Assert     *Assert     `parser:"| @@"`
	Block      *Block      `parser:"| @@"`
	Entry      *Entry      `parser:"| @@"`
	Checkpoint *Checkpoint `parser:"| @@"`
}

// Config declares the keys of config.json that the model reads.
//
//	Config = "config" "{" Field* "}"
type Config struct {
	Pos    Pos
	EndPos Pos
	Fields []*Field
	broken []*syntaxError
}

// Field is one configuration key: `rope_theta float = 1e6 optional from "rope_parameters.rope_theta"`.
// The default stands in where no config.json is given; where one is given and lacks the key, an optional field falls
// back to it, and one with an else to that. From names further keys to look under, dots descending into objects.
// "optional" and "from" in front of a type are the name of the next key.
type Field struct {
	Pos      Pos
	EndPos   Pos
	Name     *Ident `parser:"@@"`
	Type     *Ident `parser:"@@"` // int, float, bool, string or ints
	Default  Expr   `parser:"( '=' @@ )?"`
	Else     Expr   `parser:"( 'else' @@ )?"`
	Optional bool   `parser:"( (?! 'optional' ( 'int' | 'float' | 'bool' | 'string' | 'ints' ) ) @'optional' )?"`
	From     []*Str `parser:"( (?! 'from' ( 'int' | 'float' | 'bool' | 'string' | 'ints' ) ) 'from' @@ ( 'or' @@ )* )?"`
	// Behind keeps an "optional" that stands behind the paths, where people write it as well.
	Behind bool `parser:"( (?! 'optional' ( 'int' | 'float' | 'bool' | 'string' | 'ints' ) ) @'optional' )?"`
}

// Let names a compile-time value for the whole model.
type Let struct {
	Pos    Pos
	EndPos Pos
	Name   *Ident `parser:"'let' @@"`
	Value  Expr   `parser:"'=' @@"`
}

// Assert refuses configurations that the model does not describe: `assert hidden_act == "silu", "..."`.
type Assert struct {
	Pos     Pos
	EndPos  Pos
	Cond    Expr `parser:"'assert' @@"`
	Message *Str `parser:"',' @@"`
}

// Block is a function over tensors: `block mlp(x: [T, hidden_size], width: int) -> [T, hidden_size] { ... }`. Dims
// are names for dimensions that each call binds by the shapes of its arguments: `block norm[n](x: [T, n]) ...`.
type Block struct {
	Pos     Pos
	EndPos  Pos
	File    *File    // that declares it
	Outside bool     // of models
	Name    *Ident   `parser:"'block' @@"`
	Dims    []*Ident `parser:"( '[' @@ ( ',' @@ )* ']' )?"`
	Params  []*Param `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Results []*Type  `parser:"( Arrow @@ ( ',' @@ )* )?"`
	Body    *Body    `parser:"@@"`
}

// Entry is a program that the runtime can call. When limits it to configurations that have it.
type Entry struct {
	Pos     Pos
	EndPos  Pos
	Name    *Ident   `parser:"'entry' @@"`
	Params  []*Param `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Results []*Type  `parser:"( Arrow @@ ( ',' @@ )* )?"`
	When    Expr     `parser:"( 'when' @@ )?"`
	Body    *Body    `parser:"@@"`
}

// Param is a parameter of a block or entry.
type Param struct {
	Pos    Pos
	EndPos Pos
	Name   *Ident `parser:"@@"`
	Type   *Type  `parser:"':' @@"`
}

// Type is `int`, `float`, `bool`, `string`, `[T, hidden_size]` (a tensor of the activation dtype) or
// `i32[T]` (a tensor of a named dtype).
type Type struct {
	Pos    Pos
	EndPos Pos
	Name   *Ident `parser:"( @@"`
	Dims   []Expr `parser:"  ( '[' @@ ( ',' @@ )* ']' )? | '[' @@ ( ',' @@ )* ']' )"`
}

// Body is a braced list of statements.
//
//	Body = "{" Stmt* "}"
type Body struct {
	Pos    Pos
	EndPos Pos
	Stmts  []*Stmt
	broken []*syntaxError
}

// Stmt is one statement; exactly one field is set.
type Stmt struct {
	Pos    Pos
	EndPos Pos
	Assign *Assign `parser:"  @@"`
	If     *If     `parser:"| @@"`
	For    *For    `parser:"| @@"`
	Return *Return `parser:"| @@"`
}

// If runs one of its branches; the condition is known at compile time.
type If struct {
	Pos    Pos
	EndPos Pos
	Cond   Expr  `parser:"'if' @@"`
	Then   *Body `parser:"@@"`
	Else   *Else `parser:"( 'else' @@ )?"`
}

// Else is the other branch: a body or another if.
type Else struct {
	If   *If   `parser:"  @@"`
	Body *Body `parser:"| @@"`
}

// For repeats its body for Var = From, From+1, ..., To-1.
type For struct {
	Pos    Pos
	EndPos Pos
	Var    *Ident `parser:"'for' @@ 'in'"`
	From   Expr   `parser:"@@"`
	To     Expr   `parser:"DotDot @@"`
	Body   *Body  `parser:"@@"`
}

// Return ends a block or an entry with its results.
type Return struct {
	Pos    Pos
	EndPos Pos
	Values []Expr `parser:"'return' @@ ( ',' @@ )*"`
}

// Assign binds names: `expert, weight = top_k(...)`.
type Assign struct {
	Pos     Pos
	EndPos  Pos
	Targets []*Ident `parser:"@@ ( ',' @@ )*"`
	Value   Expr     `parser:"'=' @@"`
}

// Checkpoint says how stored tensors differ from what the blocks ask for.
//
//	Checkpoint = "checkpoint" "{" Rule* "}"
type Checkpoint struct {
	Pos    Pos
	EndPos Pos
	Rules  []*Rule
	broken []*syntaxError
}

// Rule is one checkpoint rule; exactly one field is set.
type Rule struct {
	Pos    Pos
	EndPos Pos
	Alias  *Alias  `parser:"  @@"`
	Ignore *Ignore `parser:"| @@"`
}

// Alias says where a tensor that is not stored under its own name is found: under another name, or as a
// slice of a larger tensor. In Name, "{v}" stands for the value of a configuration key or let of that name;
// any other "{v}" matches one path component (an integer where Index uses it), "{v...}" one or more, and
// what it matched may be used in Target and Index.
type Alias struct {
	Pos    Pos
	EndPos Pos
	Name   *Str     `parser:"'alias' @@"`
	Target *Str     `parser:"'=' @@"`
	Index  []*Index `parser:"( '[' @@ ( ',' @@ )* ']' )?"`
	When   Expr     `parser:"( 'when' @@ )?"`
}

// Index selects one element (and drops the dimension) or, with To, a range of one dimension.
type Index struct {
	Pos    Pos
	EndPos Pos
	From   Expr `parser:"@@"`
	To     Expr `parser:"( DotDot @@ )?"`
}

// Ignore lists stored tensors that the model does not use, with the reason.
type Ignore struct {
	Pos    Pos
	EndPos Pos
	Name   *Str `parser:"'ignore' @@"`
	Reason *Str `parser:"'because' @@"`
	When   Expr `parser:"( 'when' @@ )?"`
}

// Pipeline says how a model is served: target, dtypes, buckets, required fusions, drafts, transfer.
//
//	Pipeline = "pipeline" Ident "for" Ident "{" Setting* "}"
type Pipeline struct {
	Pos      Pos
	EndPos   Pos
	Name     *Ident
	Model    *Ident
	Settings []*Setting
	broken   []*syntaxError
}

// Setting is one line of a pipeline: `cache fp8_e4m3 { page = 128 }`, `require a, b`, `prefill { chunk = 512 }`.
// The arguments begin on the line of the name.
//
//	Setting = Ident ( Ident ( "," Ident )* )? ( "{" ( Option ( "," Option )* )? "}" )?
type Setting struct {
	Pos     Pos
	EndPos  Pos
	Name    *Ident
	Args    []*Ident
	Options []*Option
}

// Option is `key = value`, or a bare `key` that means true.
type Option struct {
	Pos    Pos
	EndPos Pos
	Name   *Ident `parser:"@@"`
	Value  Expr   `parser:"( '=' @@ )?"`
}
