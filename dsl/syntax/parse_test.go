package syntax

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
)

const modelFile = "../../models/glm4moe/model.glm"

func parse(name string, src []byte) *diag.List {
	_, diags := Parse(name, src)
	return diags
}

// deep repeats a nested construct 100,000 times.
func deep(before, open, close, after string) string {
	const n = 100_000
	return before + strings.Repeat(open, n) + strings.Repeat(close, n) + after
}

func TestDiagnostics(t *testing.T) {
	seen := diagtest.Seen{}
	diagtest.Dir(t, "testdata", seen, parse)

	tests := []struct{ name, src, want string }{
		{"not UTF-8", "model m {\n\xff }", "f:2:1: error: the file is not UTF-8 text: byte 0xff [not-utf8]"},
		{"too large", strings.Repeat(" ", MaxFileSize+1), "f: error: the file has 4194305 bytes; the limit is 4194304 [file-too-large]"},
		{"long name", "model " + strings.Repeat("m", 300) + " {}", "f:1:7: error: a name or a number of 300 bytes; the limit is 255 [token-too-long]"},
		{"long number", "model m { let a = " + strings.Repeat("9", 300) + " }", "[token-too-long]"},
		{"long nonsense", strings.Repeat("é", 300), `unexpected "` + strings.Repeat("é", 20) + `..."`},
		{"long list", "model m { block b() { " + strings.Repeat("a,", 1e5) + "a = x } }", "a list of more than 10000 elements [too-deep]"},
		{"million braces", "model m " + strings.Repeat("{", 1e6), "nested deeper than 100 levels [too-deep]"},
		{"braces", deep("model m ", "{", "}", ""), "nested deeper than 100 levels [too-deep]"},
		{"open braces", deep("model m ", "{", "", ""), "nested deeper than 100 levels [too-deep]"},
		{"ifs", deep("model m { block b() ", "{ if a ", "", ""), "nested deeper than 100 levels [too-deep]"},
		{"else ifs", deep("model m { block b() { if a {}", "else if a {}", "", "}}"), "nested deeper than 100 levels [too-deep]"},
		{"parentheses", deep("model m { let a = ", "(", ")", "}"), "expression nested deeper than 200 levels [too-deep]"},
		{"lists", deep("model m { let a = ", "[", "]", "}"), "expression nested deeper than 200 levels [too-deep]"},
		{"calls", deep("model m { let a = ", "f(", ")", "}"), "expression nested deeper than 200 levels [too-deep]"},
		{"minus", deep("model m { let a = ", "- ", "", "1 }"), "expression nested deeper than 200 levels [too-deep]"},
		{"not", deep("model m { let a = ", "not ", "", "1 }"), "expression nested deeper than 200 levels [too-deep]"},
		{"powers", deep("model m { let a = 1", "^1", "", "}"), "expression nested deeper than 200 levels [too-deep]"},
		{"sums", deep("model m { let a = 1", "+1", "", "}"), "expression of more than 10000 terms [too-deep]"},
		{"shapes", deep("model m { let a = 1", " as[1]", "", "}"), "expression of more than 10000 terms [too-deep]"},
		{"elements", deep("model m { let a = [", "1,", "", "] }"), "expression of more than 10000 terms [too-deep]"},
		{"conditions", deep("model m { let a = ", "if a then ", "", "}"), "expression nested deeper than 200 levels [too-deep]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := Parse("f", []byte(tt.src))
			seen.Note(diags)
			if err := diags.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("every ID", func(t *testing.T) { diagtest.Covered(t, seen, "../../docs/language.md") })
}

func TestParseModel(t *testing.T) {
	src, err := os.ReadFile(modelFile)
	if err != nil {
		t.Fatal(err)
	}
	f, diags := Parse("model.glm", src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	m := f.Model("glm4_moe")
	if m == nil || f.Pipeline("cpu") == nil || f.Pipeline("h200") == nil {
		t.Fatal("the file lacks its model or a pipeline")
	}
	names := map[string]bool{}
	for _, n := range m.Fields() {
		names["key "+n.Name.Name] = true
	}
	for _, n := range m.Lets() {
		names["let "+n.Name.Name] = true
	}
	for _, n := range m.Blocks() {
		names["block "+n.Name.Name] = true
	}
	for _, n := range m.Entries() {
		names["entry "+n.Name.Name] = true
	}
	for _, want := range []string{"key hidden_size", "key rope_type", "let rotary", "block attention", "block mtp", "entry forward", "entry draft"} {
		if !names[want] {
			t.Errorf("the model has no %s", want)
		}
	}
	if len(m.Asserts()) == 0 || m.Rules()[0].Alias == nil {
		t.Error("the model lacks its assertions, or the first checkpoint rule")
	}
}

// TestSpans checks that the places of nodes are exact, whatever stands behind them.
func TestSpans(t *testing.T) {
	src := `model m { // comment
  config { a int = (1 + 2) optional from "x\"y"  /* comment */ }
  block b(x: [T, 2], n: int) -> f32[T] {
    y = (x + x)  at "p" as [ T ]
    return -y, if n == 1 then y else (x)   // comment
  }
  entry e() when a > 1 {
    for i in 0 .. 3 { z = f(1, k = 2) }
  }
}
pipeline p for m { require one, two
  cache bf16 { page = 16 , tree }   }
`
	f, diags := Parse("m.glm", []byte(src))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	m := f.Models[0]
	block, entry := m.Blocks()[0], m.Entries()[0]
	field := m.Fields()[0]
	y := block.Body.Stmts[0].Assign
	ret := block.Body.Stmts[1].Return
	loop := entry.Body.Stmts[0].For
	p := f.Pipelines[0]
	tests := []struct {
		node Node
		want string
	}{
		{m.Name, "m"},
		{field, `a int = (1 + 2) optional from "x\"y"`},
		{field.Default, "1 + 2"},
		{field.From[0], `"x\"y"`},
		{block.Params[0], "x: [T, 2]"},
		{block.Params[1].Type, "int"},
		{block.Results[0], "f32[T]"},
		{y, `y = (x + x)  at "p" as [ T ]`},
		{y.Value, `(x + x)  at "p" as [ T ]`},
		{y.Value.(*As).X, `(x + x)  at "p"`},
		{y.Value.(*As).X.(*At).Path, `"p"`},
		{ret, "return -y, if n == 1 then y else (x)"},
		{ret.Values[0], "-y"},
		{ret.Values[1], "if n == 1 then y else (x)"},
		{entry.When, "a > 1"},
		{loop, "for i in 0 .. 3 { z = f(1, k = 2) }"},
		{loop.Body, "{ z = f(1, k = 2) }"},
		{loop.Body.Stmts[0].Assign.Value.(*Call).Args[1], "k = 2"},
		{p.Settings[0], "require one, two"},
		{p.Settings[1], "cache bf16 { page = 16 , tree }"},
		{p.Settings[1].Options[0], "page = 16"},
		{p.Settings[1].Options[1], "tree"},
	}
	for _, tt := range tests {
		span := tt.node.Span()
		if got := src[span.Pos.Offset:span.End.Offset]; got != tt.want {
			t.Errorf("%T: %q, want %q", tt.node, got, tt.want)
		}
		line := strings.Count(src[:span.End.Offset], "\n") + 1
		column := span.End.Offset - strings.LastIndex(src[:span.End.Offset], "\n")
		if span.End.Line != line || span.End.Column != column {
			t.Errorf("%T ends at %d:%d, want %d:%d", tt.node, span.End.Line, span.End.Column, line, column)
		}
	}
	if got := field.From[0].Value; got != `x"y` {
		t.Errorf("the string's value is %q", got)
	}
}

// TestPrecedence compares expressions with their fully parenthesised form.
func TestPrecedence(t *testing.T) {
	tests := []struct{ src, want string }{
		{"1 + 2 * 3", "(1 + (2 * 3))"},
		{"1 - 2 - 3", "((1 - 2) - 3)"},
		{"a / b * c % d", "(((a / b) * c) % d)"},
		{"-x ^ 2", "(- (x ^ 2))"},
		{"2 ^ -x ^ 3", "(2 ^ (- (x ^ 3)))"},
		{"2 ^ 3 ^ 4", "(2 ^ (3 ^ 4))"},
		{"2 ^ -1 * 3", "((2 ^ (- 1)) * 3)"},
		{"- a * b", "((- a) * b)"},
		{"a < b and c == d or not e", "(((a < b) and (c == d)) or (not e))"},
		{"not a == b and c", "((not (a == b)) and c)"},
		{"a + if b then c else d + 1", "(a + (if b then c else (d + 1)))"},
		{`a + b at "x" * c as [T]`, `(a + ((b at x) * (c as [T])))`},
		{"(a + b) * c", "((a + b) * c)"},
		{"f(a.b, k = [1, 2])", "f(a.b, k = [1, 2])"},
	}
	for _, tt := range tests {
		f, diags := Parse("m.glm", []byte("model m { let a = "+tt.src+" }"))
		if err := diags.Err(); err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if got := show(f.Models[0].Lets()[0].Value); got != tt.want {
			t.Errorf("%s parses as %s, want %s", tt.src, got, tt.want)
		}
	}
}

// show prints an expression with all its parentheses.
func show(e Expr) string {
	list := func(es []Expr) string {
		var s []string
		for _, e := range es {
			s = append(s, show(e))
		}
		return strings.Join(s, ", ")
	}
	switch e := e.(type) {
	case *Unary:
		return "(" + e.Op + " " + show(e.X) + ")"
	case *Binary:
		return "(" + show(e.X) + " " + e.Op + " " + show(e.Y) + ")"
	case *Cond:
		return "(if " + show(e.If) + " then " + show(e.Then) + " else " + show(e.Else) + ")"
	case *As:
		return "(" + show(e.X) + " as [" + list(e.Dims) + "])"
	case *At:
		return "(" + show(e.X) + " at " + e.Path.Value + ")"
	case *ListLit:
		return "[" + list(e.Elems) + "]"
	case *IntLit:
		return string('0' + rune(e.Value))
	case *Name:
		return strings.Join(e.Parts, ".")
	case *Call:
		var args []string
		for _, a := range e.Args {
			s := show(a.Value)
			if a.Name != "" {
				s = a.Name + " = " + s
			}
			args = append(args, s)
		}
		return show(e.Func) + "(" + strings.Join(args, ", ") + ")"
	}
	return "?"
}

// BenchmarkParse parses a file of 2,000 lines: the model of the repository, repeated.
func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile(modelFile)
	if err != nil {
		b.Fatal(err)
	}
	n := 2000/bytes.Count(src, []byte("\n")) + 1
	src = bytes.Join(bytes.SplitAfterN(bytes.Repeat(src, n), []byte("\n"), 2001)[:2000], nil)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Parse("model.glm", src)
	}
}

func FuzzParse(f *testing.F) {
	for _, glob := range []string{modelFile, "testdata/*.glm", "../check/testdata/*.glm"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Add([]byte("model m { let a = [1, 2.5e3, \"\\u00e9\"] at \"x\" }"))
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diags := Parse("f.glm", src)
		if file == nil || diags == nil {
			t.Fatal("nil result")
		}
		for _, d := range diags.All() {
			if d.Start.Offset < 0 || d.End.Offset > len(src) || d.Start.Offset > d.End.Offset {
				t.Fatalf("%s lies outside of the file: %+v", d, d.Span)
			}
		}
	})
}
