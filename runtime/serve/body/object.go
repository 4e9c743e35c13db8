package body

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/service"
)

// Object is a JSON object whose fields are read by name. What is missing or null gives nil. The first thing that is wrong stays,
// in Err, for the whole body: fields can be read one after the other, and the error looked at once. Fields that nobody asks for
// are not looked at.
type Object struct {
	path   string
	fields map[string]json.RawMessage
	fault  **service.Error // shared with the objects in it
}

// Err is what was wrong first, an *service.Error, or nil.
func (o *Object) Err() error {
	if *o.fault == nil {
		return nil
	}
	return *o.fault
}

// Fail says what is wrong with a field; "" is the object itself.
func (o *Object) Fail(name, format string, args ...any) {
	if *o.fault != nil {
		return
	}
	param := o.Path(name)
	*o.fault = &service.Error{Kind: service.Invalid, Param: param, Message: fmt.Sprintf(format, args...)}
}

// Wrong is Fail with a message that begins with the field's name.
func (o *Object) Wrong(name, format string, args ...any) {
	param := o.Path(name)
	if param == "" {
		param = "the body"
	}
	o.Fail(name, "%s %s", param, fmt.Sprintf(format, args...))
}

// Set keeps an error, if it is the first.
func (o *Object) Set(err *service.Error) {
	if *o.fault == nil {
		*o.fault = err
	}
}

// Path is the name of a field with those of the objects around it, such as response_format.type.
func (o *Object) Path(name string) string {
	if len(name) > maxKey {
		name = name[:maxKey] + "..."
	}
	switch {
	case name == "":
		return o.path
	case o.path == "":
		return name
	}
	return o.path + "." + name
}

