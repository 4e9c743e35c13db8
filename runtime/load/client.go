package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// client sends requests to one server.
type client struct {
	o       *Options
	http    http.Client
	url     string
	start   time.Time // of the run
	buffers sync.Pool // of *[]byte
}

func newClient(o *Options) (*client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL of a server, such as http://127.0.0.1:8000", o.URL)
	}
	c := &client{o: o, url: strings.TrimSuffix(strings.TrimSuffix(o.URL, "/"), "/v1"), start: time.Now()}
	c.buffers.New = func() any { b := make([]byte, 16<<10); return &b }
	c.http.Transport = o.Transport
	if c.http.Transport == nil {
		c.http.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 1 << 16, // a connection for each stream, used again
			DisableCompression:  true,
			ReadBufferSize:      16 << 10,
		}
	}
	return c, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

func (c *client) now() time.Duration { return time.Since(c.start) }

func (c *client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.o.API == Anthropic {
		r.Header.Set("anthropic-version", "2023-06-01")
	}
	if c.o.Key != "" {
		r.Header.Set("Authorization", "Bearer "+c.o.Key)
	}
	return r, nil
}

// send sends a turn and reads the reply. The body is made before the clock starts.
func (c *client) send(ctx context.Context, t *Turn) Outcome {
	var out Outcome
	body, err := c.o.body(t)
	if err != nil {
		return Outcome{Err: &Failure{Kind: "request", Message: err.Error()}}
	}
	timed := ctx
	if c.o.Timeout > 0 {
		var cancel context.CancelFunc
		timed, cancel = context.WithTimeout(ctx, c.o.Timeout)
		defer cancel()
	}
	r, err := c.request(timed, http.MethodPost, c.o.API.path(), body)
	if err != nil {
		return Outcome{Err: &Failure{Kind: "request", Message: err.Error()}}
	}
	out.Chunks = make([]time.Duration, 0, min(t.Output, 1<<16))
	out.Start = c.now()
	out.Input = t.Input
	err = c.stream(r, &out)
	if out.End == 0 {
		out.End = c.now()
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		out.Unfinished = true
	default:
		out.Err = c.failure(err)
	}
	return out
}

// stream sends a request and fills what its reply tells.
func (c *client) stream(r *http.Request, out *Outcome) error {
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refused(resp)
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return &Failure{Kind: "stream", Message: fmt.Sprintf("the reply is %q and no stream of events", kind)}
	}
	read := newReader(c.o.API)
	buffer := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buffer)
	*buffer, err = events(resp.Body, *buffer, c.now, func(data []byte, at time.Duration) error {
		err := read.event(data)
		if read.tokens {
			out.Chunks = append(out.Chunks, at)
		}
		if read.done {
			out.End = at
		}
		return err
	})
	u := read.total()
	if u.input >= 0 {
		out.Input = u.input
	}
	out.Output = len(out.Chunks) // a chunk a token, where the server does not say
	if u.output >= 0 {
		out.Output = u.output
	}
	out.Cached, out.Reasoning, out.Accepted, out.Drafted = u.cached, u.reasoning, u.accepted, u.drafted
	switch {
	case err != nil:
		return err
	case !read.done:
		return &Failure{Kind: "stream", Message: "the stream ended before the reply did"}
	case len(out.Chunks) > 0:
	case out.Output > 0: // tokens that are no text, such as special ones: they are there when the reply is
		out.Chunks = append(out.Chunks, out.End)
	default:
		return &Failure{Kind: "empty", Message: "the reply has no tokens"}
	}
	return nil
}

// refused reads what a server says with a status that is not OK.
func refused(resp *http.Response) error {
	const most = 4 << 10
	data, _ := io.ReadAll(io.LimitReader(resp.Body, most))
	f := &Failure{Kind: fmt.Sprintf("HTTP %d", resp.StatusCode), Message: strings.TrimSpace(string(data))}
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &said) == nil && said.Error.Message != "" {
		f.Message = said.Error.Message
	}
	if f.Message == "" {
		f.Message = resp.Status
	}
	f.Message, _, _ = strings.Cut(f.Message, "\n") // of a page for browsers, or a stack, the rest says nothing
	return f
}

// failure sorts an error into a kind.
func (c *client) failure(err error) *Failure {
	var f *Failure
	var op *net.OpError
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Kind: "timeout", Message: fmt.Sprintf("no complete reply within %s", c.o.Timeout)}
	case errors.As(err, &op) && op.Op == "dial":
		return &Failure{Kind: "connect", Message: op.Error()}
	}
	var u *url.Error
	if errors.As(err, &u) { // it repeats method and address
		err = u.Err
	}
	return &Failure{Kind: "connection", Message: err.Error()}
}

// Model asks a server for the model that it serves: the first on its list. Vocab is the size of its vocabulary where the
// server says it, else 0.
func Model(ctx context.Context, o Options) (name string, vocab int, err error) {
	c, err := newClient(&o)
	if err != nil {
		return "", 0, err
	}
	defer c.close()
	r, err := c.request(ctx, http.MethodGet, "/v1/models", nil)
	if err != nil {
		return "", 0, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return "", 0, fmt.Errorf("asking for the model: %w", c.failure(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("asking for the model: %w", refused(resp))
	}
	const most = 1 << 20
	data, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return "", 0, fmt.Errorf("asking for the model: %w", err)
	}
	var list struct {
		Data []struct {
			ID    string `json:"id"`
			Vocab int    `json:"vocab_size"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return "", 0, fmt.Errorf("asking for the model: /v1/models: %w", err)
	}
	if len(list.Data) == 0 || list.Data[0].ID == "" {
		return "", 0, errors.New("asking for the model: /v1/models names none: name it with --model")
	}
	return list.Data[0].ID, list.Data[0].Vocab, nil
}
