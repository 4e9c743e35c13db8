package openai

import (
	"fmt"
	"net/http"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// modelList is GET /v1/models. OpenAI's clients and Anthropic's ask for the same path: each finds its fields.
type modelList struct {
	Object string        `json:"object"`
	Data   []modelObject `json:"data"`

	// Anthropic's.
	HasMore bool   `json:"has_more"`
	First   string `json:"first_id"`
	Last    string `json:"last_id"`
}

type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Owner   string `json:"owned_by"`

	// vLLM's and SGLang's, which gateways read.
	Root    string  `json:"root"`          // what an adapter is of; here the model itself
	Parent  *string `json:"parent"`        // null: it is no adapter
	Longest int     `json:"max_model_len"` // prompt and output together, in tokens

	// Anthropic's.
	Type      string `json:"type"`
	Display   string `json:"display_name"`
	CreatedAt string `json:"created_at"` // RFC 3339
}

func newModel(m service.Model) modelObject {
	return modelObject{ID: m.Name, Object: "model", Created: m.Created.Unix(), Owner: "glmc", Root: m.Name, Longest: m.MaxPositions,
		Type: "model", Display: m.Name, CreatedAt: m.Created.UTC().Format(time.RFC3339)}
}

// listModels answers GET /v1/models.
func (a *api) listModels(w http.ResponseWriter, _ *http.Request) {
	m := newModel(a.backend.Model())
	route.WriteJSON(w, http.StatusOK, modelList{Object: "list", Data: []modelObject{m}, First: m.ID, Last: m.ID})
}

// getModel answers GET /v1/models/{id...}. Names may have slashes.
func (a *api) getModel(w http.ResponseWriter, r *http.Request) {
	m := a.backend.Model()
	if id := r.PathValue("id"); id != m.Name {
		WriteError(w, &service.Error{Kind: service.NotFound, Param: "model", Message: notServed(id, m)})
		return
	}
	route.WriteJSON(w, http.StatusOK, newModel(m))
}

// notServed says which model there is instead.
func notServed(name string, m service.Model) string {
	return fmt.Sprintf("the model %.200q is not served here; %q is", name, m.Name)
}
