package kernels

import (
	"fmt"
	"math"
)

// Rope holds the frequencies of rotary position embedding (Su et al., arXiv:2104.09864).
type Rope struct {
	RopeParams
	// InvFreq[i], i < Dims/2, is theta^(-2i/Dims), scaled, rounded as Hugging Face's rope init rounds it: every
	// operation to float32. At position 200,000 one unit in the last place is up to 0.012 rad, so every
	// implementation has to take the same float32 values.
	InvFreq []float32
}

// RopeParams say which rotation it is. They are comparable: equal parameters rotate alike.
type RopeParams struct {
	Dims  int // leading values of each head that are rotated; even
	Theta float64
	// Interleaved pairs value 2i of a head with value 2i+1, in place, as the original paper and DeepSeek do;
	// otherwise value i is paired with value i+Dims/2, as in GPT-NeoX. Hugging Face's code for interleaved models
	// first moves the even values to the front. That permutation is the same for queries and keys, so that
	// their products, which are all that attention takes of them, do not know of it.
	Interleaved bool
	Scaling     RopeScaling
}

// NewRope computes the frequencies. Dims must be even and not negative, theta positive.
func NewRope(p RopeParams) (*Rope, error) {
	if p.Dims < 0 || p.Dims%2 != 0 {
		return nil, fmt.Errorf("rope: dims %d is not an even number of values", p.Dims)
	}
	if !(p.Theta > 0) || math.IsInf(p.Theta, 1) {
		return nil, fmt.Errorf("rope: theta %g is not a positive number", p.Theta)
	}
	r := &Rope{RopeParams: p, InvFreq: make([]float32, p.Dims/2)}
	for i := range r.InvFreq {
		exponent := float32(2*i) / float32(p.Dims)
		r.InvFreq[i] = 1 / float32(math.Pow(p.Theta, float64(exponent)))
	}
	if err := p.Scaling.apply(r.InvFreq, p.Theta); err != nil {
		return nil, fmt.Errorf("rope: %w", err)
	}
	return r, nil
}

// RopeFromAttrs reads the attributes dims and theta and, where they are there, interleaved (0 or 1) and those of
// the scaling.
func RopeFromAttrs(a Attrs) (*Rope, error) {
	var p RopeParams
	var err error
	if p.Dims, err = a.Int("dims"); err != nil {
		return nil, err
	}
	if p.Theta, err = a.Float("theta"); err != nil {
		return nil, err
	}
	interleaved, err := a.OptionalInt("interleaved", 0)
	if err != nil {
		return nil, err
	}
	p.Interleaved = interleaved != 0
	if p.Scaling, err = ropeScalingFromAttrs(a); err != nil {
		return nil, err
	}
	return NewRope(p)
}

// Angles stores the cosine and sine of every pair's angle at a position, Dims/2 each, times the scaling's
// attention factor. The angle is the float32 product of position and frequency; its cosine and sine are exact to
// float32.
func (r *Rope) Angles(pos int32, cos, sin []float32) {
	for i, f := range r.InvFreq {
		angle := float64(float32(pos) * f)
		cos[i], sin[i] = float32(math.Cos(angle)), float32(math.Sin(angle))
	}
	if factor := float32(r.Scaling.AttentionFactor); factor != 0 && factor != 1 {
		for i := range r.InvFreq {
			cos[i] *= factor
			sin[i] *= factor
		}
	}
}

// Rotate rotates the first Dims values of one head in place.
func (r *Rope) Rotate(head, cos, sin []float32) {
	half := r.Dims / 2
	cos, sin = cos[:half], sin[:half]
	if r.Interleaved {
		for i := range cos {
			a, b := head[2*i], head[2*i+1]
			head[2*i] = a*cos[i] - b*sin[i]
			head[2*i+1] = b*cos[i] + a*sin[i]
		}
		return
	}
	lo, hi := head[:half], head[half:r.Dims]
	for i, a := range lo {
		b := hi[i]
		lo[i] = a*cos[i] - b*sin[i]
		hi[i] = b*cos[i] + a*sin[i]
	}
}
