// Package clients tries glmc's server with OpenAI's client for Go. It is a module of its own, because the client takes a minute to build.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

const model = "scripted"

// connect returns a client of the server that the environment names.
func connect(t *testing.T, more ...option.RequestOption) openai.Client {
	t.Helper()
	url := os.Getenv("GLMC_URL")
	if url == "" {
		t.Fatal("the tests run beside a server: go run ./testdata/clients/server go test -C testdata/clients/go ./...")
	}
	return openai.NewClient(append([]option.RequestOption{option.WithBaseURL(url + "/v1"), option.WithAPIKey(os.Getenv("GLMC_KEY")), option.WithMaxRetries(0)}, more...)...)
}

// told is a conversation in which the model says so.
func told(say string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("<say>" + say + "</say>")}}
}

var weather = openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
	Name: "get_weather", Parameters: shared.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}, "days": map[string]any{"type": "integer"}}},
})

func call(city string) string {
	return "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>" + city + "</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>"
}

func TestAnswers(t *testing.T) {
	c := connect(t)
	r, err := c.Chat.Completions.New(t.Context(), told("<think>Hm.</think>\nHello."))
	if err != nil {
		t.Fatal(err)
	}
	message := r.Choices[0].Message
	if message.Content != "Hello." || r.Choices[0].FinishReason != "stop" {
		t.Errorf("content %q, finish reason %q", message.Content, r.Choices[0].FinishReason)
	}
	if got := message.JSON.ExtraFields["reasoning_content"].Raw(); got != `"Hm."` {
		t.Errorf("reasoning content %s", got)
	}
	if u := r.Usage; u.TotalTokens != u.PromptTokens+u.CompletionTokens || u.CompletionTokensDetails.ReasoningTokens == 0 {
		t.Errorf("usage %s", u.RawJSON())
	}
}

