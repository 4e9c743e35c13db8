package load

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"number": number}).Parse(pageText))

// page is what the page shows.
type page struct {
	Title     string
	Settings  Settings
	Arrivals  string
	Report    *Report
	Latencies []pageLatency
	Table     string // as Print writes it
	Plots     []template.HTML
}

type pageLatency struct {
	Name, What string
	Summary
}

// WritePage writes a run as one page for a browser: the figures, the failures and plots. It asks no network for anything, and
// holds no script. Title says what was measured.
func (r *Run) WritePage(w io.Writer, title string, p *Report, s Settings) error {
	plots, err := r.plots()
	if err != nil {
		return err
	}
	v := page{Title: title, Settings: s, Arrivals: s.arrivals(), Report: p, Latencies: []pageLatency{
		{"TTFT", "to the first token", p.TTFT}, {"TPOT", "each other token, by request", p.TPOT}, {"ITL", "from chunk to chunk", p.ITL}, {"E2E", "whole requests", p.E2E}}}
	for _, svg := range plots {
		v.Plots = append(v.Plots, template.HTML(svg)) // of our own words only
	}
	var table bytes.Buffer
	if err := p.Print(&table, s); err != nil {
		return err
	}
	v.Table = table.String()
	return pageTemplate.Execute(w, v)
}

// arrivals says in words when requests were sent.
func (s Settings) arrivals() string {
	side := ""
	if s.Concurrency > 0 {
		side = fmt.Sprintf("%d side by side", s.Concurrency)
	}
	switch {
	case math.IsInf(s.Rate, 1) && side == "":
		return "all at once"
	case math.IsInf(s.Rate, 1):
		return side
	case side != "":
		side = ", at most " + side
	}
	return strconv.FormatFloat(s.Rate, 'f', -1, 64) + " a second" + side
}

// number writes a figure with the three or more digits that say something: 0.0312, 4.06, 71.5, 3810.
func number(v float64) string {
	digits := 0
	for limit := 100.0; v != 0 && math.Abs(v) < limit && digits < 4; limit /= 10 {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
