package openai

import (
	"net/http"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// errorBody is {"error": {...}}.
type errorBody struct {
	Error errorObject `json:"error"`
}

type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// newError is an error in OpenAI's form.
func newError(err *service.Error) errorBody {
	kind, code := words(err)
	e := errorObject{Message: err.Message, Type: kind}
	if err.Param != "" {
		e.Param = &err.Param
	}
	if code != "" {
		e.Code = &code
	}
	return errorBody{e}
}

// words are the type and the code of an error.
func words(err *service.Error) (kind, code string) {
	switch err.Kind {
	case service.Invalid:
		return "invalid_request_error", ""
	case service.TooLong:
		return "invalid_request_error", "context_length_exceeded"
	case service.NotFound:
		if err.Param != "model" {
			return "invalid_request_error", "not_found"
		}
		return "invalid_request_error", "model_not_found"
	case service.Busy:
		return "rate_limit_error", "rate_limit_exceeded"
	case service.Unavailable:
		return "server_error", "service_unavailable"
	}
	return "server_error", ""
}

// WriteError answers with an error.
func WriteError(w http.ResponseWriter, err *service.Error) {
	route.WriteError(w, err, newError(err))
}
