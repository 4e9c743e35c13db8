package serve

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/glmc/glmc/runtime/engine"
)

// Observer has an engine tell a server what it does, for metrics and traces: engine.Options.Observe.
func (s *Server) Observer() engine.Observer { return &observer{server: s} }

type observer struct {
	server *Server
	last   time.Time // when the step before ended; zero: it generated nothing
}

// Stepped implements engine.Observer. It is called on the engine's goroutine, which waits for it.
func (o *observer) Stepped(st engine.StepStats) {
	x := o.server.metrics.model.Load()
	if x == nil {
		return
	}
	took := st.Schedule + st.Device + st.Host
	x.stepTime.WithLabelValues(st.Phase()).Observe(took.Seconds())
	x.stepTokens.Observe(float64(st.Tokens))
	x.stepBatch.Observe(float64(st.Sequences))
	if st.Err != nil {
		x.failed.Inc()
	}
	// Every sequence that generates gets a token from each step while the engine has time for nothing else: the time between
	// two tokens is that between two such steps. Tokens that drafts add come at the same moment and are not counted here.
	ended := time.Now()
	if !o.last.IsZero() && st.Decodes > 0 {
		for range st.Decodes {
			x.interToken.Observe(ended.Sub(o.last).Seconds())
		}
	}
	if o.last = ended; st.Decodes == 0 && st.Running == 0 {
		o.last = time.Time{}
	}
}

// Ended implements engine.Observer.
func (o *observer) Ended(r engine.Result) {
	s := o.server
	if x := s.metrics.model.Load(); x != nil {
		x.sequence(&r)
	}
	if g := s.live.find(r.ID); g != nil {
		g.mu.Lock()
		g.sequences = append(g.sequences, r)
		g.mu.Unlock()
	}
}

// sequence counts the times of a sequence that ended.
func (x *modelMetrics) sequence(r *engine.Result) {
	if r.Scheduled.IsZero() {
		return
	}
	x.queue.Observe(r.Scheduled.Sub(r.Arrived).Seconds())
	x.inference.Observe(r.Ended.Sub(r.Scheduled).Seconds())
	if r.First.IsZero() {
		return
	}
	x.prefill.Observe(r.First.Sub(r.Scheduled).Seconds())
	x.decode.Observe(r.Ended.Sub(r.First).Seconds())
}

// statsCollector asks an engine when metrics are asked for.
type statsCollector struct{ ask func() engine.Stats }

type statsFamily struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*engine.Stats) float64
}

func gauge(name, help string, of func(*engine.Stats) float64) statsFamily {
	return statsFamily{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, of}
}

func counter(name, help string, of func(*engine.Stats) float64) statsFamily {
	return statsFamily{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, of}
}

