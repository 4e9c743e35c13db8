package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/syntax"
)

// signature is what a call of a function or a block looks like.
type signature struct {
	label  string
	params []parameter
	places [][2]int // of the parameters in the label, in bytes
	doc    string
}

// kindTexts are the kinds of parameters as signatures show them, in the words of the language where it has one.
var kindTexts = map[builtin.Kind]string{
	builtin.Tensor: "tensor", builtin.Weight: weightText, builtin.Int: "int", builtin.Float: "float", builtin.Bool: "bool",
	builtin.String: "string", builtin.Body: "expression of e",
}

const weightText = "weight"

// functionSignature describes a function of the compiler, with the patterns of the shapes that it takes and gives:
// "linear(x: [.., d], w: weight, out: int, bias?: bool) -> [.., out]".
func functionSignature(f *builtin.Func) *signature {
	s := &signature{doc: f.Doc}
	var text strings.Builder
	text.WriteString(f.Name + "(")
	for i, p := range f.Params {
		if i > 0 {
			text.WriteString(", ")
		}
		start := text.Len()
		text.WriteString(p.Name)
		if p.Optional {
			text.WriteByte('?')
		}
		kind := kindTexts[p.Kind]
		if f.Shapes != nil && p.Kind == builtin.Tensor {
			kind = shapeText(f.Shapes.Params[p.Name])
		}
		text.WriteString(": " + kind)
		s.params = append(s.params, parameter{p.Name, kind})
		s.places = append(s.places, [2]int{start, text.Len()})
	}
	text.WriteByte(')')
	switch {
	case f.Shapes != nil:
		var results []string
		for _, r := range f.Shapes.Results {
			results = append(results, shapeText(r))
		}
		text.WriteString(" -> " + strings.Join(results, ", "))
	case f.Value != builtin.Tensor:
		text.WriteString(" -> " + kindTexts[f.Value])
	}
	s.label = text.String()
	return s
}

// shapeText is a pattern as a type of the language: with the dtype where it is a certain one.
func shapeText(p builtin.Pattern) string {
	p.Like = ""
	if p.DType == "act" {
		p.DType = ""
	}
	return p.String()
}

// blockSignature describes a block by its header.
func blockSignature(src []byte, b *syntax.Block) *signature {
	text := src[b.Pos.Offset:max(b.Pos.Offset, b.Body.Pos.Offset)]
	s := labelled(headerText(withoutComments(syntax.Tokens("", text))), nil)
	for _, p := range b.Params {
		t := src[p.Type.Pos.Offset:p.Type.EndPos.Offset]
		s.params = append(s.params, parameter{p.Name.Name, headerText(withoutComments(syntax.Tokens("", t)))})
	}
	return labelled(s.label, s.params)
}

func withoutComments(words []syntax.Token) []syntax.Token {
	return slices.DeleteFunc(words, func(w syntax.Token) bool { return w.Kind == syntax.CommentToken })
}

// labelled finds the parameters in a header.
func labelled(label string, params []parameter) *signature {
	s := &signature{label: label, params: params}
	from := strings.IndexByte(label, '(') + 1
	for _, p := range params {
		text := p.name + ": " + p.kind
		at := strings.Index(label[from:], text)
		if at < 0 {
			s.places = append(s.places, [2]int{from, from})
			continue
		}
		s.places = append(s.places, [2]int{from + at, from + at + len(text)})
		from += at + len(text)
	}
	return s
}

// signature finds what a name means in a call at the cursor; nil if nothing that is known.
func (s *server) signature(ctx context.Context, d *document, o *outline, name string) *signature {
	for _, n := range o.names {
		switch {
		case n.name != name || n.model != none && n.model != o.cursor.model:
		case n.what == "block":
			return labelled(n.detail, n.params)
		case n.what == "import":
			a, err := s.analyse(ctx, d)
			if err != nil {
				return nil
			}
			if b := a.program.Root.Block(name); b != nil {
				return blockSignature(b.File.Source, b)
			}
			return nil
		}
	}
	if f := s.o.Functions[name]; f != nil {
		return functionSignature(f)
	}
	return nil
}

// signatureHelp shows the signature of the innermost call that the cursor is in.
func (s *server) signatureHelp(p *PositionParams) (work, error) {
	d, err := s.document(p.Document.URI)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (any, error) {
		o := read(d.text.src, d.text.offset(p.Position))
		if w := o.cursor.inside; w != nil && w.Kind == syntax.CommentToken {
			return nil, nil
		}
		for i, f := range slices.Backward(o.cursor.frames) {
			if f.open == "{" || f.open == "" {
				break
			}
			if f.callee == "" {
				continue
			}
			sig := s.signature(ctx, d, o, f.callee)
			if sig == nil {
				return nil, nil
			}
			inside := len(o.words)
			if i+1 < len(o.cursor.frames) {
				inside = o.cursor.frames[i+1].at
			}
			return sig.help(sig.active(o.words[f.at+1:inside], f)), nil
		}
		return nil, nil
	}, nil
}

// active is the number of the parameter that the present argument is for. It is the number of parameters where there
// is none.
func (sig *signature) active(words []syntax.Token, f frame) int {
	at := f.arg - f.at - 1
	if at+1 < len(words) && words[at+1].Text == "=" {
		name := words[at].Text
		if i := slices.IndexFunc(sig.params, func(p parameter) bool { return p.name == name }); i >= 0 {
			return i
		}
		return len(sig.params)
	}
	return min(f.commas, len(sig.params))
}

func (sig *signature) help(active int) SignatureHelp {
	info := SignatureInformation{Label: sig.label, Parameters: []ParameterInformation{}}
	if sig.doc != "" {
		info.Documentation = markdown(sig.doc)
	}
	for _, p := range sig.places {
		info.Parameters = append(info.Parameters, ParameterInformation{
			Label: [2]int{units16(sig.label[:p[0]]), units16(sig.label[:p[1]])},
		})
	}
	return SignatureHelp{Signatures: []SignatureInformation{info}, ActiveParameter: active}
}
