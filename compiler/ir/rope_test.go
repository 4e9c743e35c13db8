package ir

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// emitter is a Lowering that only emits.
type emitter struct {
	Lowering
	graph *Graph
}

func (e emitter) Emit(op string, in []*Value, attrs ...Attr) ([]*Value, error) {
	n, err := e.graph.NewNode(op, in, attrs, Origin{})
	if err != nil {
		return nil, err
	}
	return n.Out, nil
}

// ropeOf calls rope() on [T, 2, 8] with more arguments and returns the attributes that it comes to.
func ropeOf(t *testing.T, more map[string]any) (Attrs, error) {
	t.Helper()
	g := NewGraph("case")
	args := &Args{Values: map[string]any{"x": g.Input("x", TensorType(dtype.F32, Symbolic(T), Fixed(2), Fixed(8))),
		"pos": g.Input("pos", TensorType(dtype.I32, Symbolic(T))), "dims": int64(8), "theta": 1e4}}
	for k, v := range more {
		args.Values[k] = v
	}
	out, err := SurfaceOf("rope").Surface.Lower(emitter{graph: g}, args)
	if err != nil {
		return nil, err
	}
	return out[0].Def.Attrs, nil
}

// TestRopeAttributes: a rotation has the attributes that its scaling reads and no others.
func TestRopeAttributes(t *testing.T) {
	numbers := map[string]any{"factor": int64(40), "low_freq_factor": 1.0, "high_freq_factor": 4.0,
		"original_max_position_embeddings": int64(4096), "beta_fast": 0.0, "beta_slow": 0.0, "mscale": 1.0, "mscale_all_dim": 0.5}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{numbers, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	base := Attrs{{"dims", int64(8)}, {"theta", 1e4}}
	yarn := append(base[:2:2], Attr{"scaling", "yarn"}, Attr{"factor", 40.0}, Attr{"original_max_position_embeddings", int64(4096)},
		Attr{"beta_fast", 32.0}, Attr{"beta_slow", 1.0})
	ln := math.Log(40)
	for name, c := range map[string]struct {
		args map[string]any
		want Attrs
	}{
		"nothing":     {nil, base},
		"default":     {with(map[string]any{"scaling": "default", "interleaved": false}), base},
		"interleaved": {map[string]any{"interleaved": true}, append(base[:2:2], Attr{"interleaved", int64(1)})},
		"linear":      {with(map[string]any{"scaling": "linear"}), append(base[:2:2], Attr{"scaling", "linear"}, Attr{"factor", 40.0})},
		"llama3": {with(map[string]any{"scaling": "llama3"}), append(base[:2:2], Attr{"scaling", "llama3"}, Attr{"factor", 40.0},
			Attr{"low_freq_factor", 1.0}, Attr{"high_freq_factor", 4.0}, Attr{"original_max_position_embeddings", int64(4096)})},
		"yarn":           {with(map[string]any{"scaling": "yarn"}), append(yarn[:7:7], Attr{"attention_factor", (0.1*ln + 1) / (0.1*0.5*ln + 1)})},
		"yarn one":       {with(map[string]any{"scaling": "yarn", "mscale_all_dim": 1.0}), yarn},
		"yarn no mscale": {with(map[string]any{"scaling": "yarn", "mscale": 0.0}), append(yarn[:7:7], Attr{"attention_factor", 0.1*ln + 1})},
		"yarn given": {with(map[string]any{"scaling": "yarn", "attention_factor": 2.0, "truncate": false}),
			append(yarn[:7:7], Attr{"truncate", int64(0)}, Attr{"attention_factor", 2.0})},
	} {
		got, err := ropeOf(t, c.args)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestUnknownRopeScaling(t *testing.T) {
	_, err := ropeOf(t, map[string]any{"scaling": "dynamic"})
	if err == nil || !strings.Contains(err.Error(), `scaling "dynamic" is not one of default, linear, llama3, yarn`) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(kernels.RopeScalings, ropeScalings); diff != "" {
		t.Errorf("the kernels know other scalings (-kernels +table):\n%s", diff)
	}
}