var statsFamilies = []statsFamily{
	gauge("vllm:num_requests_running", "Sequences that are being worked on.", func(s *engine.Stats) float64 { return float64(s.Running) }),
	gauge("vllm:num_requests_waiting", "Sequences that wait.", func(s *engine.Stats) float64 { return float64(s.Waiting) }),
	gauge("vllm:kv_cache_usage_perc", "Part of the KV cache that sequences hold, from 0 to 1.", (*engine.Stats).Usage),
	counter("vllm:prefix_cache_queries_total", "Tokens of prompts that were looked up in the prefix cache.", func(s *engine.Stats) float64 { return float64(s.QueriedTokens) }),
	counter("vllm:prefix_cache_hits_total", "Tokens of prompts that were found in the prefix cache.", func(s *engine.Stats) float64 { return float64(s.HitTokens) }),
	counter("vllm:num_preemptions_total", "Times that a sequence had to give up its pages.", func(s *engine.Stats) float64 { return float64(s.Preemptions) }),
	gauge("glmc_kv_pages", "Pages of the KV cache.", func(s *engine.Stats) float64 { return float64(s.Pages) }),
	gauge("glmc_kv_pages_used", "Pages of the KV cache that sequences hold.", func(s *engine.Stats) float64 { return float64(s.Pages - s.FreePages - s.CachedPages) }),
	gauge("glmc_kv_pages_cached", "Pages of the KV cache that only the prefix cache holds.", func(s *engine.Stats) float64 { return float64(s.CachedPages) }),
	counter("glmc_kv_pages_evicted_total", "Pages of the prefix cache that were needed for something else.", func(s *engine.Stats) float64 { return float64(s.EvictedPages) }),
	counter("glmc_steps_total", "Steps of the engine.", func(s *engine.Stats) float64 { return float64(s.Steps) }),
	counter("glmc_prompt_tokens_computed_total", "Tokens of prompts that were computed, those again after preemptions included.", func(s *engine.Stats) float64 { return float64(s.PromptTokens) }),
	gauge("sglang:spec_accept_length", "Tokens that a sequence got from a step which checked drafts, on average; 0: no step did.", func(s *engine.Stats) float64 { return s.AllDrafts().Length() }),
	gauge("sglang:spec_accept_rate", "Part of the checked draft tokens that came out, from 0 to 1.", func(s *engine.Stats) float64 { return s.AllDrafts().Rate() }),
	drafts(engine.FromMTP, "mtp", "proposed", func(d engine.DraftStats) uint64 { return d.Proposed }),
	drafts(engine.FromMTP, "mtp", "accepted", func(d engine.DraftStats) uint64 { return d.Accepted }),
	drafts(engine.FromMTP, "mtp", "wasted", func(d engine.DraftStats) uint64 { return d.Checked - d.Accepted }),
	drafts(engine.FromDrafter, "suffix", "proposed", func(d engine.DraftStats) uint64 { return d.Proposed }),
	drafts(engine.FromDrafter, "suffix", "accepted", func(d engine.DraftStats) uint64 { return d.Accepted }),
	drafts(engine.FromDrafter, "suffix", "wasted", func(d engine.DraftStats) uint64 { return d.Checked - d.Accepted }),
	draftSteps(engine.FromMTP, "mtp"),
	draftSteps(engine.FromDrafter, "suffix"),
	acceptLength(engine.FromMTP, "mtp"),
	acceptLength(engine.FromDrafter, "suffix"),
	acceptRate(engine.FromMTP, "mtp"),
	acceptRate(engine.FromDrafter, "suffix"),
}

// drafts counts the tokens of a drafter that something became of.
func drafts(from engine.Origin, drafter, fate string, of func(engine.DraftStats) uint64) statsFamily {
	desc := prometheus.NewDesc("glmc_draft_tokens_total", "Tokens of drafts: proposed ones, of these accepted ones that came out, and wasted ones that were checked in vain.", nil,
		prometheus.Labels{"drafter": drafter, "fate": fate})
	return statsFamily{desc, prometheus.CounterValue, func(s *engine.Stats) float64 { return float64(of(s.Drafts[from])) }}
}

// draftSteps counts how often a sequence had drafts of a drafter checked.
func draftSteps(from engine.Origin, drafter string) statsFamily {
	desc := prometheus.NewDesc("glmc_draft_steps_total", "Steps of sequences in which drafts were checked.", nil, prometheus.Labels{"drafter": drafter})
	return statsFamily{desc, prometheus.CounterValue, func(s *engine.Stats) float64 { return float64(s.Drafts[from].Steps) }}
}

// acceptLength is what a drafter's drafts bring.
func acceptLength(from engine.Origin, drafter string) statsFamily {
	desc := prometheus.NewDesc("glmc_draft_accept_length", "Tokens that a sequence got from a step which checked a draft of the drafter, on average; 0: no step did.", nil, prometheus.Labels{"drafter": drafter})
	return statsFamily{desc, prometheus.GaugeValue, func(s *engine.Stats) float64 { return s.Drafts[from].Length() }}
}

// acceptRate is how many of them are right.
func acceptRate(from engine.Origin, drafter string) statsFamily {
	desc := prometheus.NewDesc("glmc_draft_accept_rate", "Part of the drafter's checked tokens that came out, from 0 to 1.", nil, prometheus.Labels{"drafter": drafter})
	return statsFamily{desc, prometheus.GaugeValue, func(s *engine.Stats) float64 { return s.Drafts[from].Rate() }}
}

// Describe implements prometheus.Collector.
func (c *statsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range statsFamilies {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *statsCollector) Collect(out chan<- prometheus.Metric) {
	now := c.ask()
	for _, f := range statsFamilies {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.of(&now))
	}
}
