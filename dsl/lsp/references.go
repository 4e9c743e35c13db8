package lsp

import (
	"context"
	"regexp"
	"slices"

	"go.lsp.dev/jsonrpc2"

	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/source"
)

// named answers a request about the name at the cursor, with everything about its program. Where no name stands there
// the answer is null.
func (s *server) named(p *PositionParams, answer func(a *analysis, r *check.Ref) (any, error)) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (any, error) {
		a, err := s.analyse(ctx, d)
		if err != nil {
			return nil, err
		}
		r := a.facts.At(d.path, d.text.offset(p.Position))
		if r == nil {
			return nil, nil
		}
		return answer(a, r)
	}, nil
}

// references lists the uses of the name at the cursor, in the document and in what it imports.
func (s *server) references(p *ReferenceParams) (work, error) {
	return s.named(&p.PositionParams, func(a *analysis, r *check.Ref) (any, error) {
		list := []Location{}
		for _, use := range a.facts.sameAs(r) {
			if isDeclaration(&use) && !p.Context.IncludeDeclaration {
				continue
			}
			if at, ok := s.location(a, use.Use.Diag()); ok {
				list = append(list, at)
			}
		}
		return list, nil
	})
}

// highlight lists the places in the document where the name at the cursor stands.
func (s *server) highlight(p *PositionParams) (work, error) {
	return s.named(p, func(a *analysis, r *check.Ref) (any, error) {
		list := []DocumentHighlight{}
		for _, use := range a.facts.sameAs(r) {
			if use.Use.Pos.Filename == a.root.path {
				list = append(list, DocumentHighlight{a.root.text.diag(use.Use.Diag())})
			}
		}
		return list, nil
	})
}

// prepareRename says what a rename at the cursor would replace.
func (s *server) prepareRename(p *PositionParams) (work, error) {
	return s.named(p, func(a *analysis, r *check.Ref) (any, error) {
		if err := renamable(a, r); err != nil {
			return nil, err
		}
		return a.root.text.diag(r.Use.Diag()), nil
	})
}

// renamable refuses names that mean something outside of the document.
func renamable(a *analysis, r *check.Ref) error {
	switch {
	case r.What == "configuration key":
		return jsonrpc2.Errorf(requestFailed, "%s is the name of a key in config.json: a let can give its value another name", r.Name)
	case r.What == "import" || r.Def.Pos.Line > 0 && r.Def.Pos.Filename != a.root.path:
		return jsonrpc2.Errorf(requestFailed, "%s comes from another file: `import %s as ...` gives it another name here", r.Name, r.Name)
	case r.Def.Pos.Line == 0:
		return jsonrpc2.Errorf(requestFailed, "%s is a name of the language", r.Name)
	case r.What == "entry":
		return jsonrpc2.Errorf(requestFailed, "the runtime calls entries by their names")
	}
	return nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// rename replaces a name wherever it stands in the document. What would not mean the same afterwards is refused.
func (s *server) rename(p *RenameParams) (work, error) {
	return s.named(&p.PositionParams, func(a *analysis, r *check.Ref) (any, error) {
		if err := renamable(a, r); err != nil {
			return nil, err
		}
		if !identifier.MatchString(p.NewName) {
			return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%.100q is no name", p.NewName)
		}
		var edits []TextEdit
		for _, use := range a.facts.sameAs(r) {
			if use.Use.Pos.Filename == a.root.path {
				edits = append(edits, TextEdit{a.root.text.diag(use.Use.Diag()), p.NewName})
			}
		}
		if err := s.harmless(a, edits); err != nil {
			return nil, err
		}
		return WorkspaceEdit{map[string][]TextEdit{a.root.uri: edits}}, nil
	})
}

// harmless checks the program as it would be after a rename, if it is right before.
func (s *server) harmless(a *analysis, edits []TextEdit) error {
	if a.read.HasErrors() || check.File(a.program.Root, s.o.Functions).HasErrors() {
		return nil // nobody can tell
	}
	// From the last edit to the first, so that none moves the places of another.
	slices.SortFunc(edits, func(x, y TextEdit) int {
		if before(y.Range.Start, x.Range.Start) {
			return -1
		}
		return 1
	})
	var changes []ContentChange
	for _, e := range edits {
		changes = append(changes, ContentChange{&e.Range, e.NewText})
	}
	t, err := a.root.text.change(changes)
	if err != nil {
		return err
	}
	s.mu.Lock()
	docs := map[string]*document{}
	for path, d := range s.docs {
		docs[path] = d
	}
	s.mu.Unlock()
	program, list := source.Load(a.root.path, []byte(t.src), s.opener(docs))
	if !program.Broken {
		list.Append(check.File(program.Root, s.o.Functions))
	}
	if list.HasErrors() {
		return jsonrpc2.Errorf(requestFailed, "the file would not be right any more: %v", list.Err())
	}
	return nil
}
