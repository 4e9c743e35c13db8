package load

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report is what a run shows. Requests that failed or did not end count in Failed and Unfinished, and nowhere else, as with
// SGLang and vLLM. Throughputs are by the duration of the whole run, in tokens or requests a second.
type Report struct {
	Duration    float64      `json:"duration_s"`
	Interrupted bool         `json:"interrupted"`
	Sessions    int          `json:"sessions"`
	Succeeded   int          `json:"succeeded"`
	Failed      int          `json:"failed"`
	Unfinished  int          `json:"unfinished"` // under way when the run was interrupted
	Errors      []ErrorCount `json:"errors"`     // the most frequent kind first

	Input     int `json:"input_tokens"`
	Cached    int `json:"cached_tokens"` // of Input: from the server's prefix cache
	Output    int `json:"output_tokens"`
	Reasoning int `json:"reasoning_tokens"` // of Output

	RequestRate float64 `json:"request_throughput"`
	InputRate   float64 `json:"input_throughput"`
	OutputRate  float64 `json:"output_throughput"`
	PeakOutput  float64 `json:"peak_output_throughput"` // of the best second; the seconds count from the first request
	TotalRate   float64 `json:"total_throughput"`       // input and output
	// Concurrency is the mean number of requests under way: the sum of all latencies by the duration.
	Concurrency     float64 `json:"concurrency"`
	PeakConcurrency int     `json:"peak_concurrency"`
	// AcceptLength is the mean number of tokens that a step of speculative decoding gave: output by output that was not
	// drafted. AcceptRate is the share of drafted tokens that came out. 0: the server says nothing of drafts.
	AcceptLength float64 `json:"accept_length"`
	AcceptRate   float64 `json:"accept_rate"`
	Drafted      int     `json:"drafted_tokens"`
	Accepted     int     `json:"accepted_tokens"` // of Drafted, and of Output

	E2E  Summary `json:"e2e_ms"`  // from sending a request to the end of its stream
	TTFT Summary `json:"ttft_ms"` // to the first chunk of output
	TPOT Summary `json:"tpot_ms"` // (E2E - TTFT) / (output - 1), of replies with two tokens or more
	ITL  Summary `json:"itl_ms"`  // between a chunk of output and the next

	SLO *Goodput `json:"slo,omitempty"`
}

// ErrorCount counts failures of one kind.
type ErrorCount struct {
	Kind    string `json:"kind"`
	Count   int    `json:"count"`
	Example string `json:"example"` // what the first of them said
}

// Goodput is what a bound on latencies leaves of the requests.
type Goodput struct {
	Bounds map[string]float64 `json:"bounds_ms"` // by ttft, tpot, e2e
	Good   int                `json:"good"`      // requests within all of them
	Rate   float64            `json:"goodput"`   // of those, in a second
}

