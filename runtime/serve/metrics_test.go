package serve

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/engine"
)

// families that gateways and dashboards read: the list of the Gateway API Inference Extension, and of vLLM's own dashboard.
var families = []string{
	"vllm:cache_config_info", "vllm:e2e_request_latency_seconds", "vllm:generation_tokens_total", "vllm:inter_token_latency_seconds", "vllm:iteration_tokens_total",
	"vllm:kv_cache_usage_perc", "vllm:num_preemptions_total", "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:prefix_cache_hits_total",
	"vllm:prefix_cache_queries_total", "vllm:prompt_tokens_total", "vllm:request_decode_time_seconds", "vllm:request_generation_tokens", "vllm:request_inference_time_seconds",
	"vllm:request_params_max_tokens", "vllm:request_params_n", "vllm:request_prefill_time_seconds", "vllm:request_prompt_tokens", "vllm:request_queue_time_seconds",
	"vllm:request_success_total", "vllm:request_time_per_output_token_seconds", "vllm:time_to_first_token_seconds",
}

// samples are the lines of /metrics that a pattern matches, without those of buckets.
func (x *trial) samples(pattern string) []string {
	x.t.Helper()
	a := x.ask("GET", "/metrics", "")
	if a.status != 200 {
		x.t.Fatalf("/metrics: %d", a.status)
	}
	var list []string
	for line := range strings.Lines(a.body) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") && regexp.MustCompile(pattern).MatchString(line) {
			list = append(list, line)
		}
	}
	return list
}

