package serve

import (
	"net/http"
	"time"
)

// writer is the response of a request. Every write has to get on within a time, so that a client that does not read holds a
// connection, and what belongs to its request, no longer than that; between writes a request may take as long as it wants. It
// counts what it writes.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration // 0: none

	status int // 0: nothing was written yet
	bytes  int64
	err    error // of the first write that failed
}

func newWriter(w http.ResponseWriter, timeout time.Duration) *writer {
	out := &writer{ResponseWriter: w, control: http.NewResponseController(w), timeout: timeout}
	out.within(0) // of the request before on the connection
	return out
}

// within bounds how long writes may take from now on; 0: they may take as long as they want. HTTP/2 ends a stream whose time
// is over even where nothing is being written, so that a bound has to be taken back.
func (w *writer) within(d time.Duration) {
	if w.timeout == 0 {
		return
	}
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	_ = w.control.SetWriteDeadline(at) // test recorders have none
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.within(w.timeout)
	n, err := w.ResponseWriter.Write(p)
	w.within(0)
	w.bytes += int64(n)
	w.failed(err)
	return n, err
}

// Flush sends what was written.
func (w *writer) Flush() { _ = w.FlushError() }

// FlushError is Flush that tells what went wrong.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.within(w.timeout)
	err := w.control.Flush()
	w.within(0)
	w.failed(err)
	return err
}

func (w *writer) failed(err error) {
	if w.err == nil {
		w.err = err
	}
}

// finish bounds what the server still has to write when the handler is done.
func (w *writer) finish() { w.within(w.timeout) }
