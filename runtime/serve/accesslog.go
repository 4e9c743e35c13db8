package serve

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// NewLog returns a logger that writes text or json. What requests and replies say is never logged, but with Options.LogPrompts.
func NewLog(w io.Writer, format string, level slog.Level) (*slog.Logger, error) {
	o := &slog.HandlerOptions{Level: level}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("%q is no format of logs: wants text or json", format)
}

// ended counts and logs an exchange when it is over.
func (s *Server) ended(x *exchange, r *http.Request) {
	took := time.Since(x.start)
	path, quiet := "none", false // what clients write as a path is no label, and no place for what they want to have logged
	if x.route != nil {
		path, quiet = x.route.Pattern, x.route.Quiet
	}
	status := x.status
	switch {
	case status == 0 && r.Context().Err() != nil:
		status = statusGone
	case status == 0:
		status = http.StatusOK // what net/http makes of it
	}
	s.metrics.answered(path, method(r), status)
	level := slog.LevelInfo
	if quiet && status != http.StatusInternalServerError {
		level = slog.LevelDebug
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	s.log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", x.attrs(r, path, status, took)...)
}

// statusGone is what logs say of a request whose client left before there was an answer, as nginx has it.
const statusGone = 499

// method is a request's, where it is one that HTTP knows.
func method(r *http.Request) string {
	if slices.Contains(knownMethods, r.Method) {
		return r.Method
	}
	return "other"
}

// attrs is what the access log says.
func (x *exchange) attrs(r *http.Request, path string, status int, took time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", x.id), slog.String("client", client(r)), slog.String("method", method(r)), slog.String("path", path),
		slog.Int("status", status), slog.Int64("bytes", x.bytes), slog.Float64("seconds", took.Seconds()),
	}
	if x.key != "" {
		attrs = append(attrs, slog.String("key", x.key))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.generations > 0 {
		attrs = append(attrs, slog.Int("prompt_tokens", x.usage.Prompt), slog.Int("cached_tokens", x.usage.Cached), slog.Int("output_tokens", x.usage.Output),
			slog.String("finish", x.finished))
		if !x.first.IsZero() {
			attrs = append(attrs, slog.Float64("ttft", x.first.Sub(x.start).Seconds()))
		}
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("write_error", x.err.Error()))
	}
	return attrs
}
