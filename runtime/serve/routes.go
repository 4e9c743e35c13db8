package serve

import (
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/glmc/glmc/runtime/serve/route"
)

// table is a handler of routes. What is asked of a request is asked where its route is known, and never by looking at its path
// a second time: who checks one reading of a path and routes by another lets requests past (CVE-2026-48746). Paths without
// a route are checked for a key as all others, so that nobody learns without one which there are.
func (s *Server) table(routes []route.Route) http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	open := map[string]bool{}
	for i := range routes {
		r := &routes[i]
		mux.Handle(r.Method+" "+r.Pattern, s.carry(r))
		methods[r.Pattern] = append(methods[r.Pattern], r.Method)
		open[r.Pattern] = open[r.Pattern] || r.Access == route.Public
	}
	for _, pattern := range slices.Sorted(maps.Keys(methods)) {
		allowed := methods[pattern]
		if slices.Contains(allowed, http.MethodGet) {
			allowed = append(allowed, http.MethodHead)
		}
		slices.Sort(allowed)
		allow := strings.Join(slices.Compact(allowed), ", ")
		refused := s.refuseUnless(open[pattern], func(r *http.Request) *refusal {
			return &refusal{status: http.StatusMethodNotAllowed, message: r.Method + " is not a method of this path: it has " + allow, allow: allow}
		})
		// One by one: a pattern for all methods must not be more specific than one for some.
		for _, m := range knownMethods {
			if !slices.Contains(allowed, m) {
				mux.Handle(m+" "+pattern, refused)
			}
		}
	}
	absent := s.refuseUnless(false, func(r *http.Request) *refusal {
		if f := s.unready(); f != nil {
			return f // the route may come
		}
		return &refusal{status: http.StatusNotFound, code: "not_found", message: "there is no " + shown(r.URL.Path) + " here: see /openapi.json"}
	})
	mux.Handle("/", absent)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !plainPath(r.URL.Path) {
			absent.ServeHTTP(w, r) // the multiplexer would send the client elsewhere
			return
		}
		if !slices.Contains(knownMethods, r.Method) { // answered as one that no route has
			as := *r
			as.Method = http.MethodTrace
			h, _ := mux.Handler(&as)
			h.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// knownMethods are those of HTTP.
var knownMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace}

// plainPath reports whether a path is written as routes are: from the root, without empty parts and dots.
func plainPath(p string) bool {
	if !strings.HasPrefix(p, "/") {
		return false
	}
	clean := path.Clean(p)
	return p == clean || p == clean+"/"
}

// shown is a path as a message shows it.
func shown(p string) string {
	const most = 100
	if len(p) > most {
		p = strings.ToValidUTF8(p[:most], "") + "..."
	}
	return p
}

// refuseUnless answers requests that no route takes. Without a key only open paths tell the reason.
func (s *Server) refuseUnless(open bool, why func(*http.Request) *refusal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		f := s.foreignHost(r)
		if f == nil && !open {
			f = s.admit(x, r)
		}
		if f == nil {
			f = why(r)
		}
		s.refuse(x, r, f)
	})
}

// refuse answers in the place of a handler.
func (s *Server) refuse(x *exchange, r *http.Request, f *refusal) {
	s.metrics.refused(f.status)
	f.write(x, x.api(r), x.id)
}

// carry puts around a route's handler what all have in common.
func (s *Server) carry(rt *route.Route) http.Handler {
	inner := rt.Handler
	if !rt.Control {
		inner = s.traces.around(rt.Method+" "+rt.Pattern, inner)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.route = rt
		release, f := s.enter(x, r)
		if f != nil {
			s.refuse(x, r, f)
			return
		}
		defer release()
		ctx := route.WithReport(route.WithTenant(r.Context(), x.key), func(err error) { s.reported(x, err) })
		inner.ServeHTTP(x, r.WithContext(ctx))
	})
}

// reported logs an error of a handler that its client is told nothing of. That the client does not read is no failure, and stands in the access log.
func (s *Server) reported(x *exchange, err error) {
	if x.err == nil {
		s.logFailed(x.id, err)
	}
}

// enter checks a request of a known route, and reads its body. The caller releases what it takes.
func (s *Server) enter(x *exchange, r *http.Request) (release func(), f *refusal) {
	if !x.route.Control || x.route.Access != route.Public { // probes use addresses, not names
		if f := s.foreignHost(r); f != nil {
			return nil, f
		}
	}
	if x.route.Access != route.Public {
		if f := s.admit(x, r); f != nil {
			return nil, f
		}
	}
	if f := s.crossOrigin(r); f != nil {
		return nil, f
	}
	if x.route.Control {
		return s.readBody(x, r)
	}
	if f := s.unready(); f != nil {
		return nil, f
	}
	if f := s.full(); f != nil { // before a body is read for nothing
		return nil, f
	}
	done, f := s.readBody(x, r)
	if f != nil {
		return nil, f
	}
	if f := s.begin(); f != nil {
		done()
		return nil, f
	}
	return func() { done(); s.end() }, nil
}

// admit asks for a key, where the server has any.
func (s *Server) admit(x *exchange, r *http.Request) *refusal {
	if s.o.Keys == nil {
		return nil
	}
	name, ok := s.o.Keys.find(r)
	if !ok {
		return &refusal{status: http.StatusUnauthorized, code: "invalid_api_key", close: r.ContentLength != 0,
			message: "this server wants an API key, as Authorization: Bearer KEY or x-api-key: KEY, and knows no such one"}
	}
	x.key = name
	return nil
}
