package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"go.lsp.dev/jsonrpc2"

	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// FuzzMessages sends arbitrary lines as messages, in the middle of a conversation. Whatever they are, the server
// answers what can be answered and ends with the stream.
func FuzzMessages(f *testing.F) {
	open := `{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///m.glm","version":1,"text":"model m { let a = 1 }"}}}`
	seeds := []string{
		open + "\n" + `{"jsonrpc":"2.0","id":"x","method":"textDocument/hover","params":{"textDocument":{"uri":"file:///m.glm"},"position":{"line":0,"character":15}}}`,
		open + "\n" + `{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///m.glm","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":99},"end":{"line":0,"character":1}},"text":"\ud800"}]}}`,
		`{"jsonrpc":"2.0","id":1,"method":"textDocument/completion","params":null}` + "\n" + `{"jsonrpc":"2.0","id":1,"method":"shutdown"}` + "\n" + `{"jsonrpc":"2.0","method":"exit"}`,
		`{"jsonrpc":"2.0","id":7,"result":{}}` + "\n[]\n[1]\n" + `{"jsonrpc":"2.0","id":null,"method":"initialize"}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":{}}}` + "\n{\n\"\n" + `{"id":1.5,"method":"exit"}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"glmc:x","text":"import x from \"glmc:x\""}}}`,
		open + "\n" + strings.Replace(open, `"version":1`, `"version":1e99`, 1) + "\n" + `{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"file:///m.glm"}}}`,
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		send := framed(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}}`)
		for line := range strings.SplitSeq(text, "\n") {
			send += framed(line)
		}
		out, _ := converse(send)
		if strings.Contains(out, "failed inside glmc") {
			t.Errorf("a request broke the server: %s", out)
		}
	})
}

// FuzzBytes sends arbitrary bytes.
func FuzzBytes(f *testing.F) {
	f.Add("Content-Length: 2\r\n\r\n{}")
	f.Add("content-length:2\n\n{}Content-Length: 99999999999999999999\r\n\r\n")
	f.Add("Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}")
	f.Fuzz(func(_ *testing.T, send string) {
		_, _ = converse(send)
	})
}

// FuzzText asks everything that can be asked about a place in an arbitrary text. Nothing breaks, and every edit and
// every range lies in the text.
func FuzzText(f *testing.F) {
	for _, name := range []string{"../../models/glm4moe/model.glm", "../check/testdata/flow.glm", "../check/testdata/blocks.glm"} {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src), uint(len(src)/2))
		f.Add(string(src[:len(src)/2]), uint(len(src)/2))
	}
	for _, s := range []string{in("<body>", "x = mlp(h, |"), in("<model>", "checkpoint { alias \"a.{|"), in("<pipeline>", "draft mtp { |"), "import |,,from\"", "block f(a:b(c,d|", "\"|", "/*|", "}}|{{((]", "é|\"{\xff"} {
		front, back, _ := strings.Cut(s, "|")
		f.Add(front+back, uint(len(front)))
	}
	o := realOptions()
	o.Check = func(f *syntax.File) *diag.List { return check.File(f, o.Functions) }
	o.Copy = func(name string) (string, error) { return "/" + name, nil }
	f.Fuzz(func(t *testing.T, src string, offset uint) {
		s := newServer(t.Context(), o)
		if _, err := s.initialize(&InitializeParams{}); err != nil {
			t.Fatal(err)
		}
		const uri = "file:///nowhere/m.glm"
		if _, err := s.didOpen(&DidOpenParams{TextDocumentItem{URI: uri, Version: 1, Text: src}}); err != nil {
			t.Fatal(err)
		}
		d, err := s.document(uri)
		if err != nil {
			t.Fatal(err)
		}
		at := PositionParams{DocumentID{URI: uri}, d.text.position(int(offset % uint(len(src)+1)))}
		for name, params := range map[string]any{
			"textDocument/hover": at, "textDocument/definition": at, "textDocument/completion": at, "textDocument/signatureHelp": at,
			"textDocument/references": ReferenceParams{PositionParams: at}, "textDocument/documentHighlight": at,
			"textDocument/prepareRename": at, "textDocument/rename": RenameParams{at, "fresh_name"},
			"textDocument/documentSymbol": DocumentParams{DocumentID{URI: uri}}, "textDocument/formatting": DocumentParams{DocumentID{URI: uri}},
		} {
			ask(t, s, name, params)
		}
		a, err := s.analyse(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		s.board.checked[d.path] = s.check(a, nil)
		s.board.merge()
		ask(t, s, "textDocument/codeAction", CodeActionParams{Document: at.Document, Range: Range{End: d.text.position(len(src))}})
	})
}

// ask makes a request without a connection. It may be refused.
func ask(t *testing.T, s *server, name string, params any) {
	raw, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	do, err := methods[name].request(s, raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	result, err := do(context.Background())
	var refused *jsonrpc2.Error
	if err != nil && !errors.As(err, &refused) {
		t.Errorf("%s: %v", name, err)
	}
	if list, ok := result.(CompletionList); ok {
		for _, i := range list.Items {
			if i.TextEdit.Range.Start.Line != i.TextEdit.Range.End.Line || before(i.TextEdit.Range.End, i.TextEdit.Range.Start) {
				t.Errorf("%s replaces %+v", i.Label, i.TextEdit.Range)
			}
		}
	}
	if err := json.NewEncoder(io.Discard).Encode(result); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
