package service_test

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/modeltest"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

func ptr[T any](v T) *T { return &v }

// TestRefused: a request that no model can answer is refused before the engine sees it, with the name of what is wrong.
func TestRefused(t *testing.T) {
	s := scripted(t, modeltest.Options{Pages: 16})
	change := func(f func(*service.Request)) service.Request { r := told("Yes."); f(&r); return r }
	for _, tt := range []struct {
		name  string
		in    service.Request
		kind  service.ErrorKind
		param string
		says  string
	}{
		{"choices", change(func(r *service.Request) { r.Choices = 129 }), service.Invalid, "n", "1 to 128"},
		{"negative tokens", change(func(r *service.Request) { r.MaxTokens = ptr(-1) }), service.Invalid, "max_tokens", "-1"},
		{"more at least than at most", change(func(r *service.Request) { r.MaxTokens, r.MinTokens = ptr(3), 4 }), service.Invalid, "min_tokens", "more than max_tokens"},
		{"alternatives", change(func(r *service.Request) { r.Alternatives = 21 }), service.Invalid, "top_logprobs", "0 to 20"},
		{"a biased token", change(func(r *service.Request) { r.Sampling.Bias = map[int32]float32{4096: 1} }), service.Invalid, "logit_bias", "4096"},
		{"a stop token", change(func(r *service.Request) { r.StopIDs = []int32{-1} }), service.Invalid, "stop_token_ids", "-1"},
		{"an empty stop string", change(func(r *service.Request) { r.Stop = []string{"x", ""} }), service.Invalid, "stop", "empty"},
		{"a temperature", change(func(r *service.Request) { r.Sampling.Temperature = ptr(-1.0) }), service.Invalid, "", "temperature"},
		{"a schema", change(func(r *service.Request) {
			r.Format = service.Format{Kind: service.FormatSchema, Schema: []byte(`{"type":"nothing"}`)}
		}),
			service.Invalid, "response_format", "/type"},
		{"an expression", change(func(r *service.Request) {
			r.Format = service.Format{Kind: service.FormatRegex, Regex: "a(", Param: "guided_regex"}
		}), service.Invalid, "guided_regex", "guided_regex: "},
		{"a template argument", change(func(r *service.Request) { r.Template = map[string]any{"messages": true} }), service.Invalid, "messages", "allowed are"},
		{"a token", service.Request{Tokens: []int32{1, 4096}}, service.Invalid, "prompt", "token 1 is 4096"},
		{"no tokens", service.Request{Tokens: []int32{}}, service.Invalid, "prompt", "empty"},
		{"a prompt", service.Request{Tokens: make([]int32, 257)}, service.TooLong, "max_tokens", "257 tokens"},
		{"a text", service.Request{Text: ptr(strings.Repeat("a b ", 200))}, service.TooLong, "max_tokens", "the prompt has 401 tokens"},
		{"a text that is not counted", service.Request{Text: ptr(strings.Repeat("a ", 1<<20))}, service.TooLong, "max_tokens", "more than 512 tokens, but prompt and reply together may have 256"},
		{"a conversation that is not counted", told(strings.Repeat("a ", 1<<20)), service.TooLong, "max_tokens", "more than 512 tokens"},
		{"prompt and reply", service.Request{Tokens: make([]int32, 200), MaxTokens: ptr(57)}, service.TooLong, "max_tokens", "together they may have 256"},
		{"nothing to continue", change(func(r *service.Request) { r.Continue = true }), service.Invalid, "continue_final_message", "nothing to continue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Start(t.Context(), tt.in)
			var e *service.Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v", err)
			}
			if e.Kind != tt.kind || e.Param != tt.param || !strings.Contains(e.Message, tt.says) {
				t.Errorf("the error is of kind %d about %q: %s; want %d about %q with %q", e.Kind, e.Param, e.Message, tt.kind, tt.param, tt.says)
			}
		})
	}
}

