package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// Values holds the configuration and the lets of a model.
type Values struct {
	values map[string]bound
	doc    *Document
}

// bound is a value with where it comes from.
type bound struct {
	value  Value     // nil: there is none, which has been reported
	place  diag.Span // of its key in config.json, else of its declaration
	source string    // in words: "from config.json", "the default"
	inDoc  bool
}

// Get returns the value of a configuration key or a let.
func (v *Values) Get(name string) (Value, bool) {
	b := v.values[name]
	return b.value, b.value != nil
}

// Place returns the place of a configuration key in config.json, if its value was read there.
func (v *Values) Place(name string) (diag.Span, bool) {
	b := v.values[name]
	return b.place, b.inDoc
}

// Known returns the names of the model's configuration keys, which --set can give a value, in the order of
// the file.
func Known(m *syntax.Model) []string {
	var names []string
	for _, f := range m.Fields() {
		names = append(names, f.Name.Name)
	}
	return names
}

// Bind gives the model's configuration keys their values, evaluates its lets, and checks its assertions.
//
// A value in sets, the --set flags, comes first. Then, where there is a document, it has to have the key
// itself or one of the key's `from` paths, with a value of the right type; null counts as absent. Only
// a key that is optional, or has an else, may be absent, and gets its default or what the else says. Without a document (doc is nil) every key gets its
// default. Entries of sets that Known does not list are left to the caller.
//
// A document whose architectures are none of the classes that the model says it describes gets a warning.
//
// The diagnostics hold everything that is wrong. What depends on a value that could not be had is passed over
// without further errors.
func Bind(m *syntax.Model, doc *Document, sets map[string]string) (*Values, *diag.List) {
	b := &binder{
		Values: &Values{values: map[string]bound{}, doc: doc},
		sets:   sets,
		diags:  &diag.List{},
	}
	b.architecture(m)
	for _, f := range m.Fields() {
		if _, ok := b.values[f.Name.Name]; !ok {
			b.values[f.Name.Name] = b.field(f)
		}
	}
	for _, l := range m.Lets() {
		if _, ok := b.values[l.Name.Name]; !ok {
			b.values[l.Name.Name] = b.let(l)
		}
	}
	for _, a := range m.Asserts() {
		b.assert(a)
	}
	return b.Values, b.diags
}

type binder struct {
	*Values
	sets  map[string]string
	diags *diag.List
}

// architecture warns about a config.json of another model. One that names no architectures, or a model that does
// not say what it describes, leaves nothing to compare.
func (b *binder) architecture(m *syntax.Model) {
	if b.doc == nil || len(m.For) == 0 {
		return
	}
	named := b.doc.Architectures()
	if len(named) == 0 || slices.ContainsFunc(m.For, func(s *syntax.Str) bool { return slices.Contains(named, s.Value) }) {
		return
	}
	var described []string
	for _, s := range m.For {
		described = append(described, s.Value)
	}
	for i := range named {
		named[i] = shorten(named[i])
	}
	item, _ := b.doc.Lookup("architectures")
	d := b.diags.Warnf(item.Key, idArchitecture, "the checkpoint is for %s, and model %s describes %s",
		strings.Join(named[:min(len(named), maxInvolved)], ", "), m.Name.Name, strings.Join(described, ", "))
	for _, s := range m.For {
		d.Note(s.Span().Diag(), "it says so here")
	}
}

func (b *binder) field(f *syntax.Field) bound {
	none := bound{place: f.Name.Span().Diag(), source: "not known"}
	if typeInWords[f.Type.Name] == "" {
		return none // the checker reports it
	}
	if text, ok := b.sets[f.Name.Name]; ok {
		return b.flag(f, text)
	}
	if b.doc != nil {
		if item, ok := b.find(f); ok {
			return b.item(f, item)
		}
		if f.Required() {
			b.missing(f)
			return none
		}
		if f.Else != nil {
			return b.standIn(f, f.Else, "the value without the key")
		}
	}
	if f.Default == nil {
		b.noDefault(f)
		return none
	}
	return b.standIn(f, f.Default, "the default")
}

