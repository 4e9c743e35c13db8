package serve

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"
)

// debug serves pprof at its own address. The returned function ends it.
func (s *Server) debug() (stop func(), err error) {
	if s.o.DebugAddr == "" {
		return func() {}, nil
	}
	listener, err := listen("--debug-addr", s.o.DebugAddr)
	if err != nil {
		return nil, err
	}
	if !isLoopback(listener.Addr()) {
		s.log.Warn("pprof wants no key, and others than this machine can reach it", "addr", listener.Addr().String())
	}
	s.log.Info("pprof", "url", fmt.Sprintf("http://%s/debug/pprof/", listener.Addr()))
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", notHere) // the command line may hold keys
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hs.Serve(listener) // it ends when stop is called
	}()
	return func() { _ = hs.Close(); <-done }, nil
}

func notHere(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
