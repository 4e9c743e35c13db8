package service_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/modeltest"
	"github.com/glmc/glmc/runtime/text/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a service whose model says what it is told to.
func scripted(t *testing.T, o modeltest.Options) *service.Service {
	t.Helper()
	o.Files, o.Stop = os.DirFS("../../models/tiny"), []int32{4064, 4071, 4073}
	s, end, err := modeltest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// told is a conversation in which the model is told what to say.
func told(say string) service.Request {
	return service.Request{Conversation: &chat.Conversation{Messages: []chat.Message{{Role: chat.RoleUser, Content: modeltest.Say(say)}}}}
}

// reply is what became of one choice.
type reply struct {
	Reasoning, Text string
	Calls           []call
	Finish          service.Finish
	StopString      string
}

type call struct{ Name, Arguments string }

// collect reads a generation to its end.
func collect(t *testing.T, s *service.Service, r service.Request) ([]reply, service.Usage) {
	t.Helper()
	g, err := s.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	replies := make([]reply, max(r.Choices, 1))
	for {
		e, err := g.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return replies, g.Usage()
		}
		if err != nil {
			t.Fatal(err)
		}
		at := &replies[e.Choice]
		switch e.Kind {
		case service.Reasoning:
			at.Reasoning += e.Text
		case service.Text:
			at.Text += e.Text
		case service.CallStart:
			if len(e.ID) != 29 {
				t.Errorf("a call has the id %q", e.ID)
			}
			at.Calls = append(at.Calls, call{Name: e.Name})
		case service.CallArgs:
			at.Calls[e.Call].Arguments += e.Text
		case service.Done:
			at.Finish, at.StopString = e.Finish, e.StopString
		}
	}
}

const weather = `{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}}}`

// TestReplies goes the whole way of a reply, but for the weights.
func TestReplies(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	limit := func(r service.Request, n int) service.Request { r.MaxTokens = &n; return r }
	stop := func(r service.Request, stops ...string) service.Request { r.Stop = stops; return r }
	tools := func(r service.Request) service.Request {
		r.Conversation.Tools = append(r.Conversation.Tools, []byte(weather))
		return r
	}
	off := false
	for _, tt := range []struct {
		name string
		in   service.Request
		want reply
	}{
		{"text", told("Hello, world: é 中 😀."), reply{Text: "Hello, world: é 中 😀.", Finish: service.FinishStop}},
		{"thinking", told("\n<think>Let me see.</think>\nYes."), reply{Reasoning: "Let me see.", Text: "Yes.", Finish: service.FinishStop}},
		{"a stop string", stop(told("one two three"), "o t", "hree"), reply{Text: "one tw", Finish: service.FinishStop, StopString: "o t"}},
		{"the length", limit(told("a b c d e f g"), 3), reply{Text: "a b c", Finish: service.FinishLength}},
		{"less room than was asked for", func() service.Request { r := limit(told("a b"), 1<<30); r.Fit = true; return r }(), reply{Text: "a b", Finish: service.FinishStop}},
		{"a call", tools(told("Sure.\n<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>")),
			reply{Text: "Sure.", Calls: []call{{"weather", `{"city": "Oslo", "days": 3}`}}, Finish: service.FinishCalls}},
		{"a stop string behind a call", tools(stop(told("<tool_call>weather\n</tool_call>\nNow END"), "END")),
			reply{Text: "Now ", Calls: []call{{"weather", `{}`}}, Finish: service.FinishStop, StopString: "END"}},
		{"half of a call", tools(told("<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Os")),
			reply{Calls: []call{{"weather", `{"city": "Os`}}, Finish: service.FinishStop}},
		{"no tools", told("<tool_call>weather\n</tool_call>"), reply{Text: "<tool_call>weather\n</tool_call>", Finish: service.FinishStop}},
		{"without thinking", func() service.Request { r := told("Yes."); r.Thinking = &off; return r }(), reply{Text: "Yes.", Finish: service.FinishStop}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, usage := collect(t, s, tt.in)
			if diff := cmp.Diff([]reply{tt.want}, got); diff != "" {
				t.Errorf("the reply is another one (-want +got):\n%s", diff)
			}
			if usage.Prompt == 0 || usage.Output == 0 || (usage.Reasoning > 0) != (tt.want.Reasoning != "") {
				t.Errorf("usage is %+v", usage)
			}
		})
	}
}

// TestChoices: several choices are all there, and the prompt is computed once.
func TestChoices(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	r := told(strings.Repeat("again and again ", 20))
	r.Choices = 4
	got, usage := collect(t, s, r)
	want := reply{Text: strings.Repeat("again and again ", 20), Finish: service.FinishStop}
	if diff := cmp.Diff([]reply{want, want, want, want}, got); diff != "" {
		t.Errorf("the replies are others (-want +got):\n%s", diff)
	}
	_, again := collect(t, s, r)
	if again.Prompt != usage.Prompt || again.Cached < usage.Prompt-16 || again.Output != usage.Output {
		t.Errorf("usage of the same request again is %+v, before %+v", again, usage)
	}
}

