package serve

import (
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/service"
)

// The names, labels and buckets of the vllm: families are those of vLLM (vllm/v1/metrics/loggers.py), because dashboards,
// autoscalers and the endpoint picker of the Gateway API Inference Extension read them. What vLLM has no name for is glmc's.

// buckets of vLLM's histograms.
var (
	firstTokenBuckets = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
	perTokenBuckets   = []float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
	latencyBuckets    = []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
	stepTokenBuckets  = []float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}
	choicesBuckets    = []float64{1, 2, 5, 10, 20}
)

// tokenBuckets are 1, 2, 5, 10 and so on, up to the longest sequence.
func tokenBuckets(most int) []float64 {
	var list []float64
	for unit := 1; ; unit *= 10 {
		for _, m := range []int{1, 2, 5} {
			if m*unit > most {
				return list
			}
			list = append(list, float64(m*unit))
		}
	}
}

// Metrics are what a server counts. Those of a model come with Serve.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec // path, method, code
	refusals *prometheus.CounterVec // code
	panics   prometheus.Counter
	running  prometheus.Gauge
	model    atomic.Pointer[modelMetrics] // nil until there is one
}

// NewMetrics makes them, with those of the process and of Go's runtime.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "glmc_http_requests_total", Help: "HTTP requests by route, method and status."},
		[]string{"path", "method", "code"})
	m.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "glmc_http_refused_total",
		Help: "HTTP requests that the server answered itself, without asking the model, by status."}, []string{"code"})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{Name: "glmc_http_panics_total", Help: "HTTP requests that failed because of a mistake in glmc."})
	m.running = prometheus.NewGauge(prometheus.GaugeOpts{Name: "glmc_http_requests_in_flight", Help: "HTTP requests that work on the model."})
	m.registry.MustRegister(m.requests, m.refusals, m.panics, m.running, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// refused counts a request that the server answered itself.
func (m *Metrics) refused(status int) { m.refusals.WithLabelValues(strconv.Itoa(status)).Inc() }

// answered counts a request. Path is a route's pattern, never what a client wrote: clients must not make series.
func (m *Metrics) answered(path, method string, status int) {
	m.requests.WithLabelValues(path, method, strconv.Itoa(status)).Inc()
}

// modelMetrics are those of a model.
type modelMetrics struct {
	firstToken, interToken, perToken           prometheus.Observer
	latency, queue, prefill, decode, inference prometheus.Observer
	promptTokens, outputTokens, stepTokens     prometheus.Observer
	choices, maxTokens                         prometheus.Observer
	prompt, cached, output, failed             prometheus.Counter
	success                                    *prometheus.CounterVec // finished_reason
	stepTime                                   *prometheus.HistogramVec
	stepBatch                                  prometheus.Observer
	rejections                                 *prometheus.CounterVec // reason
	kernel                                     *prometheus.CounterVec // op
}

// Reasons of vLLM's request_success.
const (
	reasonStop   = "stop"
	reasonLength = "length"
	reasonAbort  = "abort"
	reasonError  = "error"
)

// Cache is how large the KV cache is.
type Cache struct{ PageSize, Pages int }

// Serve adds the metrics of a model. The engine is asked for its state whenever the metrics are asked for.
func (m *Metrics) Serve(model service.Model, cache Cache, stats func() engine.Stats) {
	labels := prometheus.Labels{"model_name": model.Name}
	reg := prometheus.WrapRegistererWith(labels, m.registry)
	histogram := func(name, help string, buckets []float64) prometheus.Observer {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		reg.MustRegister(h)
		return h
	}
	count := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		reg.MustRegister(c)
		return c
	}
	tokens := tokenBuckets(max(model.MaxPositions, 1))
	x := &modelMetrics{
		firstToken:   histogram("vllm:time_to_first_token_seconds", "Time from a request to its first token.", firstTokenBuckets),
		interToken:   histogram("vllm:inter_token_latency_seconds", "Time between one token of a sequence and the next.", perTokenBuckets),
		perToken:     histogram("vllm:request_time_per_output_token_seconds", "Mean time of an output token behind the first, by request.", perTokenBuckets),
		latency:      histogram("vllm:e2e_request_latency_seconds", "Time from a request to its end.", latencyBuckets),
		queue:        histogram("vllm:request_queue_time_seconds", "Time that a sequence waited before its prompt was begun.", latencyBuckets),
		prefill:      histogram("vllm:request_prefill_time_seconds", "Time from the beginning of a prompt to the first token.", latencyBuckets),
		decode:       histogram("vllm:request_decode_time_seconds", "Time from the first token of a sequence to its last.", latencyBuckets),
		inference:    histogram("vllm:request_inference_time_seconds", "Time from the beginning of a prompt to the last token.", latencyBuckets),
		promptTokens: histogram("vllm:request_prompt_tokens", "Tokens of the prompt, by request.", tokens),
		outputTokens: histogram("vllm:request_generation_tokens", "Tokens that were generated, by request.", tokens),
		stepTokens:   histogram("vllm:iteration_tokens_total", "Tokens of a step of the engine.", stepTokenBuckets),
		choices:      histogram("vllm:request_params_n", "Choices that a request asked for.", choicesBuckets),
		maxTokens:    histogram("vllm:request_params_max_tokens", "Most tokens that a request asked for.", tokens),
		prompt:       count("vllm:prompt_tokens_total", "Tokens of prompts."),
		cached:       count("glmc_cached_prompt_tokens_total", "Tokens of prompts that were taken from the prefix cache."),
		output:       count("vllm:generation_tokens_total", "Tokens that were generated."),
		failed:       count("glmc_failed_steps_total", "Steps of the engine that failed."),
		success:      vector("vllm:request_success_total", "Requests that ended, by reason.", "finished_reason"),
		rejections:   vector("glmc_requests_rejected_total", "Requests that were not begun, by reason.", "reason"),
		stepBatch: histogram("glmc_step_sequences", "Sequences of a step of the engine.",
			[]float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}),
	}
	x.stepTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "glmc_step_seconds", Help: "Time of a step of the engine, by what was in it: prefill, decode, mixed.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18)}, []string{"phase"})
	reg.MustRegister(x.stepTime, &statsCollector{ask: stats})
	for _, reason := range []string{reasonStop, reasonLength, reasonAbort, reasonError} {
		x.success.WithLabelValues(reason) // so that rates begin at 0
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "vllm:cache_config_info", Help: "The KV cache: tokens of a page, and pages.",
		ConstLabels: prometheus.Labels{"block_size": strconv.Itoa(cache.PageSize), "num_gpu_blocks": strconv.Itoa(cache.Pages)}})
	info.Set(1)
	reg.MustRegister(info)
	x.kernel = vector("glmc_kernel_seconds_total", "Time in kernels, by operator, of servers that profile: ranks are added up.", "op")
	m.model.Store(x)
}

