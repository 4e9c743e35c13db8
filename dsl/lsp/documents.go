package lsp

import (
	"time"

	"go.lsp.dev/jsonrpc2"
)

// document is an open document at one version. It never changes: a change makes a new one.
type document struct {
	uri     string // as the client writes it
	path    string
	version int32
	text    *text
}

func (s *server) didOpen(p *DidOpenParams) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p.Document.Text) > maxText {
		return nil, errTooLarge
	}
	d := p.Document
	s.put(&document{uri: d.URI, path: pathOf(d.URI), version: d.Version, text: newText(d.Text, s.utf8)})
	return nil, nil
}

func (s *server) didChange(p *DidChangeParams) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.opened(p.Document.URI)
	if err != nil {
		return nil, err
	}
	changed, err := old.text.change(p.Changes)
	if err != nil {
		s.drop(old)
		return nil, err
	}
	s.put(&document{uri: old.uri, path: old.path, version: p.Document.Version, text: changed})
	return nil, nil
}

func (s *server) didClose(p *DocumentParams) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.opened(p.Document.URI)
	if err != nil {
		return nil, err
	}
	s.drop(d)
	return nil, nil
}

// didSave checks everything again: the client may not watch files.
func (s *server) didSave(*DocumentParams) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch()
	return nil, nil
}

// didChangeFiles is told that some .glm file changed on disk.
func (s *server) didChangeFiles(*struct{}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch()
	return nil, nil
}

// put makes d the present version of its document.
func (s *server) put(d *document) {
	s.docs[d.path] = d
	s.touch()
}

func (s *server) drop(d *document) {
	delete(s.docs, d.path)
	s.touch()
}

// touch says that something changed that programs are read from. Any open document may import what did; those that
// do not are found unchanged by reading them, which takes milliseconds.
func (s *server) touch() {
	s.revision++
	s.changed = time.Now()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// opened is the document of a URI; s.mu is held.
func (s *server) opened(uri string) (*document, error) {
	if d := s.docs[pathOf(uri)]; d != nil {
		return d, nil
	}
	return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the document %.200q is not open", uri)
}

// document is the open document of a URI.
func (s *server) document(uri string) (*document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened(uri)
}
