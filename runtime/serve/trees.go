package serve

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/glmc/glmc/runtime/draft/suffix"
)

// Trees shows the sizes of the suffix trees that draft for a model. The function is called whenever metrics are asked for, from any goroutine.
func (m *Metrics) Trees(model string, stats func() suffix.Stats) {
	reg := prometheus.WrapRegistererWith(prometheus.Labels{"model_name": model}, m.registry)
	gauge := func(name, help string, of func(suffix.Stats) float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return of(stats()) }))
	}
	counter := func(name, help string, of func(suffix.Stats) float64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return of(stats()) }))
	}
	gauge("glmc_draft_tree_responses", "Responses in the suffix tree.", func(s suffix.Stats) float64 { return float64(s.Responses) })
	gauge("glmc_draft_tree_tokens", "Tokens of responses in the suffix tree.", func(s suffix.Stats) float64 { return float64(s.Tokens) })
	gauge("glmc_draft_tree_bytes", "Bytes that the suffix tree of responses takes.", func(s suffix.Stats) float64 { return float64(s.Bytes) })
	counter("glmc_draft_tree_learnt_total", "Responses that the suffix tree has learnt.", func(s suffix.Stats) float64 { return float64(s.Learnt) })
	counter("glmc_draft_tree_evicted_total", "Responses that the suffix tree has forgotten, because there were too many.", func(s suffix.Stats) float64 { return float64(s.Evicted) })
}
