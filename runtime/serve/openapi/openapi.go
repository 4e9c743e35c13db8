// Package openapi is the description of the server's HTTP interfaces, in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1). It is
// written by hand, in openapi.json, and held against what the server does by the tests of every interface, which check their
// exchanges with package openapitest. What 3.1 has no words for stands in x-event: the schema of the data of a stream's events.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

//go:embed openapi.json
var document []byte

// Document is the description as it is embedded, without what only a running server knows.
func Document() []byte { return document }

// Route serves the description at /openapi.json, with the version of the program and the model that is served: its name is the
// one that requests may have, and its vocabulary bounds the ids of tokens.
func Route(b service.Backend, version string) route.Route {
	return route.Route{Method: http.MethodGet, Pattern: "/openapi.json", API: route.OpenAI, Quiet: true,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(of(b.Model(), version)) // the client is gone: nobody to tell
		})}
}

// of is the description of a server of a model.
func of(m service.Model, version string) []byte {
	var doc map[string]any
	if err := json.Unmarshal(document, &doc); err != nil {
		panic("openapi: the document that is embedded is no JSON: " + err.Error())
	}
	doc["info"].(map[string]any)["version"] = version
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	schemas["Model"].(map[string]any)["enum"] = []string{m.Name}
	schemas["TokenID"].(map[string]any)["maximum"] = m.VocabSize - 1
	data, err := json.Marshal(doc)
	if err != nil {
		panic("openapi: the document has no JSON: " + err.Error())
	}
	return data
}

// Check says which routes the description lacks. Its paths have no wildcards for several segments: {id...} is {id} there.
func Check(routes []route.Route) error {
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return err
	}
	for _, r := range routes {
		path := strings.ReplaceAll(r.Pattern, "...}", "}")
		if _, ok := doc.Paths[path][strings.ToLower(r.Method)]; !ok {
			return fmt.Errorf("openapi.json does not describe %s %s", r.Method, path)
		}
	}
	return nil
}
