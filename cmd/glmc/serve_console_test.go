package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestConsolePlan: the console gives out the page of the plan, and its policy lets run what that page consists of.
func TestConsolePlan(t *testing.T) {
	f := compileFlags{}
	files, err := openFiles("")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadModel("", &f, files)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range consoleRoutes(p) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	made := get("/console/plan")
	if made.Code != http.StatusOK || !strings.Contains(made.Body.String(), "fuse_swiglu") {
		t.Fatalf("status %d, %d bytes", made.Code, made.Body.Len())
	}
	own := regexp.MustCompile(`'(sha256-[^']+)'`).FindAllStringSubmatch(strings.ReplaceAll(made.Body.String()[:2000], "&#39;", "'"), -1)
	if len(own) != 2 {
		t.Fatalf("the page's own policy names %v", own)
	}
	policy := get("/").Header().Get("Content-Security-Policy")
	for _, digest := range own {
		if !strings.Contains(policy, digest[1]) {
			t.Errorf("the console's policy lacks %s: %s", digest[1], policy)
		}
	}
}