// Summary describes a distribution, in milliseconds. Percentiles lie between values as numpy's do (linear), the deviation is
// that of the population.
type Summary struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Std    float64 `json:"std"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SLO bounds latencies, in milliseconds, by ttft, tpot and e2e.
type SLO map[string]float64

// ParseSLO reads "ttft:500,tpot:50".
func ParseSLO(text string) (SLO, error) {
	slo := SLO{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, ":")
		ms, err := strconv.ParseFloat(value, 64)
		switch {
		case !ok || err != nil || !(ms > 0):
			return nil, fmt.Errorf("%q is no bound: wants ttft:MS, tpot:MS or e2e:MS, with commas between them", part)
		case name != "ttft" && name != "tpot" && name != "e2e":
			return nil, fmt.Errorf("%q is none of ttft, tpot and e2e", name)
		}
		if _, twice := slo[name]; twice {
			return nil, fmt.Errorf("%s is bounded twice", name)
		}
		slo[name] = ms
	}
	return slo, nil
}

// Report computes what a run shows. slo may be nil.
func (r *Run) Report(slo SLO) *Report {
	p := &Report{Duration: r.Duration.Seconds(), Interrupted: r.Interrupted, Errors: []ErrorCount{}}
	var e2e, ttft, tpot, itl []float64
	good, sessions := 0, map[int]bool{}
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		sessions[o.Session] = true
		switch {
		case o.Unfinished:
			p.Unfinished++
			continue
		case o.Err != nil:
			p.Failed++
			p.count(o.Err)
			continue
		}
		p.Succeeded++
		p.Input += o.Input
		p.Output += o.Output
		p.Cached += o.Cached
		p.Reasoning += o.Reasoning
		p.Accepted += o.Accepted
		p.Drafted += o.Drafted
		e2e, ttft = append(e2e, ms(o.E2E())), append(ttft, ms(o.TTFT()))
		if t, ok := o.TPOT(); ok {
			tpot = append(tpot, ms(t))
		}
		for j := 1; j < len(o.Chunks); j++ {
			itl = append(itl, ms(o.Chunks[j]-o.Chunks[j-1]))
		}
		if slo.holds(o) {
			good++
		}
	}
	p.Sessions = len(sessions)
	slices.SortStableFunc(p.Errors, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	if d := p.Duration; d > 0 {
		p.RequestRate, p.InputRate, p.OutputRate = float64(p.Succeeded)/d, float64(p.Input)/d, float64(p.Output)/d
		p.TotalRate = float64(p.Input+p.Output) / d
		p.Concurrency = sum(e2e) / 1e3 / d
		if slo != nil {
			p.SLO = &Goodput{Bounds: slo, Good: good, Rate: float64(good) / d}
		}
	}
	if p.Drafted > 0 && p.Output > p.Accepted {
		p.AcceptLength = float64(p.Output) / float64(p.Output-p.Accepted)
		p.AcceptRate = float64(p.Accepted) / float64(p.Drafted)
	}
	p.PeakOutput = slices.Max(append(r.perSecond(), 0))
	p.PeakConcurrency = r.peakConcurrency()
	p.E2E, p.TTFT, p.TPOT, p.ITL = summarise(e2e), summarise(ttft), summarise(tpot), summarise(itl)
	return p
}

func (p *Report) count(f *Failure) {
	for i := range p.Errors {
		if p.Errors[i].Kind == f.Kind {
			p.Errors[i].Count++
			return
		}
	}
	p.Errors = append(p.Errors, ErrorCount{f.Kind, 1, f.Message})
}

// holds reports whether a reply keeps all bounds. One token has no time per token, and keeps that bound.
func (s SLO) holds(o *Outcome) bool {
	tpot, _ := o.TPOT()
	for name, value := range map[string]float64{"ttft": ms(o.TTFT()), "tpot": ms(tpot), "e2e": ms(o.E2E())} {
		if bound, ok := s[name]; ok && value > bound {
			return false
		}
	}
	return true
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

func summarise(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(values))
	s := Summary{Mean: sum(values) / float64(len(values)), Min: sorted[0], Max: sorted[len(sorted)-1],
		Median: percentile(sorted, 50), P90: percentile(sorted, 90), P95: percentile(sorted, 95), P99: percentile(sorted, 99)}
	squares := 0.0
	for _, v := range values {
		squares += (v - s.Mean) * (v - s.Mean)
	}
	s.Std = math.Sqrt(squares / float64(len(values)))
	return s
}

// percentile is numpy's, with linear interpolation between the two nearest of the sorted values.
func percentile(sorted []float64, p float64) float64 {
	at := p / 100 * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (sorted[i+1]-sorted[i])*(at-float64(i))
}

// succeeded are the requests that count.
func (r *Run) succeeded(f func(o *Outcome)) {
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.Err == nil && !o.Unfinished {
			f(o)
		}
	}
}

// perSecond is how many tokens of output arrived in each second behind the first request. A chunk of a reply counts as many
// tokens as its chunks do on average: the server tells how many there were in all.
func (r *Run) perSecond() []float64 {
	first := time.Duration(math.MaxInt64)
	r.succeeded(func(o *Outcome) { first = min(first, o.Start) })
	var seconds []float64
	r.succeeded(func(o *Outcome) {
		each := float64(o.Output) / float64(len(o.Chunks))
		for _, at := range o.Chunks {
			i := int((at - first) / time.Second)
			for len(seconds) <= i {
				seconds = append(seconds, 0)
			}
			seconds[i] += each
		}
	})
	return seconds
}

// change is a request that begins or ends.
type change struct {
	at time.Duration
	by int
}

// changes are all of them in order; of the same time, the ends first.
func (r *Run) changes() []change {
	var all []change
	r.succeeded(func(o *Outcome) { all = append(all, change{o.Start, 1}, change{o.End, -1}) })
	slices.SortFunc(all, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	return all
}

func (r *Run) peakConcurrency() int {
	now, most := 0, 0
	for _, c := range r.changes() {
		now += c.by
		most = max(most, now)
	}
	return most
}
