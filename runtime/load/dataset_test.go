package load

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestReadSessions(t *testing.T) {
	const text = `{"prompt": "hello", "output_len": 7}

{"prompt": [1, 2, 3]}
{"messages": [{"role":"system","content":"s"},{"role":"user","content":"<a>"}], "tools": [{"type":"function"}], "max_tokens": 3}
{"messages": [{"role":"user","content":"u"},{"role":"assistant","content":"x"},{"role":"tool","content":"r"},{"role":"assistant","content":"y"}], "output_len": 5}
{"messages": [{"role":"user","content":"u"},{"role":"assistant","content":"x"},{"role":"user","content":"v"}]}
`
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	want := []Session{
		{Turns: []Turn{{Text: "hello", Output: 7}}},
		{Turns: []Turn{{Tokens: []int32{1, 2, 3}, Input: 3, Output: 100}}},
		{Turns: []Turn{{Messages: raw(`[{"role":"system","content":"s"},{"role":"user","content":"<a>"}]`), Tools: raw(`[{"type":"function"}]`), Output: 3}}},
		{Turns: []Turn{
			{Messages: raw(`[{"role":"user","content":"u"}]`), Output: 5},
			{Messages: raw(`[{"role":"user","content":"u"},{"role":"assistant","content":"x"},{"role":"tool","content":"r"}]`), Output: 5},
		}},
		{Turns: []Turn{{Messages: raw(`[{"role":"user","content":"u"},{"role":"assistant","content":"x"},{"role":"user","content":"v"}]`), Output: 100}}},
	}
	got, err := ReadSessions(strings.NewReader(text), 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The limit counts turns.
	got, err = ReadSessions(strings.NewReader(text), 100, 4)
	if err != nil {
		t.Fatal(err)
	}
	want = want[:4]
	want[3].Turns = want[3].Turns[:1]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadSessionsMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "there is no request in it",
		"{}":                                  "line 1: it has neither a prompt nor messages",
		"\n[]":                                "line 2: wants one JSON object: json: cannot unmarshal",
		`{"prompt": 5}`:                       "line 1: prompt is neither text nor a list of token ids",
		`{"prompt": ""}`:                      "line 1: prompt is empty",
		`{"prompt":"a","messages":[]}`:        "line 1: it has a prompt and messages",
		`{"prompt":"a","output_len":0}`:       "line 1: a reply of 0 tokens",
		`{"messages":[{"content":"a"}]}`:      "line 1: messages[0] has no role",
		`{"messages":[{"role":"assistant"}]}`: "line 1: messages begin and end with the assistant's",
	} {
		if _, err := ReadSessions(strings.NewReader(text), 1, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestRandom: lengths lie within their bounds, ratio 1 makes them equal, ids are below the vocabulary, and the same seed
// gives the same prompts.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Random{Count: rapid.IntRange(1, 20).Draw(t, "count"), Input: rapid.IntRange(1, 50).Draw(t, "input"), Output: rapid.IntRange(1, 50).Draw(t, "output"),
			Ratio: rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "ratio"), Vocab: rapid.IntRange(1, 100).Draw(t, "vocab"), Seed: rapid.Uint64().Draw(t, "seed")}
		sessions := r.Sessions(false)
		if len(sessions) != r.Count {
			t.Fatalf("%d sessions, want %d", len(sessions), r.Count)
		}
		for _, s := range sessions {
			turn := s.Turns[0]
			for _, x := range [][2]int{{len(turn.Tokens), r.Input}, {turn.Output, r.Output}} {
				if least := max(int(r.Ratio*float64(x[1])), 1); x[0] < least || x[0] > x[1] {
					t.Fatalf("a length of %d, want %d to %d", x[0], least, x[1])
				}
			}
			for _, id := range turn.Tokens {
				if id < 0 || int(id) >= r.Vocab {
					t.Fatalf("id %d of a vocabulary of %d", id, r.Vocab)
				}
			}
		}
		if diff := cmp.Diff(sessions, r.Sessions(false)); diff != "" {
			t.Fatal(diff)
		}
		for i, s := range r.Sessions(true) {
			if n := len(strings.Fields(s.Turns[0].Text)); n != len(sessions[i].Turns[0].Tokens) {
				t.Fatalf("a text of %d words, want %d", n, len(sessions[i].Turns[0].Tokens))
			}
		}
	})
}

