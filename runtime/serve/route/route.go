// Package route is what the HTTP interfaces and the server that carries them agree on: routes as data. Whoever implements an
// interface returns a list of them; package serve puts keys, limits, logs and metrics around every one.
package route

import (
	"context"
	"net/http"
)

// API says in whose form a route's errors are, where the server itself refuses a request.
type API uint8

// The forms.
const (
	OpenAI    API = iota // {"error": {"message", "type", "param", "code"}}
	Anthropic            // {"type": "error", "error": {"type", "message"}, "request_id"}
)

// Access says who may use a route.
type Access uint8

// A route that says nothing wants a key.
const (
	WithKey Access = iota // who has a key, where the server has any
	Public                // everybody: probes, and pages that hold nothing of anybody
)

// Route is one path of a server. Its handler sees a request whose body was read and is within the server's bounds; its
// context ends when the client goes.
type Route struct {
	Method  string // "GET" takes HEAD too
	Pattern string // path as http.ServeMux has it, without method and host: "/v1/models/{id...}"
	API     API
	Access  Access
	Handler http.Handler
	// Quiet keeps requests out of the access log, but where the server fails: probes and pages that are polled.
	Quiet bool
	// Control routes are answered while the model loads and while the server drains, and are not counted among the requests
	// that work on the model.
	Control bool
}

type (
	contextKey struct{}
	tenantKey  struct{}
	reportKey  struct{}
)

// WithRequestID is a context that carries the id of a request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// RequestID is the id of the request that a context belongs to, as the response's x-request-id header has it; "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

// WithReport is a context in which the errors that Fault hides from clients are told to a function.
func WithReport(ctx context.Context, report func(error)) context.Context {
	return context.WithValue(ctx, reportKey{}, report)
}

// WithTenant is a context that says whose request it is: the name of its key.
func WithTenant(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, tenantKey{}, name)
}

// Tenant is whose request a context belongs to; "" where the server wants no keys. What is kept of one tenant's requests is not
// for others.
func Tenant(ctx context.Context) string {
	name, _ := ctx.Value(tenantKey{}).(string)
	return name
}
