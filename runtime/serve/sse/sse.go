// Package sse writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), and follows generations
// to make events of them.
package sse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// Writer writes events. Every one goes out at once. Deadlines for readers that take nothing are the server's, which sets one
// before each write.
type Writer struct {
	w       http.ResponseWriter
	flush   *http.ResponseController
	started bool
	buf     bytes.Buffer
}

// New returns a writer of events. Nothing is written before the first one, headers included: until then the answer can still be
// an error with a status.
func New(w http.ResponseWriter) *Writer {
	return &Writer{w: w, flush: http.NewResponseController(w)}
}

// Started reports whether something was written.
func (w *Writer) Started() bool { return w.started }

// Event writes v as JSON, which has no line ends. An event without a name is one that browsers call message.
func (w *Writer) Event(name string, v any) error {
	w.buf.Reset()
	if name != "" {
		fmt.Fprintf(&w.buf, "event: %s\n", name)
	}
	w.buf.WriteString("data: ")
	e := json.NewEncoder(&w.buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // ends in a newline
		return fmt.Errorf("sse: %w", err)
	}
	w.buf.WriteByte('\n')
	return w.send()
}

// Data writes an event of one line of text.
func (w *Writer) Data(line string) error {
	w.buf.Reset()
	fmt.Fprintf(&w.buf, "data: %s\n\n", line)
	return w.send()
}

// Comment writes a line that clients skip. It keeps proxies from cutting a connection on which nothing happens.
func (w *Writer) Comment(line string) error {
	w.buf.Reset()
	fmt.Fprintf(&w.buf, ": %s\n\n", line)
	return w.send()
}

func (w *Writer) send() error {
	if !w.started {
		w.started = true
		h := w.w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no") // nginx collects answers otherwise
		w.w.WriteHeader(http.StatusOK)
	}
	if _, err := w.w.Write(w.buf.Bytes()); err != nil {
		return fmt.Errorf("sse: %w", err)
	}
	if err := w.flush.Flush(); err != nil {
		return fmt.Errorf("sse: %w", err)
	}
	return nil
}