// Names are the names of all fields, sorted.
func (o *Object) Names() []string {
	names := make([]string, 0, len(o.fields))
	for name := range o.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Raw is a field as it stands; nil: missing or null.
func (o *Object) Raw(name string) json.RawMessage {
	raw := o.fields[name]
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// Has reports whether a field is there and not null.
func (o *Object) Has(name string) bool { return o.Raw(name) != nil }

// typed is Raw of a field that has to be of a kind.
func (o *Object) typed(name, kind string) json.RawMessage {
	raw := o.Raw(name)
	if raw == nil {
		return nil
	}
	if got := jsonparts.Kind(raw); got != kind {
		o.Wrong(name, "must be %s, not %s", kind, got)
		return nil
	}
	return raw
}

// String is a string of at most so many characters.
func (o *Object) String(name string, longest int) *string {
	raw := o.typed(name, "a string")
	if raw == nil {
		return nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		o.Wrong(name, "is no string: %v", err)
		return nil
	}
	if n := utf8.RuneCountInString(s); n > longest {
		o.Wrong(name, "has %d characters; at most %d are allowed", n, longest)
		return nil
	}
	return &s
}

// Word is one of some words, "" where it is missing.
func (o *Object) Word(name string, words ...string) string {
	s := o.String(name, math.MaxInt)
	if s == nil {
		return ""
	}
	if !slices.Contains(words, *s) {
		o.Wrong(name, "is %.100q; must be %s", *s, alternatives(words))
		return ""
	}
	return *s
}

func alternatives(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Bool is a boolean.
func (o *Object) Bool(name string) *bool {
	raw := o.typed(name, "a boolean")
	if raw == nil {
		return nil
	}
	value := string(raw) == "true"
	return &value
}

// True reports whether a boolean is there and true.
func (o *Object) True(name string) bool {
	value := o.Bool(name)
	return value != nil && *value
}

// Float is a number from low to high.
func (o *Object) Float(name string, low, high float64) *float64 {
	raw := o.typed(name, "a number")
	if raw == nil {
		return nil
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || value < low || value > high {
		o.Wrong(name, "is %.40s; must be between %v and %v", raw, low, high)
		return nil
	}
	return &value
}

// Int is a whole number from low to high. It never goes through a float64, which has no room for all of 64 bits.
func (o *Object) Int(name string, low, high int64) *int64 {
	raw := o.typed(name, "a number")
	if raw == nil {
		return nil
	}
	value, ok := Integer(string(raw))
	switch {
	case !ok && strings.ContainsAny(string(raw), ".eE"):
		o.Wrong(name, "is %.40s; must be a whole number", raw)
		return nil
	case !ok || value < low || value > high:
		o.Wrong(name, "is %.40s; must be between %d and %d", raw, low, high)
		return nil
	}
	return &value
}

// Integer reads a whole number as JSON writes it. 3.0 is one, as JSON schemas have it.
func Integer(s string) (int64, bool) {
	if value, err := strconv.ParseInt(s, 10, 64); err == nil {
		return value, true
	}
	if !strings.ContainsAny(s, ".eE") || len(s) > 40 {
		return 0, false
	}
	value, err := strconv.ParseFloat(s, 64)
	const exact = 1 << 53
	if err != nil || value != math.Trunc(value) || math.Abs(value) > exact {
		return 0, false
	}
	return int64(value), true
}

// Object is an object; nil: missing or null. Of one that is wrong, and so in Err, there is an empty one.
func (o *Object) Object(name string) *Object {
	raw := o.Raw(name)
	if raw == nil {
		return nil
	}
	return o.inner(o.Path(name), raw)
}

func (o *Object) inner(path string, raw json.RawMessage) *Object {
	in := &Object{path: path, fault: o.fault}
	in.read(raw)
	return in
}

// List is the items of an array of at most so many; nil: missing or null.
func (o *Object) List(name string, most int) []json.RawMessage {
	raw := o.typed(name, "an array")
	if raw == nil {
		return nil
	}
	items, ok := Items(raw, most)
	if !ok {
		o.Wrong(name, "has more than %d items", most)
		return nil
	}
	return items
}

// Item is an item of a list that has to be an object.
func (o *Object) Item(name string, i int, raw json.RawMessage) *Object {
	return o.inner(fmt.Sprintf("%s[%d]", o.Path(name), i), raw)
}

// Strings is a list of at most so many strings of at most so many characters.
func (o *Object) Strings(name string, most, longest int) []string {
	items := o.List(name, most)
	if items == nil {
		return nil
	}
	list := make([]string, len(items))
	for i, raw := range items {
		var text string
		if jsonparts.Kind(raw) != "a string" || json.Unmarshal(raw, &text) != nil {
			o.Wrong(fmt.Sprintf("%s[%d]", name, i), "must be a string, not %s", jsonparts.Kind(raw))
			return nil
		}
		if n := utf8.RuneCountInString(text); n > longest {
			o.Wrong(fmt.Sprintf("%s[%d]", name, i), "has %d characters; at most %d are allowed", n, longest)
			return nil
		}
		list[i] = text
	}
	return list
}

// Integers is a list of at most so many whole numbers from 0 to below end.
func (o *Object) Integers(name string, most, end int) []int32 {
	raw := o.typed(name, "an array")
	if raw == nil {
		return nil
	}
	return o.integers(name, raw, most, end)
}

func (o *Object) integers(name string, raw json.RawMessage, most, end int) []int32 {
	list := []int32{}
	// Between the brackets of an array of numbers there are no other commas. What is not a number fails as one.
	text := strings.TrimSpace(string(raw[1 : len(raw)-1]))
	for more := text != ""; more; {
		var item string
		item, text, more = strings.Cut(text, ",")
		if len(list) == most {
			o.Wrong(name, "has more than %d items", most)
			return nil
		}
		value, ok := Integer(strings.TrimSpace(item))
		if !ok || value < 0 || value >= int64(end) {
			o.Wrong(fmt.Sprintf("%s[%d]", name, len(list)), "is %.40s; must be a whole number from 0 to %d", strings.TrimSpace(item), end-1)
			return nil
		}
		list = append(list, int32(value))
	}
	return list
}

// IntegerItem is a list of whole numbers in a list.
func (o *Object) IntegerItem(name string, i int, raw json.RawMessage, most, end int) []int32 {
	name = fmt.Sprintf("%s[%d]", name, i)
	if jsonparts.Kind(raw) != "an array" {
		o.Wrong(name, "must be an array, not %s", jsonparts.Kind(raw))
		return nil
	}
	return o.integers(name, bytes.TrimSpace(raw), most, end)
}

// Items takes a valid JSON array apart; not ok: it has more than most items.
func Items(raw json.RawMessage, most int) (items []json.RawMessage, ok bool) {
	items, ok = []json.RawMessage{}, true
	jsonparts.Items(raw, func(item []byte) bool {
		if ok = len(items) < most; ok {
			items = append(items, item)
		}
		return ok
	})
	if !ok {
		return nil, false
	}
	return items, true
}