// TestFamilies: the families are there from the first moment on, with the label model_name on each.
func TestFamilies(t *testing.T) {
	x := start(t, Options{})
	var got []string
	for _, line := range x.samples(`^vllm:`) {
		if !strings.Contains(line, `model_name="tiny"`) {
			t.Errorf("without the model's name: %s", line)
		}
		name := line[:strings.Index(line, "{")]
		got = append(got, strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count"))
	}
	slices.Sort(got)
	if d := cmp.Diff(families, slices.Compact(got)); d != "" {
		t.Error(d)
	}
}

// TestCounts: what requests come to is counted once, whatever way they end.
func TestCounts(t *testing.T) {
	x := start(t, Options{})
	x.ask("POST", "/v1/say", "Hi")
	x.ask("POST", "/v1/say", "@text \"a\"\ndone length\nusage prompt=3 output=1")
	x.ask("POST", "/v1/say", "@call call_1 f\nargs \"{}\"\nend\ndone tool_calls\nusage prompt=1 output=7")
	x.ask("POST", "/v1/say", "@text \"a\"\nfail internal \"the model fell over\"")
	x.ask("POST", "/v1/say", "@refuse busy 2s \"all hands are full\"")
	x.ask("GET", "/a/path/of/the/clients/own", "")
	want := []string{
		`glmc_http_refused_total{code="404"} 1`,
		`glmc_http_requests_in_flight 0`,
		`glmc_http_requests_total{code="200",method="POST",path="/v1/say"} 4`,
		`glmc_http_requests_total{code="404",method="GET",path="none"} 1`,
		`glmc_http_requests_total{code="429",method="POST",path="/v1/say"} 1`,
		`glmc_requests_rejected_total{model_name="tiny",reason="busy"} 1`,
		`vllm:generation_tokens_total{model_name="tiny"} 10`,
		`vllm:prompt_tokens_total{model_name="tiny"} 13`,
		`vllm:request_success_total{finished_reason="abort",model_name="tiny"} 0`,
		`vllm:request_success_total{finished_reason="error",model_name="tiny"} 1`,
		`vllm:request_success_total{finished_reason="length",model_name="tiny"} 1`,
		`vllm:request_success_total{finished_reason="stop",model_name="tiny"} 2`,
		`vllm:time_to_first_token_seconds_count{model_name="tiny"} 4`,
		`vllm:e2e_request_latency_seconds_count{model_name="tiny"} 4`,
		`vllm:kv_cache_usage_perc{model_name="tiny"} 0.25`,
	}
	got := x.samples(`^glmc_http_(refused|requests)|^glmc_requests_rejected|^vllm:(generation_tokens|prompt_tokens|request_success|time_to_first.*_count|e2e.*_count|kv_cache_usage)`)
	got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "/ready") || strings.Contains(s, "/metrics") })
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestDraftMetrics: what became of drafts, by who guessed, and of all together.
func TestDraftMetrics(t *testing.T) {
	x := start(t, Options{})
	want := []string{
		`glmc_draft_accept_length{drafter="mtp",model_name="tiny"} 2.5`,
		`glmc_draft_accept_length{drafter="suffix",model_name="tiny"} 3`,
		`glmc_draft_accept_rate{drafter="mtp",model_name="tiny"} 0.5`,
		`glmc_draft_accept_rate{drafter="suffix",model_name="tiny"} 0.5`,
		`glmc_draft_steps_total{drafter="mtp",model_name="tiny"} 4`,
		`glmc_draft_steps_total{drafter="suffix",model_name="tiny"} 2`,
		`glmc_draft_tokens_total{drafter="mtp",fate="accepted",model_name="tiny"} 6`,
		`glmc_draft_tokens_total{drafter="mtp",fate="proposed",model_name="tiny"} 13`,
		`glmc_draft_tokens_total{drafter="mtp",fate="wasted",model_name="tiny"} 6`,
		`glmc_draft_tokens_total{drafter="suffix",fate="accepted",model_name="tiny"} 4`,
		`glmc_draft_tokens_total{drafter="suffix",fate="proposed",model_name="tiny"} 9`,
		`glmc_draft_tokens_total{drafter="suffix",fate="wasted",model_name="tiny"} 4`,
		`sglang:spec_accept_length{model_name="tiny"} 2.6666666666666665`,
		`sglang:spec_accept_rate{model_name="tiny"} 0.5`,
	}
	got := x.samples(`^glmc_draft|^sglang:`)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestObserver: what an engine tells becomes metrics.
func TestObserver(t *testing.T) {
	x := start(t, Options{})
	o := x.Observer()
	at := time.Unix(1000, 0)
	o.Stepped(engine.StepStats{Device: 100 * time.Millisecond, Sequences: 2, Tokens: 40, Prompt: 40, Running: 2})
	o.Stepped(engine.StepStats{Device: 10 * time.Millisecond, Sequences: 2, Decodes: 2, Tokens: 2, Running: 2})
	o.Stepped(engine.StepStats{Device: 20 * time.Millisecond, Sequences: 3, Decodes: 2, Tokens: 12, Prompt: 10, Running: 3})
	o.Ended(engine.Result{ID: "unknown", Arrived: at, Scheduled: at.Add(time.Second), First: at.Add(3 * time.Second), Ended: at.Add(7 * time.Second)})
	o.Ended(engine.Result{ID: "never begun", Arrived: at, Ended: at.Add(time.Second)})
	want := []string{
		`glmc_step_seconds_sum{model_name="tiny",phase="decode"} 0.01`,
		`glmc_step_seconds_sum{model_name="tiny",phase="mixed"} 0.02`,
		`glmc_step_seconds_sum{model_name="tiny",phase="prefill"} 0.1`,
		`glmc_step_sequences_sum{model_name="tiny"} 7`,
		`vllm:inter_token_latency_seconds_count{model_name="tiny"} 4`,
		`vllm:iteration_tokens_total_sum{model_name="tiny"} 54`,
		`vllm:request_decode_time_seconds_sum{model_name="tiny"} 4`,
		`vllm:request_inference_time_seconds_sum{model_name="tiny"} 6`,
		`vllm:request_prefill_time_seconds_sum{model_name="tiny"} 2`,
		`vllm:request_queue_time_seconds_sum{model_name="tiny"} 1`,
	}
	got := x.samples(`^glmc_step.*_sum|^vllm:iteration.*_sum|^vllm:request_(decode|inference|prefill|queue)_time.*_sum|^vllm:inter.*_count`)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestTokenBuckets are vLLM's.
func TestTokenBuckets(t *testing.T) {
	if d := cmp.Diff([]float64{1, 2, 5, 10, 20, 50, 100}, tokenBuckets(199)); d != "" {
		t.Error(d)
	}
}
