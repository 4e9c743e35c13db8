package serve

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/service"
)

// Traces sends spans of requests to a collector: one for the HTTP request, which belongs to the trace that the client names in
// traceparent, and below it one each for the time in the queue, the prompt and the generation of every sequence.
type Traces struct {
	provider *sdktrace.TracerProvider // nil: no traces
	tracer   trace.Tracer
}

var noTraces = &Traces{}

// NewTraces makes traces that go to the endpoint of a collector that takes OTLP over HTTP, such as http://localhost:4318. Close
// sends what is left.
func NewTraces(ctx context.Context, endpoint string, headers map[string]string, name, version string, failed func(error)) (*Traces, error) {
	client, err := newCollector(endpoint, headers, failed)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	return newTraces(sdktrace.WithBatcher(exporter), name, version), nil
}

func newTraces(processor sdktrace.TracerProviderOption, name, version string) *Traces {
	p := sdktrace.NewTracerProvider(processor, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", name), attribute.String("service.version", version))))
	return &Traces{provider: p, tracer: p.Tracer("github.com/glmc/glmc/runtime/serve")}
}

// Close sends the spans that were not yet.
func (t *Traces) Close(ctx context.Context) error {
	if t == nil || t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// around makes a span of each request of a route.
func (t *Traces) around(name string, h http.Handler) http.Handler {
	if t.provider == nil {
		return h
	}
	return otelhttp.NewHandler(h, name, otelhttp.WithTracerProvider(t.provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.TraceContext{}))
}

// generated makes spans of a generation, when it is over.
func (t *Traces) generated(ctx context.Context, id string, u service.Usage, finish string, sequences []engine.Result) {
	if t.provider == nil {
		return
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("glmc.request.id", id), attribute.String("gen_ai.response.finish_reason", finish),
		attribute.Int("gen_ai.usage.input_tokens", u.Prompt), attribute.Int("gen_ai.usage.output_tokens", u.Output), attribute.Int("glmc.usage.cached_tokens", u.Cached))
	for i, x := range sequences {
		choice := attribute.Int("glmc.sequence", i)
		t.span(ctx, "queue", x.Arrived, either(x.Scheduled, x.Ended), choice)
		if x.Scheduled.IsZero() {
			continue
		}
		t.span(ctx, "prefill", x.Scheduled, either(x.First, x.Ended), choice)
		if !x.First.IsZero() {
			t.span(ctx, "decode", x.First, x.Ended, choice, attribute.Int("glmc.tokens", x.Output))
		}
	}
}

func (t *Traces) span(ctx context.Context, name string, from, to time.Time, attrs ...attribute.KeyValue) {
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attrs...))
	span.End(trace.WithTimestamp(to))
}

// either is a, or b where that is zero.
func either(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
