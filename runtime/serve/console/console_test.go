package console

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/glmc/glmc/runtime/serve/route"
)

// mount serves routes as they are, without what a server puts around them.
func mount(routes []route.Route) *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	return mux
}

func get(t *testing.T, h http.Handler, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Result()
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestFiles: all that the page asks for is there, with the policy that lets nothing else run.
func TestFiles(t *testing.T) {
	mux := mount(Routes(Options{}))
	page := get(t, mux, "/")
	text := read(t, page)
	links := regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(text, -1)
	if len(links) < 3 {
		t.Fatalf("the page loads %v", links)
	}
	paths := []string{"/"}
	for _, l := range links {
		paths = append(paths, l[1])
	}
	imports := regexp.MustCompile(`(?:from|import)[ (]'\./([a-z]+\.js)'`)
	for i := 0; i < len(paths); i++ {
		r := get(t, mux, paths[i])
		body := read(t, r)
		if r.StatusCode != http.StatusOK || body == "" {
			t.Errorf("%s: %s", paths[i], r.Status)
		}
		policy := r.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", paths[i], want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %v", paths[i], r.Header)
		}
		for _, m := range imports.FindAllStringSubmatch(body, -1) {
			if p := "/console/" + m[1]; !strings.Contains(strings.Join(paths, " ")+" ", p+" ") {
				paths = append(paths, p)
			}
		}
	}
	if len(paths) < 11 {
		t.Errorf("the page is made of %v", paths)
	}
}

// TestNothingInline: no handler, style or script in the page, no address elsewhere, and no way in which text becomes HTML.
func TestNothingInline(t *testing.T) {
	list, err := files.ReadDir("web/src")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		data, err := files.ReadFile("web/src/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "http://", "https://", " style=", "DOMParser", "setHTML"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %s", f.Name(), bad)
			}
		}
		if strings.HasSuffix(f.Name(), ".html") && regexp.MustCompile(`(?i)\son[a-z]+=|<style|<script[^>]*>[^<]|javascript:`).MatchString(text) {
			t.Errorf("%s has inline code", f.Name())
		}
	}
}

// TestUnchanged: a browser that has a file is told that it is the same.
func TestUnchanged(t *testing.T) {
	mux := mount(Routes(Options{}))
	first := get(t, mux, "/console/main.js")
	r := httptest.NewRequest(http.MethodGet, "/console/main.js", nil)
	r.Header.Set("If-None-Match", first.Header.Get("ETag"))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified {
		t.Errorf("status %d", w.Code)
	}
}

// TestAccess: the page is public, the plan wants a key.
func TestAccess(t *testing.T) {
	for _, r := range Routes(Options{Plan: &Plan{}}) {
		if want := r.Pattern == "/console/plan"; (r.Access == route.WithKey) != want {
			t.Errorf("%s: access %d", r.Pattern, r.Access)
		}
	}
}

func TestPlan(t *testing.T) {
	made := 0
	p := &Plan{Script: "sha256-abc", Style: "sha256-def", Page: func() ([]byte, error) {
		made++
		return []byte("<!doctype html>plan"), nil
	}}
	mux := mount(Routes(Options{Plan: p}))
	for range 2 {
		r := get(t, mux, "/console/plan")
		if body := read(t, r); body != "<!doctype html>plan" || r.Header.Get("Content-Security-Policy") != "sandbox" {
			t.Errorf("%s %v", body, r.Header)
		}
	}
	if made != 1 {
		t.Errorf("the page was made %d times", made)
	}
	// The frame inherits the policy of the page that makes it.
	policy := get(t, mux, "/").Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self' 'sha256-abc';") || !strings.Contains(policy, "style-src 'self' 'sha256-def';") {
		t.Error(policy)
	}
	for _, c := range []struct {
		p      *Plan
		status int
		want   string
	}{
		{nil, http.StatusNotFound, "no plan to show"},
		{&Plan{Page: func() ([]byte, error) { return nil, errors.New(`broken "plan"`) }}, http.StatusInternalServerError, `broken \"plan\"`},
	} {
		r := get(t, mount(Routes(Options{Plan: c.p})), "/console/plan")
		if body := read(t, r); r.StatusCode != c.status || !strings.Contains(body, c.want) || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s", r.Status, body)
		}
	}
}
