package serve

import (
	"net/http"
	"testing"

	"github.com/glmc/glmc/runtime/serve/openapi"
	"github.com/glmc/glmc/runtime/serve/openapi/openapitest"
)

// TestDescribed: the server's own routes, and what it answers in the place of others, are as the description says.
func TestDescribed(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := openapi.Check(s.own()); err != nil {
		t.Error(err)
	}
	keys, err := NewKeys([]string{"a-key-for-tests"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := start(t, Options{Keys: keys, OpenMetrics: true})
	x.await("/ready", http.StatusOK)
	version := x.ask(http.MethodGet, "/version", "", "Authorization: Bearer a-key-for-tests")
	if err := openapitest.Check(http.MethodGet, "/version", nil, version.status, version.header, []byte(version.body)); err != nil || version.status != http.StatusOK {
		t.Errorf("%d, %v", version.status, err)
	}
	for path, status := range map[string]int{"/health": 200, "/ready": 200, "/metrics": 200, "/version": 401, "/v1/models": 401, "/tokenize": 401} {
		method := http.MethodGet
		if path == "/tokenize" {
			method = http.MethodPost
		}
		a := x.ask(method, path, "")
		if a.status != status {
			t.Errorf("%s: status %d, want %d", path, a.status, status)
		}
		if err := openapitest.Check(method, path, nil, a.status, a.header, []byte(a.body)); err != nil {
			t.Error(err)
		}
	}
}
