package serve

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
)

// refusal is why the server itself, and not the handler of a route, answers a request.
type refusal struct {
	status  int
	code    string // OpenAI's machine-readable word; "": null
	message string
	retry   time.Duration // when to try again; 0: do not
	allow   string        // methods, of 405
	close   bool          // the connection ends: what the client still sends is not read
}

func (f *refusal) Error() string { return f.message }

// kinds are the words of the two interfaces for what a status means.
var kinds = map[int]struct{ openai, anthropic string }{
	http.StatusBadRequest:            {"invalid_request_error", "invalid_request_error"},
	http.StatusUnauthorized:          {"authentication_error", "authentication_error"},
	http.StatusForbidden:             {"permission_error", "permission_error"},
	http.StatusNotFound:              {"invalid_request_error", "not_found_error"},
	http.StatusMethodNotAllowed:      {"invalid_request_error", "invalid_request_error"},
	http.StatusRequestTimeout:        {"invalid_request_error", "timeout_error"},
	http.StatusRequestEntityTooLarge: {"invalid_request_error", "request_too_large"},
	http.StatusUnsupportedMediaType:  {"invalid_request_error", "invalid_request_error"},
	http.StatusMisdirectedRequest:    {"invalid_request_error", "invalid_request_error"},
	http.StatusTooManyRequests:       {"rate_limit_error", "rate_limit_error"},
	http.StatusInternalServerError:   {"server_error", "api_error"},
	http.StatusServiceUnavailable:    {"server_error", "overloaded_error"},
}

// apiOf is whose form an error has where no route says it: Anthropic's clients always name the version that they speak.
func apiOf(r *http.Request) route.API {
	if r.Header.Get("Anthropic-Version") != "" {
		return route.Anthropic
	}
	return route.OpenAI
}

// write answers with the refusal, in the form of an interface.
func (f *refusal) write(w http.ResponseWriter, api route.API, id string) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Cache-Control"} {
		h.Del(name) // of an answer that a handler began
	}
	h.Set("Content-Type", "application/json")
	if api == route.Anthropic {
		h.Set("Request-Id", id) // where Anthropic's clients look for it
	}
	if f.status == http.StatusUnauthorized {
		h.Set("Www-Authenticate", "Bearer")
	}
	if f.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retry.Seconds()))))
	}
	if f.allow != "" {
		h.Set("Allow", f.allow)
	}
	if f.close {
		h.Set("Connection", "close")
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(append(f.body(api, id), '\n')) // a client that is gone needs no answer
}

// body is the refusal as JSON.
func (f *refusal) body(api route.API, id string) []byte {
	kind := kinds[f.status]
	var doc any
	if api == route.Anthropic {
		type inner struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		}
		doc = struct {
			Type      string `json:"type"`
			Error     inner  `json:"error"`
			RequestID string `json:"request_id"`
		}{"error", inner{kind.anthropic, f.message}, id}
	} else {
		type inner struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		}
		e := inner{Message: f.message, Type: kind.openai}
		if f.code != "" {
			e.Code = &f.code
		}
		doc = struct {
			Error inner `json:"error"`
		}{e}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		panic("serve: an error has no JSON: " + err.Error()) // strings have
	}
	return data
}
