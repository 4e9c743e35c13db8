package lsp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/jsonrpc2"
)

// family is a program over two files, for tests of names.
var family = map[string]string{
	"lib.glm": "// A gate, as\n// in the paper.\nblock gate[n](x: [T, n], width: int) -> [T, n] {\n  return linear(x, up, width + n - width)\n}\n",
	"main.glm": `import gate as gated from "lib.glm"
model m for "M" {
  config {
    hidden_size int = 8 from "hidden" or "dim"  // of a token
    layers int = 2 optional
    vocab int
  }
  let half = hidden_size / 2
  // A layer.
  block layer(i: int, x: [T, hidden_size]) -> [T, hidden_size] {
    y = x + gated(x, width = half)
    return y
  }
  entry forward(tokens: i32[T]) -> [T, hidden_size] {
    h = embed(tokens, w, vocab, hidden_size)
    for k in 0 .. layers {
      h = layer(x = h, i = k) at "layers.{k}"
    }
    return h
  }
  checkpoint {
    ignore "layers.{half}.{rest...}" because "x"
  }
}
pipeline p for m {
  target cpu
  require fold_shared_expert
}
`,
}

// cursorAt puts the page's cursor behind a text, into or at the end of what comes last in it.
func (p *page) cursorAt(t *testing.T, text string) {
	t.Helper()
	front, back, _ := strings.Cut(text, "|")
	at := strings.Index(p.text, front+back)
	if at < 0 {
		t.Fatalf("the text %q is not there", text)
	}
	p.cursor = newText(p.text, false).position(at + len(front))
}

// openFamily opens the main file of the family.
func openFamily(t *testing.T) (*client, *page, map[string]string) {
	t.Helper()
	uris := write(t, family)
	c := connect(t)
	return c, c.open(uris["main.glm"], family["main.glm"]), uris
}

func TestHover(t *testing.T) {
	c, p, _ := openFamily(t)
	tests := []struct {
		name, at string
		want     []string // parts, in order
	}{
		{"a key", "/ 2|", nil},
		{"the use of a key", "half = hidden|_size", []string{"```glm\nhidden_size int = 8 from \"hidden\" or \"dim\"\n```", "configuration key of type `int` of model m: `hidden_size` or `hidden` or `dim` in config.json; without a config.json it is `8`", "of a token"}},
		{"an optional key", "0 .. lay|ers", []string{"layers int = 2 optional", "optional; the default is `2`"}},
		{"a key without a default", "w, vo|cab", []string{"vocab int\n", "in config.json, without a default"}},
		{"a let", "width = ha|lf", []string{"let half = hidden_size / 2", "let of type `int`"}},
		{"a variable", "return y|\n", []string{"y = x + gated(x, width = half)", "variable of type `[T, hidden_size]`"}},
		{"a parameter", "y = x| +", []string{"x: [T, hidden_size]", "parameter of type `[T, hidden_size]`"}},
		{"a loop variable", "i = k|", []string{"for k in 0 .. layers", "loop variable of type `int`"}},
		{"a hole", "layers.{k|}", []string{"for k in 0 .. layers"}},
		{"a block", "h = lay|er(", []string{"block layer(i: int, x: [T, hidden_size]) -> [T, hidden_size]", "block", "A layer."}},
		{"an imported block", "x + ga|ted", []string{"block gate[n](x: [T, n], width: int) -> [T, n]", "A gate, as\nin the paper.", "lib.glm"}},
		{"a named argument", "gated(x, wid|th", []string{"width: int", "parameter of type `int`"}},
		{"a function", "h = em|bed(", []string{"embed(tokens: i32[t], w: weight, vocab: int, width: int) -> [t, width]", "the embeddings of tokens", "gives `[T, hidden_size]` here"}},
		{"an entry", "entry for|ward", []string{"entry forward(tokens: i32[T]) -> [T, hidden_size]", "entry"}},
		{"a model", "for m| {", []string{"model m", "model"}},
		{"a pipeline", "pipeline p|", []string{"pipeline p for m"}},
		{"a setting", "  tar|get", []string{"setting of a pipeline", "target h200 { tensor_parallel = 8 }"}},
		{"a pass", "fold_sh|ared", []string{"pass fold_shared_expert: "}},
		{"the word of a setting", "target cp|u", nil},
		{"a keyword", "f|or k", nil},
		{"a word of the grammar", "con|fig", nil},
		{"a weight", "tokens, w|,", nil},
		{"a number", "half = hidden_size / 2|", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.cursorAt(t, tt.at)
			got := call[*Hover](c, "textDocument/hover", p.at())
			if (got == nil) != (tt.want == nil) {
				t.Fatalf("hover %+v, want %q", got, tt.want)
			}
			if got == nil {
				return
			}
			rest := got.Contents.Value
			for _, w := range tt.want {
				_, after, ok := strings.Cut(rest, w)
				if !ok {
					t.Errorf("%q is not in %q", w, got.Contents.Value)
				}
				rest = after
			}
		})
	}
}

