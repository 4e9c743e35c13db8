package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/serve/openapi/openapitest"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
	"github.com/glmc/glmc/runtime/text/chat"
)

// as sends a request of a tenant.
func as(h http.Handler, tenant, method, path, payload string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(route.WithTenant(r.Context(), tenant)))
	return w
}

// thinking is a backend that thinks, says something and calls.
func thinking(t *testing.T) *servicetest.Backend {
	t.Helper()
	s, err := servicetest.Parse("reasoning Hm.\ntext Look.\ncall call_1 f\nargs {}\nend\ndone tool_calls")
	if err != nil {
		t.Fatal(err)
	}
	return &servicetest.Backend{Describe: servicetest.Model(), Script: func(service.Request) servicetest.Script { return s }}
}

// TestFollowed: a request sees the conversation that it follows as if it had sent it, by response and by items, and so does one that
// follows that.
func TestFollowed(t *testing.T) {
	hm := "Hm."
	want := []chat.Message{
		{Role: "user", Content: "One."},
		{Role: "assistant", Content: "Look.", ReasoningContent: &hm, ToolCalls: []chat.ToolCall{{ID: "call_1", Name: "f", Arguments: json.RawMessage("{}")}}},
		{Role: "tool", ToolCallID: "call_1", Content: "42"},
	}
	again := append(append([]chat.Message{}, want...), want[1], chat.Message{Role: "user", Content: "Two."})
	const output = `{"type": "function_call_output", "call_id": "call_1", "output": "42"}`
	for _, stream := range []string{"false", "true"} {
		b := thinking(t)
		h := handler(b)
		ask := func(input, more string) {
			t.Helper()
			if w := as(h, "a", http.MethodPost, "/v1/responses", `{"stream": `+stream+`, "input": `+input+more+`}`); w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
		}
		seen := func() []chat.Message { r := b.Requests(); return r[len(r)-1].Conversation.Messages }
		ask(`"One."`, "")
		ask("["+output+"]", `, "previous_response_id": "resp_1"`)
		if diff := cmp.Diff(want, seen()); diff != "" {
			t.Errorf("by response (-want +got)\n%s", diff)
		}
		ask(`[{"role": "user", "content": "Two."}]`, `, "previous_response_id": "resp_2", "instructions": ""`)
		if diff := cmp.Diff(again, seen()); diff != "" {
			t.Errorf("by response, twice (-want +got)\n%s", diff)
		}
		reference := func(id string) string { return `{"type": "item_reference", "id": "` + id + `"}, ` }
		items := `[{"role": "user", "content": "One."}, ` + reference("rs_1") + reference("msg_1") + reference("fc_1") + output + "]"
		ask(items, "")
		if diff := cmp.Diff(want, seen()); diff != "" {
			t.Errorf("by items (-want +got)\n%s", diff)
		}
		// Items that were referred to are kept with what referred to them.
		if w := as(h, "a", http.MethodDelete, "/v1/responses/resp_1", ""); w.Code != http.StatusOK {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		ask(`"Two."`, `, "previous_response_id": "resp_4"`)
		if diff := cmp.Diff(again, seen()); diff != "" {
			t.Errorf("by response behind items (-want +got)\n%s", diff)
		}
	}
}

// TestKeptApart: nobody sees responses of another key, and none is there that was not to be kept.
func TestKeptApart(t *testing.T) {
	h := handler(answering())
	as(h, "a", http.MethodPost, "/v1/responses", `{"input": "?"}`)
	as(h, "a", http.MethodPost, "/v1/responses", `{"input": "?", "store": false}`)
	for _, tt := range []struct {
		tenant, method, path, payload string
		status                        int
	}{
		{"a", "GET", "/v1/responses/resp_1", "", 200},
		{"b", "GET", "/v1/responses/resp_1", "", 404},
		{"b", "DELETE", "/v1/responses/resp_1", "", 404},
		{"b", "POST", "/v1/responses", `{"input": "?", "previous_response_id": "resp_1"}`, 400},
		{"b", "POST", "/v1/responses", `{"input": [{"type": "item_reference", "id": "msg_1"}]}`, 400},
		{"a", "GET", "/v1/responses/resp_2", "", 404},
		{"a", "POST", "/v1/responses", `{"input": "?", "previous_response_id": "resp_2"}`, 400},
		{"a", "DELETE", "/v1/responses/resp_1", "", 200},
		{"a", "GET", "/v1/responses/resp_1", "", 404},
	} {
		if w := as(h, tt.tenant, tt.method, tt.path, tt.payload); w.Code != tt.status {
			t.Errorf("%s: %s %s %s: status %d, want %d: %s", tt.tenant, tt.method, tt.path, tt.payload, w.Code, tt.status, w.Body)
		}
	}
}

// TestKeepsNone: a server that keeps nothing says so.
func TestKeepsNone(t *testing.T) {
	mux := http.NewServeMux()
	for _, r := range Routes(answering(), Options{Keep: -1}) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	if w := post(mux, "/v1/responses", `{"input": "?"}`); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"store":false`) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := post(mux, "/v1/responses", `{"input": "?", "store": true}`); w.Code != http.StatusBadRequest {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// TestKeptBounds: whatever is kept, used and removed, it is never more than there is room for; where there is none, the key that holds most loses
// what it used last the longest ago; and nothing of what is gone stays.
func TestKeptBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 8 << 10
		k := newKept(most)
		type entry struct {
			owned
			size int64
		}
		var order []entry // last used first
		take := func(id owned) (entry, bool) {
			for i, o := range order {
				if o.owned == id {
					order = append(order[:i:i], order[i+1:]...)
					return o, true
				}
			}
			return entry{}, false
		}
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			id := owned{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "tenant"), fmt.Sprint(rapid.IntRange(0, max(i, 1)).Draw(t, "id"))}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				id.id = fmt.Sprint("new", i)
				r := &keptResponse{owned: id, whole: make([]byte, rapid.IntRange(0, most).Draw(t, "size")), output: []json.RawMessage{[]byte("{}")}, outputID: []string{"item" + id.id}}
				k.put(r)
				if r.size() <= most {
					order = append([]entry{{id, r.size()}}, order...)
				}
			case 2:
				if _, ok := k.get(id.tenant, id.id); ok {
					e, _ := take(id)
					order = append([]entry{e}, order...)
				}
			case 3:
				k.remove(id.tenant, id.id)
				take(id)
			}
			for {
				total, held := int64(0), map[string]int64{}
				for _, o := range order {
					total += o.size
					held[o.tenant] += o.size
				}
				if total <= most {
					break
				}
				loses := "a"
				for _, tenant := range []string{"b", "c"} {
					if held[tenant] > held[loses] {
						loses = tenant
					}
				}
				for i := len(order) - 1; ; i-- {
					if order[i].tenant == loses {
						take(order[i].owned)
						break
					}
				}
			}
			got := map[owned]bool{}
			for id := range k.byID {
				got[id] = true
			}
			want, bytes := map[owned]bool{}, int64(0)
			for _, o := range order {
				want[o.owned] = true
				bytes += o.size
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(owned{})); diff != "" || len(k.items) != len(order) || k.bytes != bytes {
				t.Fatalf("%d items and %d bytes, want %d and %d (-want +got)\n%s", len(k.items), k.bytes, len(order), bytes, diff)
			}
		}
	})
}

// TestKeptOfOthers: whoever keeps many and large responses pushes out no other's.
func TestKeptOfOthers(t *testing.T) {
	k := newKept(64 << 10)
	k.put(&keptResponse{owned: owned{"quiet", "1"}, whole: make([]byte, 4<<10)})
	for i := range 100 {
		k.put(&keptResponse{owned: owned{"loud", fmt.Sprint(i)}, whole: make([]byte, 10<<10)})
	}
	if _, ok := k.get("quiet", "1"); !ok {
		t.Error("the one response of a key was pushed out by another's")
	}
	if _, ok := k.get("loud", "99"); !ok {
		t.Error("the last one is not there")
	}
}

// TestInputItems: what a kept response read is listed, page by page, with ids by which the next page is asked for.
func TestInputItems(t *testing.T) {
	h := handler(thinking(t))
	for _, payload := range []string{`{"input": "One."}`, `{"input": [{"role": "user", "content": "Two."}, {"type": "function_call_output", "call_id": "call_1", "output": "42"}], "previous_response_id": "resp_1"}`} {
		if w := as(h, "a", http.MethodPost, "/v1/responses", payload); w.Code != http.StatusOK {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	list := func(query string) (itemList, []string) {
		t.Helper()
		path := "/v1/responses/resp_2/input_items"
		w := as(h, "a", http.MethodGet, path+query, "")
		if err := openapitest.Check(http.MethodGet, path, nil, w.Code, w.Header(), w.Body.Bytes()); err != nil {
			t.Error(err)
		}
		var l itemList
		var kinds []string
		if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
			t.Fatalf("%s: %v: %s", query, err, w.Body)
		}
		for _, raw := range l.Data {
			var item struct{ Type, Role string }
			if err := json.Unmarshal(raw, &item); err != nil {
				t.Error(err)
			}
			kinds = append(kinds, strings.TrimSpace(item.Type+" "+item.Role))
		}
		return l, kinds
	}
	want := []string{"message user", "reasoning", "message assistant", "function_call", "message user", "function_call_output"}
	_, got := list("?order=asc")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all (-want +got)\n%s", diff)
	}
	var pages []string
	after := ""
	for {
		l, kinds := list("?order=asc&limit=4" + after)
		pages = append(pages, kinds...)
		if !l.HasMore {
			break
		}
		after = "&after=" + *l.Last
	}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Errorf("in pages (-want +got)\n%s", diff)
	}
	l, _ := list("?limit=1")
	if want := `{"call_id":"call_1","id":"item_2_5","output":"42","status":"completed","type":"function_call_output"}`; len(l.Data) != 1 || string(l.Data[0]) != want || *l.First != "item_2_5" || !l.HasMore {
		t.Errorf("the last one: %s, %+v", l.Data, l)
	}
	if l, _ := list("?order=asc&limit=1"); string(l.Data[0]) != `{"content":[{"text":"One.","type":"input_text"}],"id":"item_2_0","role":"user","status":"completed","type":"message"}` {
		t.Errorf("the first one: %s", l.Data)
	}
	for _, tt := range []struct {
		tenant, path string
		status       int
	}{
		{"b", "/v1/responses/resp_2/input_items", 404}, {"a", "/v1/responses/resp_9/input_items", 404},
		{"a", "/v1/responses/resp_2/input_items?limit=0", 400}, {"a", "/v1/responses/resp_2/input_items?limit=x", 400},
		{"a", "/v1/responses/resp_2/input_items?order=up", 400}, {"a", "/v1/responses/resp_2/input_items?after=x", 400},
	} {
		if w := as(h, tt.tenant, http.MethodGet, tt.path, ""); w.Code != tt.status {
			t.Errorf("%s %s: status %d, want %d: %s", tt.tenant, tt.path, w.Code, tt.status, w.Body)
		}
	}
}

// TestInputTokens: a response is counted as it would be read, and nothing is asked of the model.
func TestInputTokens(t *testing.T) {
	b := answering()
	h := handler(b)
	const payload = `{"input": "Hello", "instructions": "Be short."}`
	w := post(h, "/v1/responses/input_tokens", payload)
	if err := openapitest.Check(http.MethodPost, "/v1/responses/input_tokens", []byte(payload), w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Error(err)
	}
	if want := fmt.Sprintf(`{"object":"response.input_tokens","input_tokens":%d}`, len("<system>Be short.<user>Hello")); strings.TrimSpace(w.Body.String()) != want || len(b.Requests()) > 0 {
		t.Errorf("%s, want %s; %d requests", w.Body, want, len(b.Requests()))
	}
	if w := post(h, "/v1/responses/input_tokens", `{}`); w.Code != http.StatusBadRequest {
		t.Errorf("without input: %d %s", w.Code, w.Body)
	}
}
