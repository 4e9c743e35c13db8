package route

import (
	"errors"
	"net/http"

	"github.com/glmc/glmc/runtime/service"
)

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
