package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// cuts reads a text in pieces of the given sizes.
type cuts struct {
	text  string
	sizes []int
}

func (c *cuts) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, io.EOF
	}
	n := len(c.text)
	if len(c.sizes) > 0 {
		n, c.sizes = c.sizes[0], c.sizes[1:]
	}
	n = copy(p, c.text[:min(n, len(c.text))])
	c.text = c.text[n:]
	return n, nil
}

func collect(r io.Reader, buffer int) ([]string, error) {
	var got []string
	_, err := events(r, make([]byte, buffer), func() time.Duration { return 0 }, func(data []byte, _ time.Duration) error {
		got = append(got, string(data))
		return nil
	})
	return got, err
}

// TestEvents: however the bytes of a stream are cut, the events are the same.
func TestEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.StringMatching(`[a-z{}": é]{0,20}(\n[a-z]{0,3}){0,2}`)).Draw(t, "events")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		var b strings.Builder
		for i, e := range want {
			if rapid.Bool().Draw(t, "noise") {
				b.WriteString(": ping" + end + end + "event: x" + end + "id: 1" + end)
			}
			for line := range strings.SplitSeq(e, "\n") {
				b.WriteString("data:")
				if i%2 == 0 || strings.HasPrefix(line, " ") { // the space behind the colon is optional
					b.WriteByte(' ')
				}
				b.WriteString(line + end)
			}
			b.WriteString(end)
		}
		sizes := rapid.SliceOf(rapid.IntRange(1, 9)).Draw(t, "sizes")
		got, err := collect(&cuts{b.String(), sizes}, rapid.IntRange(1, 64).Draw(t, "buffer"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]string{}, want...), append([]string{}, got...)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestEventsEnd(t *testing.T) {
	// What is not complete is no event.
	got, err := collect(strings.NewReader("data: a\n\ndata: b\n"), 8)
	if diff := cmp.Diff([]string{"a"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	broken := errors.New("broken")
	if _, err := collect(io.MultiReader(strings.NewReader("data: a\n\n"), iotest.ErrReader(broken)), 8); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	var f *Failure
	if _, err := collect(strings.NewReader("data: "+strings.Repeat("x", 2*maxEvent)), 8); !errors.As(err, &f) {
		t.Errorf("a line without end: %v", err)
	}
	if _, err := collect(strings.NewReader(strings.Repeat("data: "+strings.Repeat("x", 1<<20)+"\n", 8)), 8); !errors.As(err, &f) {
		t.Errorf("an event without end: %v", err)
	}
}

func TestReader(t *testing.T) {
	type result struct {
		tokens, done bool
		usage        usage
	}
	none := usage{input: -1, output: -1}
	for _, c := range []struct {
		api  API
		data string
		want result
	}{
		{Completions, `{"id":"x","choices":[{"index":0,"text":"a\"}]","logprobs":null}],"usage":null}`, result{true, false, none}},
		{Completions, `{"choices":[{"text":""}]}`, result{false, false, none}},
		{Completions, `{"choices":[{"text":""},{"text":"b"}]}`, result{true, false, none}},
		{Completions, ` { "choices" : [ ] , "usage" : { "prompt_tokens" : 1 , "completion_tokens" : 2 } } `, result{false, false, usage{input: 1, output: 2}}},
		{Completions, `[DONE]`, result{false, true, none}},
		{Chat, `{"choices":[{"delta":{"role":"assistant","content":null}}]}`, result{false, false, none}},
		{Chat, `{"choices":[{"delta":{"content":"a"}}]}`, result{true, false, none}},
		{Chat, `{"choices":[{"delta":{"reasoning":"a"}}]}`, result{true, false, none}},
		{Chat, `{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`, result{true, false, none}},
		{Chat, `{"choices":[{"delta":{"tool_calls":[]}}]}`, result{false, false, none}},
		{Chat, `{"choices":[],"usage":{"completion_tokens":9,"completion_tokens_details":{"accepted_prediction_tokens":3,"rejected_prediction_tokens":2}}}`,
			result{false, false, usage{input: -1, output: 9, accepted: 3, drafted: 5}}},
		{Anthropic, `{"type":"ping"}`, result{false, false, none}},
		{Anthropic, `{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}`, result{true, false, none}},
		{Anthropic, `{"type":"message_stop"}`, result{false, true, none}},
	} {
		r := newReader(c.api)
		if err := r.event([]byte(c.data)); err != nil {
			t.Errorf("%s: %v", c.data, err)
		}
		if got := (result{r.tokens, r.done, r.usage}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.data, got, c.want)
		}
	}
	for data, want := range map[string]string{
		`{"error":{"type":"overloaded_error","message":"too \"busy\""}}`: `error in the stream: too "busy"`,
		`{"error":"no"}`:                 "error in the stream: no",
		`7`:                              `stream: an event is no JSON object: "7"`,
		`{"choices":[{"text":"a"}`:       `stream: an event is no JSON: "{\"choices\":[{\"text\":\"a\"}"`,
		`{"choices":[{"text":"a"}],"us`:  `stream: an event is no JSON: "{\"choices\":[{\"text\":\"a\"}],\"us"`,
		`{"choices" [{"text":"a"}]}`:     `stream: an event is no JSON: "{\"choices\" [{\"text\":\"a\"}]}"`,
		`{"choices":[{"text":"a"} {}] }`: `stream: an event is no JSON: "{\"choices\":[{\"text\":\"a\"} {}] }"`,
	} {
		r := newReader(Chat)
		if err := r.event([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", data, err, want)
		}
	}
}

// FuzzReader: no event makes it panic or hang, and of a document that encoding/json takes it finds the same counts.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3}}`, `{"type":"message_start","message":{"usage":{}}}`,
		`{"usage":{"prompt_tokens":12,"completion_tokens":0,"x":[1,{"y":"]"}]}}`, `{"error":{"message":"x"}}`, `[DONE]`, `{`, `{"a":1,}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, api := range APIs {
			r := newReader(api)
			_ = r.event([]byte(text))
		}
		var doc struct {
			Usage struct {
				Prompt *int `json:"prompt_tokens"`
			} `json:"usage"`
		}
		var keys map[string]json.RawMessage
		r := newReader(Completions)
		if err := r.event([]byte(text)); err == nil && json.Unmarshal([]byte(text), &keys) == nil && len(keys) == 1 &&
			strings.Count(text, "usage") == 1 && strings.Count(text, "tokens") == 1 && strings.Count(text, `"prompt_tokens"`) == 1 &&
			!strings.ContainsAny(text, `\.eE+-`) && json.Unmarshal([]byte(text), &doc) == nil && doc.Usage.Prompt != nil {
			if r.usage.input != *doc.Usage.Prompt {
				t.Errorf("%q: %d prompt tokens, want %d", text, r.usage.input, *doc.Usage.Prompt)
			}
		}
	})
}

// BenchmarkChunk is what a chunk of a stream costs beside the system's read.
func BenchmarkChunk(b *testing.B) {
	const n = 1000
	var stream bytes.Buffer
	for i := range n {
		fmt.Fprintf(&stream, "data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1764200000,\"model\":\"glm-4.7\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token %d\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", i)
	}
	buffer := make([]byte, 16<<10)
	start := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r := newReader(Chat)
		chunks := 0
		var err error
		buffer, err = events(bytes.NewReader(stream.Bytes()), buffer, func() time.Duration { return time.Since(start) }, func(data []byte, _ time.Duration) error {
			err := r.event(data)
			if r.tokens {
				chunks++
			}
			return err
		})
		if err != nil || chunks != n {
			b.Fatal(chunks, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/chunk")
}
