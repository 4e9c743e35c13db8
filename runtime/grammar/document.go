package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// value is a JSON value whose members are in order, which encoding/json does not keep.
type value struct {
	kind    valueKind
	text    string // of a string, decoded; of a number, as it is written
	yes     bool
	items   []*value
	members []keyed
	index   map[string]*value // of the members, where they are many
	path    string            // JSON pointer
	id      int
}

type keyed struct {
	key   string
	value *value
}

type valueKind uint8

const (
	nullValue valueKind = iota
	boolValue
	numberValue
	stringValue
	arrayValue
	objectValue
)

func (k valueKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// get gives a member, or nil.
func (v *value) get(key string) *value {
	if v.index != nil {
		return v.index[key]
	}
	for _, m := range v.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// document reads one JSON value.
type document struct {
	dec *json.Decoder
	ids int
}

func parseDocument(data []byte) (*value, error) {
	if len(data) > MaxSource {
		return nil, errorAt("", "the schema has %d bytes; at most %d are taken", len(data), MaxSource)
	}
	d := &document{dec: json.NewDecoder(bytes.NewReader(data))}
	d.dec.UseNumber()
	v, err := d.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errorAt("", "the schema is followed by something else")
	}
	return v, nil
}

func (d *document) value(path string, depth int) (*value, error) {
	t, err := d.dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		return nil, errorAt(path, "the schema is not JSON: %v", err)
	}
	if depth > MaxDepth {
		return nil, errorAt(path, "the schema is nested more than %d levels deep", MaxDepth)
	}
	d.ids++
	v := &value{path: path, id: d.ids}
	switch t := t.(type) {
	case bool:
		v.kind, v.yes = boolValue, t
	case json.Number:
		v.kind, v.text = numberValue, t.String()
	case string:
		v.kind, v.text = stringValue, t
	case json.Delim:
		if t == '[' {
			v.kind = arrayValue
			return v, d.items(v, depth)
		}
		v.kind = objectValue
		return v, d.members(v, depth)
	}
	return v, nil
}

func (d *document) items(v *value, depth int) error {
	for d.dec.More() {
		item, err := d.value(v.path+"/"+strconv.Itoa(len(v.items)), depth+1)
		if err != nil {
			return err
		}
		v.items = append(v.items, item)
	}
	return d.close(v)
}

func (d *document) members(v *value, depth int) error {
	known := map[string]bool{}
	for d.dec.More() {
		t, err := d.dec.Token()
		if err != nil {
			return errorAt(v.path, "the schema is not JSON: %v", err)
		}
		key, ok := t.(string)
		if !ok {
			return errorAt(v.path, "the schema is not JSON: a member without a name")
		}
		if known[key] {
			return errorAt(below(v.path, key), "the member is there twice")
		}
		known[key] = true
		m, err := d.value(below(v.path, key), depth+1)
		if err != nil {
			return err
		}
		v.members = append(v.members, keyed{key, m})
	}
	if len(v.members) > 16 {
		v.index = map[string]*value{}
		for _, m := range v.members {
			v.index[m.key] = m.value
		}
	}
	return d.close(v)
}

func (d *document) close(v *value) error {
	if _, err := d.dec.Token(); err != nil {
		return errorAt(v.path, "the schema is not JSON: it ends too early")
	}
	return nil
}

// encode writes a value in the shortest way, in which a grammar writes it too.
func (v *value) encode(out *strings.Builder) {
	switch v.kind {
	case nullValue:
		out.WriteString("null")
	case boolValue:
		out.WriteString(strconv.FormatBool(v.yes))
	case numberValue:
		out.WriteString(v.text)
	case stringValue:
		out.WriteString(encodeString(v.text))
	case arrayValue:
		out.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				out.WriteByte(',')
			}
			item.encode(out)
		}
		out.WriteByte(']')
	case objectValue:
		out.WriteByte('{')
		for i, m := range v.members {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(encodeString(m.key) + ":")
			m.value.encode(out)
		}
		out.WriteByte('}')
	}
}

func (v *value) String() string {
	var out strings.Builder
	v.encode(&out)
	return out.String()
}

// encodeString writes a string as the automata of expressions know it: each character in the shortest way.
func encodeString(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		if inString.has(r) {
			out.WriteRune(r)
		} else {
			out.WriteString(jsonEscape(r))
		}
	}
	out.WriteByte('"')
	return out.String()
}
