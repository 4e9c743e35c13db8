package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/dsl/diag"
)

// Bounds of a config.json. Real ones have a few kilobytes; quantised models list their exceptions, which
// takes up to half a megabyte.
const (
	MaxDocumentSize = 4 << 20
	maxDepth        = 64
)

// Document is a parsed config.json. It remembers where everything stands.
type Document struct {
	Name string // what diagnostics call the file
	Text []byte // of the file
	root *node
}

// node is a JSON value.
type node struct {
	place  diag.Span
	value  any // nil, bool, string or json.Number; for objects and arrays, see below
	keys   []string
	fields map[string]*field // of an object
	elems  []*node           // of an array
	isList bool
}

// field is a key of a JSON object with its value.
type field struct {
	key   diag.Span
	value *node
}

// DocumentError is a mistake in a config.json, at its place.
type DocumentError struct {
	Place   diag.Span
	Message string
}

// Error implements error: "config.json:line:column: message".
func (e *DocumentError) Error() string { return e.Place.String() + ": " + e.Message }

// Parse reads a config.json: one strict JSON object of at most MaxDocumentSize bytes without duplicate keys.
// Name is what diagnostics call the file. The error is a *DocumentError.
func Parse(name string, data []byte) (*Document, error) {
	p := &documentParser{name: name, data: data, place: diag.Pos{Line: 1, Column: 1}}
	if len(data) > MaxDocumentSize {
		return nil, &DocumentError{diag.Span{File: name}, fmt.Sprintf("the file has %d bytes; the limit is %d", len(data), MaxDocumentSize)}
	}
	if !utf8.Valid(data) {
		return nil, &DocumentError{diag.Span{File: name}, "the file is not UTF-8 text"}
	}
	p.dec = json.NewDecoder(bytes.NewReader(data))
	p.dec.UseNumber()
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if root.fields == nil {
		return nil, &DocumentError{root.place, "expected a JSON object"}
	}
	if _, _, err := p.token(); !errors.Is(err, io.EOF) {
		return nil, &DocumentError{p.span(len(data)), "there is something behind the JSON object"}
	}
	return &Document{Name: name, Text: data, root: root}, nil
}

// documentParser builds the tree from encoding/json's tokens, which come without their places.
type documentParser struct {
	name  string
	data  []byte
	dec   *json.Decoder
	place diag.Pos // as far as the lines are counted
}

// token returns the next token and its place.
func (p *documentParser) token() (json.Token, diag.Span, error) {
	from := int(p.dec.InputOffset())
	for from < len(p.data) && strings.IndexByte(" \t\r\n,:", p.data[from]) >= 0 {
		from++
	}
	p.advance(from)
	t, err := p.dec.Token()
	span := p.span(max(int(p.dec.InputOffset()), from))
	if err == nil || errors.Is(err, io.EOF) {
		return t, span, err
	}
	return nil, span, p.syntaxError(err, span)
}

func (p *documentParser) syntaxError(err error, span diag.Span) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && int(syntax.Offset) > p.place.Offset {
		p.advance(min(int(syntax.Offset)-1, len(p.data)))
		span = p.span(p.place.Offset)
	}
	return &DocumentError{span, "this is no JSON: " + err.Error()}
}

// advance counts lines and columns up to offset.
func (p *documentParser) advance(offset int) {
	for p.place.Offset < offset {
		p.place.Column++
		if p.data[p.place.Offset] == '\n' {
			p.place.Line, p.place.Column = p.place.Line+1, 1
		}
		p.place.Offset++
	}
}

// span is from the present place to the offset end; JSON's tokens do not contain line ends.
func (p *documentParser) span(end int) diag.Span {
	to := p.place
	to.Column += end - to.Offset
	to.Offset = end
	return diag.Span{File: p.name, Start: p.place, End: to}
}

func (p *documentParser) value(depth int) (*node, error) {
	t, span, err := p.token()
	if errors.Is(err, io.EOF) {
		return nil, &DocumentError{span, "this is no JSON: unexpected end of the file"}
	}
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, &DocumentError{span, fmt.Sprintf("nested deeper than %d levels", maxDepth)}
	}
	switch t {
	case json.Delim('{'):
		return p.object(span, depth)
	case json.Delim('['):
		return p.array(span, depth)
	}
	return &node{place: span, value: t}, nil
}

func (p *documentParser) object(place diag.Span, depth int) (*node, error) {
	n := &node{place: place, fields: map[string]*field{}}
	for p.dec.More() {
		t, span, err := p.token()
		if err != nil {
			return nil, ended(err, span)
		}
		key, ok := t.(string)
		if !ok {
			return nil, &DocumentError{span, "this is no JSON: expected a key"}
		}
		if first, ok := n.fields[key]; ok {
			return nil, &DocumentError{span, fmt.Sprintf("the key %q is there twice; first at %s", shorten(key), first.key)}
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.keys = append(n.keys, key)
		n.fields[key] = &field{span, v}
	}
	_, span, err := p.token() // "}"
	return n, ended(err, span)
}

func (p *documentParser) array(place diag.Span, depth int) (*node, error) {
	n := &node{place: place, isList: true}
	for p.dec.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.elems = append(n.elems, v)
	}
	_, span, err := p.token() // "]"
	return n, ended(err, span)
}

// ended turns the end of the file in the middle of a value into an error of ours.
func ended(err error, span diag.Span) error {
	if errors.Is(err, io.EOF) {
		return &DocumentError{span, "this is no JSON: unexpected end of the file"}
	}
	return err
}

// Item is a value of the document.
type Item struct {
	Path string    // "rope_parameters.rope_theta"
	Key  diag.Span // where its key stands
	node *node
}

// Lookup finds a value by the keys that lead to it, joined by dots. A value that is null is found like any
// other, see Item.Null.
func (d *Document) Lookup(path string) (Item, bool) {
	item := Item{Path: path, node: d.root}
	for _, key := range strings.Split(path, ".") {
		f, ok := item.node.fields[key]
		if !ok {
			return Item{}, false
		}
		item.Key, item.node = f.key, f.value
	}
	return item, true
}

// Keys returns the keys of the document's outermost object in the order of the file.
func (d *Document) Keys() []string { return d.root.keys }

// Null reports whether the value is JSON's null.
func (it Item) Null() bool { return it.node.kind() == "null" }

// Value returns the value as encoding/json would, with numbers as json.Number: nil, bool, string,
// json.Number, []any or map[string]any.
func (it Item) Value() any { return it.node.plain() }

func (n *node) plain() any {
	switch {
	case n.fields != nil:
		m := make(map[string]any, len(n.fields))
		for k, f := range n.fields {
			m[k] = f.value.plain()
		}
		return m
	case n.isList:
		list := make([]any, len(n.elems))
		for i, e := range n.elems {
			list[i] = e.plain()
		}
		return list
	}
	return n.value
}

// kind names the JSON type in messages.
func (n *node) kind() string {
	switch n.value.(type) {
	case bool:
		return "true or false"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	}
	switch {
	case n.fields != nil:
		return "an object"
	case n.isList:
		return "a list"
	}
	return "null"
}

// describe is the value as messages show it.
func (n *node) describe() string {
	switch v := n.value.(type) {
	case bool:
		return fmt.Sprint(v)
	case string:
		return fmt.Sprintf("%q", shorten(v))
	case json.Number:
		return shorten(v.String())
	}
	return n.kind()
}

// shorten keeps messages readable where a value is absurdly long.
func shorten(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}