// Kernel counts the time of an operator, for servers that profile.
func (m *Metrics) Kernel(op string, took time.Duration) {
	if x := m.model.Load(); x != nil {
		x.kernel.WithLabelValues(op).Add(took.Seconds())
	}
}

// asked counts what a request asks for.
func (m *Metrics) asked(r *service.Request) {
	x := m.model.Load()
	if x == nil {
		return
	}
	x.choices.Observe(float64(max(r.Choices, 1)))
	if r.MaxTokens != nil {
		x.maxTokens.Observe(float64(*r.MaxTokens))
	}
}

// rejected counts a request that no generation came of.
func (m *Metrics) rejected(err error) {
	x := m.model.Load()
	if x == nil {
		return
	}
	reason := "internal"
	var fault *service.Error
	if errors.As(err, &fault) {
		reason = rejections[fault.Kind]
	}
	x.rejections.WithLabelValues(reason).Inc()
}

var rejections = map[service.ErrorKind]string{service.Invalid: "invalid", service.TooLong: "too_long", service.NotFound: "not_found", service.Busy: "busy",
	service.Unavailable: "unavailable", service.Internal: "internal"}

// generated counts a generation that is over.
func (m *Metrics) generated(g *observedGeneration, u service.Usage, finish string, ended time.Time) {
	x := m.model.Load()
	if x == nil {
		return
	}
	switch finish {
	case reasonLength, reasonAbort, reasonError:
	default: // tool calls end with a stop token
		finish = reasonStop
	}
	x.success.WithLabelValues(finish).Inc()
	x.latency.Observe(ended.Sub(g.began).Seconds())
	x.prompt.Add(float64(u.Prompt))
	x.cached.Add(float64(u.Cached))
	x.output.Add(float64(u.Output))
	x.promptTokens.Observe(float64(u.Prompt))
	x.outputTokens.Observe(float64(u.Output))
	if g.first.IsZero() {
		return
	}
	x.firstToken.Observe(g.first.Sub(g.began).Seconds())
	if each := u.Output / g.choices; each > 1 {
		x.perToken.Observe(ended.Sub(g.first).Seconds() / float64(each-1))
	}
}
