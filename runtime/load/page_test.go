package load

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// TestPage: what a server said is text in the page, every drawing is well-formed XML, and nothing leads elsewhere.
func TestPage(t *testing.T) {
	r := example()
	var b bytes.Buffer
	if err := r.WritePage(&b, `<script>alert("x")</script>`, r.Report(nil), Settings{Backend: "<b>", Rate: 1}); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"&lt;script&gt;alert", "too many requests: &lt;wait&gt;", "&lt;b&gt;", "Median TTFT (ms):", "Content-Security-Policy", "default-src &#39;none&#39;"} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "<wait>", "<b>", "src=", "url(", "<?xml"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	drawings := 0
	for rest := page; ; drawings++ {
		_, behind, ok := strings.Cut(rest, "<svg")
		if !ok {
			break
		}
		drawing, after, _ := strings.Cut(behind, "</svg>")
		rest = after
		dec := xml.NewDecoder(strings.NewReader("<svg" + drawing + "</svg>"))
		for {
			if _, err := dec.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("drawing %d: %v", drawings, err)
			}
		}
	}
	if drawings != 7 {
		t.Errorf("%d drawings, want 7: two of TTFT, two of ITL, tokens, requests, the timeline", drawings)
	}
}

// TestPageOfLittle: runs of which there is little or nothing to draw.
func TestPageOfLittle(t *testing.T) {
	for name, r := range map[string]*Run{
		"nothing":   {},
		"failures":  {Outcomes: []Outcome{{Err: &Failure{"connect", "refused"}, End: tick}}, Duration: tick},
		"one token": {Outcomes: []Outcome{{Chunks: []time.Duration{tick}, End: tick, Output: 1}}, Duration: tick},
		"at once":   {Outcomes: []Outcome{{Chunks: []time.Duration{0, 0, 0}, Output: 3}}},
		"many":      {Outcomes: make([]Outcome, 3*mostLines), Duration: tick},
	} {
		for i := range r.Outcomes {
			if name == "many" {
				r.Outcomes[i] = Outcome{Session: i, Start: time.Duration(i), Chunks: []time.Duration{time.Duration(i) + tick}, End: time.Duration(i) + 2*tick, Output: 1}
			}
		}
		var b bytes.Buffer
		if err := r.WritePage(&b, name, r.Report(nil), Settings{Rate: 1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(b.String(), "NaN") {
			t.Errorf("%s: NaN", name)
		}
	}
}

func TestPageWords(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0312: "0.0312", 0.5: "0.500", 4.064: "4.06", 71.46: "71.5", 3810.2: "3810"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) is %s, want %s", v, got, want)
		}
	}
	for want, s := range map[string]Settings{
		"all at once":                         {Rate: math.Inf(1)},
		"4 side by side":                      {Rate: math.Inf(1), Concurrency: 4},
		"0.5 a second":                        {Rate: 0.5},
		"14 a second, at most 8 side by side": {Rate: 14, Concurrency: 8},
	} {
		if got := s.arrivals(); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