// standIn is the value of a key by an expression in its declaration.
func (b *binder) standIn(f *syntax.Field, x syntax.Expr, what string) bound {
	out := bound{place: f.Name.Span().Diag(), source: "not known"}
	v, ok := b.evaluate(x)
	if !ok {
		return out
	}
	if v, ok = convert(v, f.Type.Name); !ok {
		b.diags.Errorf(x.Span().Diag(), idWrongType, "%s of %q is not of its type, %s", what, f.Name.Name, f.Type.Name)
		return out
	}
	return bound{value: v, place: out.place, source: what}
}

// find looks for the key and its alternatives; null is as good as nothing.
func (b *binder) find(f *syntax.Field) (Item, bool) {
	paths := []string{f.Name.Name}
	for _, from := range f.From {
		paths = append(paths, from.Value)
	}
	for _, path := range paths {
		if item, ok := b.doc.Lookup(path); ok && !item.Null() {
			return item, true
		}
	}
	return Item{}, false
}

func (b *binder) missing(f *syntax.Field) {
	var others []string
	for _, from := range f.From {
		others = append(others, strconv.Quote(from.Value))
	}
	place := diag.Span{File: b.doc.Name}
	d := b.diags.Errorf(place, idMissingKey, "the key %q is missing", f.Name.Name)
	if len(others) > 0 {
		d.Message += ", and so is " + strings.Join(others, " and ")
	}
	d.Note(f.Span().Diag(), "declared here, and not optional")
	var unused []string
	for _, key := range b.doc.Keys() {
		if _, declared := b.values[key]; !declared {
			unused = append(unused, key)
		}
	}
	d.DidYouMean(f.Name.Name, unused)
	for _, path := range leaves(b.doc.root, "") {
		if strings.HasSuffix(path, "."+f.Name.Name) {
			d.Suggest("%s has %q: write from %q behind the declaration", b.doc.Name, path, path)
			return
		}
	}
}

func (b *binder) noDefault(f *syntax.Field) {
	d := b.diags.Errorf(f.Name.Span().Diag(), idNoValue, "%q has no value: there is no default", f.Name.Name)
	if b.doc == nil {
		d.Suggest("give a config.json, or the flag --set %s=...", f.Name.Name)
		return
	}
	d.Note(diag.Span{File: b.doc.Name}, "the key is not in this file")
}

// item takes a value from the document.
func (b *binder) item(f *syntax.Field, item Item) bound {
	result := bound{place: item.Key, source: "from " + b.doc.Name, inDoc: true}
	v, why := fromJSON(item.node, f.Type.Name)
	if v == nil {
		b.diags.Errorf(item.Key, idWrongType, "%q has to be %s, and %s", item.Path, typeInWords[f.Type.Name], why).
			Note(f.Span().Diag(), "declared here")
	}
	result.value = v
	return result
}

var typeInWords = map[string]string{"int": "an int", "float": "a float", "bool": "true or false", "string": "a string", "ints": "a list of ints"}

// maxInts bounds the lists of a configuration, which have an element for each layer at most.
const maxInts = 10_000

// fromJSON converts a JSON value to a type of ours, or says why it cannot.
func fromJSON(n *node, typ string) (Value, string) {
	if n.isList && typ == "ints" {
		return listFromJSON(n)
	}
	switch v := n.value.(type) {
	case bool:
		if typ == "bool" {
			return Bool(v), ""
		}
	case string:
		if typ == "string" {
			return String(v), ""
		}
	case json.Number:
		if typ == "int" || typ == "float" {
			return fromNumber(v.String(), typ)
		}
	}
	return nil, "is " + n.describe()
}

func listFromJSON(n *node) (Value, string) {
	if len(n.elems) > maxInts {
		return nil, fmt.Sprintf("has %d elements, more than %d", len(n.elems), maxInts)
	}
	list := Ints{}
	for i, e := range n.elems {
		v, why := fromJSON(e, "int")
		if v == nil {
			return nil, fmt.Sprintf("element %d %s", i, why)
		}
		list = append(list, int64(v.(Int)))
	}
	return list, ""
}

