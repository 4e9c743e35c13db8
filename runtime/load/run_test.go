package load

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tick = time.Millisecond

// measure runs sessions against a fake server on a clock of its own, so that times are exact.
func measure(t *testing.T, f *fake, sessions []Session, o Options, check func(*Run, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o, stop := serve(t, f, o)
		defer stop()
		check(Measure(t.Context(), sessions, o))
	})
}

func closed() Options { return Options{API: Completions, Model: "m", Rate: math.Inf(1)} }

// approx compares figures that were added up in another order.
var approx = cmpopts.EquateApprox(1e-9, 0)

// TestFigures: two replies side by side, of which everything is known: 4 tokens at 100, 110, 120, 130 ms, and 2 tokens at
// 300 and 350 ms.
func TestFigures(t *testing.T) {
	f := &fake{reply: func(_ int, s seen, w http.ResponseWriter, _ *http.Request) {
		if string(s.body["max_tokens"]) == "4" {
			newStream(w).completion(100*tick, 10*tick, 40, 4)
		} else {
			newStream(w).completion(300*tick, 50*tick, 60, 2)
		}
	}}
	measure(t, f, sessionsOf(4, 2), closed(), func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		slo, err := ParseSLO("ttft:200,tpot:50")
		if err != nil {
			t.Fatal(err)
		}
		want := &Report{
			Duration: 0.35, Sessions: 2, Succeeded: 2, Errors: []ErrorCount{}, Input: 100, Output: 6,
			RequestRate: 2 / 0.35, InputRate: 100 / 0.35, OutputRate: 6 / 0.35, TotalRate: 106 / 0.35, PeakOutput: 6,
			Concurrency: 0.48 / 0.35, PeakConcurrency: 2,
			// Of two values a and b, p90 is a + 0.9 (b - a), and the deviation half their distance.
			E2E:  Summary{Mean: 240, Median: 240, P90: 328, P95: 339, P99: 347.8, Std: 110, Min: 130, Max: 350},
			TTFT: Summary{Mean: 200, Median: 200, P90: 280, P95: 290, P99: 298, Std: 100, Min: 100, Max: 300},
			TPOT: Summary{Mean: 30, Median: 30, P90: 46, P95: 48, P99: 49.6, Std: 20, Min: 10, Max: 50},
			// 10, 10, 10, 50: place 2.7 of 3, 2.85, 2.97.
			ITL: Summary{Mean: 20, Median: 10, P90: 38, P95: 44, P99: 48.8, Std: math.Sqrt(300), Min: 10, Max: 50},
			SLO: &Goodput{Bounds: map[string]float64{"ttft": 200, "tpot": 50}, Good: 1, Rate: 1 / 0.35},
		}
		if diff := cmp.Diff(want, r.Report(slo), approx); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOpenLoop: requests go out when they are due, however long others take, and the same seed gives the same times. Their
// mean gap is that of the rate.
func TestOpenLoop(t *testing.T) {
	f := &fake{reply: func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		newStream(w).completion(10*time.Second, tick, 1, 2)
	}}
	o := closed()
	o.Rate, o.Seed = 20, 7
	const n = 200
	outputs := make([]int, n)
	for i := range outputs {
		outputs[i] = 2
	}
	measure(t, f, sessionsOf(outputs...), o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		var starts []time.Duration
		for _, out := range r.Outcomes {
			starts = append(starts, out.Start)
		}
		if diff := cmp.Diff(arrivals(n, 20, 7), starts); diff != "" {
			t.Error(diff)
		}
		if starts[0] != 0 {
			t.Errorf("the first one started at %s", starts[0])
		}
		// The mean of 199 exponential gaps lies within 5 deviations of 50 ms: 5 x 50 / sqrt(199).
		if gap := ms(starts[n-1]) / (n - 1); math.Abs(gap-50) > 17.8 {
			t.Errorf("the mean gap is %.1f ms, want 50", gap)
		}
	})
	if cmp.Equal(arrivals(n, 20, 7), arrivals(n, 20, 8)) {
		t.Error("another seed gives the same times")
	}
}

// TestClosedLoop: never more under way than are allowed, and the next one starts when one ends.
func TestClosedLoop(t *testing.T) {
	f := &fake{reply: func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		newStream(w).completion(90*tick, 10*tick, 1, 2)
	}}
	o := closed()
	o.Concurrency = 2
	measure(t, f, sessionsOf(2, 2, 2, 2, 2), o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		var starts []int
		for _, out := range r.Outcomes {
			starts = append(starts, int(out.Start/tick))
		}
		if diff := cmp.Diff([]int{0, 0, 100, 100, 200}, starts); diff != "" {
			t.Error(diff)
		}
		if p := r.Report(nil); p.PeakConcurrency != 2 || p.Duration != 0.3 || math.Abs(p.Concurrency-5*100/300.0) > 1e-9 {
			t.Errorf("peak %d, duration %v, concurrency %v", p.PeakConcurrency, p.Duration, p.Concurrency)
		}
	})
}