// TestTokenizeCountsAll: who asks how long a prompt is gets to know it, however long it is.
func TestTokenizeCountsAll(t *testing.T) {
	s := scripted(t, modeltest.Options{Pages: 16})
	if n, err := s.Count(t.Context(), service.Request{Text: ptr(strings.Repeat(" word", 1000))}); n < 1000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// TestBusy: what finds no room is told to come again, and the rest is not disturbed.
func TestBusy(t *testing.T) {
	s := scripted(t, modeltest.Options{Engine: engine.Options{MaxRunning: 1, MaxWaiting: 1}})
	var open []service.Generation
	var refused *service.Error
	for range 8 {
		g, err := s.Start(t.Context(), told(strings.Repeat("word ", 1000)))
		if errors.As(err, &refused) {
			break
		}
		open = append(open, g)
	}
	if refused == nil || refused.Kind != service.Busy || refused.RetryAfter <= 0 || len(open) == 0 {
		t.Errorf("%d requests run, and one more gets %+v", len(open), refused)
	}
	// It is refused before its prompt is looked at.
	if _, err := s.Start(t.Context(), service.Request{Tokens: []int32{-1}}); !errors.As(err, &refused) || refused.Kind != service.Busy {
		t.Errorf("the error is %v", err)
	}
	for _, g := range open {
		g.Close()
	}
	// What never finds room is not told to come again.
	r := told("Yes.")
	for r.Choices = 2; r.Choices < 4; r.Choices++ {
		g, err := s.Start(t.Context(), r)
		if r.Choices == 3 && (!errors.As(err, &refused) || refused.Kind != service.Invalid || refused.Param != "n") {
			t.Errorf("three choices where two have room: %v", err)
		}
		if err == nil {
			g.Close()
		}
	}
}

// TestContinue: the model goes on with the last message, which is then a part of its turn.
func TestContinue(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	r := told("and that is all.")
	r.Conversation.Messages = append(r.Conversation.Messages, chat.Message{Role: chat.RoleAssistant, Content: "Once upon a time "})
	r.Continue = true
	got, _ := collect(t, s, r)
	if want := []reply{{Text: "and that is all.", Finish: service.FinishStop}}; !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	ids, err := s.Tokenize(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Detokenize(ids)
	if err != nil || !strings.HasSuffix(text, "Once upon a time") {
		t.Errorf("the prompt ends in %q (%v)", text[max(0, len(text)-40):], err)
	}
}

// TestPromptLogprobs: the prompt's tokens come with their log probabilities, but for the first, which has none; also where no
// token is to follow.
func TestPromptLogprobs(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	for _, tokens := range []int{0, 1, 4} {
		r := service.Request{Text: ptr(modeltest.Say("four words and more")), PromptLogprobs: true, Logprobs: true, Alternatives: 2, MaxTokens: &tokens}
		g, err := s.Start(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		told := 0
		for {
			e, err := g.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			told += len(e.Logprobs)
			if e.Kind == service.Done && e.Finish != service.FinishLength {
				t.Errorf("it ended with %s", e.Finish)
			}
		}
		if u := g.Usage(); told != tokens || u.Output != tokens || u.Cached != 0 {
			t.Errorf("%d tokens of %d, and usage is %+v", told, tokens, u)
		}
		prompt := g.Prompt()
		if len(prompt) != g.Usage().Prompt || prompt[0].Logprob != 0 || prompt[0].Top != nil {
			t.Fatalf("%d tokens of %d of the prompt: %+v", len(prompt), g.Usage().Prompt, prompt)
		}
		for i, p := range prompt[1:] {
			if len(p.Top) != 2 || p.Logprob >= 0 || math.IsNaN(float64(p.Logprob)) {
				t.Fatalf("with %d tokens to come, token %d of the prompt is %+v", tokens, i+1, p)
			}
		}
	}
}

// TestStops: ids and strings end a reply only behind the tokens that it has to have.
func TestStops(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	ids, err := s.Tokenize(t.Context(), service.Request{Text: ptr("a b c d e")})
	if err != nil || len(ids) != 5 {
		t.Fatalf("the ids are %v (%v)", ids, err)
	}
	stopID := told("a b c d e")
	stopID.StopIDs = ids[2:3]
	got, _ := collect(t, s, stopID)
	if want := []reply{{Text: "a b", Finish: service.FinishStop}}; !cmp.Equal(want, got) {
		t.Errorf("a stop token: %s", cmp.Diff(want, got))
	}
	kept := told("a b c d b c")
	kept.Stop, kept.IncludeStop, kept.MinTokens = []string{"b c"}, true, 4
	got, _ = collect(t, s, kept)
	if want := []reply{{Text: "a b c d b c", Finish: service.FinishStop, StopString: "b c"}}; !cmp.Equal(want, got) {
		t.Errorf("a stop string behind 4 tokens: %s", cmp.Diff(want, got))
	}
}

// TestFormBeforeMinTokens: a form that is complete ends the reply, however many tokens there were to be, and the token that ends it is no
// text.
func TestFormBeforeMinTokens(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	r := told("{}")
	r.Format, r.MinTokens, r.KeepSpecial = service.Format{Kind: service.FormatRegex, Regex: `\{\}`}, 50, true
	got, _ := collect(t, s, r)
	if want := []reply{{Text: "{}", Finish: service.FinishStop}}; !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
}

// TestWithoutTokenizer: token ids work, text does not.
func TestWithoutTokenizer(t *testing.T) {
	e, err := engine.New(enginetest.New(enginetest.Options{}), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	loop := engine.NewLoop(e)
	defer loop.Close()
	s, err := service.New(loop, service.Options{Name: "ids", MaxPositions: 256, VocabSize: 64})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Start(t.Context(), service.Request{Tokens: []int32{1, 2, 3}, MaxTokens: ptr(5), Logprobs: true})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var ids []int32
	for {
		e, err := g.Next(t.Context())
		if err != nil {
			break
		}
		for _, l := range e.Logprobs {
			ids = append(ids, l.ID)
		}
	}
	if len(ids) != 5 || slices.Max(ids) > 63 {
		t.Errorf("the ids are %v", ids)
	}
	for _, r := range []service.Request{{Text: ptr("text")}, told("words"), {Tokens: []int32{1}, Stop: []string{"x"}}, {Tokens: []int32{1}, Format: service.Format{Kind: service.FormatJSON}}} {
		var refused *service.Error
		if _, err := s.Start(t.Context(), r); !errors.As(err, &refused) || refused.Kind != service.Invalid || !strings.Contains(refused.Message, "without a") {
			t.Errorf("the error is %v", err)
		}
	}
}

// TestWithoutStops: a model of which no token is known to end a reply cannot end one that has a form.
func TestWithoutStops(t *testing.T) {
	tok, err := tokenizer.Load("../../models/tiny/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(enginetest.New(enginetest.Options{Vocab: tok.VocabSize()}), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	loop := engine.NewLoop(e)
	defer loop.Close()
	s, err := service.New(loop, service.Options{Name: "endless", MaxPositions: 256, VocabSize: tok.VocabSize(), Tokenizer: tok})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Start(t.Context(), service.Request{Text: ptr("Hi"), Format: service.Format{Kind: service.FormatJSON}})
	var refused *service.Error
	if !errors.As(err, &refused) || refused.Kind != service.Invalid || refused.Param != "response_format" {
		t.Errorf("the error is %v", err)
	}
}
