// Package openapitest holds exchanges against the description of the interfaces.
package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/glmc/glmc/runtime/serve/openapi"
)

// location names the document in references. Nothing is loaded from there, or from anywhere.
const location = "mem:///openapi.json"

// described is the document with its compiled schemas.
type described struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	mu       sync.Mutex
}

var load = sync.OnceValues(func() (*described, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi.Document()))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(jsonschema.SchemeURLLoader{}) // no scheme: what the document lacks is an error
	if err := c.AddResource(location, doc); err != nil {
		return nil, err
	}
	return &described{doc: doc.(map[string]any), compiler: c}, nil
})

// Check says in what an exchange differs from the description: a path, a status or a kind of content that it lacks, an answer that
// is not as it says, or a request that is not and was taken all the same. request is the body that was sent.
func Check(method, path string, request []byte, status int, header http.Header, answer []byte) error {
	d, err := load()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at, err := d.operation(method, path)
	if err != nil {
		return err
	}
	if status == http.StatusOK && len(request) > 0 {
		if err := d.validate(at.child("requestBody", "content", "application/json", "schema"), request); err != nil {
			return fmt.Errorf("a request that is not as described was answered: %w", err)
		}
	}
	response := at.child("responses", strconv.Itoa(status))
	if response.value == nil {
		return fmt.Errorf("%s %s: status %d is not described", method, path, status)
	}
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	content := response.child("content", kind)
	switch {
	case content.value == nil:
		return fmt.Errorf("%s %s: status %d with %q is not described", method, path, status, kind)
	case kind == "application/json":
		return d.validate(content.child("schema"), answer)
	case kind == "text/event-stream":
		return d.events(content.child("x-event"), string(answer))
	}
	return nil
}

// events validates the data of every event.
func (d *described) events(schema place, stream string) error {
	for event := range strings.SplitSeq(stream, "\n\n") {
		for line := range strings.SplitSeq(event, "\n") {
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok || data == "[DONE]" {
				continue
			}
			if err := d.validate(schema, []byte(data)); err != nil {
				return fmt.Errorf("%s: %w", data, err)
			}
		}
	}
	return nil
}

// place is a value of the document, and a JSON pointer to it.
type place struct {
	d       *described
	value   any
	pointer string
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// child goes down by keys, and through references. What is not there is nil.
func (p place) child(keys ...string) place {
	for _, key := range keys {
		object, _ := p.value.(map[string]any)
		p.value, p.pointer = object[key], p.pointer+"/"+escape.Replace(key)
		if target, ok := p.value.(map[string]any); ok && len(target) == 1 {
			if ref, ok := target["$ref"].(string); ok {
				p = place{d: p.d, value: any(p.d.doc)}.child(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
		}
	}
	return p
}

// operation finds the path of a request, whose parameters may hold slashes.
func (d *described) operation(method, path string) (place, error) {
	path, _, _ = strings.Cut(path, "?")
	paths := place{d: d, value: any(d.doc)}.child("paths")
	var found place
	most := -1 // characters of the pattern that are no parameter
	for pattern := range paths.value.(map[string]any) {
		before, rest, parameter := strings.Cut(pattern, "{")
		_, behind, _ := strings.Cut(rest, "}")
		fixed := len(before) + len(behind)
		if pattern != path && !(parameter && strings.HasPrefix(path, before) && strings.HasSuffix(path, behind) && len(path) > fixed) {
			continue
		}
		if at := paths.child(pattern, strings.ToLower(method)); at.value != nil && fixed > most {
			found, most = at, fixed
		}
	}
	if most >= 0 {
		return found, nil
	}
	return place{}, fmt.Errorf("%s %s is not described", method, path)
}

// validate holds a document against the schema at a place.
func (d *described) validate(schema place, data []byte) error {
	if schema.value == nil {
		return fmt.Errorf("there is no schema at %s", schema.pointer)
	}
	compiled, err := d.compiler.Compile(location + "#" + schema.pointer)
	if err != nil {
		return err
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%.200s: %w", data, err)
	}
	return compiled.Validate(instance)
}

// Valid reports whether a body is as a path's description wants it.
func Valid(method, path string, request []byte) error {
	d, err := load()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at, err := d.operation(method, path)
	if err != nil {
		return err
	}
	if !json.Valid(request) {
		return fmt.Errorf("the body is not JSON")
	}
	return d.validate(at.child("requestBody", "content", "application/json", "schema"), request)
}
