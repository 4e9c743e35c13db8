package openai

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service"
)

// maxAlternatives bounds a list of texts of which the reply has to be one.
const maxAlternatives = 1024

// formats reads the form that the text has to have: OpenAI's, which is an object of the given name, or what vLLM and SGLang call
// it. There is one form; two of these are a contradiction.
func (d *decoder) formats(name string, own *body.Object) {
	first := ""
	take := func(name string, f service.Format) {
		if f.Kind == service.FormatText {
			return
		}
		if first != "" {
			d.Wrong(name, "cannot be used with %s", first)
		}
		f.Param = name
		first, d.request.Format = name, f
	}
	if own != nil {
		take(name, d.responseFormat(own))
	}
	take("guided_json", schema(d.Object, "guided_json"))
	take("guided_regex", pattern(d.Object, "guided_regex"))
	take("guided_choice", alternatives(d.Object, "guided_choice"))
	take("regex", pattern(d.Object, "regex"))
	take("json_schema", schema(d.Object, "json_schema"))
	if in := d.Object.Object("structured_outputs"); in != nil {
		take("structured_outputs.json", schema(in, "json"))
		take("structured_outputs.regex", pattern(in, "regex"))
		take("structured_outputs.choice", alternatives(in, "choice"))
		if in.True("json_object") {
			take("structured_outputs.json_object", service.Format{Kind: service.FormatJSON})
		}
		for _, name := range []string{"grammar", "structural_tag"} {
			if in.Has(name) {
				in.Wrong(name, "is not supported: use json, regex or choice")
			}
		}
	}
}

// responseFormat reads OpenAI's.
func (d *decoder) responseFormat(in *body.Object) service.Format {
	if !in.Has("type") {
		in.Wrong("type", "is missing; must be text, json_object or json_schema")
	}
	switch in.Word("type", "text", "json_object", "json_schema") {
	case "json_object":
		return service.Format{Kind: service.FormatJSON}
	case "json_schema":
		if in.Has("schema") { // of responses, whose schemas are flat
			return namedSchema(in)
		}
		inner := in.Object("json_schema")
		if inner == nil {
			in.Wrong("json_schema", "is missing")
			return service.Format{}
		}
		return namedSchema(inner)
	}
	return service.Format{}
}

// namedSchema reads {"name", "description", "schema", "strict"}.
func namedSchema(in *body.Object) service.Format {
	in.String("name", maxName)
	in.String("description", body.MaxBytes)
	f := schema(in, "schema")
	if f.Kind == service.FormatText { // a schema that says nothing
		f = service.Format{Kind: service.FormatJSON}
	}
	f.Strict = in.True("strict")
	return f
}

// schema reads a JSON schema, as it is or in a string.
func schema(in *body.Object, name string) service.Format {
	raw := in.Raw(name)
	if raw == nil {
		return service.Format{}
	}
	if jsonparts.Kind(raw) == "a string" {
		text := in.String(name, body.MaxBytes)
		if text == nil {
			return service.Format{}
		}
		raw = json.RawMessage(*text)
		if !json.Valid(raw) || body.Depth(raw) > body.MaxDepth {
			in.Wrong(name, "is a string that holds no JSON schema")
			return service.Format{}
		}
	}
	switch jsonparts.Kind(raw) {
	case "an object", "a boolean":
		return service.Format{Kind: service.FormatSchema, Schema: raw}
	}
	in.Wrong(name, "must be a JSON schema, not %s", jsonparts.Kind(raw))
	return service.Format{}
}

// pattern reads a regular expression. What it means is looked at when it is compiled.
func pattern(in *body.Object, name string) service.Format {
	text := in.String(name, maxPattern)
	if text == nil {
		return service.Format{}
	}
	return service.Format{Kind: service.FormatRegex, Regex: *text}
}

// alternatives reads a list of texts, of which the reply has to be one.
func alternatives(in *body.Object, name string) service.Format {
	list := in.Strings(name, maxAlternatives, maxPattern)
	if list == nil {
		return service.Format{}
	}
	if len(list) == 0 {
		in.Wrong(name, "is empty; at least one text is needed")
	}
	quoted := make([]string, len(list))
	for i, text := range list {
		quoted[i] = regexp.QuoteMeta(text)
	}
	return service.Format{Kind: service.FormatRegex, Regex: "(?:" + strings.Join(quoted, "|") + ")"}
}
