package load

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files again")

// example is a run of which every number was chosen.
func example() *Run {
	at := func(values ...int) []time.Duration {
		var out []time.Duration
		for _, v := range values {
			out = append(out, time.Duration(v)*tick)
		}
		return out
	}
	return &Run{Duration: 4 * time.Second, Outcomes: []Outcome{
		{Session: 0, Start: 0, Chunks: at(200, 240, 280, 320), End: 330 * tick, Input: 1000, Output: 4, Cached: 64},
		{Session: 1, Start: 500 * tick, Chunks: at(900, 1000, 1100), End: 1100 * tick, Input: 2000, Output: 6, Accepted: 3, Drafted: 5},
		{Session: 2, Start: 600 * tick, Chunks: at(2600), End: 2600 * tick, Input: 10, Output: 1},
		{Session: 3, Start: 700 * tick, End: 710 * tick, Err: &Failure{"HTTP 429", "too many requests: <wait>"}},
		{Session: 4, Start: 800 * tick, End: 810 * tick, Err: &Failure{"HTTP 429", "later"}},
		{Session: 5, Start: 900 * tick, End: 1000 * tick, Err: &Failure{"timeout", "no complete reply within 1m0s"}},
		{Session: 6, Start: 3900 * tick, Chunks: at(3950), End: 4000 * tick, Unfinished: true},
	}}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// TestPrint: the lines that others read are SGLang's.
func TestPrint(t *testing.T) {
	var b bytes.Buffer
	if err := example().Report(SLO{"ttft": 500}).Print(&b, Settings{Backend: "completions", Rate: 14, Concurrency: 8}); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
	b.Reset()
	if err := new(Run).Report(nil).Print(&b, Settings{Backend: "chat", Rate: math.Inf(1)}); err != nil {
		t.Fatal(err)
	}
	golden(t, "empty.txt", b.Bytes())
}

// TestPercentile: numpy.percentile of the same values.
func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		sorted  []float64
		p, want float64
	}{{[]float64{7}, 99, 7}, {[]float64{1, 2}, 50, 1.5}, {[]float64{1, 2, 3, 4}, 90, 3.7}, {[]float64{1, 2, 3, 4, 5}, 25, 2}, {[]float64{1, 9}, 100, 9}} {
		if got := percentile(c.sorted, c.p); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("p%g of %v is %g, want %g", c.p, c.sorted, got, c.want)
		}
	}
}

// TestSums: of any run, what is added up one way is what is added up another way.
func TestSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &Run{}
		for i := range rapid.IntRange(0, 12).Draw(t, "requests") {
			o := Outcome{Session: i, Start: time.Duration(rapid.IntRange(0, 5000).Draw(t, "start")) * tick, Input: rapid.IntRange(1, 99).Draw(t, "input")}
			o.End = o.Start
			for range rapid.IntRange(1, 6).Draw(t, "chunks") {
				o.End += time.Duration(rapid.IntRange(0, 900).Draw(t, "gap")) * tick
				o.Chunks = append(o.Chunks, o.End)
			}
			o.Output = len(o.Chunks) + rapid.IntRange(0, 5).Draw(t, "more")
			switch rapid.IntRange(0, 4).Draw(t, "fate") {
			case 0:
				o.Err = &Failure{Kind: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "kind")}
			case 1:
				o.Unfinished = true
			}
			r.Duration = max(r.Duration, o.End+tick)
			r.Outcomes = append(r.Outcomes, o)
		}
		p := r.Report(SLO{"e2e": 1e9})
		near := func(what string, a, b float64) {
			if math.Abs(a-b) > 1e-6*max(1, math.Abs(a)) {
				t.Errorf("%s: %g and %g", what, a, b)
			}
		}
		if n := p.Succeeded + p.Failed + p.Unfinished; n != len(r.Outcomes) {
			t.Errorf("%d of %d requests are counted", n, len(r.Outcomes))
		}
		failed := 0
		for _, e := range p.Errors {
			failed += e.Count
		}
		near("failures by kind", float64(failed), float64(p.Failed))
		near("tokens by second", sum(r.perSecond()), float64(p.Output))
		near("throughput", p.OutputRate*p.Duration, float64(p.Output))
		near("total throughput", p.TotalRate, p.InputRate+p.OutputRate)
		near("concurrency", p.Concurrency*p.Duration*1e3, p.E2E.Mean*float64(p.Succeeded))
		if p.Succeeded > 0 {
			near("goodput", p.SLO.Rate, p.RequestRate)
			// From the first token to the last is what lies between them.
			gaps, spans := 0.0, 0.0
			r.succeeded(func(o *Outcome) {
				spans += ms(o.Chunks[len(o.Chunks)-1] - o.Chunks[0])
				gaps += float64(len(o.Chunks) - 1)
			})
			near("gaps", p.ITL.Mean*gaps, spans)
			near("latency", (p.E2E.Mean-p.TTFT.Mean)*float64(p.Succeeded), spans)
		}
		if float64(p.PeakConcurrency) < p.Concurrency-1e-9 || p.PeakOutput > float64(p.Output)+1e-6 {
			t.Errorf("peaks %d and %g of means %g and %d", p.PeakConcurrency, p.PeakOutput, p.Concurrency, p.Output)
		}
		for _, s := range []Summary{p.E2E, p.TTFT, p.TPOT, p.ITL} {
			if !(s.Min <= s.Median && s.Median <= s.P90 && s.P90 <= s.P95 && s.P95 <= s.P99 && s.P99 <= s.Max && s.Min <= s.Mean+1e-9 && s.Mean <= s.Max+1e-9) {
				t.Errorf("out of order: %+v", s)
			}
		}
	})
}

func TestParseSLO(t *testing.T) {
	got, err := ParseSLO("ttft:500,tpot:50.5,e2e:9000")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(SLO{"ttft": 500, "tpot": 50.5, "e2e": 9000}, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "ttft", "ttft:", "ttft:0", "ttft:NaN", "itl:5", "ttft:1,ttft:2"} {
		if _, err := ParseSLO(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestDocument: the names of the document's fields do not change.
func TestDocument(t *testing.T) {
	d := Document{Dataset: "random", Prompts: 7, RandomInput: 4096, RandomOutput: 1000, Report: example().Report(SLO{"ttft": 500, "tpot": 50})}
	d.Describe(&Options{URL: "http://127.0.0.1:8000", API: Completions, Model: "glm-4.7", Rate: 14, Seed: 1, IgnoreEOS: true})
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", append(text, '\n'))
	d.Describe(&Options{Rate: math.Inf(1), Concurrency: 8})
	if text, err = json.Marshal(d); err != nil || !bytes.Contains(text, []byte(`"max_concurrency":8`)) {
		t.Errorf("%s, %v", text, err)
	}
}
