package lsp

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// labels are those of the items, in the order in which editors show them.
func labels(c CompletionList) []string {
	items := slices.Clone(c.Items)
	slices.SortFunc(items, func(a, b CompletionItem) int { return strings.Compare(a.SortText, b.SortText) })
	out := []string{}
	for _, i := range items {
		out = append(out, i.Label)
	}
	return out
}

// program is around the texts that tests complete in: <model> in the model's braces, <body> in those of an entry.
const program = `import swiglu as gated from "lib.glm"
model m {
  config {
    hidden_size int = 8
    eps float = 1e-5
  }
  let half = hidden_size / 2
  block mlp(x: [T, hidden_size], width: int) -> [T, hidden_size] {
    inner = x
    return inner
  }
  entry forward(tokens: i32[T], pos: i32[T]) -> [T, hidden_size] {
    h = embed(tokens, w, 8, 8)
    for i in 0 .. 3 {
      k = h
    }
    <body>
  }
  block later(a: [T, 2]) -> [T, 2] { return a }
  <model>
}
pipeline p for m {
  <pipeline>
}
`

// in puts text into the program.
func in(place, text string) string {
	s := program
	for _, p := range []string{"<model>", "<body>", "<pipeline>"} {
		if p == place {
			s = strings.Replace(s, p, text, 1)
		} else {
			s = strings.Replace(s, p, "", 1)
		}
	}
	return s
}

var (
	scope     = []string{"eps", "h", "half", "hidden_size", "later", "mlp", "pos", "tokens"}
	functions = []string{"attend", "concat", "embed", "experts", "f32", "float", "int", "linear", "max", "min", "rms_norm", "rope", "sigmoid", "silu", "sum", "top_k"}
)

