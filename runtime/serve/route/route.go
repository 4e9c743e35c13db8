// Package route is what an HTTP interface hands to the server: its routes, as data. The server puts keys, limits and logs in front
// of every one of them, so that none can be forgotten.
package route

import (
	"context"
	"errors"
	"net/http"

	"github.com/glmc/glmc/runtime/service"
)

// API is the interface that a route belongs to. It decides in which form its errors are told.
type API uint8

const (
	Plain     API = iota // health, metrics, the console: text
	OpenAI               // {"error": {"message", "type", "param", "code"}}
	Anthropic            // {"type": "error", "error": {"type", "message"}}
)

// Route is one method of one path.
type Route struct {
	Method  string // such as POST
	Path    string // as patterns of http.ServeMux have it, without method and host: /v1/models/{id...}
	API     API
	Handler http.Handler
	// Public routes need no key: /health and /ready.
	Public bool
}

// ErrMediaType is the reason of an error about a body that is not said to be JSON.
var ErrMediaType = errors.New("unsupported media type")

// Status is the HTTP status of an error.
func Status(err *service.Error) int {
	var large *http.MaxBytesError
	switch {
	case errors.As(err.Err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err.Err, ErrMediaType):
		return http.StatusUnsupportedMediaType
	}
	switch err.Kind {
	case service.Invalid, service.TooLong:
		return http.StatusBadRequest
	case service.NotFound:
		return http.StatusNotFound
	case service.Busy:
		return http.StatusTooManyRequests
	case service.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Fault makes an *service.Error of any error: those that are none are the server's own, and their text is for logs only.
func Fault(err error) *service.Error {
	var fault *service.Error
	if errors.As(err, &fault) {
		return fault
	}
	return &service.Error{Kind: service.Internal, Message: "the server failed to answer the request", Err: err}
}

type requestID struct{}

// WithRequestID puts the id of a request into its context.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestID{}, id)
}

// RequestID is the id that WithRequestID put there, "" where it did not.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestID{}).(string)
	return id
}
