package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/glmc/glmc/dsl/diag"
)

// board is what is known to be wrong, and what of it the client was told.
type board struct {
	checked map[string]*checked // by path of the open document
	shown   map[string][]byte   // the last message about a file, by its URI

	mu       sync.Mutex
	findings map[string][]finding // by path of the file, as last shown
}

func newBoard() *board {
	return &board{checked: map[string]*checked{}, shown: map[string][]byte{}, findings: map[string][]finding{}}
}

// checked is the outcome of checking a program.
type checked struct {
	sources  map[string]string // what the program was read from, by file
	findings map[string][]finding
}

// finding is a diagnostic with what would mend it.
type finding struct {
	diagnostic Diagnostic
	fix        *fix // nil: it takes a person
}

// about returns what the client was last told about a file.
func (b *board) about(path string) []finding {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.findings[path]
}

// publishing checks the open documents when something has changed and then rested for the delay, until the context
// ends. It is the only goroutine that the server starts itself.
func (s *server) publishing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		if !s.rest(ctx) {
			return
		}
		s.publish(ctx)
	}
}

// rest waits until nothing has changed for the delay, but not forever: who types without a pause wants to see
// mistakes as well. It is false when the context has ended.
func (s *server) rest(ctx context.Context) bool {
	limit := time.Now().Add(5 * s.o.Delay)
	for {
		s.mu.Lock()
		until := s.changed.Add(s.o.Delay)
		s.mu.Unlock()
		if until.After(limit) {
			until = limit
		}
		wait := time.Until(until)
		if wait <= 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

// publish checks what has changed and tells the client what is different. Where something changes meanwhile, it
// tells nothing: it has been woken again.
func (s *server) publish(ctx context.Context) {
	s.mu.Lock()
	revision, docs := s.revision, maps.Clone(s.docs)
	s.mu.Unlock()
	for path := range s.board.checked {
		if docs[path] == nil {
			delete(s.board.checked, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(docs)) {
		a, err := s.analyse(ctx, docs[path])
		if err != nil || a.revision != revision {
			return
		}
		s.board.checked[path] = s.check(a, s.board.checked[path])
	}
	s.mu.Lock()
	same := s.revision == revision
	s.mu.Unlock()
	if same {
		s.show(ctx, docs)
	}
}

// check is the outcome of checking a program; before is that of the last time, which stands where the texts are the
// same.
func (s *server) check(a *analysis, before *checked) *checked {
	c := &checked{sources: map[string]string{}, findings: map[string][]finding{}}
	for name, t := range a.texts {
		c.sources[name] = t.src
	}
	if before != nil && maps.Equal(before.sources, c.sources) && !a.read.HasErrors() {
		return before
	}
	list := &diag.List{}
	list.Append(a.read)
	if !a.program.Broken {
		list.Append(s.checkDeeply(a))
	}
	list.Sort()
	for _, d := range list.All() {
		file := d.File
		if a.texts[file] == nil {
			file = a.root.path // about no file of the program: it is shown where the program begins
		}
		c.findings[file] = append(c.findings[file], s.finding(a, d))
	}
	return c
}

// checkDeeply runs the compiler's check. If it breaks, the editor goes on without it.
func (s *server) checkDeeply(a *analysis) (list *diag.List) {
	defer func() {
		if r := recover(); r != nil {
			s.log.printf("checking %s: panic: %v\n%s", a.root.path, r, debug.Stack())
		}
	}()
	return s.o.Check(a.program.Root)
}

// unnecessary are the diagnostics about text that could be left out; editors show it in grey.
var unnecessary = map[string]bool{"unused-name": true, "unreachable-statement": true}

// finding translates a diagnostic.
func (s *server) finding(a *analysis, d *diag.Diagnostic) finding {
	w := Diagnostic{Severity: severityError, Code: d.ID, Source: "glmc", Message: d.Message}
	if d.Severity == diag.Warning {
		w.Severity = severityWarning
	}
	if unnecessary[d.ID] {
		w.Tags = []int{1}
	}
	var mend *fix
	if t := a.texts[d.File]; t != nil {
		w.Range = t.diag(d.Span)
		mend = repair(t, d)
	}
	for _, n := range d.Notes {
		if at, ok := s.location(a, n.Span); ok {
			w.Related = append(w.Related, RelatedInformation{at, n.Message})
			continue
		}
		place := n.Span.String()
		if place != "" {
			place += ": "
		}
		w.Message += "\nnote: " + place + n.Message
	}
	if d.Suggestion != "" {
		w.Message += "\nhelp: " + d.Suggestion
	}
	return finding{w, mend}
}

// show sends what is different from what the client knows: files that are wrong now, and those that were. Files that
// only the binary has are nobody's to mend.
func (s *server) show(ctx context.Context, docs map[string]*document) {
	found := s.board.merge()
	uris := map[string]bool{}
	for path := range found {
		if isFile(path) || docs[path] != nil {
			uris[s.uri(path)] = true
		}
	}
	for _, d := range docs {
		uris[d.uri] = true
	}
	for uri := range s.board.shown {
		uris[uri] = true
	}
	for _, uri := range slices.Sorted(maps.Keys(uris)) {
		p := PublishDiagnosticsParams{URI: uri, Diagnostics: []Diagnostic{}}
		for _, f := range found[pathOf(uri)] {
			p.Diagnostics = append(p.Diagnostics, f.diagnostic)
		}
		if d := docs[pathOf(uri)]; d != nil {
			p.Version = &d.version
		}
		message, err := json.Marshal(p)
		if err != nil || bytes.Equal(s.board.shown[uri], message) {
			continue
		}
		s.board.shown[uri] = message
		if p.Version == nil && len(p.Diagnostics) == 0 {
			delete(s.board.shown, uri)
		}
		if err := s.conn.Notify(ctx, "textDocument/publishDiagnostics", p); err != nil {
			return // the connection is gone
		}
	}
}

// merge puts together what the programs say about each file. Several may import it and say the same.
func (b *board) merge() map[string][]finding {
	found := map[string][]finding{}
	for _, root := range slices.Sorted(maps.Keys(b.checked)) {
		for file, list := range b.checked[root].findings {
			for _, f := range list {
				if !slices.ContainsFunc(found[file], f.same) {
					found[file] = append(found[file], f)
				}
			}
		}
	}
	b.mu.Lock()
	b.findings = found
	b.mu.Unlock()
	return found
}

// same reports whether two findings say the same about the same place.
func (f finding) same(g finding) bool {
	x, y := f.diagnostic, g.diagnostic
	return x.Range == y.Range && x.Code == y.Code && x.Message == y.Message
}