// TestContinueFirstSpace: a reply that continues a message begins with what the model says, white space included.
func TestContinueFirstSpace(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	r := told(" world")
	r.Conversation.Messages = append(r.Conversation.Messages, chat.Message{Role: chat.RoleAssistant, Content: "Hello"})
	r.Continue = true
	got, _ := collect(t, s, r)
	if diff := cmp.Diff([]reply{{Text: " world", Finish: service.FinishStop}}, got); diff != "" {
		t.Errorf("the reply is another one (-want +got):\n%s", diff)
	}
}

// TestFormat: a reply has the form that it must have, whatever the model would say.
func TestFormat(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	for _, say := range []string{"\n{\"n\": 12}", "I would rather not.", "\n<think>Hm.</think>\n{\"n\": 3}"} {
		r := told(say)
		thinks := strings.Contains(say, "<think>")
		r.Thinking = &thinks
		n := 60
		r.MaxTokens = &n
		r.Format = service.Format{Kind: service.FormatSchema, Schema: []byte(`{"type":"object","properties":{"n":{"type":"integer","minimum":0,"maximum":99}},"required":["n"],"additionalProperties":false}`)}
		got, _ := collect(t, s, r)
		if text := strings.TrimSpace(got[0].Text); got[0].Finish != service.FinishStop || !strings.HasPrefix(text, `{"n":`) || !strings.HasSuffix(text, "}") {
			t.Errorf("told to say %q, the model says %+v", say, got[0])
		}
	}
}

// TestEnds: a generation ends when its context does; others are not concerned.
func TestEnds(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	g, err := s.Start(ctx, told(strings.Repeat("word ", 2000)))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, err := g.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = g.Next(t.Context())
	}
	var e *service.Error
	if !errors.As(err, &e) || e.Kind != service.Unavailable {
		t.Errorf("a cancelled generation ends with %v", err)
	}
	got, _ := collect(t, s, told("still here"))
	if got[0].Text != "still here" {
		t.Errorf("the next one is %+v", got)
	}
}

// TestCalls: calls are made where they have to be, in the form that the tool's schema has, whatever the model would say.
func TestCalls(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	off := false
	for _, choice := range []service.ToolChoice{{Mode: service.ToolRequired}, {Mode: service.ToolNamed, Name: "weather"}} {
		r := told("<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>")
		r.Thinking, r.ToolChoice, r.ParallelCalls, r.IgnoreEOS = &off, choice, &off, true
		r.Conversation.Tools = append(r.Conversation.Tools, []byte(weather))
		got, _ := collect(t, s, r)
		if want := []reply{{Calls: []call{{"weather", `{"city": "Oslo"}`}}, Finish: service.FinishCalls}}; !cmp.Equal(want, got) {
			t.Errorf("with %+v: %s", choice, cmp.Diff(want, got))
		}
	}
	for said, want := range map[string]reply{
		`{"a": "sunny"}`: {Text: `{"a": "sunny"}`, Finish: service.FinishStop},
		"<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>": {Calls: []call{{"weather", `{"city": "Oslo"}`}}, Finish: service.FinishCalls},
		"\n<think>Hm.</think>\n<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>": {Reasoning: "Hm.",
			Calls: []call{{"weather", `{"city": "Oslo"}`}}, Finish: service.FinishCalls},
	} {
		r := told(said)
		r.Format = service.Format{Kind: service.FormatJSON}
		r.Conversation.Tools = append(r.Conversation.Tools, []byte(weather))
		if got, _ := collect(t, s, r); !cmp.Equal([]reply{want}, got) {
			t.Errorf("a form or calls: %s", cmp.Diff([]reply{want}, got))
		}
	}
	for param, change := range map[string]func(*service.Request){
		"response_format": func(r *service.Request) {
			r.Format = service.Format{Kind: service.FormatSchema, Schema: []byte(`{"type":"nothing"}`)}
		},
		"tool_choice": func(r *service.Request) { r.ToolChoice = service.ToolChoice{Mode: service.ToolNamed, Name: "sunshine"} },
		"tools": func(r *service.Request) {
			r.ToolChoice.Mode = service.ToolRequired
			r.Conversation.Tools[0] = []byte(`{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"x":{"type":"nothing"}}}}}`)
		},
	} {
		r := told("Hm.")
		r.Conversation.Tools = append(r.Conversation.Tools, []byte(weather))
		change(&r)
		var refused *service.Error
		if _, err := s.Start(t.Context(), r); !errors.As(err, &refused) || refused.Kind != service.Invalid || refused.Param != param {
			t.Errorf("the error about %s is %v", param, err)
		}
	}
}
