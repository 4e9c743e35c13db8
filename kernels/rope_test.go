package kernels

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// scaled is a rotation whose frequencies Hugging Face's code computed (transformers 5.12.1, ROPE_INIT_FUNCTIONS of
// modeling_rope_utils.py on a LlamaConfig with these rope_parameters): the bits of each float32.
type scaled struct {
	Dims   int
	Config struct {
		RopeType          string  `json:"rope_type"`
		Theta             float64 `json:"rope_theta"`
		Factor            float64
		LowFreqFactor     float64 `json:"low_freq_factor"`
		HighFreqFactor    float64 `json:"high_freq_factor"`
		OriginalPositions int     `json:"original_max_position_embeddings"`
		BetaFast          float64 `json:"beta_fast"`
		BetaSlow          float64 `json:"beta_slow"`
		Truncate          *bool
	}
	InvFreq []string `json:"inv_freq"`
}

func TestScaledFrequenciesAreHuggingFaces(t *testing.T) {
	data, err := os.ReadFile("testdata/rope_scaling.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []scaled
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.Config.RopeType, c.Dims), func(t *testing.T) {
			seen[c.Config.RopeType] = true
			s := RopeScaling{Type: c.Config.RopeType, Factor: c.Config.Factor, LowFreqFactor: c.Config.LowFreqFactor,
				HighFreqFactor: c.Config.HighFreqFactor, OriginalPositions: c.Config.OriginalPositions,
				BetaFast: c.Config.BetaFast, BetaSlow: c.Config.BetaSlow, Fractional: c.Config.Truncate != nil && !*c.Config.Truncate}
			if s.Type == "yarn" && s.BetaFast == 0 {
				s.BetaFast, s.BetaSlow = 32, 1 // what Hugging Face takes where the configuration says nothing
			}
			r, err := NewRope(RopeParams{Dims: c.Dims, Theta: c.Config.Theta, Scaling: s})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.InvFreq) != len(c.InvFreq) {
				t.Fatalf("%d frequencies, want %d", len(r.InvFreq), len(c.InvFreq))
			}
			for i, text := range c.InvFreq {
				want, err := strconv.ParseUint(text, 0, 32)
				if err != nil {
					t.Fatal(err)
				}
				// torch's float32 power is within a unit in the last place of the exact one.
				if got := math.Float32bits(r.InvFreq[i]); max(got, uint32(want))-min(got, uint32(want)) > ropeUnits {
					t.Errorf("frequency %d is %#x, want %#x", i, got, want)
				}
			}
		})
	}
	for _, name := range RopeScalings {
		if name != "default" && !seen[name] {
			t.Errorf("no case for scaling %s", name)
		}
	}
}

// ropeUnits is how many units in the last place a scaled frequency may differ from torch's.
const ropeUnits = 1

func TestRopeScalingErrors(t *testing.T) {
	yarn := RopeScaling{Type: "yarn", Factor: 4, OriginalPositions: 64, BetaFast: 32, BetaSlow: 1}
	with := func(change func(*RopeScaling)) RopeScaling {
		s := yarn
		change(&s)
		return s
	}
	for want, s := range map[string]RopeScaling{
		`rope: scaling "dynamic" is not one of default, linear, llama3, yarn`: {Type: "dynamic"},
		`factor 0 is not a positive number`:                                   {Type: "linear"},
		`NaN is not a finite number`:                                          {Type: "linear", Factor: math.NaN()},
		`original_max_position_embeddings is 0`:                               with(func(s *RopeScaling) { s.OriginalPositions = 0 }),
		`beta_slow 64 and beta_fast 32`:                                       with(func(s *RopeScaling) { s.BetaSlow = 64 }),
		`low_freq_factor 4 and high_freq_factor 1`:                            {Type: "llama3", Factor: 8, LowFreqFactor: 4, HighFreqFactor: 1, OriginalPositions: 64},
	} {
		_, err := NewRope(RopeParams{Dims: 8, Theta: 1e4, Scaling: s})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
	if _, err := NewRope(RopeParams{Dims: 8, Theta: 1, Scaling: yarn}); err == nil || !strings.Contains(err.Error(), "theta 1 is not above 1") {
		t.Errorf("theta 1: error %v", err)
	}
}

func TestRopeFromAttrs(t *testing.T) {
	a := Attrs{"dims": int64(8), "theta": 1e4, "interleaved": int64(1), "scaling": "yarn", "factor": 4.0, "truncate": int64(0),
		"original_max_position_embeddings": int64(64), "beta_fast": 32.0, "beta_slow": 1.0, "attention_factor": 1.5}
	r, err := RopeFromAttrs(a)
	if err != nil {
		t.Fatal(err)
	}
	want := RopeParams{Dims: 8, Theta: 1e4, Interleaved: true, Scaling: RopeScaling{Type: "yarn", Factor: 4, OriginalPositions: 64,
		BetaFast: 32, BetaSlow: 1, Fractional: true, AttentionFactor: 1.5}}
	if r.RopeParams != want {
		t.Errorf("got %+v, want %+v", r.RopeParams, want)
	}
	cos, sin := make([]float32, 4), make([]float32, 4)
	r.Angles(0, cos, sin)
	if cos[0] != 1.5 || sin[0] != 0 {
		t.Errorf("at position 0 cosine and sine are %g and %g, want 1.5 and 0", cos[0], sin[0])
	}
	for key, bad := range map[string]any{"interleaved": 1.0, "scaling": 1, "factor": "4", "truncate": true} {
		damaged := Attrs{}
		for k, v := range a {
			damaged[k] = v
		}
		damaged[key] = bad
		if _, err := RopeFromAttrs(damaged); err == nil || !strings.Contains(err.Error(), strconv.Quote(key)) {
			t.Errorf("%s = %v: error %v", key, bad, err)
		}
	}
}

// Interleaved and half layouts are one rotation of permuted heads: inner products of two heads agree.
func TestInterleavedIsPermuted(t *testing.T) {
	const dims = 8
	half, err := NewRope(RopeParams{Dims: dims, Theta: 1e4})
	if err != nil {
		t.Fatal(err)
	}
	inter, err := NewRope(RopeParams{Dims: dims, Theta: 1e4, Interleaved: true})
	if err != nil {
		t.Fatal(err)
	}
	head := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	permuted := []float32{1, 3, 5, 7, 2, 4, 6, 8, 9}
	cos, sin := make([]float32, dims/2), make([]float32, dims/2)
	half.Angles(3, cos, sin)
	inter.Rotate(head, cos, sin)
	half.Rotate(permuted, cos, sin)
	for i := range dims / 2 {
		if head[2*i] != permuted[i] || head[2*i+1] != permuted[i+dims/2] {
			t.Errorf("pair %d is %g %g, want %g %g", i, head[2*i], head[2*i+1], permuted[i], permuted[i+dims/2])
		}
	}
	if head[dims] != 9 {
		t.Error("a value beyond the rotated ones changed")
	}
}
