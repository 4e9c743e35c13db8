package anthropic

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

// TestStreamIsWhole: the events of a stream put together are the message that comes in one piece, whatever the backend says and however
// it is cut, but for a call that was cut off: a stream has told of it already.
func TestStreamIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t)
		display := rapid.SampledFrom([]string{"summarized", "omitted"}).Draw(t, "display")
		ask := func(stream bool) *httptest.ResponseRecorder {
			b := &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return s }}
			mux := http.NewServeMux()
			for _, r := range testRoutes(b, time.Hour) {
				mux.Handle(r.Method+" "+r.Pattern, r.Handler)
			}
			body := fmt.Sprintf(`{"model": "tiny", "max_tokens": 9, "stream": %v, "thinking": {"type": "adaptive", "display": %q},
				"messages": [{"role": "user", "content": "x"}]}`, stream, display)
			r := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			if w.Code != http.StatusOK || b.Open() != 0 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return w
		}
		var whole messageBody
		if err := json.Unmarshal(ask(false).Body.Bytes(), &whole); err != nil {
			t.Fatal(err)
		}
		streamed := assemble(t, ask(true).Body.String())
		whole.Usage.ServiceTier = "" // message_delta has none
		if diff := cmp.Diff(whole, streamed); diff != "" {
			t.Fatalf("(-whole +streamed)\n%s", diff)
		}
	})
}

// drawScript says anything that a backend may say.
func drawScript(t *rapid.T) servicetest.Script {
	var s servicetest.Script
	add := func(e service.Event) { s.Steps = append(s.Steps, servicetest.Step{Event: e}) }
	piece := rapid.StringMatching(`[a-z"\\\n é<]{0,6}`)
	calls := 0
	for range rapid.IntRange(0, 8).Draw(t, "parts") {
		switch rapid.IntRange(0, 2).Draw(t, "part") {
		case 0:
			add(service.Event{Kind: service.Reasoning, Text: piece.Draw(t, "thinking")})
		case 1:
			add(service.Event{Kind: service.Text, Text: piece.Draw(t, "text")})
		default:
			add(service.Event{Kind: service.CallStart, Call: calls, ID: fmt.Sprint("call_", calls), Name: "f"})
			args, err := json.Marshal(map[string]any{"a": piece.Draw(t, "argument"), "n": rapid.Int64().Draw(t, "number")})
			if err != nil {
				t.Fatal(err)
			}
			cut := rapid.IntRange(0, len(args)).Draw(t, "cut")
			for cut < len(args) && !utf8.RuneStart(args[cut]) { // backends never cut a character
				cut++
			}
			add(service.Event{Kind: service.CallArgs, Call: calls, Text: string(args[:cut])})
			add(service.Event{Kind: service.CallArgs, Call: calls, Text: string(args[cut:])})
			add(service.Event{Kind: service.CallEnd, Call: calls})
			calls++
		}
	}
	done := service.Event{Kind: service.Done, Finish: rapid.SampledFrom([]service.Finish{service.FinishStop, service.FinishLength, service.FinishCalls}).Draw(t, "finish")}
	if done.Finish == service.FinishStop {
		done.StopString = piece.Draw(t, "stop")
	}
	add(done)
	s.Usage = service.Usage{Prompt: rapid.IntRange(10, 99).Draw(t, "prompt"), Cached: rapid.IntRange(0, 9).Draw(t, "cached"), Output: 7, Reasoning: 2}
	return s
}

// assemble puts a stream together as clients do, and checks the order of its events.
func assemble(t *rapid.T, stream string) messageBody {
	var m messageBody
	var parts []string // of the block that is open
	open, ended := false, false
	for _, chunk := range strings.Split(strings.TrimSpace(stream), "\n\n") {
		name, data, ok := strings.Cut(chunk, "\n")
		name, data = strings.TrimPrefix(name, "event: "), strings.TrimPrefix(data, "data: ")
		var e struct {
			Type    string
			Index   int
			Message messageBody
			Block   block `json:"content_block"`
			Delta   struct {
				delta
				stopDelta
			}
			Usage usage
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || !ok || e.Type != name || ended {
			t.Fatalf("%q: %v", chunk, err)
		}
		switch started := m.ID != ""; {
		case name == "ping":
		case name == "message_start" && !started:
			m = e.Message
		case name == "content_block_start" && started && !open && e.Index == len(m.Content):
			m.Content, open, parts = append(m.Content, e.Block), true, nil
		case name == "content_block_delta" && open && e.Index == len(m.Content)-1:
			parts = apply(&m.Content[e.Index], e.Delta.delta, parts)
		case name == "content_block_stop" && open && e.Index == len(m.Content)-1:
			if b := &m.Content[e.Index]; b.Type == "tool_use" {
				b.Input = json.RawMessage(strings.Join(parts, ""))
			}
			open = false
		case name == "message_delta" && started && !open:
			m.StopReason, m.StopSequence, m.Usage = e.Delta.StopReason, e.Delta.StopSequence, e.Usage
		case name == "message_stop" && m.StopReason != nil:
			ended = true
		default:
			t.Fatalf("%q at the wrong place in\n%s", chunk, stream)
		}
	}
	if !ended {
		t.Fatalf("no end:\n%s", stream)
	}
	return m
}

func apply(b *block, d delta, parts []string) []string {
	switch d.Type {
	case "text_delta":
		*b.Text += *d.Text
	case "thinking_delta":
		*b.Thinking += *d.Thinking
	case "signature_delta":
		*b.Signature += *d.Signature
	case "input_json_delta":
		return append(parts, *d.PartialJSON)
	}
	return parts
}