// TestRateAndConcurrency: a rate with a bound: who is due waits for a place, and the wait is no part of the latency.
func TestRateAndConcurrency(t *testing.T) {
	f := &fake{reply: func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		newStream(w).completion(time.Second, 0, 1, 1)
	}}
	o := closed()
	o.Rate, o.Concurrency = 1000, 1
	measure(t, f, sessionsOf(1, 1, 1), o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for i, out := range r.Outcomes {
			if out.Start != time.Duration(i)*time.Second || out.E2E() != time.Second {
				t.Errorf("request %d started at %s and took %s", i, out.Start, out.E2E())
			}
		}
	})
}

// TestSession: turns follow one another, and one that fails is the last.
func TestSession(t *testing.T) {
	turn := Turn{Messages: json.RawMessage(`[{"role":"user","content":"go"}]`), Output: 2}
	f := &fake{reply: func(i int, _ seen, w http.ResponseWriter, _ *http.Request) {
		if i == 2 {
			http.Error(w, `{"error":{"message":"no more"}}`, http.StatusTooManyRequests)
			return
		}
		s := newStream(w)
		s.send(10*tick, `{"choices":[{"delta":{"role":"assistant","content":""}}]}`)
		s.send(10*tick, `{"choices":[{"delta":{"reasoning_content":"hm"}}]}`)
		s.send(10*tick, `{"choices":[{"delta":{"content":"ok"}}]}`)
		s.send(10*tick, `{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}`)
		s.send(0, "[DONE]")
	}}
	o := closed()
	o.API = Chat
	measure(t, f, []Session{{Turns: []Turn{turn, turn, turn, turn}}}, o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		// The role alone is no output: the first token is the thinking.
		want := []Outcome{
			{Turn: 0, Start: 0, Chunks: []time.Duration{20 * tick, 30 * tick}, End: 40 * tick, Input: 9, Output: 2, Cached: 4, Reasoning: 1},
			{Turn: 1, Start: 40 * tick, Chunks: []time.Duration{60 * tick, 70 * tick}, End: 80 * tick, Input: 9, Output: 2, Cached: 4, Reasoning: 1},
			{Turn: 2, Start: 80 * tick, Chunks: []time.Duration{}, End: 80 * tick, Err: &Failure{"HTTP 429", "no more"}},
		}
		if diff := cmp.Diff(want, r.Outcomes); diff != "" {
			t.Error(diff)
		}
		if p := r.Report(nil); p.Cached != 8 || p.Reasoning != 2 || p.Sessions != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// TestAnthropic: the counts of both events, and that input tokens from the cache count.
func TestAnthropic(t *testing.T) {
	f := &fake{reply: func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		s := newStream(w)
		s.send(10*tick, `{"type":"message_start","message":{"id":"m","usage":{"input_tokens":5,"cache_read_input_tokens":7,"cache_creation_input_tokens":2,"output_tokens":1}}}`)
		s.send(0, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
		s.send(20*tick, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}`)
		s.send(30*tick, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}`)
		s.send(0, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":6}}`)
		s.send(0, `{"type":"message_stop"}`)
	}}
	o := closed()
	o.API, o.Key = Anthropic, "secret"
	measure(t, f, []Session{{Turns: []Turn{{Text: "hello", Output: 6}}}}, o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		want := []Outcome{{Chunks: []time.Duration{30 * tick, 60 * tick}, End: 60 * tick, Input: 14, Output: 6, Cached: 7}}
		if diff := cmp.Diff(want, r.Outcomes); diff != "" {
			t.Error(diff)
		}
		s := f.seen[0]
		if s.path != "/v1/messages" || s.header.Get("Authorization") != "Bearer secret" || s.header.Get("anthropic-version") == "" {
			t.Errorf("%s %v", s.path, s.header)
		}
	})
}

// TestNoText: a reply of tokens that are no text is a reply.
func TestNoText(t *testing.T) {
	f := &fake{reply: func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		s := newStream(w)
		s.send(tick, `{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":3}}`)
		s.send(tick, "[DONE]")
	}}
	measure(t, f, sessionsOf(3), closed(), func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Outcome{{Chunks: []time.Duration{2 * tick}, End: 2 * tick, Input: 1, Output: 3}}, r.Outcomes); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFailures: what goes wrong is counted by its kind, and the others count all the same.
func TestFailures(t *testing.T) {
	replies := []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, _ *http.Request) { newStream(w).completion(tick, tick, 3, 2) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) },
		func(w http.ResponseWriter, _ *http.Request) {
			newStream(w).send(tick, `{"choices":[{"text":"x"}]}`) // and no end
		},
		func(w http.ResponseWriter, _ *http.Request) {
			newStream(w).send(tick, `{"error":{"message":"the server failed","code":500}}`)
		},
		func(w http.ResponseWriter, _ *http.Request) { newStream(w).send(tick, "[DONE]") },
		func(w http.ResponseWriter, _ *http.Request) { newStream(w).send(tick, "{not json") },
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") },
		func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, // until the client goes
	}
	f := &fake{reply: func(i int, _ seen, w http.ResponseWriter, r *http.Request) { replies[i](w, r) }}
	o := closed()
	o.Concurrency, o.Timeout = 1, time.Minute
	measure(t, f, sessionsOf(2, 2, 2, 2, 2, 2, 2, 2, 2), o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		p := r.Report(nil)
		want := []ErrorCount{
			{"stream", 3, "the stream ended before the reply did"},
			{"HTTP 503", 2, "busy"},
			{"error in the stream", 1, "the server failed"},
			{"empty", 1, "the reply has no tokens"},
			{"timeout", 1, "no complete reply within 1m0s"},
		}
		if diff := cmp.Diff(want, p.Errors); diff != "" {
			t.Error(diff)
		}
		if p.Succeeded != 1 || p.Failed != 8 || p.Output != 2 {
			t.Errorf("%d succeeded with %d tokens, %d failed", p.Succeeded, p.Output, p.Failed)
		}
	})
}

