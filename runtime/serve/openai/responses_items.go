package openai

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
)

// inputTokens answers POST /v1/responses/input_tokens: how many tokens a response would read.
func (a *api) inputTokens(w http.ResponseWriter, r *http.Request, o *body.Object) error {
	d := a.responseRequest(r, o)
	d.read()
	if err := d.Err(); err != nil {
		return err
	}
	n, err := a.backend.Count(r.Context(), d.request)
	if err != nil {
		return err
	}
	route.WriteJSON(w, http.StatusOK, struct {
		Object string `json:"object"`
		Tokens int    `json:"input_tokens"`
	}{"response.input_tokens", n})
	return nil
}

// itemList is a page of items.
type itemList struct {
	Object  string            `json:"object"`
	Data    []json.RawMessage `json:"data"`
	First   *string           `json:"first_id"`
	Last    *string           `json:"last_id"`
	HasMore bool              `json:"has_more"`
}

// page is what a request wants to see of a list.
type page struct {
	limit int
	after string // id of the item behind which it begins; "": at the beginning
	asc   bool
}

const (
	usualPage   = 20
	longestPage = 100
)

func readPage(q url.Values) (page, *service.Error) {
	p := page{limit: usualPage, after: q.Get("after"), asc: q.Get("order") == "asc"}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > longestPage {
			return p, &service.Error{Kind: service.Invalid, Param: "limit", Message: fmt.Sprintf("limit is %.100q; must be a number from 1 to %d", text, longestPage)}
		}
		p.limit = n
	}
	if order := q.Get("order"); !slices.Contains([]string{"", "asc", "desc"}, order) {
		return p, &service.Error{Kind: service.Invalid, Param: "order", Message: fmt.Sprintf("order is %.100q; must be asc or desc", order)}
	}
	return p, nil
}

// inputItems answers GET /v1/responses/{id}/input_items: what a response that is kept read, those that it follows included, the last item
// first.
func (a *api) inputItems(w http.ResponseWriter, r *http.Request) {
	p, wrong := readPage(r.URL.Query())
	if wrong != nil {
		WriteError(w, wrong)
		return
	}
	tenant, id := route.Tenant(r.Context()), r.PathValue("id")
	k, ok := a.kept.get(tenant, id)
	if !ok {
		WriteError(w, notKept(id))
		return
	}
	items, ok := a.kept.conversation(tenant, k.previous, maxItems)
	if !ok {
		WriteError(w, notKept(k.previous))
		return
	}
	list, wrong := p.of(id, append(items, k.input...))
	if wrong != nil {
		WriteError(w, wrong)
		return
	}
	route.WriteJSON(w, http.StatusOK, list)
}

// of takes a page of the items of a response. It looks at no more of them than it has to: a conversation may be long.
func (p page) of(response string, items []json.RawMessage) (itemList, *service.Error) {
	list := itemList{Object: "list", Data: []json.RawMessage{}}
	found := p.after == ""
	for n := range items {
		i := n
		if !p.asc {
			i = len(items) - 1 - n
		}
		if len(list.Data) == p.limit {
			list.HasMore = true
			break
		}
		id, raw := itemOf(response, i, items[i])
		if !found {
			found = id == p.after
			continue
		}
		list.Data = append(list.Data, raw)
		if list.Last = &id; list.First == nil {
			list.First = &id
		}
	}
	if !found {
		return itemList{}, &service.Error{Kind: service.Invalid, Param: "after", Message: fmt.Sprintf("after is %.200q, which is none of the items", p.after)}
	}
	return list, nil
}

// itemOf is an item as OpenAI shows it: with an id and a type, and texts as lists of parts. Items of outputs have all that; those that a request brought
// are as it wrote them.
func itemOf(response string, i int, raw json.RawMessage) (id string, shown json.RawMessage) {
	fields := map[string]json.RawMessage{}
	jsonparts.Members(raw, func(key string, value []byte) bool {
		fields[key] = value
		return true
	})
	text := func(name string) string {
		var s string
		_ = json.Unmarshal(fields[name], &s) // what is no string is none
		return s
	}
	out := maps.Clone(fields)
	if text("type") == "" {
		out["type"] = toJSON("message")
	}
	if id = text("id"); id == "" {
		id = fmt.Sprintf("item_%s_%d", strings.TrimPrefix(response, "resp_"), i)
		out["id"] = toJSON(id)
	}
	if text("status") == "" {
		out["status"] = toJSON("completed")
	}
	if content := fields["content"]; content != nil && jsonparts.Kind(content) == "a string" {
		kind := "input_text"
		if text("role") == "assistant" {
			kind = "output_text"
		}
		out["content"] = toJSON([]map[string]string{{"type": kind, "text": text("content")}})
	}
	return id, toJSON(out)
}
