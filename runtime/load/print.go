package load

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Settings are what a table says about how a run was made.
type Settings struct {
	Backend     string
	Rate        float64
	Concurrency int
}

// Print writes a report as SGLang's bench_serving prints it, line for line, so that what reads the one reads the other. Lines
// of our own follow those of SGLang in their section.
func (p *Report) Print(w io.Writer, s Settings) error {
	t := table{w: w}
	t.heading(" Serving Benchmark Result ", '=')
	t.text("Backend:", s.Backend)
	t.text("Traffic request rate:", rateText(s.Rate))
	if s.Concurrency > 0 {
		t.count("Max request concurrency:", s.Concurrency)
	} else {
		t.text("Max request concurrency:", "not set")
	}
	t.count("Successful requests:", p.Succeeded)
	if p.Failed > 0 {
		t.count("Failed requests:", p.Failed)
	}
	if p.Unfinished > 0 {
		t.count("Unfinished requests:", p.Unfinished)
	}
	t.value("Benchmark duration (s):", p.Duration)
	t.count("Total input tokens:", p.Input)
	if p.Cached > 0 {
		t.count("Total cached input tokens:", p.Cached)
	}
	t.count("Total generated tokens:", p.Output)
	t.value("Request throughput (req/s):", p.RequestRate)
	t.value("Input token throughput (tok/s):", p.InputRate)
	t.value("Output token throughput (tok/s):", p.OutputRate)
	t.value("Peak output token throughput (tok/s):", p.PeakOutput)
	t.count("Peak concurrent requests:", p.PeakConcurrency)
	t.value("Total token throughput (tok/s):", p.TotalRate)
	t.value("Concurrency:", p.Concurrency)
	if p.AcceptLength > 0 {
		t.value("Accept length:", p.AcceptLength)
		t.value("Accept rate:", p.AcceptRate)
		t.count("Total drafted tokens:", p.Drafted)
		t.count("Total accepted drafted tokens:", p.Accepted)
	}
	if p.SLO != nil {
		t.value("Request goodput (req/s):", p.SLO.Rate)
	}
	t.latency("End-to-End Latency", "E2E Latency", p.E2E)
	t.latency("Time to First Token", "TTFT", p.TTFT)
	t.latency("Time per Output Token (excl. 1st token)", "TPOT", p.TPOT)
	t.latency("Inter-Token Latency", "ITL", p.ITL)
	t.value("Max ITL (ms):", p.ITL.Max)
	t.heading("", '=')
	return t.err
}

func rateText(rate float64) string {
	if math.IsInf(rate, 1) {
		return "inf"
	}
	text := strconv.FormatFloat(rate, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0" // as Python prints it
	}
	return text
}

// table writes lines of SGLang's form: a name in 40 columns, and a value in 10.
type table struct {
	w   io.Writer
	err error
}

func (t *table) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format, args...)
	}
}

// heading centres text between 50 columns of a character; what does not fit evenly stands on the right.
func (t *table) heading(text string, fill byte) {
	left := max(50-len(text), 0)
	f := string(fill)
	t.printf("%s%s%s\n", strings.Repeat(f, left/2), text, strings.Repeat(f, left-left/2))
}

func (t *table) text(name, value string)      { t.printf("%-40s %-10s\n", name, value) }
func (t *table) count(name string, n int)     { t.printf("%-40s %-10d\n", name, n) }
func (t *table) value(name string, v float64) { t.printf("%-40s %-10.2f\n", name, v) }
func (t *table) latency(title, name string, s Summary) {
	t.heading(title, '-')
	t.value("Mean "+name+" (ms):", s.Mean)
	t.value("Median "+name+" (ms):", s.Median)
	t.value("Std "+name+" (ms):", s.Std)
	t.value("P90 "+name+" (ms):", s.P90)
	t.value("P95 "+name+" (ms):", s.P95)
	t.value("P99 "+name+" (ms):", s.P99)
}
