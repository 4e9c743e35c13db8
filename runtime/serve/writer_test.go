package serve

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// BenchmarkWrite is an event of a stream: a write and a flush, with and without a deadline around each.
func BenchmarkWrite(b *testing.B) {
	for name, timeout := range map[string]time.Duration{"deadline": time.Minute, "none": 0} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				out := newWriter(w, timeout)
				event := []byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n")
				for range b.N {
					if _, err := out.Write(event); err != nil {
						b.Error(err)
						return
					}
					out.Flush()
				}
			}))
			defer server.Close()
			res, err := http.Get(server.URL)
			if err != nil {
				b.Fatal(err)
			}
			defer res.Body.Close()
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				b.Fatal(err)
			}
			http.DefaultClient.CloseIdleConnections()
		})
	}
}
