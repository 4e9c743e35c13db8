package lsp

import (
	"context"
	"fmt"
	"strings"

	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/pipeline"
	"github.com/glmc/glmc/dsl/syntax"
)

// hover says what the name at the cursor is.
func (s *server) hover(p *PositionParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (any, error) {
		a, err := s.analyse(ctx, d)
		if err != nil {
			return nil, err
		}
		w, next := wordAt(d, d.text.offset(p.Position))
		if w == nil {
			return nil, nil
		}
		span, text := s.about(a, w, next, d.text.offset(p.Position))
		if text == "" {
			return nil, nil
		}
		return Hover{MarkupContent{"markdown", text}, span}, nil
	}, nil
}

// wordAt is the name or string at an offset, or in front of it, with the text of the word behind it; nil if there is
// none.
func wordAt(d *document, offset int) (w *syntax.Token, next string) {
	words := withoutComments(syntax.Tokens("", []byte(d.text.src)))
	for i := range words {
		if words[i].End.Offset < offset {
			continue
		}
		if words[i].Pos.Offset > offset {
			return nil, ""
		}
		if !isName(words[i]) && words[i].Kind != syntax.StringToken {
			continue // a name may begin right behind it
		}
		if i+1 < len(words) {
			next = words[i+1].Text
		}
		return &words[i], next
	}
	return nil, ""
}

// about describes a word in Markdown; "" where there is nothing to say.
func (s *server) about(a *analysis, w *syntax.Token, next string, offset int) (Range, string) {
	t := a.root.text
	gives := ""
	if typ, ok := a.facts.TypeAt(a.root.path, w.Pos.Offset); ok && next == "(" && typ.Span.Pos.Offset <= w.Pos.Offset {
		gives = "\n\ngives `" + typ.Type + "` here"
	}
	if r := a.facts.At(a.root.path, offset); r != nil {
		return t.diag(r.Use.Diag()), s.describe(a, r) + gives
	}
	if !isName(*w) {
		return Range{}, ""
	}
	span := t.span(w.Pos.Offset, w.End.Offset)
	if f := s.o.Functions[w.Text]; f != nil && next == "(" {
		return span, code(functionSignature(f).label) + "\n\n" + f.Doc + gives
	}
	return span, s.aboutPipeline(t.src, w)
}

// aboutPipeline describes the settings of a pipeline by an example, and the passes that it requires.
func (s *server) aboutPipeline(src string, w *syntax.Token) string {
	c := read(src, w.End.Offset).cursor
	if c.top().place != inPipeline {
		return ""
	}
	if len(c.head) == 0 {
		for _, setting := range pipeline.Vocabulary() {
			if setting.Name == w.Text {
				return "setting of a pipeline, for example\n\n" + code(setting.Example)
			}
		}
	} else if c.head[0].Text == "require" {
		for _, p := range s.o.Passes {
			if p.Name == w.Text {
				return "pass " + p.Name + ": " + p.Doc
			}
		}
	}
	return ""
}

// describe says what a name is, how it is declared, and of which type.
func (s *server) describe(a *analysis, r *check.Ref) string {
	var d *declaration
	for _, f := range a.program.Files {
		if f.Name == r.Def.Pos.Filename {
			d = declarationOf(f, r.Def.Diag())
		}
	}
	if d == nil {
		d = &declaration{text: r.Name}
	}
	parts := []string{code(d.text), r.What}
	if r.Type != "" && !isHeader(r.What) {
		parts[1] += " of type `" + r.Type + "`"
	}
	if d.field != nil {
		parts[1] += " of model " + d.model + ": " + keyText(a, r.Def.Pos.Filename, d.field)
	}
	if d.about != "" {
		parts = append(parts, d.about)
	}
	if r.Def.Pos.Line > 0 && r.Def.Pos.Filename != a.root.path {
		parts = append(parts, "in "+r.Def.Pos.Filename)
	}
	return strings.Join(parts, "\n\n")
}

// isHeader reports whether the type of such names is their header, which the declaration shows.
func isHeader(what string) bool { return what == "block" || what == "import" }

// keyText says where the value of a configuration key comes from.
func keyText(a *analysis, file string, f *syntax.Field) string {
	places := []string{"`" + f.Name.Name + "`"}
	for _, p := range f.From {
		places = append(places, "`"+p.Value+"`")
	}
	text := fmt.Sprintf("%s in config.json", strings.Join(places, " or "))
	if f.Default == nil {
		return text + ", without a default"
	}
	t := a.texts[file]
	if t == nil {
		return text
	}
	value := sourceOf([]byte(t.src), f.Default)
	if f.Else != nil {
		return text + ", or `" + sourceOf([]byte(t.src), f.Else) + "`; without a config.json it is `" + value + "`"
	}
	if f.MayMiss() {
		return text + ", optional; the default is `" + value + "`"
	}
	return text + "; without a config.json it is `" + value + "`"
}

func code(text string) string { return "```glm\n" + text + "\n```" }