func TestStreams(t *testing.T) {
	p := told("Hello, streamed.")
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	c := connect(t)
	stream := c.Chat.Completions.NewStreaming(t.Context(), p)
	var whole openai.ChatCompletionAccumulator
	chunks := 0
	for stream.Next() {
		chunks++
		if !whole.AddChunk(stream.Current()) {
			t.Fatalf("chunk %d does not belong to the others: %s", chunks, stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := whole.Choices[0].Message.Content; got != "Hello, streamed." || chunks < 4 {
		t.Errorf("content %q in %d chunks", got, chunks)
	}
	if whole.Usage.TotalTokens == 0 || whole.Choices[0].FinishReason != "stop" {
		t.Errorf("usage %v, finish reason %q", whole.Usage.TotalTokens, whole.Choices[0].FinishReason)
	}
}

func TestCallsTools(t *testing.T) {
	c := connect(t)
	p := told(call("Oslo") + "\n" + call("Rome"))
	p.Tools = []openai.ChatCompletionToolUnionParam{weather}
	r, err := c.Chat.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, call := range r.Choices[0].Message.ToolCalls {
		got = append(got, call.Function.Name+" "+call.Function.Arguments)
	}
	if diff := cmp.Diff([]string{`get_weather {"city":"Oslo","days":2}`, `get_weather {"city":"Rome","days":2}`}, compact(t, got)); diff != "" || r.Choices[0].FinishReason != "tool_calls" {
		t.Errorf("finish reason %q, calls (-want +got):\n%s", r.Choices[0].FinishReason, diff)
	}
	p.Messages = append(p.Messages, r.Choices[0].Message.ToParam())
	for _, call := range r.Choices[0].Message.ToolCalls {
		p.Messages = append(p.Messages, openai.ToolMessage("<say>It rains.</say>", call.ID))
	}
	if r, err = c.Chat.Completions.New(t.Context(), p); err != nil || r.Choices[0].Message.Content != "It rains." {
		t.Errorf("behind the results: %v, %v", r, err)
	}
}

// compact writes the JSON behind a name without spaces.
func compact(t *testing.T, calls []string) (out []string) {
	for _, c := range calls {
		name, args, _ := strings.Cut(c, " ")
		var v any
		if err := json.Unmarshal([]byte(args), &v); err != nil {
			t.Fatalf("arguments %q: %v", args, err)
		}
		data, _ := json.Marshal(v)
		out = append(out, name+" "+string(data))
	}
	return out
}

func TestStreamsCalls(t *testing.T) {
	p := told("Let me look.\n" + call("Oslo"))
	p.Tools = []openai.ChatCompletionToolUnionParam{weather}
	c := connect(t)
	stream := c.Chat.Completions.NewStreaming(t.Context(), p)
	var whole openai.ChatCompletionAccumulator
	finished := 0
	for stream.Next() {
		whole.AddChunk(stream.Current())
		if _, ok := whole.JustFinishedToolCall(); ok {
			finished++
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	calls := whole.Choices[0].Message.ToolCalls
	if len(calls) != 1 || calls[0].ID == "" || finished != 1 {
		t.Fatalf("calls %v, %d of them finished", calls, finished)
	}
	if diff := cmp.Diff([]string{`get_weather {"city":"Oslo","days":2}`}, compact(t, []string{calls[0].Function.Name + " " + calls[0].Function.Arguments})); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
}

func TestGivesJSONByASchema(t *testing.T) {
	p := told(`{"age": 36, "name": "Ada"}`) // in the order of the schema, which Go sorts
	p.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "person", Strict: openai.Bool(true), Schema: map[string]any{
			"type": "object", "properties": map[string]any{"name": map[string]any{"type": "string"}, "age": map[string]any{"type": "integer"}}, "required": []string{"name", "age"}, "additionalProperties": false,
		}},
	}}
	c := connect(t)
	r, err := c.Chat.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var person struct {
		Name string
		Age  int
	}
	if err := json.Unmarshal([]byte(r.Choices[0].Message.Content), &person); err != nil || person.Name != "Ada" || person.Age != 36 {
		t.Errorf("%q: %v, %v", r.Choices[0].Message.Content, person, err)
	}
}

func TestChoicesAndLogprobs(t *testing.T) {
	p := told("Certain.")
	p.N, p.Logprobs, p.TopLogprobs = openai.Int(2), openai.Bool(true), openai.Int(2)
	c := connect(t)
	r, err := c.Chat.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i, choice := range r.Choices {
		if int(choice.Index) != i || choice.Message.Content != "Certain." || len(choice.Logprobs.Content) == 0 {
			t.Fatalf("choice %d: %s", i, choice.RawJSON())
		}
		for _, token := range choice.Logprobs.Content {
			if token.Logprob > 0 || token.Logprob < -1e-6 || len(token.TopLogprobs) != 2 {
				t.Errorf("choice %d: token %s", i, token.RawJSON())
			}
		}
	}
	if len(r.Choices) != 2 {
		t.Errorf("%d choices", len(r.Choices))
	}
}

func TestStopsAndLimits(t *testing.T) {
	c := connect(t)
	p := told("one two three")
	p.Stop = openai.ChatCompletionNewParamsStopUnion{OfStringArray: []string{"three", " two"}}
	r, err := c.Chat.Completions.New(t.Context(), p)
	if err != nil || r.Choices[0].Message.Content != "one" || r.Choices[0].FinishReason != "stop" {
		t.Errorf("stopped: %v, %v", r, err)
	}
	p = told("one two three")
	p.MaxCompletionTokens = openai.Int(2)
	r, err = c.Chat.Completions.New(t.Context(), p)
	if err != nil || r.Usage.CompletionTokens != 2 || r.Choices[0].FinishReason != "length" {
		t.Errorf("limited: %v, %v", r, err)
	}
}

func TestErrors(t *testing.T) {
	c := connect(t)
	hot, other, empty := told("x"), told("x"), told("x")
	hot.Temperature, other.Model, empty.Messages = openai.Float(9), "gpt-99", nil
	for name, tt := range map[string]struct {
		ask                func() error
		status             int
		param, code, class string
	}{
		"no key": {func() error {
			_, err := c.Models.Get(t.Context(), model, option.WithAPIKey("wrong-key-0123456789"))
			return err
		},
			http.StatusUnauthorized, "", "invalid_api_key", "authentication_error"},
		"range":    {func() error { _, err := c.Chat.Completions.New(t.Context(), hot); return err }, http.StatusBadRequest, "temperature", "", "invalid_request_error"},
		"model":    {func() error { _, err := c.Chat.Completions.New(t.Context(), other); return err }, http.StatusNotFound, "model", "model_not_found", "invalid_request_error"},
		"messages": {func() error { _, err := c.Chat.Completions.New(t.Context(), empty); return err }, http.StatusBadRequest, "messages", "", "invalid_request_error"},
		"length": {func() error {
			_, err := c.Chat.Completions.New(t.Context(), told(strings.Repeat("word ", 30000)))
			return err
		},
			http.StatusBadRequest, "max_tokens", "context_length_exceeded", "invalid_request_error"},
	} {
		t.Run(name, func(t *testing.T) {
			var e *openai.Error
			if err := tt.ask(); !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.StatusCode != tt.status || e.Code != tt.code || e.Message == "" || e.Type != tt.class || e.Param != tt.param {
				t.Errorf("status %d, param %q, code %q, type %q, message %q, want %+v", e.StatusCode, e.Param, e.Code, e.Type, e.Message, tt)
			}
		})
	}
}

func TestCancels(t *testing.T) {
	aborted := func() float64 { return metric(t, "vllm:request_success_total", `finished_reason="abort"`) }
	before := aborted()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := connect(t, option.WithBaseURL(os.Getenv("GLMC_SLOW_URL")+"/v1"))
	stream := c.Chat.Completions.NewStreaming(ctx, told(strings.Repeat("word ", 400)))
	for stream.Next() {
		if len(stream.Current().Choices) > 0 && stream.Current().Choices[0].Delta.Content != "" {
			cancel()
		}
	}
	start := time.Now()
	if err := stream.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for aborted() == before {
		if time.Since(start) > 5*time.Second {
			t.Fatal("the request was not aborted")
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("aborted within %v", time.Since(start))
}

// metric is the value of a metric of the slow server.
func metric(t *testing.T, name, label string) (sum float64) {
	t.Helper()
	r, err := http.Get(os.Getenv("GLMC_SLOW_URL") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, name+"{") && strings.Contains(line, label) {
			var v float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &v); err != nil {
				t.Fatal(err)
			}
			sum += v
		}
	}
	return sum
}

func TestModelsAndTextCompletions(t *testing.T) {
	c := connect(t)
	list, err := c.Models.List(t.Context())
	if err != nil || len(list.Data) != 1 || list.Data[0].ID != model {
		t.Errorf("models %v, %v", list, err)
	}
	r, err := c.Completions.New(t.Context(), openai.CompletionNewParams{Model: model, Prompt: openai.CompletionNewParamsPromptUnion{OfString: param.NewOpt("<say>and so on</say>")}})
	if err != nil || r.Choices[0].Text != "and so on" {
		t.Errorf("completion %v, %v", r, err)
	}
}

func TestResponses(t *testing.T) {
	c := connect(t)
	p := responses.ResponseNewParams{Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("<say><think>Hm.</think>\nHello.</say>")}}
	r, err := c.Responses.New(t.Context(), p)
	if err != nil || r.OutputText() != "Hello." || r.Status != "completed" {
		t.Fatalf("response %v, %v", r, err)
	}
	stream := c.Responses.NewStreaming(t.Context(), p)
	text, last := "", ""
	for stream.Next() {
		e := stream.Current()
		if last = e.Type; e.Type == "response.output_text.delta" {
			text += e.Delta
		}
	}
	if err := stream.Err(); err != nil || text != "Hello." || last != "response.completed" {
		t.Errorf("text %q, last event %q, error %v", text, last, err)
	}
}
