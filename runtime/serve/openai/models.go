package openai

import (
	"fmt"
	"net/http"

	"github.com/glmc/glmc/runtime/service"
)

// modelList is GET /v1/models.
type modelList struct {
	Object string        `json:"object"`
	Data   []modelObject `json:"data"`
}

type modelObject struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Owner   string `json:"owned_by"`
	Longest int    `json:"max_model_len"` // vLLM's: prompt and output together, in tokens
}

func newModel(m service.Model) modelObject {
	return modelObject{ID: m.Name, Object: "model", Created: m.Created.Unix(), Owner: "glmc", Longest: m.MaxPositions}
}

// listModels answers GET /v1/models.
func (a *api) listModels(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, modelList{"list", []modelObject{newModel(a.backend.Model())}})
}

// getModel answers GET /v1/models/{id...}. Names may have slashes.
func (a *api) getModel(w http.ResponseWriter, r *http.Request) {
	m := a.backend.Model()
	if id := r.PathValue("id"); id != m.Name {
		WriteError(w, &service.Error{Kind: service.NotFound, Param: "model", Message: notServed(id, m)})
		return
	}
	writeJSON(w, http.StatusOK, newModel(m))
}

// notServed says which model there is instead.
func notServed(name string, m service.Model) string {
	return fmt.Sprintf("the model %.200q is not served here; %q is", name, m.Name)
}
