package kernels

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// RopeScalings are the ways to scale rotary embeddings for contexts beyond those of the training that NewRope
// knows. The names are those of Hugging Face's rope_type.
var RopeScalings = []string{"default", "linear", "llama3", "yarn"}

// RopeScaling are the numbers of a scaling; those that its type does not use are zero.
type RopeScaling struct {
	Type   string // one of RopeScalings; "" is "default"
	Factor float64
	// LowFreqFactor and HighFreqFactor bound the band of wavelengths, as fractions of the original positions,
	// in which llama3 blends scaled and unscaled frequencies.
	LowFreqFactor, HighFreqFactor float64
	OriginalPositions             int // positions of the training: llama3, yarn
	// BetaFast and BetaSlow are the rotations over the original positions between which yarn blends.
	BetaFast, BetaSlow float64
	// Fractional leaves yarn's bounds of the blended pairs as they are; otherwise they are widened to whole pairs.
	Fractional bool
	// AttentionFactor multiplies cosines and sines; 0 means 1.
	AttentionFactor float64
}

func ropeScalingFromAttrs(a Attrs) (RopeScaling, error) {
	var s RopeScaling
	var err error
	if s.Type, err = a.Str("scaling"); err != nil {
		return s, err
	}
	for _, f := range []struct {
		key string
		dst *float64
	}{
		{"factor", &s.Factor}, {"low_freq_factor", &s.LowFreqFactor}, {"high_freq_factor", &s.HighFreqFactor},
		{"beta_fast", &s.BetaFast}, {"beta_slow", &s.BetaSlow}, {"attention_factor", &s.AttentionFactor},
	} {
		if *f.dst, err = a.OptionalFloat(f.key); err != nil {
			return s, err
		}
	}
	if s.OriginalPositions, err = a.OptionalInt("original_max_position_embeddings", 0); err != nil {
		return s, err
	}
	truncate, err := a.OptionalInt("truncate", 1)
	s.Fractional = truncate == 0
	return s, err
}

// apply scales the frequencies. Every operation is rounded to float32 where Hugging Face's
// modeling_rope_utils.py computes on float32 tensors, in its order; numbers of the configuration are combined in
// float64, as Python does.
func (s *RopeScaling) apply(invFreq []float32, theta float64) error {
	if s.Type == "" || s.Type == "default" {
		return nil
	}
	if !slices.Contains(RopeScalings, s.Type) {
		return fmt.Errorf("scaling %q is not one of %s", s.Type, strings.Join(RopeScalings, ", "))
	}
	if err := s.check(theta); err != nil {
		return fmt.Errorf("scaling %s: %w", s.Type, err)
	}
	switch s.Type {
	case "linear":
		for i := range invFreq {
			invFreq[i] /= float32(s.Factor)
		}
	case "llama3":
		s.llama3(invFreq)
	case "yarn":
		s.yarn(invFreq, theta)
	}
	return nil
}

func (s *RopeScaling) check(theta float64) error {
	for _, v := range []float64{s.Factor, s.LowFreqFactor, s.HighFreqFactor, s.BetaFast, s.BetaSlow, s.AttentionFactor} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%g is not a finite number", v)
		}
	}
	switch {
	case s.Factor <= 0:
		return fmt.Errorf("factor %g is not a positive number", s.Factor)
	case s.Type != "linear" && s.OriginalPositions < 1:
		return fmt.Errorf("original_max_position_embeddings is %d: wants at least 1", s.OriginalPositions)
	case s.Type == "llama3" && !(0 < s.LowFreqFactor && s.LowFreqFactor < s.HighFreqFactor):
		return fmt.Errorf("low_freq_factor %g and high_freq_factor %g are not rising positive numbers", s.LowFreqFactor, s.HighFreqFactor)
	case s.Type == "yarn" && !(0 < s.BetaSlow && s.BetaSlow <= s.BetaFast):
		return fmt.Errorf("beta_slow %g and beta_fast %g are not rising positive numbers", s.BetaSlow, s.BetaFast)
	case s.Type == "yarn" && theta <= 1:
		return fmt.Errorf("theta %g is not above 1", theta)
	}
	return nil
}

// llama3 divides long wavelengths by the factor, keeps short ones, and blends in between (Llama 3.1).
func (s *RopeScaling) llama3(invFreq []float32) {
	positions := float64(s.OriginalPositions)
	longest, shortest := float32(positions/s.LowFreqFactor), float32(positions/s.HighFreqFactor)
	factor, low, band := float32(s.Factor), float32(s.LowFreqFactor), float32(s.HighFreqFactor-s.LowFreqFactor)
	for i, f := range invFreq {
		wavelength := float32(1/f) * float32(2*math.Pi)
		switch {
		case wavelength > longest:
			invFreq[i] = f / factor
		case !(wavelength < shortest):
			smooth := (float32(float32(1/wavelength)*float32(positions)) - low) / band
			scaled := float32(float32(1-smooth)*f) / factor
			invFreq[i] = scaled + float32(smooth*f)
		}
	}
}

// yarn keeps the pairs that turn more than BetaFast times over the original positions, divides those that turn
// less than BetaSlow times by the factor, and blends in between (Peng et al., arXiv:2309.00071).
func (s *RopeScaling) yarn(invFreq []float32, theta float64) {
	dims := float64(2 * len(invFreq))
	pair := func(rotations float64) float64 {
		return dims * math.Log(float64(s.OriginalPositions)/(rotations*2*math.Pi)) / (2 * math.Log(theta))
	}
	low, high := pair(s.BetaFast), pair(s.BetaSlow)
	if !s.Fractional {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, dims-1)
	if low == high {
		high += 0.001
	}
	for i, f := range invFreq {
		ramp := (float32(i) - float32(low)) / float32(high-low)
		keep := 1 - min(max(ramp, 0), 1)
		// Hugging Face divides one by the factor times the power, of which f is the reciprocal; the power is
		// recomputed because the reciprocal of a reciprocal is rounded twice.
		exponent := float32(2*i) / float32(dims)
		power := float32(math.Pow(theta, float64(exponent)))
		scaled := 1 / float32(float32(s.Factor)*power)
		invFreq[i] = float32(scaled*float32(1-keep)) + float32(f*keep)
	}
}