func TestDefinition(t *testing.T) {
	c, p, uris := openFamily(t)
	tests := []struct {
		name, at string
		file     string
		want     string // the text at the definition, with what is in front of it in its line
	}{
		{"a key", "half = hidden|_size", "main.glm", "    hidden_size"},
		{"the declaration itself", "let ha|lf", "main.glm", "  let half"},
		{"a let in a pattern", "{ha|lf}", "main.glm", "  let half"},
		{"a parameter", "y = x| +", "main.glm", "  block layer(i: int, x"},
		{"a variable", "return y|\n", "main.glm", "    y"},
		{"a loop variable in a hole", "layers.{|k}", "main.glm", "    for k"},
		{"a block", "h = lay|er(", "main.glm", "  block layer"},
		{"an imported block", "x + ga|ted", "lib.glm", "block gate"},
		{"a name of an import", "import ga|te", "lib.glm", "block gate"},
		{"the new name of an import", "as ga|ted", "lib.glm", "block gate"},
		{"an argument of a block", "layer(x| = h", "main.glm", "  block layer(i: int, x"},
		{"an argument of an imported block", "gated(x, wid|th", "lib.glm", "block gate[n](x: [T, n], width"},
		{"the model of a pipeline", "for m| {", "main.glm", "model m"},
		{"the path of an import", "\"lib|.glm", "lib.glm", ""},
		{"a function", "h = em|bed(", "", ""},
		{"a word of the grammar", "con|fig", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.cursorAt(t, tt.at)
			got := call[[]Location](c, "textDocument/definition", p.at())
			if tt.file == "" {
				if len(got) > 0 {
					t.Errorf("definition %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].URI != uris[tt.file] {
				t.Fatalf("definition %+v, want one in %s", got, tt.file)
			}
			text := newText(family[tt.file], false)
			begin := text.lines[got[0].Range.Start.Line]
			if at := text.src[begin:text.offset(got[0].Range.End)]; at != tt.want {
				t.Errorf("definition at %q, want %q", at, tt.want)
			}
		})
	}
}

// TestCarriedDefinition: what only the binary has is shown as a copy, where there can be one.
func TestCarriedDefinition(t *testing.T) {
	text := `import glm4_moe from "glmc:glm4moe/model.glm"` + "\npipeline p for glm|4_moe { target cpu }\n"
	c := connect(t)
	p := c.open("file:///m.glm", text)
	if got := call[[]Location](c, "textDocument/definition", p.at()); len(got) > 0 {
		t.Errorf("definition %+v", got)
	}
	o := realOptions()
	o.Copy = func(name string) (string, error) { return "/cache/" + strings.TrimPrefix(name, "glmc:"), nil }
	c = dial(t, o)
	c.initialize()
	p = c.open("file:///m.glm", text)
	got := call[[]Location](c, "textDocument/definition", p.at())
	if len(got) != 1 || got[0].URI != "file:///cache/glm4moe/model.glm" || got[0].Range.Start.Line == 0 {
		t.Errorf("definition %+v", got)
	}
}

// TestNamesInBrokenText: what still parses is known.
func TestNamesInBrokenText(t *testing.T) {
	c, p, uris := openFamily(t)
	p.change(strings.Replace(family["main.glm"], "return y", "return y + layer(", 1))
	for _, at := range []string{"half = hidden|_size", "gat|ed(x", "y = x| +", "tok|ens, w"} {
		p.cursorAt(t, at)
		if got := call[[]Location](c, "textDocument/definition", p.at()); len(got) != 1 {
			t.Errorf("%s: %+v", at, got)
		}
	}
	_ = uris
}

func TestReferences(t *testing.T) {
	c, p, _ := openFamily(t)
	tests := []struct {
		name, at string
		want     []string // with what is in front on the line, in order
	}{
		{"a let", "let ha|lf", []string{"  let half", "    y = x + gated(x, width = half", `    ignore "layers.{half`}},
		{"a parameter", "layer(i: int, x|", []string{"  block layer(i: int, x", "    y = x", "    y = x + gated(x", "      h = layer(x"}},
		{"a loop variable", "for k|", []string{"    for k", "      h = layer(x = h, i = k", `      h = layer(x = h, i = k) at "layers.{k`}},
	}
	text := newText(p.text, false)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.cursorAt(t, tt.at)
			params := ReferenceParams{PositionParams: p.at()}
			params.Context.IncludeDeclaration = true
			var got []string
			for _, l := range call[[]Location](c, "textDocument/references", params) {
				got = append(got, text.src[text.lines[l.Range.Start.Line]:text.offset(l.Range.End)])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
			params.Context.IncludeDeclaration = false
			if n := len(call[[]Location](c, "textDocument/references", params)); n != len(got)-1 {
				t.Errorf("%d without the declaration", n)
			}
			if n := len(call[[]DocumentHighlight](c, "textDocument/documentHighlight", p.at())); n != len(got) {
				t.Errorf("%d highlights", n)
			}
		})
	}
}

