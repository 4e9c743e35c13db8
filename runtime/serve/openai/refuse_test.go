package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

// answering is a backend that says "ok".
func answering() *servicetest.Backend {
	return &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script {
		return servicetest.Script{Steps: []servicetest.Step{
			{Event: service.Event{Kind: service.Text, Text: "ok"}}, {Event: service.Event{Kind: service.Done, Finish: service.FinishStop}},
		}}
	}}
}

func post(h http.Handler, path, payload string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestRefused: fields of the wrong kind or out of range are refused with their name, before the backend sees anything.
func TestRefused(t *testing.T) {
	many := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	bias := make(map[string]int, 1025)
	for i := range 1025 {
		bias[fmt.Sprint(i)] = 1
	}
	large, _ := json.Marshal(bias)
	for _, tt := range []struct{ field, value, param, want string }{
		{"model", `"other"`, "model", `the model "other" is not served here; "tiny" is`},
		{"model", `1`, "model", "model must be a string, not a number"},
		{"temperature", `"1"`, "temperature", "temperature must be a number, not a string"},
		{"temperature", `2.5`, "temperature", "temperature is 2.5; must be between 0 and 2"},
		{"temperature", `-0.1`, "temperature", "temperature is -0.1; must be between 0 and 2"},
		{"temperature", `1e999`, "temperature", "temperature is 1e999; must be between 0 and 2"},
		{"temperature", `NaN`, "", "the body is not JSON: invalid character 'N' looking for beginning of value"},
		{"top_p", `0`, "top_p", "top_p is 0; must be above 0"},
		{"top_p", `1.1`, "top_p", "top_p is 1.1; must be between 0 and 1"},
		{"top_k", `-2`, "top_k", "top_k is -2; must be between -1 and 2147483647"},
		{"top_k", `1.5`, "top_k", "top_k is 1.5; must be a whole number"},
		{"repetition_penalty", `0`, "repetition_penalty", "repetition_penalty is 0; must be above 0"},
		{"presence_penalty", `3`, "presence_penalty", "presence_penalty is 3; must be between -2 and 2"},
		{"seed", `9223372036854775808`, "seed", "seed is 9223372036854775808; must be between -9223372036854775808 and 9223372036854775807"},
		{"n", `0`, "n", "n is 0; must be between 1 and 128"},
		{"n", `129`, "n", "n is 129; must be between 1 and 128"},
		{"n", `1000000000000000000000`, "n", "n is 1000000000000000000000; must be between 1 and 128"},
		{"stop", `1`, "stop", "stop must be a string or an array of strings, not a number"},
		{"stop", `""`, "stop", "stop has an empty string, which every text begins with"},
		{"stop", `["a", 1]`, "stop[1]", "stop[1] must be a string, not a number"},
		{"stop", many(17, `"a"`), "stop", "stop has more than 16 items"},
		{"stop", `"` + strings.Repeat("a", 1025) + `"`, "stop", "stop has 1025 characters; at most 1024 are allowed"},
		{"stop_token_ids", `[256]`, "stop_token_ids[0]", "stop_token_ids[0] is 256; must be a whole number from 0 to 255"},
		{"stop_token_ids", `[null]`, "stop_token_ids[0]", "stop_token_ids[0] is null; must be a whole number from 0 to 255"},
		{"stop_token_ids", `[[1]]`, "stop_token_ids[0]", "stop_token_ids[0] is [1]; must be a whole number from 0 to 255"},
		{"stop_token_ids", `["1,2"]`, "stop_token_ids[0]", `stop_token_ids[0] is "1; must be a whole number from 0 to 255`},
		{"max_tokens", `-1`, "max_tokens", "max_tokens is -1; must be between"},
		{"max_tokens", `1e3`, "", ""}, // a whole number
		{"max_completion_tokens", `-1`, "max_completion_tokens", "max_completion_tokens is -1; must be between"},
		{"min_tokens", `20, "max_tokens": 10`, "min_tokens", "min_tokens is 20, more than the 10 tokens that there may be"},
		{"logit_bias", `{"256": 1}`, "logit_bias", `logit_bias has the key "256"; keys are ids of tokens, from 0 to 255`},
		{"logit_bias", `{"a": 1}`, "logit_bias", `logit_bias has the key "a"`},
		{"logit_bias", `{"1": 101}`, "logit_bias.1", "logit_bias.1 is 101; must be between -100 and 100"},
		{"logit_bias", string(large), "logit_bias", "logit_bias has 1025 tokens; at most 1024 are allowed"},
		{"stream", `"yes"`, "stream", "stream must be a boolean, not a string"},
		{"stream_options", `{"include_usage": true}`, "stream_options", "stream_options is only allowed with stream"},
		{"stream_options", `{"include_usage": 1}, "stream": true`, "stream_options.include_usage", "stream_options.include_usage must be a boolean, not a number"},
		{"user", `{}`, "user", "user must be a string, not an object"},
		{"metadata", `{"a": 1}`, "metadata.a", "metadata.a must be a string, not a number"},
		{"service_tier", `"best"`, "service_tier", `service_tier is "best"; must be auto, default, flex, scale or priority`},
		{"priority", `1.5`, "priority", "priority is 1.5; must be a whole number"},
		{"cache_salt", `"` + strings.Repeat("a", 257) + `"`, "cache_salt", "cache_salt has 257 characters; at most 256 are allowed"},
		{"chat_template", `"{{ 1 }}"`, "chat_template", "chat_template is not supported: templates come with the model, never with a request"},
		{"use_beam_search", `true`, "use_beam_search", "use_beam_search is not supported: there is no beam search"},
		{"skip_special_tokens", `0`, "skip_special_tokens", "skip_special_tokens must be a boolean, not a number"},
		{"seed", `1, "seed": 2`, "seed", "seed is there twice"},
		{"x", strings.Repeat("[", 300) + strings.Repeat("]", 300), "", "the body nests deeper than 256"},
		{"x", strings.Repeat("[", 1<<20), "", "the body nests deeper than 256"},
		{"x", `1} {`, "", "the body has more after its end"},
		{"x", `1`, "", ""}, // an unknown field
	} {
		for path, head := range map[string]string{
			"/v1/chat/completions": `{"messages": [{"role": "user", "content": "?"}], `,
			"/v1/completions":      `{"prompt": "?", `,
			"/v1/responses":        `{"input": "?", `,
		} {
			b := answering()
			w := post(handler(b), path, head+`"`+tt.field+`": `+tt.value+"}")
			if tt.want == "" {
				if w.Code != http.StatusOK {
					t.Errorf("%s: %.80s: %.80s: status %d: %s", path, tt.field, tt.value, w.Code, w.Body)
				}
				continue
			}
			var answer errorBody
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			param := ""
			if answer.Error.Param != nil {
				param = *answer.Error.Param
			}
			if (w.Code != http.StatusBadRequest && w.Code != http.StatusNotFound) || param != tt.param || !strings.HasPrefix(answer.Error.Message, tt.want) {
				t.Errorf("%s: %.80s: %.80s: %d %q %s\nwant %q %s", path, tt.field, tt.value, w.Code, param, answer.Error.Message, tt.param, tt.want)
			}
			if len(b.Requests()) > 0 {
				t.Errorf("%s: %.80s: %.80s: the backend was asked", path, tt.field, tt.value)
			}
		}
	}
}

// TestRefusedChat are those of conversations.
func TestRefusedChat(t *testing.T) {
	for _, tt := range []struct{ payload, param, want string }{
		{`[]`, "", "the body must be an object, not an array"},
		{`{`, "", "the body is not JSON: it ends too early"},
		{``, "", "the body must be an object, not nothing"},
		{"{\"messages\": \"\xff\"}", "", "the body is not valid UTF-8"},
		{`{}`, "messages", "messages is missing"},
		{`{"messages": []}`, "messages", "messages: is empty"},
		{`{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}}]}]}`, "messages[0].content[0].type", `messages[0].content[0].type: is "image_url"; only text parts are supported`},
		{`{"messages": [{"role": "user", "content": "?"}], "chat_template_kwargs": {"chat_template": "x"}}`, "chat_template_kwargs", `chat_template_kwargs: has the unknown field "chat_template"`},
		{`{"messages": [{"role": "user", "content": "?"}], "continue_final_message": true}`, "continue_final_message", "continue_final_message wants the last message to be the assistant's, not of the role user"},
		{`{"messages": [{"role": "user", "content": "?"}], "continue_final_message": true, "add_generation_prompt": true}`, "continue_final_message", "continue_final_message and add_generation_prompt exclude each other"},
		{`{"messages": [{"role": "user", "content": "?"}], "reasoning_effort": "much"}`, "reasoning_effort", `reasoning_effort is "much"; must be none, minimal, low, medium, high, xhigh or max`},
		{`{"messages": [{"role": "user", "content": "?"}], "modalities": ["text", "audio"]}`, "modalities", `modalities has "audio"; the model gives text`},
		{`{"messages": [{"role": "user", "content": "?"}], "functions": [{"name": "f"}]}`, "functions", "functions is not supported: it was replaced by tools"},
		{`{"messages": [{"role": "user", "content": "?"}], "thinking": {"type": "maybe"}}`, "thinking.type", `thinking.type is "maybe"; must be enabled or disabled`},
		{`{"messages": [{"role": "user", "content": "?"}], "store": true}`, "store", "store is true, but this server keeps no completions: leave it out or say false"},
		{`{"messages": [{"role": "user", "content": "?"}], "max_tokens": 0}`, "max_tokens", "max_tokens is 0; must be between 1"},
		{`{"messages": [{"role": "user", "content": "?"}], "top_logprobs": 21, "logprobs": true}`, "top_logprobs", "top_logprobs is 21; must be between 0 and 20"},
	} {
		w := post(handler(answering()), "/v1/chat/completions", tt.payload)
		var answer errorBody
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		param := ""
		if answer.Error.Param != nil {
			param = *answer.Error.Param
		}
		if w.Code != http.StatusBadRequest || param != tt.param || !strings.HasPrefix(answer.Error.Message, tt.want) {
			t.Errorf("%s: %d %q %s\nwant %q %s", tt.payload, w.Code, param, answer.Error.Message, tt.param, tt.want)
		}
	}
}

// TestMediaType: pages of other origins can send a form or plain text without being asked, and JSON not.
func TestMediaType(t *testing.T) {
	for kind, status := range map[string]int{
		"application/json": 200, "Application/JSON; charset=utf-8": 200, "text/plain": 415, "application/x-www-form-urlencoded": 415, "": 415,
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/completions", strings.NewReader(`{"prompt": "?"}`))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		handler(answering()).ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("Content-Type %q: status %d, want %d", kind, w.Code, status)
		}
	}
}

