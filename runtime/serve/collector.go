package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector sends spans to a collector, as protobuf over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp). The
// module otlptracehttp does that too, but links gRPC for it: ADR 25.
type collector struct {
	url     string
	headers map[string]string
	client  *http.Client
	failed  func(error) // is told of spans that were lost
}

// Bounds of what is sent and tried.
const (
	sendTime  = 10 * time.Second
	sendTries = 3
	maxAnswer = 64 << 10
)

func newCollector(endpoint string, headers map[string]string, failed func(error)) (*collector, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a collector: wants such as http://localhost:4318", endpoint)
	}
	if !strings.HasSuffix(u.Path, "/v1/traces") {
		u = u.JoinPath("v1", "traces")
	}
	return &collector{url: u.String(), headers: headers, client: &http.Client{Timeout: sendTime}, failed: failed}, nil
}

// Start implements otlptrace.Client. The first connection is made when there is something to send.
func (c *collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	// On the wire this is the same message as ExportTraceServiceRequest, whose package links gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	wait := time.Second
	for try := 1; ; try++ {
		again, err := c.send(ctx, body)
		if err == nil {
			return nil
		}
		if !again || try == sendTries {
			if c.failed != nil {
				c.failed(err)
			}
			return err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// send tries once, and says whether another try may help.
func (c *collector) send(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("traces: %w", err)
	}
	for name, value := range c.headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := c.client.Do(r)
	if err != nil {
		return true, fmt.Errorf("traces: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection can be used again
	_ = answer.Body.Close()                                            // nothing more is read
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	return again, fmt.Errorf("traces: the collector answered %s", answer.Status)
}