// TestLengthsAreEven: with ratio 0 every length from 1 to the most comes up, about equally often.
func TestLengthsAreEven(t *testing.T) {
	r := Random{Count: 10000, Input: 10, Output: 1, Vocab: 1, Seed: 3}
	counts := map[int]int{}
	for _, s := range r.Sessions(false) {
		counts[len(s.Turns[0].Tokens)]++
	}
	for n := 1; n <= 10; n++ {
		if counts[n] < 850 || counts[n] > 1150 { // 1000, and five deviations of 30
			t.Errorf("length %d came up %d times of 10000", n, counts[n])
		}
	}
}

func TestBody(t *testing.T) {
	messages := json.RawMessage(`[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"}]},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"c1","content":"r1"},{"role":"tool","tool_call_id":"c2","content":"r2"},{"role":"user","content":"go"}]`)
	tools := json.RawMessage(`[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]`)
	for _, c := range []struct {
		name string
		o    Options
		t    Turn
		want string
	}{
		{"ids", Options{API: Completions, IgnoreEOS: true}, Turn{Tokens: []int32{3, 1}, Output: 9},
			`{"ignore_eos":true,"max_tokens":9,"model":"m","prompt":[3,1],"stream":true,"stream_options":{"include_usage":true},"temperature":0}`},
		{"text", Options{API: Completions, Temperature: 0.5, Extra: map[string]json.RawMessage{"top_p": json.RawMessage("0.9"), "temperature": json.RawMessage("1")}}, Turn{Text: "a<b", Output: 9},
			`{"max_tokens":9,"model":"m","prompt":"a<b","stream":true,"stream_options":{"include_usage":true},"temperature":1,"top_p":0.9}`},
		{"chat", Options{API: Chat}, Turn{Text: "a", Output: 9},
			`{"max_tokens":9,"messages":[{"content":"a","role":"user"}],"model":"m","stream":true,"stream_options":{"include_usage":true},"temperature":0}`},
		{"anthropic", Options{API: Anthropic}, Turn{Text: "a", Output: 9},
			`{"max_tokens":9,"messages":[{"content":"a","role":"user"}],"model":"m","stream":true,"temperature":0}`},
		{"anthropic tools", Options{API: Anthropic}, Turn{Messages: messages, Tools: tools, Output: 9},
			`{"max_tokens":9,"messages":[{"role":"user","content":[{"text":"hi","type":"text"}]},` +
				`{"role":"assistant","content":[{"id":"c1","input":{"a":1},"name":"f","type":"tool_use"},{"id":"c2","input":{},"name":"g","type":"tool_use"}]},` +
				`{"role":"user","content":[{"content":"r1","tool_use_id":"c1","type":"tool_result"},{"content":"r2","tool_use_id":"c2","type":"tool_result"},{"text":"go","type":"text"}]}],` +
				`"model":"m","stream":true,"system":"s","temperature":0,"tools":[{"description":"d","input_schema":{"type":"object"},"name":"f"}]}`},
	} {
		c.o.Model = "m"
		got, err := c.o.body(&c.t)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, strings.TrimSpace(string(got))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	for _, c := range []struct {
		api API
		t   Turn
	}{{Completions, Turn{Messages: messages}}, {Chat, Turn{Tokens: []int32{1}}}, {Anthropic, Turn{Tokens: []int32{1}}}} {
		o := Options{API: c.api}
		if _, err := o.body(&c.t); err == nil {
			t.Errorf("%s took %+v", c.api, c.t)
		}
	}
}

// FuzzReadSessions: whatever is in a file, each turn that comes of it can be sent through some interface.
func FuzzReadSessions(f *testing.F) {
	f.Add(`{"prompt":"a"}`)
	f.Add(`{"messages":[{"role":"user","content":"u"},{"role":"assistant"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		sessions, err := ReadSessions(strings.NewReader(text), 5, 10)
		if err != nil {
			return
		}
		for _, s := range sessions {
			for _, turn := range s.Turns {
				o := Options{API: Chat}
				if turn.Tokens != nil {
					o.API = Completions
				}
				if _, err := o.body(&turn); err != nil || turn.Output < 1 {
					t.Errorf("%+v: %v", turn, err)
				}
			}
		}
	})
}