func TestCompletion(t *testing.T) {
	uris := write(t, map[string]string{
		"main.glm":       "",
		"lib.glm":        "block swiglu[n](x: [T, n], width: int) -> [T, n] { return x }\nmodel other { }\n",
		"lib/blocks.glm": "",
		"readme.txt":     "",
	})
	tests := []struct {
		name, text string
		want       []string // that are there
		not        []string // that are not
		only       bool     // nothing else is there
	}{
		{name: "an empty file", text: "|", want: []string{"block", "import", "model", "pipeline"}, only: true},
		{name: "a new declaration", text: "model a { }\nmo|", want: []string{"block", "import", "model", "pipeline"}, only: true},
		{name: "behind an unclosed one", text: "model a {\n  entry f(x: i32[T]) {\n    y = g(x,\n\nmodel b {\n|", want: []string{"config", "let"}, not: []string{"return"}},
		{name: "the model of a pipeline", text: "model a { }\nmodel b { }\npipeline p for |", want: []string{"a", "b"}, only: true},
		{name: "names to import", text: "import | from \"lib.glm\"", want: []string{"swiglu", "other"}, only: true},
		{name: "paths to import", text: "import f from \"|", want: []string{"lib.glm", "../", "lib/", "glmc:glm4moe/model.glm"}, not: []string{"main.glm", "readme.txt"}},
		{name: "paths in a directory", text: "import f from \"lib/|\"", want: []string{"lib/blocks.glm"}},
		{name: "a member of a model", text: in("<model>", "|"), want: []string{"assert", "block", "checkpoint", "config", "entry", "let"}, only: true},
		{name: "a let", text: in("<model>", "let x = |"), want: []string{"hidden_size", "half", "eps", "min", "true"}, not: []string{"mlp", "linear", "h"}},
		{name: "a condition", text: in("<model>", "assert hidden_size |"), want: []string{"and", "or", "in"}, not: []string{"hidden_size"}},
		{name: "a type of a key", text: in("<model>", "config {\n    a |\n  }"), want: []string{"bool", "float", "int", "ints", "string"}, only: true},
		{name: "behind a key", text: in("<model>", "config {\n    a int = 4 |\n  }"), want: []string{"from", "optional"}, only: true},
		{name: "a default", text: in("<model>", "config {\n    a int = |\n  }"), want: []string{"hidden_size"}, not: []string{"mlp"}},
		{name: "a type of a parameter", text: in("<model>", "block b(x: |"), want: []string{"[T, n]", "int", "i32"}, not: []string{"T"}},
		{name: "a dimension of a parameter", text: in("<model>", "block b(x: [T, |]) -> [T, 2] { return x }"), want: []string{"T", "B", "hidden_size", "half"}, not: []string{"eps", "tokens"}},
		{name: "a condition of an entry", text: in("<model>", "entry e(t: i32[T]) -> [T, 2] when |"), want: []string{"hidden_size"}, not: []string{"linear"}},
		{name: "a rule", text: in("<model>", "checkpoint {\n    |\n  }"), want: []string{"alias", "ignore"}, only: true},
		{name: "behind a rule", text: in("<model>", "checkpoint {\n    ignore \"a\" |\n  }"), want: []string{"because"}, only: true},
		{name: "a rule's condition", text: in("<model>", "checkpoint {\n    alias \"a\" = \"b\" when |\n  }"), want: []string{"hidden_size"}, not: []string{"mlp"}},
		{name: "a hole of a rule", text: in("<model>", "checkpoint {\n    alias \"a.{|\" = \"b\"\n  }"), want: []string{"hidden_size", "half"}, only: true},
		{name: "a statement", text: in("<body>", "|"), want: append([]string{"for", "if", "return", "gated"}, append(scope, functions...)...), not: []string{"i", "k", "inner", "x", "width", "draft"}},
		{name: "a statement begun", text: in("<body>", "re|"), want: []string{"return", "h"}},
		{name: "an expression", text: in("<body>", "x = |"), want: append(slices.Clone(scope), functions...), not: []string{"for", "return", "x"}},
		{name: "a return", text: in("<body>", "return mlp(h, hidden_size) + |"), want: scope, not: []string{"for", "width ="}},
		{name: "an argument of a block", text: in("<body>", "x = mlp(h, |)"), want: []string{"width =", "x =", "hidden_size"}},
		{name: "an argument of an imported block", text: in("<body>", "x = gated(|)"), want: []string{"width =", "x =", "h"}},
		{name: "an argument that is there", text: in("<body>", "x = mlp(|, width = 3)"), want: []string{"x ="}, not: []string{"width ="}},
		{name: "an argument of a function", text: in("<body>", "x = rms_norm(h, |"), want: []string{"w =", "eps ="}, not: []string{"h", "linear"}},
		{name: "the value of a named argument", text: in("<body>", "x = rms_norm(h, norm, eps = |)"), want: []string{"eps", "half"}, not: []string{"eps =", "x ="}},
		{name: "in an unclosed call", text: in("<body>", "x = linear(silu(h), q_proj,\n      |"), want: []string{"out =", "bias =", "hidden_size"}},
		{name: "behind an unclosed call", text: in("<body>", "x = linear(silu(h), q_proj,\n    |"), want: []string{"return", "for", "x"}, not: []string{"out ="}},
		{name: "in a loop", text: in("<body>", "for j in 0 .. 2 {\n      h = h + |\n    }"), want: []string{"j", "h"}, not: []string{"i"}},
		{name: "behind a value", text: in("<body>", "x = h |"), want: []string{"and", "as", "at", "else", "in", "or", "then"}, only: true},
		{name: "a shape", text: in("<body>", "x = h as [T, |]"), want: []string{"T", "half", "hidden_size"}, not: []string{"h", "linear"}},
		{name: "a hole of a path", text: in("<body>", "for j in 0 .. 2 {\n h = mlp(h, 8) at \"model.layers.{|}\"\n }"), want: []string{"half", "hidden_size", "j"}, only: true},
		{name: "a comment", text: in("<body>", "// ret|"), only: true},
		{name: "a comment that ends", text: in("<body>", "/* */|"), want: []string{"h"}},
		{name: "a number", text: in("<body>", "x = 12|"), only: true},
		{name: "a setting", text: in("<pipeline>", "|"), want: []string{"activations", "cache", "decode", "draft", "precision", "prefill", "require", "target", "transfer", "weights"}, only: true},
		{name: "behind a setting", text: in("<pipeline>", "target |"), want: []string{"cpu", "h100", "h200"}, only: true},
		{name: "a precision", text: in("<pipeline>", "precision |"), want: []string{"exact", "fast"}, only: true},
		{name: "a dtype", text: in("<pipeline>", "target cpu\n  cache |"), want: []string{"bf16", "f16", "f32", "fp8_e4m3"}, only: true},
		{name: "a pass", text: in("<pipeline>", "require fold_shared_expert, |"), want: []string{"fuse_qknorm_rope_kv"}, not: []string{"fold_shared_expert"}},
		{name: "an option", text: in("<pipeline>", "prefill { chunk = 3, |"), want: []string{"rows"}, only: true},
		{name: "an option of a draft", text: in("<pipeline>", "draft suffix { | }"), want: []string{"max_depth", "max_spec_factor", "max_spec_offset", "min_token_prob", "tree"}, only: true},
		{name: "the value of an option", text: in("<pipeline>", "transfer { per = | }"), want: []string{"layer", "request"}, only: true},
	}
	c := connect(t)
	p := c.open(uris["main.glm"], "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.change(tt.text)
			got := labels(call[CompletionList](c, "textDocument/completion", p.at()))
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("%q is missing in %q", w, got)
				}
			}
			for _, n := range tt.not {
				if slices.Contains(got, n) {
					t.Errorf("%q is in %q", n, got)
				}
			}
			if tt.only && len(got) != len(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestCompletionEdits: what an item writes, and what it replaces.
func TestCompletionEdits(t *testing.T) {
	tests := []struct {
		name, text, label string
		want              TextEdit
	}{
		{"a call", in("<body>", "x = li|n"), "linear", TextEdit{Range{Position{16, 8}, Position{16, 11}}, "linear(${1:x}, ${2:w}, ${3:out})$0"}},
		{"a call that is there", in("<body>", "x = li|(h)"), "linear", TextEdit{Range{Position{16, 8}, Position{16, 10}}, "linear"}},
		{"a block", in("<body>", "return |"), "mlp", TextEdit{Range{Position{16, 11}, Position{16, 11}}, "mlp(${1:x}, ${2:width})$0"}},
		{"a named argument", in("<body>", "x = mlp(h, wi|"), "width =", TextEdit{Range{Position{16, 15}, Position{16, 17}}, "width = "}},
		{"a path", "import f from \"glmc|:x\"", "glmc:glm4moe/model.glm", TextEdit{Range{Position{0, 15}, Position{0, 21}}, "glmc:glm4moe/model.glm"}},
		{"a hole", in("<body>", "x = h at \"😀.{hid|den}\""), "hidden_size", TextEdit{Range{Position{16, 18}, Position{16, 24}}, "hidden_size"}},
	}
	c := connect(t)
	p := c.open("file:///tmp/m.glm", "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.change(tt.text)
			for _, i := range call[CompletionList](c, "textDocument/completion", p.at()).Items {
				if i.Label == tt.label {
					if diff := cmp.Diff(tt.want, *i.TextEdit); diff != "" {
						t.Errorf("edit (-want +got):\n%s", diff)
					}
					return
				}
			}
			t.Errorf("there is no %s", tt.label)
		})
	}
}