func TestRename(t *testing.T) {
	tests := []struct {
		name, at, to string
		replace      []string // pairs
	}{
		{"a let", "let ha|lf", "part", []string{"let half", "let part", "width = half", "width = part", "{half}", "{part}"}},
		{"a parameter, with the arguments that name it", "layer(i|:", "n", []string{"(i: int", "(n: int", ", i = k", ", n = k"}},
		{"a loop variable, with its holes", "for k|", "index", []string{"for k", "for index", "= k)", "= index)", "{k}", "{index}"}},
		{"a block", "h = lay|er(", "stage", []string{"block layer", "block stage", "= layer(", "= stage("}},
		{"a variable", "return y|\n", "z", []string{"    y = x", "    z = x", "return y", "return z"}},
		{"a model", "pipeline p for m|", "model", []string{"model m ", "model model ", "for m ", "for model "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, p, _ := openFamily(t)
			p.cursorAt(t, tt.at)
			if r := call[*Range](c, "textDocument/prepareRename", p.at()); r == nil {
				t.Error("it cannot be renamed")
			}
			edit := call[WorkspaceEdit](c, "textDocument/rename", RenameParams{p.at(), tt.to})
			changes := []ContentChange{}
			for _, e := range edit.Changes[p.uri] { // the last one first, as harmless leaves them
				changes = append(changes, ContentChange{&e.Range, e.NewText})
			}
			got, err := newText(p.text, false).change(changes)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.NewReplacer(tt.replace...).Replace(p.text), got.src); diff != "" {
				t.Errorf("renamed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRenameRefuses(t *testing.T) {
	tests := []struct {
		name, at, to string
		code         jsonrpc2.Code
	}{
		{"a key", "half = hidden|_size", "size", requestFailed},
		{"an imported block", "x + ga|ted", "g", requestFailed},
		{"an entry", "entry for|ward", "f", requestFailed},
		{"no name", "let ha|lf", "a-b", jsonrpc2.InvalidParams},
		{"a reserved word", "let ha|lf", "for", requestFailed},
		{"a name that is taken", "let ha|lf", "hidden_size", requestFailed},
	}
	c, p, _ := openFamily(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p.cursorAt(t, tt.at)
			if code := c.refused("textDocument/rename", RenameParams{p.at(), tt.to}); code != tt.code {
				t.Errorf("code %d, want %d", code, tt.code)
			}
		})
	}
	p.cursorAt(t, "f|or k")
	if r := call[*WorkspaceEdit](c, "textDocument/rename", RenameParams{p.at(), "x"}); r != nil {
		t.Errorf("a keyword was renamed: %+v", r)
	}
}
