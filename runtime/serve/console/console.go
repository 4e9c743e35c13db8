// Package console is the page that a server shows at /: a conversation with the model, its metrics as they change, and what
// the compiler did to it. It is for whoever runs the server to look at it with a browser; it uses the server's own interfaces
// and knows nothing that they do not tell.
//
// The page is a handful of modules (web/src) that a browser loads as they are, and that the binary carries: nothing is
// bundled, and nothing comes from another place. What a model or a user writes is text in it and never HTML, and a content
// security policy lets nothing run but these files.
package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
)

//go:embed web/src
var files embed.FS

// types are the files that the page loads, by how their names end.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Plan is the page that shows a plan, for the console to open. It is somebody else's, and has a script of its own.
type Plan struct {
	// Page makes the page. It is called once, when somebody wants to see it.
	Page func() ([]byte, error)
	// Script and Style name its inline elements, as a content security policy does ("sha256-..."): nothing else in it runs.
	Script, Style string
}

// Options say what the console shows.
type Options struct {
	Plan *Plan // nil: there is none to show
}

// Routes are the console's. The page itself holds nothing of anybody and wants no key; it asks for one where the interfaces do,
// and the plan's page is one of those.
func Routes(o Options) []route.Route {
	return append(Files(o), route.Route{Method: http.MethodGet, Pattern: "/console/plan", Control: true, Handler: planHandler(o.Plan)})
}

// Files are those of the routes that need no model: the page, which says itself that the model is loading. It stays open when the model has come, so that
// the plan's Script and Style count from the beginning.
func Files(o Options) []route.Route {
	policy := policyOf(o.Plan)
	open := func(pattern, name string) route.Route {
		return route.Route{Method: http.MethodGet, Pattern: pattern, Access: route.Public, Quiet: true, Control: true, Handler: fileHandler(name, policy)}
	}
	routes := []route.Route{open("/{$}", "index.html")}
	list, err := files.ReadDir("web/src")
	if err != nil {
		panic("console: " + err.Error()) // the folder is part of the binary
	}
	for _, f := range list {
		if _, ok := types[path.Ext(f.Name())]; ok && f.Name() != "index.html" {
			routes = append(routes, open("/console/"+f.Name(), f.Name()))
		}
	}
	return routes
}

// policyOf is the content security policy of the page. A document that the page makes of the plan's page inherits it, so that it has to
// name that one's elements too.
func policyOf(p *Plan) string {
	script, style := "'self'", "'self'"
	if p != nil {
		script += " '" + p.Script + "'"
		style += " '" + p.Style + "'"
	}
	return fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; connect-src 'self'; img-src 'self'; frame-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", script, style)
}

// fileHandler serves a file of the page. Browsers ask each time whether it is still the same, for another version of glmc
// may be behind the same address.
func fileHandler(name, policy string) http.Handler {
	data, err := files.ReadFile("web/src/" + name)
	if err != nil {
		panic("console: " + err.Error())
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", types[path.Ext(name)])
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	})
}

// planHandler serves the plan's page. Opened by itself it is a download: the console shows it, in a frame that can do nothing.
func planHandler(p *Plan) http.Handler {
	var made func() ([]byte, error)
	if p != nil {
		made = sync.OnceValues(p.Page)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p == nil {
			fail(w, http.StatusNotFound, "this server has no plan to show")
			return
		}
		data, err := made()
		if err != nil {
			fail(w, http.StatusInternalServerError, "the plan's page cannot be made: "+err.Error())
			return
		}
		h := w.Header()
		h.Set("Content-Type", types[".html"])
		h.Set("Content-Disposition", `attachment; filename="plan.html"`)
		h.Set("Content-Security-Policy", "sandbox")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		http.ServeContent(w, r, "plan.html", time.Time{}, bytes.NewReader(data))
	})
}

// fail answers in the form of OpenAI's errors.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	kind := "server_error"
	if status < http.StatusInternalServerError {
		kind = "invalid_request_error"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": nil}}) // the client may be gone
}