func TestSignatureHelp(t *testing.T) {
	tests := []struct {
		name, text, label, active string
	}{
		{"a function", in("<body>", "x = linear(|"), "linear(x: [.., d], w: weight, out: int, bias?: bool) -> [.., out]", "x: [.., d]"},
		{"the second argument", in("<body>", "x = linear(silu(h), |)"), "linear(x: [.., d], w: weight, out: int, bias?: bool) -> [.., out]", "w: weight"},
		{"inside the first", in("<body>", "x = linear(silu(|h), q)"), "silu(x: [..]) -> [..]", "x: [..]"},
		{"a named argument", in("<body>", "x = linear(h, bias = |"), "linear(x: [.., d], w: weight, out: int, bias?: bool) -> [.., out]", "bias?: bool"},
		{"in parentheses", in("<body>", "x = linear((h + |"), "linear(x: [.., d], w: weight, out: int, bias?: bool) -> [.., out]", "x: [.., d]"},
		{"in a list of dimensions", in("<body>", "x = mlp(h as [T, |"), "block mlp(x: [T, hidden_size], width: int)", "x: [T, hidden_size]"},
		{"a block", in("<body>", "x = mlp(h, |"), "block mlp(x: [T, hidden_size], width: int)", "width: int"},
		{"an imported block", in("<body>", "x = gated(h, |)"), "block swiglu[n](x: [T, n], width: int) -> [T, n]", "width: int"},
	}
	uris := write(t, map[string]string{"main.glm": "", "lib.glm": "// It gates.\nblock swiglu[n](x: [T, n], // in\n  width: int) -> [T, n] { return x }\n"})
	c := connect(t)
	p := c.open(uris["main.glm"], "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.change(tt.text)
			got := call[*SignatureHelp](c, "textDocument/signatureHelp", p.at())
			if got == nil {
				t.Fatal("there is none")
			}
			s := got.Signatures[0]
			if s.Label != tt.label {
				t.Errorf("the signature is %q, want %q", s.Label, tt.label)
			}
			at := s.Parameters[got.ActiveParameter].Label
			if active := s.Label[at[0]:at[1]]; active != tt.active {
				t.Errorf("the parameter is %q, want %q", active, tt.active)
			}
		})
	}
	for _, text := range []string{in("<body>", "x = |linear(h)"), in("<body>", "x = linear(h)|"), in("<model>", "block b(|"), in("<body>", "x = nothing(|")} {
		p.change(text)
		if got := call[*SignatureHelp](c, "textDocument/signatureHelp", p.at()); got != nil {
			t.Errorf("%q has a signature: %+v", text, got)
		}
	}
}
