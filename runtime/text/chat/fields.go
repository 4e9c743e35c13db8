package chat

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/glmc/glmc/runtime/jsonparts"
)

// check wants valid JSON. What is read of it afterwards is not checked again.
func check(path string, data []byte) error {
	var value json.RawMessage
	switch err := json.Unmarshal(data, &value); {
	case err == nil || len(bytes.TrimSpace(data)) == 0: // nothing is of the wrong kind
		return nil
	case err.Error() == "unexpected end of JSON input":
		return inputErrorf(path, "the JSON ends too early")
	case strings.HasSuffix(err.Error(), "after top-level value"):
		return inputErrorf(path, "has more after its end")
	default:
		return inputErrorf(path, "%v", err)
	}
}

// readFields returns the fields of a valid JSON object. Repeated ones are errors, and
// those that are not known, where names are given.
func readFields(path string, data []byte, known ...string) (map[string]json.RawMessage, error) {
	if kind := jsonparts.Kind(data); kind != "an object" {
		return nil, inputErrorf(path, "must be an object, not %s", kind)
	}
	var err error
	fields := map[string]json.RawMessage{}
	jsonparts.Members(data, func(key string, value []byte) bool {
		switch {
		case known != nil && !slices.Contains(known, key):
			err = inputErrorf(path, "has the unknown field %.100q; known are %s", key, strings.Join(known, ", "))
		case fields[key] != nil:
			err = inputErrorf(path, "has the field %q twice", key)
		}
		fields[key] = value
		return err == nil
	})
	return fields, err
}

// readArray returns the items of a valid JSON array of limited length.
func readArray(path string, data []byte, limit int) ([]json.RawMessage, error) {
	if kind := jsonparts.Kind(data); kind != "an array" {
		return nil, inputErrorf(path, "must be an array, not %s", kind)
	}
	var err error
	items := []json.RawMessage{}
	jsonparts.Items(data, func(item []byte) bool {
		if len(items) == limit {
			err = inputErrorf(path, "has more than %d items", limit)
			return false
		}
		items = append(items, item)
		return true
	})
	return items, err
}

func readString(path string, data []byte) (string, error) {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return "", inputErrorf(path, "%v", err)
	}
	return s, nil
}

// optionalString reads a string; missing and null give nil.
func optionalString(path string, data []byte) (*string, error) {
	if isNull(data) {
		return nil, nil
	}
	if kind := jsonparts.Kind(data); kind != "a string" {
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