// FuzzRequests: no body brings a handler down, and every answer is one.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"messages": [{"role": "user", "content": "?"}], "n": 2, "stream": true, "logprobs": true, "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": {"type": "function", "function": {"name": "f"}}}`,
		`{"prompt": [[1, 2], [3]], "echo": true, "logprobs": 1, "max_tokens": 0, "stop": ["a"], "logit_bias": {"1": 2}}`,
		`{"input": [{"role": "user", "content": [{"type": "input_text", "text": "?"}]}, {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}], "text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}}`,
		`{"prompt": "a", "messages": null, "return_token_strs": true, "structured_outputs": {"choice": ["a"]}}`,
		`{"tokens": [1, 2], "thinking": {"type": "disabled"}, "response_format": {"type": "json_object"}, "input": "?"}`,
	} {
		f.Add(seed)
	}
	paths := []string{"/v1/chat/completions", "/v1/completions", "/v1/responses", "/tokenize", "/detokenize"}
	f.Fuzz(func(t *testing.T, payload string) {
		for _, path := range paths {
			b := answering()
			w := post(handler(b), path, payload)
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && w.Code != http.StatusNotFound {
				t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
			}
			if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: no JSON: %s", path, w.Body)
			}
			if b.Open() != 0 {
				t.Errorf("%s: a generation was left open", path)
			}
		}
	})
}
