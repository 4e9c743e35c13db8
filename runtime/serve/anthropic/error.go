package anthropic

import (
	"net/http"
	"strings"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// errorBody is an error in Anthropic's form. Streams have it as an event.
type errorBody struct {
	Type      string      `json:"type"`
	Error     errorObject `json:"error"`
	RequestID string      `json:"request_id,omitempty"`
}

type errorObject struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

func newError(r *http.Request, err *service.Error) errorBody {
	return errorBody{"error", errorObject{word(err), message(err)}, route.RequestID(r.Context())}
}

// word is the type of an error.
func word(err *service.Error) string {
	switch route.Status(err) {
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	case http.StatusInternalServerError:
		return "api_error"
	}
	return "invalid_request_error"
}

// tooLong is how the message of a prompt that is too long begins. Coding agents look for it, and shorten the conversation.
const tooLong = "prompt is too long: "

func message(err *service.Error) string {
	if err.Kind == service.TooLong && !strings.HasPrefix(err.Message, tooLong) {
		return tooLong + err.Message
	}
	return err.Message
}

// writeError answers with an error.
func writeError(w http.ResponseWriter, r *http.Request, err *service.Error) {
	route.WriteError(w, err, newError(r, err))
}
