package lsp

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

// analysis is a program as it was at one revision: an open document with all that it imports.
type analysis struct {
	revision int
	root     *document
	program  *source.Program
	read     *diag.List // what was wrong with reading it
	facts    *facts
	texts    map[string]*text // of the program's files, by name
}

// analyse reads the program of a document. Programs are read one at a time; whoever waits for that can be cancelled.
// A document that has changed since the request came has no analysis any more.
func (s *server) analyse(ctx context.Context, d *document) (*analysis, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	revision, docs := s.revision, maps.Clone(s.docs)
	s.mu.Unlock()
	if docs[d.path] != d {
		return nil, jsonrpc2.NewError(contentModified, "the document has changed since")
	}
	if a := s.known[d.path]; a != nil && a.revision == revision {
		return a, nil
	}
	maps.DeleteFunc(s.known, func(_ string, a *analysis) bool { return a.revision != revision })
	a := &analysis{revision: revision, root: d, texts: map[string]*text{d.path: d.text}}
	a.program, a.read = source.Load(d.path, []byte(d.text.src), s.opener(docs))
	for _, f := range a.program.Files[1:] {
		a.texts[f.Name] = newText(string(f.Source), d.text.utf8)
	}
	a.facts = inspect(a.program.Files, s.o.Functions)
	s.known[d.path] = a
	return a, nil
}

// opener reads what a program imports: from the editor where it is open there, else from disk or from the binary.
func (s *server) opener(docs map[string]*document) source.Open {
	return func(name string) ([]byte, error) {
		if d := docs[name]; d != nil {
			return []byte(d.text.src), nil
		}
		if strings.HasPrefix(name, source.Carried) {
			return s.o.Open(name)
		}
		if !isFile(name) {
			return nil, fmt.Errorf("%s is no file", name)
		}
		return readFile(filepath.FromSlash(name))
	}
}

// readFile reads a source file, and nothing else: a pipe would never end.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, syntax.MaxFileSize+1)) // a byte more, so that the parser says that it is too large
}

// uri is where the client finds a file of the program: the document's own URI where it is open, and a copy of what
// only the binary has. It is empty where there is none.
func (s *server) uri(file string) string {
	s.mu.Lock()
	d := s.docs[file]
	s.mu.Unlock()
	switch {
	case d != nil:
		return d.uri
	case !strings.HasPrefix(file, source.Carried):
		return uriOf(file)
	case s.o.Copy == nil:
		return ""
	}
	name, err := s.o.Copy(file)
	if err != nil {
		s.log.printf("%s: %v", file, err)
		return ""
	}
	return uriOf(filepath.ToSlash(name))
}

// location is a span of one of the program's files as the client knows it; false where it cannot be shown.
func (s *server) location(a *analysis, span diag.Span) (Location, bool) {
	t := a.texts[span.File]
	uri := s.uri(span.File)
	if t == nil || uri == "" {
		return Location{}, false
	}
	return Location{uri, t.diag(span)}, true
}

// diag is the range of a span of the text; a span without lines is the beginning of the file.
func (t *text) diag(span diag.Span) Range {
	if span.Start.Line == 0 {
		return Range{}
	}
	return t.span(span.Start.Offset, span.End.Offset)
}
