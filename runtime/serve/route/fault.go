package route

import (
	"context"
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

// Fault makes an *service.Error of the error that a handler ends with. One that is none is the server's own: its text is for the log, to
// which the server that the context is of writes it, and not for clients.
func Fault(ctx context.Context, err error) *service.Error {
	var fault *service.Error
	if errors.As(err, &fault) {
		return fault
	}
	if report, ok := ctx.Value(reportKey{}).(func(error)); ok {
		report(err)
	}
	return &service.Error{Kind: service.Internal, Message: "the server failed to answer the request", Err: err}
}
