package jsonparts

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// members of an object, as encoding/json reads them.
func members(t *testing.T, data []byte) (keys, values []string) {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	object := bytes.TrimSpace(data)[0] == '{'
	for d.More() {
		if object {
			key, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key.(string))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, string(value))
	}
	return keys, values
}

// FuzzParts: the parts of valid JSON are those that encoding/json finds, at every level.
func FuzzParts(f *testing.F) {
	for _, s := range []string{
		`{}`, ` [ ] `, `{"a":1}`, ` { "a" : [ 1 , { "b" : "}]\\\"" } ] , "\u0061\"" : null, "a":true } `, `[[],{},"",-1e5,"\\",false]`,
		`["\\\\\"","]"]`, `[1]`, `["a" ,"b"]`, `{"":""}`, `[{"a":[{"b":[1,2]}]},3]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if json.Valid(data) && utf8.Valid(data) {
			check(t, data)
		}
	})
}

func check(t *testing.T, data []byte) {
	trimmed := bytes.TrimSpace(data)
	var keys, values []string
	switch trimmed[0] {
	case '{':
		Members(data, func(key string, value []byte) bool {
			keys, values = append(keys, key), append(values, string(value))
			return true
		})
	case '[':
		Items(data, func(value []byte) bool {
			values = append(values, string(value))
			return true
		})
	default:
		return
	}
	wantKeys, wantValues := members(t, data)
	if !cmp.Equal(wantKeys, keys) || !cmp.Equal(wantValues, values) {
		t.Fatalf("%s has %q %q, want %q %q", data, keys, values, wantKeys, wantValues)
	}
	for _, value := range values {
		check(t, []byte(value))
	}
}

// TestStop: what says that it has enough gets no more.
func TestStop(t *testing.T) {
	n := 0
	Members([]byte(`{"a": 1, "b": 2}`), func(string, []byte) bool { n++; return false })
	Items([]byte(`[1, 2]`), func([]byte) bool { n++; return false })
	if n != 2 {
		t.Errorf("%d parts, want 2", n)
	}
}
