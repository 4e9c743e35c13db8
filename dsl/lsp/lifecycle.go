package lsp

import (
	"context"
	"encoding/json"
	"slices"

	"go.lsp.dev/jsonrpc2"
)

func (s *server) initialize(p *InitializeParams) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.client = serving, p.Capabilities
	encoding := encodingUTF16 // the one that every client has
	if slices.Contains(p.Capabilities.General.PositionEncodings, encodingUTF8) {
		encoding, s.utf8 = encodingUTF8, true
	}
	return InitializeResult{
		ServerInfo: ServerInfo{Name: "glmc", Version: s.o.Version},
		Capabilities: ServerCapabilities{
			PositionEncoding:   encoding,
			TextDocumentSync:   TextDocumentSyncOptions{OpenClose: true, Change: 2, Save: true},
			Completion:         CompletionOptions{TriggerCharacters: []string{"(", ",", ":", "[", "{", "=", "\"", "/"}},
			SignatureHelp:      SignatureHelpOptions{TriggerCharacters: []string{"(", ","}},
			Hover:              true,
			Definition:         true,
			References:         true,
			DocumentHighlight:  true,
			DocumentSymbol:     true,
			CodeAction:         CodeActionOptions{Kinds: []string{quickFix}},
			DocumentFormatting: true,
			Rename:             &RenameOptions{Prepare: true},
		},
	}, nil
}

// initialized asks the client to tell when .glm files change on disk: open documents may import them.
func (s *server) initialized(*struct{}) (work, error) {
	s.mu.Lock()
	watch := s.client.Workspace.DidChangeWatchedFiles.DynamicRegistration
	s.mu.Unlock()
	return func(ctx context.Context) (any, error) {
		if !watch {
			return nil, nil
		}
		_, err := s.conn.Call(ctx, "client/registerCapability", RegistrationParams{[]Registration{{
			ID: "glm-files", Method: "workspace/didChangeWatchedFiles", Options: WatchOptions{[]Watcher{{"**/*.glm"}}},
		}}}, nil)
		return nil, err
	}, nil
}

func (s *server) shutdown(*struct{}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = shutDown
	return nil, nil
}

// cancel withdraws a request: it waits for nothing any more, and is answered with an error.
func (s *server) cancel(p *CancelParams) (any, error) {
	var id jsonrpc2.ID
	var number int64
	var word string
	switch {
	case json.Unmarshal(p.ID, &number) == nil:
		id = jsonrpc2.NewNumberID(number)
	case json.Unmarshal(p.ID, &word) == nil:
		id = jsonrpc2.NewStringID(word)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[id]; cancel != nil {
		cancel()
	}
	return nil, nil
}
