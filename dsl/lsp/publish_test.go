package lsp

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const wrong = `model m {
  config { hidden_size int = 8  unused int = 1 }
  entry forward(tokens: i32[T]) -> [T, hidden_size] {
    // größe 😀
    x = /* 😀 */ embed(tokens, w, 8, hiden_size)
    return x
  }
}
`

func TestDiagnostics(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", wrong)
	want := []string{
		`2:33-2:39 warning unused-name: the configuration key "unused" is never used`,
		`5:38-5:48 error unknown-name: unknown name "hiden_size"` + "\nhelp: did you mean \"hidden_size\"?",
	}
	got := lines(p.diagnostics())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	for _, d := range p.diagnostics() {
		if d.Source != "glmc" || d.Code == "unused-name" && !cmp.Equal(d.Tags, []int{1}) {
			t.Errorf("diagnostic %+v", d)
		}
	}

	// Mended by a change of a range, which counts UTF-16 units.
	p.version++
	p.c.notify("textDocument/didChange", DidChangeParams{DocumentID{p.uri, p.version}, []ContentChange{
		{Range: &Range{Position{4, 39}, Position{4, 40}}, Text: "dd"},
		{Range: &Range{Position{1, 30}, Position{1, 46}}, Text: ""},
	}})
	if got := lines(p.diagnostics()); len(got) > 0 {
		t.Errorf("behind the change: %v", got)
	}
	p.change("model m {")
	if got := lines(p.diagnostics()); len(got) != 1 || !strings.Contains(got[0], "unclosed-brace") {
		t.Errorf("of a broken text: %v", got)
	}
	c.notify("textDocument/didClose", DocumentParams{DocumentID{URI: p.uri}})
	if d := c.await(p.uri, func(p PublishDiagnosticsParams) bool { return p.Version == nil }); len(d) > 0 {
		t.Errorf("of a closed document: %v", lines(d))
	}
}

// TestRelatedInformation: notes are places.
func TestRelatedInformation(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", "model m {\n  let a = 1\n  let a = 2\n}\n")
	for _, d := range p.diagnostics() {
		if d.Code != "duplicate-name" {
			continue
		}
		want := []RelatedInformation{{Location{p.uri, Range{Position{1, 6}, Position{1, 7}}}, "first declared here"}}
		if diff := cmp.Diff(want, d.Related); diff != "" {
			t.Errorf("related (-want +got):\n%s", diff)
		}
		return
	}
	t.Errorf("no duplicate-name in %v", lines(p.diagnostics()))
}

// TestShapesAreChecked: the compiler's check runs too.
func TestShapesAreChecked(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", `model m {
  entry forward(tokens: i32[T]) -> [T, 8] {
    return embed(tokens, w, 8, 4)
  }
}
`)
	if got := strings.Join(lines(p.diagnostics()), "\n"); !strings.Contains(got, "shape-mismatch") {
		t.Errorf("diagnostics %s", got)
	}
}

// TestImportedFiles: what is wrong in a file that is imported is shown there, and goes when it is mended in the
// editor or on disk.
func TestImportedFiles(t *testing.T) {
	uris := write(t, map[string]string{
		"lib/blocks.glm": "block f[n](x: [T, n]) -> [T, n] {\n  return y\n}\n",
		"main.glm":       "",
	})
	c := connect(t)
	c.open(uris["main.glm"], `import f from "lib/blocks.glm"
model m {
  entry forward(tokens: i32[T]) -> [T, 4] { return f(embed(tokens, w, 8, 4)) }
}
`)
	lib := uris["lib/blocks.glm"]
	shown := func(p PublishDiagnosticsParams) bool { return len(p.Diagnostics) > 0 }
	empty := func(p PublishDiagnosticsParams) bool { return len(p.Diagnostics) == 0 }
	if got := lines(c.await(lib, shown)); !strings.Contains(strings.Join(got, "\n"), `unknown name "y"`) {
		t.Errorf("of the imported file: %v", got)
	}
	// Opened and mended in the editor, then closed unsaved.
	p := c.open(lib, "block f[n](x: [T, n]) -> [T, n] { return x }\n")
	if got := lines(p.diagnostics()); len(got) > 0 {
		t.Errorf("of the mended file: %v", got)
	}
	c.notify("textDocument/didClose", DocumentParams{DocumentID{URI: lib}})
	c.await(lib, shown)
	// Mended on disk.
	if err := os.WriteFile(pathOf(lib), []byte(p.text), 0o644); err != nil {
		t.Fatal(err)
	}
	c.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": lib, "type": 2}}})
	c.await(lib, empty)
}

// TestImportsThatLeadNowhere are found once there is something.
func TestImportsThatLeadNowhere(t *testing.T) {
	uris := write(t, map[string]string{"main.glm": ""})
	c := connect(t)
	p := c.open(uris["main.glm"], `import f from "new.glm"`+"\n")
	if got := strings.Join(lines(p.diagnostics()), "\n"); !strings.Contains(got, "import-unread") {
		t.Errorf("diagnostics %s", got)
	}
	other := strings.TrimSuffix(uris["main.glm"], "main.glm") + "new.glm"
	c.open(other, "block f[n](x: [T, n]) -> [T, n] { return x }\n")
	c.await(p.uri, func(p PublishDiagnosticsParams) bool {
		return !strings.Contains(strings.Join(lines(p.Diagnostics), ""), "import-unread")
	})
}

// TestQuickFix: a "did you mean" can be applied.
func TestQuickFix(t *testing.T) {
	c := connect(t)
	p := c.open("file:///m.glm", wrong)
	p.diagnostics()
	params := CodeActionParams{Document: DocumentID{URI: p.uri}, Range: Range{Position{4, 40}, Position{4, 40}}}
	actions := call[[]CodeAction](c, "textDocument/codeAction", params)
	if len(actions) != 1 || actions[0].Kind != quickFix || actions[0].Title != `Write "hidden_size"` || len(actions[0].Diagnostics) != 1 {
		t.Fatalf("actions %+v", actions)
	}
	want := map[string][]TextEdit{p.uri: {{Range{Position{4, 37}, Position{4, 47}}, "hidden_size"}}}
	if diff := cmp.Diff(want, actions[0].Edit.Changes); diff != "" {
		t.Errorf("edit (-want +got):\n%s", diff)
	}
	params.Range = Range{Position{0, 0}, Position{3, 0}}
	if actions := call[[]CodeAction](c, "textDocument/codeAction", params); len(actions) != 0 {
		t.Errorf("elsewhere: %+v", actions)
	}
	// A named argument is mended by its name alone.
	p.change(strings.Replace(wrong, "hiden_size)", "widht = 8)", 1))
	p.diagnostics()
	params.Range = Range{Position{4, 38}, Position{4, 38}}
	actions = call[[]CodeAction](c, "textDocument/codeAction", params)
	if len(actions) != 1 || actions[0].Edit.Changes[p.uri][0].NewText != "width" || actions[0].Edit.Changes[p.uri][0].Range.End.Character != 42 {
		t.Errorf("actions %+v", actions)
	}
}
