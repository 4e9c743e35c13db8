package openai

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/serve/transcript"
	"github.com/glmc/glmc/runtime/service"
)

// testRoutes have ids and times that are always the same.
func testRoutes(b service.Backend, keepAlive time.Duration) []route.Route {
	ids := map[string]int{}
	return Routes(b, Options{
		Fingerprint: "fp_test",
		KeepAlive:   keepAlive,
		Now:         func() time.Time { return time.Unix(1800000000, 0) },
		NewID:       func(prefix string) string { ids[prefix]++; return fmt.Sprint(prefix, ids[prefix]) },
	})
}

func TestTranscripts(t *testing.T) { transcript.Run(t, testRoutes) }

// handler serves the routes.
func handler(b service.Backend) http.Handler {
	mux := http.NewServeMux()
	for _, r := range testRoutes(b, time.Hour) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	return mux
}
