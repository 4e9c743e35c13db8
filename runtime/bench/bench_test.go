package bench_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/bench"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

const vocab = 7

// silent is an executor that computes nothing and writes down who was called, with how many tokens.
type silent struct {
	name byte
	log  *bytes.Buffer
	bad  bool // a prompt had an id that is none
}

func (s *silent) Plan() *plan.Plan {
	g := ir.NewGraph("forward")
	g.Outputs = []*ir.Value{g.Input("logits", ir.TensorType(dtype.F32, ir.Symbolic(ir.R), ir.Fixed(vocab)))}
	return &plan.Plan{Programs: []*plan.Program{plan.NewProgram(g)}, Facts: plan.Facts{VocabSize: vocab},
		Cache: plan.CacheFormat{DType: dtype.F32, PageSize: 4}, Serving: plan.Serving{PrefillChunk: 8}}
}
func (s *silent) Pages() int                   { return 100 }
func (s *silent) Max(string) (ir.Sizes, error) { return ir.Sizes{Tokens: 8, Seqs: 8, Rows: 8}, nil }
func (s *silent) Step(ctx context.Context, _ string, in exec.Inputs) ([]kernels.Tensor, error) {
	for _, id := range in["tokens"].I32 {
		s.bad = s.bad || id < 0 || id >= vocab
	}
	s.log.WriteByte(s.name)
	s.log.WriteByte(byte('0' + len(in["tokens"].I32)))
	return []kernels.Tensor{kernels.New(dtype.F32, len(in["rows"].I32), vocab)}, ctx.Err()
}

func engines(t *testing.T, log *bytes.Buffer, names string) ([]*engine.Engine, []*silent) {
	t.Helper()
	var list []*engine.Engine
	var all []*silent
	for i := range names {
		s := &silent{name: names[i], log: log}
		e, err := engine.New(s, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		list, all = append(list, e), append(all, s)
	}
	return list, all
}

// TestMeasure: engines take turns, every other run backwards; the run that warms up does not count; the limits of the machine
// are measured before each load.
func TestMeasure(t *testing.T) {
	var log bytes.Buffer
	list, all := engines(t, &log, "ab")
	runs := bench.Runs{Loads: []bench.Load{{Prompt: 3, Generate: 3, Batch: 2}, {Prompt: 5, Batch: 1}}, Vocab: vocab, Count: 2}
	got, err := bench.Measure(t.Context(), list, runs, func() bench.Limits {
		log.WriteByte('!')
		return bench.Limits{Read: float64(log.Len())}
	})
	if err != nil {
		t.Fatal(err)
	}
	const a, b = "a3a3a2a2", "b3b3b2b2" // two prompts of three tokens, two steps of two sequences
	if diff := cmp.Diff(a+b+"a5b5"+"!"+a+b+"!"+"a5b5"+"!"+b+a+"!"+"b5a5", log.String()); diff != "" {
		t.Error(diff)
	}
	if all[0].bad || all[1].bad {
		t.Error("a prompt has ids that the vocabulary has not")
	}
	if len(got) != 2 || got[0].Load != runs.Loads[0] || got[1].Load != runs.Loads[1] {
		t.Fatalf("%+v", got)
	}
	for i, r := range got {
		if len(r.Limits) != 2 || r.Limits[0].Read == r.Limits[1].Read || len(r.Engines) != 2 {
			t.Errorf("load %d: %+v", i, r)
		}
		for _, e := range r.Engines {
			if len(e.Prompt) != 2 || !(e.Prompt[0] > 0) || len(e.Generate) != 2*(1-i) || i == 0 && !(e.Generate[1] > 0) {
				t.Errorf("load %d: %+v", i, e)
			}
		}
	}
}

func TestMeasureFails(t *testing.T) {
	var log bytes.Buffer
	list, _ := engines(t, &log, "a")
	good := func() bench.Runs {
		return bench.Runs{Loads: []bench.Load{{Prompt: 1, Generate: 2, Batch: 1}}, Vocab: vocab, Count: 1}
	}
	for _, change := range []func(*bench.Runs){
		func(r *bench.Runs) { r.Loads[0].Prompt = 0 }, func(r *bench.Runs) { r.Loads[0].Generate = 1 },
		func(r *bench.Runs) { r.Loads[0].Batch = 0 }, func(r *bench.Runs) { r.Loads = nil },
		func(r *bench.Runs) { r.Vocab = 0 }, func(r *bench.Runs) { r.Count = 0 },
	} {
		r := good()
		change(&r)
		if _, err := bench.Measure(t.Context(), list, r, nil); err == nil {
			t.Errorf("%+v was measured", r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bench.Measure(ctx, list, good(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestMedianAndRatio(t *testing.T) {
	if got := bench.Median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("the median is %g", got)
	}
	if got := bench.Median([]float64{4, 1, 2, 8}); got != 3 {
		t.Errorf("the median of four is %g", got)
	}
	// A neighbour took half of the machine in the second run: the ratio does not see it.
	if got := bench.Ratio([]float64{30, 15, 33}, []float64{20, 10, 20}); got != 1.5 {
		t.Errorf("the ratio is %g", got)
	}
}