func fromNumber(s, typ string) (Value, string) {
	if typ == "int" {
		i, err := strconv.ParseInt(s, 10, 64)
		if err == nil {
			return Int(i), ""
		}
		if errors.Is(err, strconv.ErrRange) {
			return nil, shorten(s) + " does not fit into 64 bits"
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return nil, fmt.Sprintf("%s is a float: write %d", shorten(s), int64(f))
		}
		return nil, shorten(s) + " is no whole number"
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, shorten(s) + " is no finite number"
	}
	return Float(f), ""
}

// flag takes a value from a --set flag.
func (b *binder) flag(f *syntax.Field, text string) bound {
	flag := "--set " + f.Name.Name + "=" + shorten(text)
	result := bound{place: f.Name.Span().Diag(), source: flag}
	var why string
	switch f.Type.Name {
	case "string":
		result.value = String(text)
	case "bool":
		switch text {
		case "true", "false":
			result.value = Bool(text == "true")
		default:
			why = "it is neither true nor false"
		}
	case "int", "float":
		result.value, why = fromNumber(text, f.Type.Name)
	case "ints":
		result.value, why = listFromText(text)
	}
	if result.value == nil {
		b.diags.Errorf(diag.Span{}, idBadFlag, "%s: %q has to be %s, and %s", flag, f.Name.Name, typeInWords[f.Type.Name], why).
			Note(f.Span().Diag(), "declared here")
	}
	return result
}

// listFromText reads "1,2,3", or "[1, 2, 3]" as .glm files write it; the empty text is the empty list.
func listFromText(text string) (Value, string) {
	list := Ints{}
	if inside, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inside, "]")
	}
	if text == "" {
		return list, ""
	}
	for _, s := range strings.Split(text, ",") {
		v, why := fromNumber(strings.TrimSpace(s), "int")
		if v == nil {
			return nil, why
		}
		list = append(list, int64(v.(Int)))
	}
	return list, ""
}

func (b *binder) let(l *syntax.Let) bound {
	v, _ := b.evaluate(l.Value)
	return bound{value: v, place: l.Name.Span().Diag(), source: "a let"}
}

// evaluate reports what is wrong with an expression, unless it is a value that was reported before.
func (b *binder) evaluate(x syntax.Expr) (Value, bool) {
	v, err := Eval(x, b.Get)
	if err == nil {
		return v, true
	}
	e := err.(*EvalError)
	if _, reported := b.values[e.Missing]; !reported {
		d := b.diags.Errorf(e.Span.Diag(), idEvaluation, "%s", e.Message)
		d.Suggestion = e.Help
		b.involved(d, x)
	}
	return nil, false
}

func (b *binder) assert(a *syntax.Assert) {
	v, ok := b.evaluate(a.Cond)
	holds, isBool := v.(Bool)
	if !ok || bool(holds) {
		return
	}
	if !isBool {
		b.diags.Errorf(a.Cond.Span().Diag(), idEvaluation, "an assertion is true or false, but this is %s", v)
		return
	}
	d := b.diags.Errorf(a.Cond.Span().Diag(), idAssertion, "%s", a.Message.Value)
	b.involved(d, a.Cond)
}

// maxInvolved bounds the notes about the values in an expression.
const maxInvolved = 8

// involved adds a note for each configuration key and let in x: its value, and where it comes from.
func (b *binder) involved(d *diag.Diagnostic, x syntax.Expr) {
	for _, name := range namesIn(x) {
		if v, ok := b.values[name]; ok && v.value != nil {
			d.Note(v.place, "%s is %s (%s)", name, v.value, v.source)
		}
	}
}

// namesIn returns the first names in an expression, each once, in the order of the source.
func namesIn(x syntax.Expr) []string {
	var names []string
	syntax.Inspect(x, func(x syntax.Expr) {
		n, ok := x.(*syntax.Name)
		if !ok || len(names) == maxInvolved {
			return
		}
		if name := strings.Join(n.Parts, "."); !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// convert makes v a value of the type, which an int can become a float for.
func convert(v Value, typ string) (Value, bool) {
	if i, ok := v.(Int); ok && typ == "float" {
		return Float(i), true
	}
	return v, v.Type() == typ
}
