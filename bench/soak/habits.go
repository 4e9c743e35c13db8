package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// visitor is a client in the middle of one request.
type visitor struct {
	crowd  *crowd
	random *rand.Rand
	http   *http.Client
	kind   string // of what it does
}

// habits are what clients do, and how often.
var habits = []struct {
	name   string
	weight int
	do     func(*visitor)
}{
	{"chat", 20, (*visitor).chat},
	{"stream", 30, (*visitor).stream},
	{"ids", 15, (*visitor).ids},
	{"choices", 6, (*visitor).choices},
	{"schema", 6, (*visitor).schema},
	{"call", 6, (*visitor).call},
	{"messages", 10, (*visitor).messages},
	{"gone", 20, (*visitor).gone},
	{"slow", 4, (*visitor).slow},
	{"bad", 12, (*visitor).bad},
	{"huge", 4, (*visitor).huge},
	{"cut", 4, (*visitor).cut},
	{"silent", 1, (*visitor).silent},
}

// say makes a conversation. Many begin alike, so that pages are shared, and few end alike.
func (v *visitor) say() []map[string]any {
	system := strings.Repeat("You read Go files and mend them. ", 1+v.random.IntN(40))
	return []map[string]any{{"role": "system", "content": system},
		{"role": "user", "content": fmt.Sprintf("Read file%d.go and say what it does.", v.random.IntN(1000))}}
}

// tokens is how long a reply may be: mostly short.
func (v *visitor) tokens() int { return 1 + int(v.random.ExpFloat64()*40)%400 }

type object = map[string]any

func (v *visitor) chat() {
	v.whole("/v1/chat/completions", object{"messages": v.say(), "max_tokens": v.tokens(), "temperature": v.random.Float64()})
}

func (v *visitor) stream() {
	v.events(context.Background(), "/v1/chat/completions", object{"messages": v.say(), "max_tokens": v.tokens(), "stream": true, "stream_options": object{"include_usage": true}}, 0)
}

func (v *visitor) ids() {
	ids := make([]int, 1+v.random.IntN(1500))
	for i := range ids {
		ids[i] = i * 7 % 4000
	}
	ids[v.random.IntN(len(ids))] = v.random.IntN(4000)
	v.whole("/v1/completions", object{"prompt": ids, "max_tokens": v.tokens(), "ignore_eos": true, "seed": v.random.IntN(1 << 30), "priority": v.random.IntN(3)})
}

func (v *visitor) choices() {
	v.whole("/v1/chat/completions", object{"messages": v.say(), "max_tokens": v.tokens(), "n": 1 + v.random.IntN(6), "logprobs": true, "top_logprobs": v.random.IntN(6), "stop": []string{"()", "the"}})
}

func (v *visitor) schema() {
	schema := object{"type": "object", "properties": object{"name": object{"type": "string", "maxLength": 1 + v.random.IntN(30)}, "lines": object{"type": "integer"}},
		"required": []string{"name", "lines"}, "additionalProperties": false}
	v.whole("/v1/chat/completions", object{"messages": v.say(), "max_tokens": 200, "enable_thinking": false,
		"response_format": object{"type": "json_schema", "json_schema": object{"name": "answer", "schema": schema}}})
}

func (v *visitor) call() {
	tool := object{"type": "function", "function": object{"name": "read_file", "parameters": object{"type": "object", "properties": object{"path": object{"type": "string"}}, "required": []string{"path"}}}}
	v.whole("/v1/chat/completions", object{"messages": v.say(), "max_tokens": 200, "tools": []any{tool}, "tool_choice": "required"})
}

func (v *visitor) messages() {
	v.events(context.Background(), "/v1/messages", object{"model": "tiny", "messages": v.say()[1:], "system": "Be brief.", "max_tokens": v.tokens(), "stream": true}, 0)
}

// gone goes away in the middle.
func (v *visitor) gone() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(v.random.ExpFloat64()*float64(300*time.Millisecond)))
	defer cancel()
	v.events(ctx, "/v1/chat/completions", object{"messages": v.say(), "max_tokens": 2000, "ignore_eos": true, "stream": true}, 0)
}

// slow reads so slowly that the server has to give it up, or that it gives up itself.
func (v *visitor) slow() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(5+v.random.IntN(15))*time.Second)
	defer cancel()
	v.events(ctx, "/v1/completions", object{"prompt": "func main() {", "max_tokens": 1500, "ignore_eos": true, "logprobs": 5, "stream": true}, 50*time.Millisecond)
}

// bad sends what is no request.
func (v *visitor) bad() {
	bodies := []string{"", "{", "[]", "null", `{"messages": "x"}`, `{"messages": []}`, `{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}`,
		`{"messages": [{"role": "nobody", "content": "x"}]}`, `{"messages": [{"role": "user", "content": "x"}], "temperature": 1e999}`,
		`{"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#"}}}}`,
		strings.Repeat(`{"messages":[`, 5000), "\xff\xfe\x00", `{"prompt": [1, 2, 99999999999999999999]}`, `{"model": "another", "messages": [{"role": "user", "content": "x"}]}`}
	resp, err := v.post(context.Background(), "/v1/chat/completions", strings.NewReader(bodies[v.random.IntN(len(bodies))]))
	if err != nil {
		v.crowd.fault("bad: no answer: %v", err)
		return
	}
	v.answered(resp, http.StatusBadRequest, http.StatusNotFound)
}

// huge sends more than the server or the model takes.
func (v *visitor) huge() {
	words := strings.Repeat("word ", 9000+v.random.IntN(400_000))
	body, err := json.Marshal(object{"messages": []object{{"role": "user", "content": words}}})
	if err != nil {
		panic(err)
	}
	resp, err := v.post(context.Background(), "/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		// A server that refuses a body need not read it, and then the client may not see the answer.
		v.crowd.count(v.kind, "connection closed")
		return
	}
	v.answered(resp, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
}

// cut sends half of a request, and then ends the connection or waits for the server to do so.
func (v *visitor) cut() {
	conn := v.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	head := "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
	part := head[:v.random.IntN(len(head))]
	if v.random.IntN(2) == 0 {
		part = head + "\r\n" + `{"messages": [{"role": `
	}
	_, _ = io.WriteString(conn, part)
	if v.random.IntN(2) == 0 {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) {
			v.crowd.fault("cut: the server waits for the rest of a request for more than 20 s")
		}
	}
	v.crowd.count(v.kind, "closed")
}

// silent opens a connection and says nothing: the server has to close it.
func (v *visitor) silent() {
	conn := v.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(40 * time.Second))
	_, err := conn.Read(make([]byte, 1))
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		v.crowd.fault("silent: the server keeps a connection that says nothing for more than 40 s")
	}
	v.crowd.count(v.kind, "closed")
}

func (v *visitor) dial() net.Conn {
	at, err := url.Parse(v.crowd.server.url)
	if err != nil {
		panic(err)
	}
	conn, err := net.DialTimeout("tcp", at.Host, 10*time.Second)
	if err != nil {
		v.crowd.fault("%s: no connection: %v", v.kind, err)
		return nil
	}
	return conn
}
