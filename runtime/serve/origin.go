package serve

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// A server without keys on a machine's own address is open to every program there, and would be to every page in its browser:
// a page can send requests to any address, and a name that its owner points at 127.0.0.1 makes it the same origin. So
// requests that browsers mark as coming from elsewhere are refused (http.CrossOriginProtection), and such a server knows itself
// by its own names only.

// origins is which pages of other servers may ask.
type origins struct {
	allowed []string // "*": all
	protect *http.CrossOriginProtection
}

func newOrigins(allowed []string) (*origins, error) {
	o := &origins{allowed: allowed, protect: http.NewCrossOriginProtection()}
	for _, origin := range allowed {
		if origin == "*" {
			continue
		}
		if err := o.protect.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("--cors-origin: %w: wants such as https://chat.example.com, or *", err)
		}
	}
	return o, nil
}

func (o *origins) allows(origin string) bool {
	return origin != "" && (slices.Contains(o.allowed, "*") || slices.Contains(o.allowed, origin))
}

// crossOrigin refuses what a page of another server sends without being allowed to.
func (s *Server) crossOrigin(r *http.Request) *refusal {
	if slices.Contains(s.origins.allowed, "*") || s.origins.protect.Check(r) == nil {
		return nil
	}
	return &refusal{status: http.StatusForbidden, close: true,
		message: "the request comes from a page of another server: --cors-origin names those that may ask"}
}

// cors answers a browser's question whether a page may ask, and says so in the answers to pages that may. It reports whether
// the request was such a question.
func (s *Server) cors(x *exchange, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if len(s.origins.allowed) == 0 || origin == "" {
		return false
	}
	h := x.Header()
	h.Add("Vary", "Origin")
	if !s.origins.allows(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "X-Request-Id, Request-Id, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE")
	if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" {
		h.Set("Access-Control-Allow-Headers", wanted) // keys go in headers, and no cookie is ever looked at
	}
	h.Set("Access-Control-Max-Age", "600")
	x.WriteHeader(http.StatusNoContent)
	return true
}

// foreignHost refuses names that are not the server's, where only its own may be used.
func (s *Server) foreignHost(r *http.Request) *refusal {
	if !s.ownNames && len(s.o.Hosts) == 0 {
		return nil
	}
	host := hostname(r.Host)
	if slices.ContainsFunc(s.o.Hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return nil
	}
	_, err := netip.ParseAddr(host)
	if s.ownNames && (err == nil || strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")) {
		return nil
	}
	return &refusal{status: http.StatusMisdirectedRequest, close: true,
		message: "this server is not known as " + shown(host) + ": --allowed-host names it"}
}

// hostname is a Host header without port and brackets.
func hostname(host string) string {
	u := url.URL{Host: host}
	return u.Hostname()
}

// isLoopback reports whether an address is of this machine only.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
