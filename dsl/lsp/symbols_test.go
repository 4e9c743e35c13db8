package lsp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocumentSymbols(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", `import f from "lib.glm"
block outer[n](x: [T, n]) -> [T, n] { return x }
model m {
  config {
    a int = 1
    b = broken
  }
  let c = a
  entry forward(x: i32[T]) -> [T, 8] { return }
  checkpoint { ignore "x" because "y" }
}
pipeline p for m { target h200 { tensor_parallel = 8 } require x, y }
`)
	var got []string
	var list func(indent string, symbols []DocumentSymbol)
	list = func(indent string, symbols []DocumentSymbol) {
		for _, s := range symbols {
			got = append(got, strings.TrimSpace(indent+s.Name+" ("+s.Detail)+") "+rangeText(s.Range)+" "+rangeText(s.SelectionRange))
			list(indent+"- ", s.Children)
		}
	}
	list("", call[[]DocumentSymbol](c, "textDocument/documentSymbol", DocumentParams{DocumentID{URI: p.uri}}))
	want := []string{
		"lib.glm (import) 1:1-1:24 1:15-1:24",
		"outer (block) 2:1-2:49 2:7-2:12",
		"m (model) 3:1-11:2 3:7-3:8",
		"- config () 4:3-7:4 4:3-4:9",
		"- - a (int) 5:5-5:14 5:5-5:6",
		"- c (let) 8:3-8:12 8:7-8:8",
		"- forward (entry) 9:3-9:48 9:9-9:16",
		"- checkpoint () 10:3-10:40 10:3-10:13",
		"- - x (ignore) 10:16-10:38 10:23-10:26",
		"p (pipeline for m) 12:1-12:70 12:10-12:11",
		"- target (h200) 12:20-12:55 12:20-12:26",
		"- require (x, y) 12:56-12:68 12:56-12:63",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("symbols (-want +got):\n%s", diff)
	}
}

// TestPlainSymbols: clients that cannot show levels get a list.
func TestPlainSymbols(t *testing.T) {
	c := dial(t, realOptions())
	call[InitializeResult](c, "initialize", InitializeParams{})
	p := c.open("file:///m.glm", "model m { let a = 1 }")
	got := call[[]SymbolInformation](c, "textDocument/documentSymbol", DocumentParams{DocumentID{URI: p.uri}})
	want := []SymbolInformation{
		{"m", symbolClass, Location{p.uri, Range{Position{0, 0}, Position{0, 21}}}, ""},
		{"a", symbolConstant, Location{p.uri, Range{Position{0, 10}, Position{0, 19}}}, "m"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("symbols (-want +got):\n%s", diff)
	}
}