// TestInterrupted: what is under way is given up and counted as neither.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{reply: func(i int, _ seen, w http.ResponseWriter, _ *http.Request) {
			newStream(w).completion(tick, time.Duration(i)*time.Minute, 1, 2)
		}}
		o := closed()
		o.Concurrency = 2
		o, stop := serve(t, f, o)
		defer stop()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		r, err := Measure(ctx, sessionsOf(2, 2, 2, 2), o)
		if err != nil {
			t.Fatal(err)
		}
		p := r.Report(nil)
		if !p.Interrupted || p.Succeeded != 1 || p.Unfinished != 2 || p.Failed != 0 || p.Duration != 30 {
			t.Errorf("%+v", p)
		}
		time.Sleep(10 * time.Minute) // what the fake server still writes
	})
}

// TestWarmUp: requests before the run do not count. A server that answers none is an error.
func TestWarmUp(t *testing.T) {
	f := &fake{reply: func(_ int, s seen, w http.ResponseWriter, _ *http.Request) {
		if string(s.body["max_tokens"]) == "7" {
			newStream(w).completion(time.Hour, 0, 1, 1)
			return
		}
		newStream(w).completion(tick, 0, 1, 1)
	}}
	o := closed()
	turn := Turn{Tokens: []int32{1}, Output: 7}
	o.WarmUp = []Turn{turn, turn}
	measure(t, f, sessionsOf(100), o, func(r *Run, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if len(f.seen) != 3 || len(r.Outcomes) != 1 || r.Duration != tick {
			t.Errorf("%d requests, %d outcomes in %s", len(f.seen), len(r.Outcomes), r.Duration)
		}
	})
	f.reply = func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusUnauthorized)
	}
	measure(t, f, sessionsOf(100), o, func(_ *Run, err error) {
		if err == nil || err.Error() != "the server does not answer: HTTP 401: no" {
			t.Errorf("got %v", err)
		}
	})
}

// TestModel: the first on the list.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{reply: func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"object":"list","data":[{"id":"glm","vocab_size":77},{"id":"other"}]}`)
		}}
		o, stop := serve(t, f, closed())
		defer stop()
		name, vocab, err := Model(t.Context(), o)
		if err != nil || name != "glm" || vocab != 77 {
			t.Errorf("got %q, %d, %v", name, vocab, err)
		}
	})
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for _, c := range []struct {
		sessions []Session
		change   func(*Options)
	}{
		{nil, func(*Options) {}},
		{sessionsOf(1), func(o *Options) { o.Rate = 0 }},
		{sessionsOf(1), func(o *Options) { o.Rate = math.NaN() }},
		{sessionsOf(1), func(o *Options) { o.Concurrency = -1 }},
		{sessionsOf(1), func(o *Options) { o.URL = "127.0.0.1:8000" }},
		{sessionsOf(1), func(o *Options) { o.URL = "ftp://127.0.0.1" }},
	} {
		o := closed()
		o.URL = "http://127.0.0.1:1"
		c.change(&o)
		if _, err := Measure(t.Context(), c.sessions, o); err == nil {
			t.Errorf("%+v was measured", o)
		}
	}
}
