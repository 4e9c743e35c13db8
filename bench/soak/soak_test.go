package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadMetrics(t *testing.T) {
	got, err := readMetrics(strings.NewReader("# HELP a b\na 1\nb{x=\"y z\"} 2\nb{x=\"{\"} 0.5\nc 1e+06\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"a": 1, "b": 2.5, "c": 1e6}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := readMetrics(strings.NewReader("a one\n")); err == nil {
		t.Error("a value that is no number is read")
	}
}

func TestLastEvent(t *testing.T) {
	for _, tt := range []struct{ in, last, fails string }{
		{"data: {\"x\": 1}\n\n: still here\n\ndata: [DONE]\n\n", "[DONE]", ""},
		{"event: message_stop\ndata: {\"type\": \"message_stop\"}\n\n", `{"type": "message_stop"}`, ""},
		{"data: {\"x\": 1}\n\n", `{"x": 1}`, ""},
		{"data: {\"x\": 1}\n\ndata: {\"error\": {\"message\": \"full\"}}\n\n", `{"x": 1}`, "full"},
		{"data: {\"x\"\n\n", "", "unexpected end"},
	} {
		last, err := lastEvent(context.Background(), strings.NewReader(tt.in), 0)
		failed := ""
		if err != nil {
			failed = err.Error()
		}
		if last != tt.last || !strings.Contains(failed, tt.fails) || (failed != "") != (tt.fails != "") {
			t.Errorf("%q ends in %q and %q, want %q and %q", tt.in, last, failed, tt.last, tt.fails)
		}
	}
}

// TestCompare: what is lost is told.
func TestCompare(t *testing.T) {
	const mib = 1 << 20
	before := state{pages: 10, goroutines: 12, files: 8, resident: 100 * mib}
	warm := &state{resident: 200 * mib}
	for _, tt := range []struct {
		name   string
		change func(*state)
		says   string
	}{
		{"nothing", func(s *state) { s.cached, s.goroutines, s.resident = 10, 15, 300*mib }, ""},
		{"a page", func(s *state) { s.used = 1 }, "1 pages"},
		{"goroutines", func(s *state) { s.goroutines = 18 }, "12 goroutines became 18"},
		{"files", func(s *state) { s.files = 14 }, "8 open files became 14"},
		{"memory", func(s *state) { s.resident = 320 * mib }, "200 MiB of memory became 320"},
	} {
		after := before
		tt.change(&after)
		if got := strings.Join(compare(before, after, warm), "; "); !strings.Contains(got, tt.says) || (got != "") != (tt.says != "") {
			t.Errorf("%s: says %q, want %q", tt.name, got, tt.says)
		}
	}
}
