package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/glmc/glmc/runtime/serve/openapi/openapitest"
	"github.com/glmc/glmc/runtime/service/modeltest"
)

// TestOverService: requests go all the way but the weights. Choices of a stream come side by side, and are those of the answer in
// one piece.
func TestOverService(t *testing.T) {
	s, end, err := modeltest.New(modeltest.Options{Files: os.DirFS("../../../models/tiny"), Stop: []int32{4064, 4071, 4073}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	h := handler(s)
	say := modeltest.Say("<think>Look first.</think>Let me look.<tool_call>read\n<arg_key>path</arg_key>\n<arg_value>a.go</arg_value>\n</tool_call>")
	payload, err := json.Marshal(map[string]any{
		"messages": []any{map[string]string{"role": "user", "content": say}}, "n": 4, "logprobs": true, "top_logprobs": 2, "max_tokens": 200,
		"tools": []any{map[string]any{"type": "function", "function": map[string]string{"name": "read"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	whole := post(h, "/v1/chat/completions", string(payload))
	stream := post(h, "/v1/chat/completions", strings.TrimSuffix(string(payload), "}")+`, "stream": true, "stream_options": {"include_usage": true, "continuous_usage_stats": true}}`)
	for _, w := range []*http.Response{whole.Result(), stream.Result()} {
		body := whole.Body.Bytes()
		if w.Header.Get("Content-Type") != "application/json" {
			body = stream.Body.Bytes()
		}
		if err := openapitest.Check(http.MethodPost, "/v1/chat/completions", payload, w.StatusCode, w.Header, body); err != nil {
			t.Error(err)
		}
	}
	var want chatCompletion
	if err := json.Unmarshal(whole.Body.Bytes(), &want); err != nil {
		t.Fatalf("%v: %s", err, whole.Body)
	}
	got := make([]string, 4)
	for _, chunk := range chunks(t, stream.Body.String()) {
		for _, c := range chunk.Choices {
			if c.Delta.Content != nil {
				got[c.Index] += *c.Delta.Content
			}
			for _, call := range c.Delta.Calls {
				got[c.Index] += call.Function.Name + call.Function.Arguments
			}
			if c.Finish != nil {
				got[c.Index] += *c.Finish
			}
		}
	}
	for i, c := range want.Choices {
		if c.Message.Content == nil || len(c.Message.Calls) != 1 {
			t.Fatalf("choice %d is %+v", i, c.Message)
		}
		text := fmt.Sprint(*c.Message.Content, c.Message.Calls[0].Function.Name, c.Message.Calls[0].Function.Arguments, c.Finish)
		if got[i] != text || !strings.HasPrefix(text, "Let me look.read{") || len(c.Logprobs.Content) == 0 {
			t.Errorf("choice %d is %q, and in a stream %q", i, text, got[i])
		}
	}
	if want.Usage.Completion == 0 || want.Usage.OutputPart.Reasoning == 0 || want.Usage.Completion%4 != 0 {
		t.Errorf("the usage is %+v", want.Usage)
	}
}

// chunks are those of a stream.
func chunks(t *testing.T, stream string) []chatChunk {
	t.Helper()
	var all []chatChunk
	for line := range strings.Lines(stream) {
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var chunk chatChunk
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		all = append(all, chunk)
	}
	return all
}

// TestRanks: every token of a prompt has a rank, those that are not among the alternatives too, as vLLM has it.
func TestRanks(t *testing.T) {
	s, end, err := modeltest.New(modeltest.Options{Files: os.DirFS("../../../models/tiny"), Stop: []int32{4064, 4071, 4073}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	for _, top := range []int{0, 1} {
		payload := fmt.Sprintf(`{"prompt": [5, 6, 7], "max_tokens": 1, "prompt_logprobs": %d}`, top)
		w := post(handler(s), "/v1/completions", payload)
		if err := openapitest.Check(http.MethodPost, "/v1/completions", []byte(payload), w.Code, w.Header(), w.Body.Bytes()); err != nil {
			t.Error(err)
		}
		var answer textCompletion
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		prompt := answer.Choices[0].PromptLogprobs
		if len(prompt) != 3 || prompt[0] != nil {
			t.Fatalf("%+v", prompt)
		}
		for i, id := range []string{"6", "7"} {
			own, ok := prompt[i+1][id]
			if !ok || own.Rank < 1 || len(prompt[i+1]) > 1 && own.Rank < 2 || len(prompt[i+1]) > 1+top {
				t.Errorf("with %d alternatives, token %s: %+v", top, id, prompt[i+1])
			}
		}
	}
}
