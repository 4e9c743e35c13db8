package route

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/glmc/glmc/runtime/service"
)

// NewID makes an id as OpenAI's and Anthropic's look, behind a prefix such as "msg_".
func NewID(prefix string) string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	return prefix + hex.EncodeToString(random[:])
}

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json") // openai-go refuses answers without it
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client is gone: nobody to tell
}

// WriteError answers with an error, of which doc is the form that an interface has for it.
func WriteError(w http.ResponseWriter, err *service.Error, doc any) {
	if err.Kind == service.Busy || err.Kind == service.Unavailable {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(err.RetryAfter.Seconds()))))) // whole seconds
	}
	WriteJSON(w, Status(err), doc)
}
