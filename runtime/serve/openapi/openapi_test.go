package openapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/glmc/glmc/runtime/serve/anthropic"
	"github.com/glmc/glmc/runtime/serve/openai"
	"github.com/glmc/glmc/runtime/serve/openapi"
	"github.com/glmc/glmc/runtime/serve/openapi/openapitest"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

// TestRoutes: every route is described.
func TestRoutes(t *testing.T) {
	b := &servicetest.Backend{Describe: servicetest.Model()}
	routes := append(openai.Routes(b, openai.Options{}), anthropic.Routes(b, anthropic.Options{})...)
	routes = append(routes, openapi.Route(b, "v1.2.3"))
	if err := openapi.Check(routes); err != nil {
		t.Error(err)
	}
	if openapi.Check([]route.Route{{Method: "GET", Pattern: "/v1/nothing"}}) == nil {
		t.Error("a route that is not described is no error")
	}
}

// TestServed: the document names what the server has, and is one that describes itself.
func TestServed(t *testing.T) {
	b := &servicetest.Backend{Describe: servicetest.Model()}
	w := httptest.NewRecorder()
	openapi.Route(b, "v1.2.3").Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if err := openapitest.Check(http.MethodGet, "/openapi.json", nil, w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Error(err)
	}
	var doc struct {
		Info       struct{ Version string }
		Components struct {
			Schemas map[string]struct {
				Enum    []string
				Maximum *int
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	schemas := doc.Components.Schemas
	if doc.Info.Version != "v1.2.3" || strings.Join(schemas["Model"].Enum, " ") != "tiny" || schemas["TokenID"].Maximum == nil || *schemas["TokenID"].Maximum != 255 {
		t.Errorf("version %q, model %+v, token %+v", doc.Info.Version, schemas["Model"], schemas["TokenID"])
	}
}

// TestReferences: every reference in the document has a target, every schema compiles, and none stands there for nothing.
func TestReferences(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi.Document()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("mem:///openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	components := doc.(map[string]any)["components"].(map[string]any)
	for _, kind := range []string{"schemas", "responses"} {
		for name := range components[kind].(map[string]any) {
			pointer := "#/components/" + kind + "/" + name
			if !bytes.Contains(openapi.Document(), []byte(`"`+pointer+`"`)) {
				t.Errorf("nothing refers to %s", pointer)
			}
			if kind != "schemas" {
				continue
			}
			if _, err := c.Compile("mem:///openapi.json" + pointer); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
