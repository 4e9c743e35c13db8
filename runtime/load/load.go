// Package load measures a server as its clients see it: it sends requests as they would arrive, reads the streams of the
// replies, and says how long tokens took. Metrics have the definitions of SGLang's bench_serving and vLLM's bench serve, so
// that figures can be put side by side; Report says which.
//
// What the generator itself costs must not show in what it measures. A stream is read by one goroutine, which takes the time
// when bytes arrive and looks at them without building values: a chunk costs less than a microsecond, and no garbage. Everything
// else is computed when the run is over.
package load

import (
	"encoding/json"
	"math"
	"net/http"
	"time"
)

// Options say how a server is measured.
type Options struct {
	URL   string // of the server, without a path: http://127.0.0.1:8000
	API   API
	Model string // as the server calls it
	Key   string // sent as Authorization: Bearer; "": none

	// Rate is how many sessions arrive in a second, at random times (a Poisson process); +Inf: all at once.
	Rate float64
	// Concurrency bounds how many sessions are under way; 0: no bound. With an infinite rate it makes the loop closed: a
	// session begins when another one ends.
	Concurrency int
	WarmUp      []Turn        // sent before the run, one after the other; they do not count
	Seed        uint64        // of arrivals
	Timeout     time.Duration // of a request; 0: none

	IgnoreEOS   bool                       // replies have the length that is asked for (ignore_eos)
	Temperature float64                    // of sampling
	Extra       map[string]json.RawMessage // further fields of each request; they take precedence

	Transport http.RoundTripper // nil: one with a connection for each stream
	// Observe is told of progress, from one goroutine at a time: requests that ended. nil: nobody.
	Observe func(o *Outcome)
}

// Session is a conversation: turns that follow one another, each sent when the reply to the one before is complete. Most
// have one turn.
type Session struct {
	Turns []Turn
}

// Turn is one request. One of Tokens, Text and Messages is set.
type Turn struct {
	Tokens   []int32         // prompt as ids, of Completions
	Text     string          // prompt, or what the user says
	Messages json.RawMessage // OpenAI's messages, a list
	Tools    json.RawMessage // OpenAI's function tools, a list; nil: none
	Input    int             // tokens of the prompt where that is known; 0: the server's usage says it
	Output   int             // most tokens of the reply
}

// Outcome is what became of one request. Times count from the beginning of the run.
type Outcome struct {
	Session, Turn int
	Start         time.Duration   // when it was sent
	Chunks        []time.Duration // when each part of the output arrived
	End           time.Duration   // when the stream had ended
	Input, Output int             // tokens
	Cached        int             // of Input: from the server's prefix cache, where it says so
	Reasoning     int             // of Output: thinking, where it says so
	Accepted      int             // of Output: drafted tokens, where it says so
	Drafted       int             // by speculative decoding
	Err           *Failure        // nil: it succeeded
	Unfinished    bool            // the run was interrupted before it ended
}

// TTFT is the time to the first token: from sending the request to the first chunk with some of the output.
func (o *Outcome) TTFT() time.Duration { return o.Chunks[0] - o.Start }

// E2E is the latency of the whole reply: from sending the request to the end of the stream.
func (o *Outcome) E2E() time.Duration { return o.End - o.Start }

// TPOT is the time per output token behind the first: (latency - TTFT) / (output - 1), of two tokens or more.
func (o *Outcome) TPOT() (time.Duration, bool) {
	if o.Output < 2 {
		return 0, false
	}
	return (o.E2E() - o.TTFT()) / time.Duration(o.Output-1), true
}

// Failure is why a request has no reply.
type Failure struct {
	Kind    string // such as "HTTP 429": what failures are counted by
	Message string
}

func (f *Failure) Error() string { return f.Kind + ": " + f.Message }

// Run is what a run measured.
type Run struct {
	Outcomes    []Outcome // of all requests that were sent, by session and turn
	Duration    time.Duration
	Interrupted bool
}

// Closed reports whether sessions wait for others only.
func (o *Options) Closed() bool { return math.IsInf(o.Rate, 1) }
