package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/glmc/glmc/runtime/serve/route"
)

// errDraining refuses requests that come when the server is ending.
var errDraining = &refusal{status: http.StatusServiceUnavailable, message: "the server is ending: ask another one, or this one when it is back",
	retry: 5 * time.Second, close: true}

// grace is how long handlers have to tell their clients that a generation was ended.
const grace = 2 * time.Second

// drain takes no more requests, lets those that run go on for a while, and ends the rest.
func (s *Server) drain(hs *http.Server) {
	s.mu.Lock()
	s.draining = true
	left := s.running
	if left == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	s.log.Info("ending", "running", left, "drain", s.o.Drain.String())
	if !s.waitIdle(s.o.Drain) {
		s.log.Warn("ending requests that still run", "after", s.o.Drain.String())
		s.abort(errors.New("the server is ending, and waited " + s.o.Drain.String() + " for this request"))
		s.waitIdle(grace)
	}
	s.abort(errors.New("the server ended"))
	ctx, stop := context.WithTimeout(context.Background(), grace)
	defer stop()
	_ = hs.Shutdown(ctx) // what is left then is closed
}

// waitIdle waits until no request runs, but not longer than that.
func (s *Server) waitIdle(most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-s.idle:
		return true
	case <-timer.C:
		return false
	}
}

// State is what /ready says.
type State string

// The states.
const (
	Loading  State = "loading"
	Ready    State = "ready"
	Failed   State = "failed"
	Draining State = "draining"
)

// state is whether the model can be asked; the error is the reason of Failed.
func (s *Server) state() (State, error) {
	s.mu.Lock()
	loaded, draining := s.loaded, s.draining
	s.mu.Unlock()
	switch {
	case draining:
		return Draining, nil
	case loaded == nil:
		return Loading, nil
	case loaded.Healthy != nil:
		err := loaded.Healthy()
		s.logHealth(err)
		if err != nil {
			return Failed, err
		}
	}
	return Ready, nil
}

// logHealth logs when a model begins to fail, and when it works again.
func (s *Server) logHealth(err error) {
	switch {
	case err != nil && !s.ill.Swap(true):
		s.log.Error("the model cannot work any more", append([]any{"error", err}, stackOf(err)...)...)
	case err == nil && s.ill.Load() && s.ill.Swap(false):
		s.log.Info("the model works again")
	}
}

// unready is why the model cannot be asked; nil where it can.
func (s *Server) unready() *refusal {
	switch state, err := s.state(); state {
	case Loading:
		return &refusal{status: http.StatusServiceUnavailable, message: "the model is loading: /ready says when it is there", retry: 5 * time.Second, close: true}
	case Draining:
		return errDraining
	case Failed:
		return &refusal{status: http.StatusServiceUnavailable, message: fmt.Sprintf("the model cannot work any more: %v", err), retry: 5 * time.Second, close: true}
	}
	return nil
}

// own are the routes of the server itself.
func (s *Server) own() []route.Route {
	metrics := route.WithKey
	if s.o.OpenMetrics {
		metrics = route.Public
	}
	return []route.Route{
		{Method: http.MethodGet, Pattern: "/health", Access: route.Public, Quiet: true, Control: true, Handler: http.HandlerFunc(s.health)},
		{Method: http.MethodGet, Pattern: "/ready", Access: route.Public, Quiet: true, Control: true, Handler: http.HandlerFunc(s.readiness)},
		{Method: http.MethodGet, Pattern: "/metrics", Access: metrics, Quiet: true, Control: true, Handler: s.metrics.handler()},
		{Method: http.MethodGet, Pattern: "/version", Quiet: true, Control: true, Handler: http.HandlerFunc(s.version)},
	}
}

// version is vLLM's: what this program is.
func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	route.WriteJSON(w, http.StatusOK, struct {
		Version string `json:"version"`
	}{s.o.Version})
}

// health says whether the process does its work, or has to be started again.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	if state, err := s.state(); state == Failed {
		writeState(w, http.StatusServiceUnavailable, state, err.Error())
		return
	}
	writeState(w, http.StatusOK, "ok", "")
}

// readiness says whether requests should come here.
func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	state, err := s.state()
	status, reason := http.StatusServiceUnavailable, ""
	switch state {
	case Ready:
		status = http.StatusOK
	case Failed:
		reason = err.Error()
	}
	if status != http.StatusOK {
		w.Header().Set("Retry-After", "5")
	}
	writeState(w, status, state, reason)
}

func writeState(w http.ResponseWriter, status int, state State, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Status State  `json:"status"`
		Reason string `json:"reason,omitempty"`
	}{state, reason}) // a prober that is gone needs no answer
}
