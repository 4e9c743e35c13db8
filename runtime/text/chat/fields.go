package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// readFields returns the fields of a JSON object. Repeated ones are errors, and
// those that are not known, where names are given.
func readFields(path string, data []byte, known ...string) (map[string]json.RawMessage, error) {
	if kind := kindOf(data); kind != "an object" {
		return nil, inputErrorf(path, "must be an object, not %s", kind)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return nil, syntaxError(path, err)
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, syntaxError(path, err)
		}
		key, ok := t.(string)
		if !ok {
			return nil, inputErrorf(path, "has a key that is not a string")
		}
		if known != nil && !slices.Contains(known, key) {
			return nil, inputErrorf(path, "has the unknown field %.100q; known are %s", key, strings.Join(known, ", "))
		}
		if fields[key] != nil {
			return nil, inputErrorf(path, "has the field %q twice", key)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, syntaxError(path, err)
		}
		fields[key] = value
	}
	return fields, endOfValue(d, path)
}

// readArray returns the items of a JSON array of limited length.
func readArray(path string, data []byte, limit int) ([]json.RawMessage, error) {
	if kind := kindOf(data); kind != "an array" {
		return nil, inputErrorf(path, "must be an array, not %s", kind)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return nil, syntaxError(path, err)
	}
	items := []json.RawMessage{}
	for d.More() {
		if len(items) == limit {
			return nil, inputErrorf(path, "has more than %d items", limit)
		}
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			return nil, syntaxError(path, err)
		}
		items = append(items, item)
	}
	return items, endOfValue(d, path)
}

// endOfValue reads the closing bracket and the end of the input.
func endOfValue(d *json.Decoder, path string) error {
	if _, err := d.Token(); err != nil {
		return syntaxError(path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return inputErrorf(path, "has more after its end")
	}
	return nil
}

func syntaxError(path string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return inputErrorf(path, "the JSON ends too early")
	}
	return inputErrorf(path, "%v", err)
}

func readString(path string, data []byte) (string, error) {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return "", syntaxError(path, err)
	}
	return s, nil
}

// optionalString reads a string; missing and null give nil.
func optionalString(path string, data []byte) (*string, error) {
	if isNull(data) {
		return nil, nil
	}
	if kind := kindOf(data); kind != "a string" {
		return nil, inputErrorf(path, "must be a string, not %s", kind)
	}
	s, err := readString(path, data)
	return &s, err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// isNull reports whether a field is missing or null.
func isNull(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) == 0 || string(data) == "null"
}

// kindOf names the kind of a JSON value by its first byte.
func kindOf(data []byte) string {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return "nothing"
	}
	switch data[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
