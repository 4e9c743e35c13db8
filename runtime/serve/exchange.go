package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// exchange is a request and its response, with what is to be told of them at the end.
type exchange struct {
	*writer
	id    string
	start time.Time
	route *route.Route // nil: none was found
	key   string       // name of the key that was given; "": none was needed

	mu          sync.Mutex // handlers may start several generations
	generations int
	usage       service.Usage
	first       time.Time // of the first event of any of them
	finished    string    // why the last of them ended
}

type exchangeKey struct{}

// exchangeOf is the exchange that a context belongs to; nil outside of one.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// newExchange begins one, and returns the request with a context that knows it.
func newExchange(w http.ResponseWriter, r *http.Request, timeout time.Duration) (*exchange, *http.Request) {
	x := &exchange{writer: newWriter(w, timeout), id: requestID(r), start: time.Now()}
	ctx := context.WithValue(route.WithRequestID(r.Context(), x.id), exchangeKey{}, x)
	return x, r.WithContext(ctx)
}

// api is in whose form errors are.
func (x *exchange) api(r *http.Request) route.API {
	if x.route != nil && x.route.API != route.OpenAI {
		return x.route.API
	}
	return apiOf(r)
}

// add takes what a generation came to.
func (x *exchange) add(u service.Usage, first time.Time, finish string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.generations++
	x.usage.Prompt += u.Prompt
	x.usage.Cached += u.Cached
	x.usage.Output += u.Output
	x.usage.Reasoning += u.Reasoning
	if x.first.IsZero() || !first.IsZero() && first.Before(x.first) {
		x.first = first
	}
	x.finished = finish
}

// maxRequestID bounds the ids that clients choose.
const maxRequestID = 128

// requestID is the id that a client or a proxy gave, where it is one that logs and headers can carry, else a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); saneID(id) {
		return id
	}
	var b [12]byte
	rand.Read(b[:]) // which never fails
	return "req_" + hex.EncodeToString(b[:])
}

// saneID wants letters, digits and some punctuation.
func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':', c == '/', c == '=', c == '+':
		default:
			return false
		}
	}
	return true
}

// client is the address of who asks, without the port.
func client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
