package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (v *visitor) post(ctx context.Context, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.crowd.server.url+path, body)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return v.http.Do(req)
}

func (v *visitor) send(ctx context.Context, path string, body object) (*http.Response, error) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return v.post(ctx, path, bytes.NewReader(data))
}

// whole sends a request that has to have a result, unless the server is full.
func (v *visitor) whole(path string, body object) {
	resp, err := v.send(context.Background(), path, body)
	if err != nil {
		v.crowd.fault("%s: no answer: %v", v.kind, err)
		return
	}
	v.answered(resp, http.StatusOK)
}

// answered judges an answer that is no stream: it has one of those codes, or that of a full server; and is JSON, an error with a message.
func (v *visitor) answered(resp *http.Response, codes ...int) {
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	var answer struct {
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	switch {
	case err != nil:
		v.crowd.fault("%s: the answer breaks off: %v", v.kind, err)
	case resp.StatusCode == http.StatusTooManyRequests:
		if wait, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || wait < 1 {
			v.crowd.fault("%s: 429 has Retry-After %q", v.kind, resp.Header.Get("Retry-After"))
		}
	case !slices.Contains(codes, resp.StatusCode):
		v.crowd.fault("%s: %s: %.300s", v.kind, resp.Status, data)
	}
	switch err := json.Unmarshal(data, &answer); {
	case err != nil:
		v.crowd.fault("%s: %s: the answer is no JSON: %.200q", v.kind, resp.Status, data)
	case (resp.StatusCode != http.StatusOK) != (answer.Error != nil && answer.Error.Message != ""):
		v.crowd.fault("%s: %s: %.300s", v.kind, resp.Status, data)
	}
	v.crowd.count(v.kind, resp.Status)
}

// events sends a request for a stream and reads it with a pause after each line. When ctx is done, the client is gone, and
// whatever came until then is right.
func (v *visitor) events(ctx context.Context, path string, body object, pause time.Duration) {
	resp, err := v.send(ctx, path, body)
	if err != nil {
		if ctx.Err() == nil {
			v.crowd.fault("%s: no answer: %v", v.kind, err)
			return
		}
		v.crowd.count(v.kind, "gone")
		return
	}
	if resp.StatusCode != http.StatusOK {
		v.answered(resp, http.StatusOK)
		return
	}
	defer resp.Body.Close()
	last, err := lastEvent(ctx, resp.Body, pause)
	switch {
	case ctx.Err() != nil:
		v.crowd.count(v.kind, "gone")
	case pause > 0: // the server may have ended it, or not
		v.crowd.count(v.kind, "ended")
	case err != nil:
		v.crowd.fault("%s: the stream breaks off: %v", v.kind, err)
	case last != "[DONE]" && !strings.Contains(last, `"message_stop"`):
		v.crowd.fault("%s: the stream ends in %.300q", v.kind, last)
	default:
		v.crowd.count(v.kind, resp.Status)
	}
}

// lastEvent reads a stream and returns the data of its last event. Each one has to be JSON, but for the mark of the end; one with an
// error is an error.
func lastEvent(ctx context.Context, r io.Reader, pause time.Duration) (string, error) {
	last := ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var event struct {
			Error json.RawMessage `json:"error"`
		}
		if data != "[DONE]" {
			if err := json.Unmarshal([]byte(data), &event); err != nil {
				return last, fmt.Errorf("%.200q: %w", data, err)
			}
		}
		if event.Error != nil {
			return last, fmt.Errorf("%.200s", event.Error)
		}
		last = data
		if pause > 0 {
			if err := sleep(ctx, pause); err != nil {
				return last, err
			}
		}
	}
	return last, lines.Err()
}
