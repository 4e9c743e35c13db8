package body_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// TestFields: what is there is read, and what is missing or null is nil, without an error.
func TestFields(t *testing.T) {
	o, err := body.Parse([]byte(`{"s": "é", "b": true, "f": 1e-3, "i": -9007199254740993, "w": 3.0, "n": null,
		"l": ["a", "b"], "o": {"x": {"y": 7}}, "t": [ 1 , 2.0 ], "e": [], "unknown": [{}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		*o.String("s", 1), *o.Bool("b"), *o.Float("f", 0, 1), *o.Int("i", math.MinInt64, 0), *o.Int("w", 0, 3),
		o.String("n", 1), o.Bool("none"), o.Float("n", 0, 0), o.Int("n", 0, 0), o.Object("n"), o.List("n", 0), o.Strings("n", 0, 0), o.Integers("n", 0, 0), o.Has("n"),
		o.Strings("l", 2, 1), *o.Object("o").Object("x").Int("y", 0, 9), o.Integers("t", 2, 3), o.Integers("e", 0, 0), o.Word("n", "a"), o.True("b"), o.True("n"),
	}
	want := []any{
		"é", true, 1e-3, int64(-9007199254740993), int64(3),
		(*string)(nil), (*bool)(nil), (*float64)(nil), (*int64)(nil), (*body.Object)(nil), []json.RawMessage(nil), []string(nil), []int32(nil), false,
		[]string{"a", "b"}, int64(7), []int32{1, 2}, []int32{}, "", true, false,
	}
	if diff := cmp.Diff(fmt.Sprintf("%#v", want), fmt.Sprintf("%#v", got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := o.Err(); err != nil {
		t.Error(err)
	}
}

// TestFirstFault: of several mistakes the first is told, wherever in the body it is, and reading goes on behind it.
func TestFirstFault(t *testing.T) {
	o, err := body.Parse([]byte(`{"a": {"b": [{"c": "x"}]}, "d": "y", "e": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	in := o.Object("a")
	for i, raw := range in.List("b", 1) {
		in.Item("b", i, raw).Int("c", 0, 1)
	}
	o.Int("d", 0, 1)
	if o.Object("e") == nil { // it is there, and wrong
		t.Error("an object that is wrong is nil")
	}
	var fault *service.Error
	if err := o.Err(); !errors.As(err, &fault) || fault.Param != "a.b[0].c" || fault.Message != "a.b[0].c must be a number, not a string" {
		t.Errorf("error %#v", err)
	}
}

func TestInteger(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"9223372036854775807", math.MaxInt64, true}, {"9223372036854775808", 0, false}, {"-9223372036854775808", math.MinInt64, true},
		{"1.0", 1, true}, {"1e3", 1000, true}, {"12e-1", 0, false}, {"1.5", 0, false}, {"1e400", 0, false}, {"9007199254740993.0", 9007199254740992, true},
		{"1e19", 0, false}, {"", 0, false}, {"null", 0, false}, {"0." + strings.Repeat("0", 100), 0, false},
	} {
		if got, ok := body.Integer(tt.text); got != tt.want || ok != tt.ok {
			t.Errorf("Integer(%s) = %d, %v; want %d, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{
		``: 0, `1`: 0, `[]`: 1, `{"a": [{}]}`: 3, `"[[["`: 0, `"\"[["`: 0, `"\\" [`: 1, `[[], []]`: 2, `"\`: 0,
	} {
		if got := body.Depth([]byte(text)); got != want {
			t.Errorf("Depth(%s) = %d, want %d", text, got, want)
		}
	}
}

// TestRead: bodies that are too large or of another kind have errors with a status of their own.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, kind, payload string
		limit               int64
		status              int
	}{
		{"JSON", "application/json", `{}`, 100, 0},
		{"too large", "application/json", strings.Repeat(" ", 100) + `{}`, 100, http.StatusRequestEntityTooLarge},
		{"another kind", "text/plain", `{}`, 100, http.StatusUnsupportedMediaType},
		{"no JSON", "application/json", `{`, 100, http.StatusBadRequest},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.payload))
		r.Header.Set("Content-Type", tt.kind)
		w := httptest.NewRecorder()
		r.Body = http.MaxBytesReader(w, r.Body, tt.limit)
		_, err := body.Read(w, r)
		if tt.status == 0 {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if got := route.Status(route.Fault(t.Context(), err)); got != tt.status {
			t.Errorf("%s: status %d (%v), want %d", tt.name, got, err, tt.status)
		}
	}
}

// FuzzParse: what is parsed is what encoding/json reads, if it has no field twice, and every reader can have its way with it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a": [1, "x", {"b": null}], "c": 1e5}`, `{"a": 1, "a": 2}`, `[]`, `{"a": "\ud800"}`, "{\"\x00\": \"\xff\"}", `{"a": [[1,2],[3]]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := body.Parse(data)
		if err != nil {
			var fault *service.Error
			if !errors.As(err, &fault) || fault.Message == "" {
				t.Errorf("error %#v", err)
			}
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q was parsed, and encoding/json says %v", data, err)
		}
		if len(o.Names()) != len(want) {
			t.Errorf("%q has the fields %q", data, o.Names())
		}
		for _, name := range o.Names() {
			if raw := o.Raw(name); raw != nil && !bytes.Equal(raw, want[name]) {
				t.Errorf("%q: field %q is %q", data, name, raw)
			}
			o.String(name, 3)
			o.Int(name, 0, 9)
			o.Float(name, 0, 9)
			o.Object(name)
			for i, raw := range o.List(name, 8) {
				o.Item(name, i, raw)
				o.IntegerItem(name, i, raw, 8, 9)
			}
			o.Strings(name, 8, 8)
			o.Integers(name, 8, 9)
		}
	})
}
