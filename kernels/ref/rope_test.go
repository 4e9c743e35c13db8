package ref

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// reduced returns an angle modulo 2*pi, computed with 200 bits.
func reduced(angle float32) float64 {
	const digits = "6.283185307179586476925286766559005768394338798750211641949889184615632812572417997256069650684234136"
	turn, _, _ := big.ParseFloat(digits, 10, 200, big.ToNearestEven)
	x := new(big.Float).SetPrec(200).SetFloat64(float64(angle))
	n, _ := new(big.Float).Quo(x, turn).Int(nil)
	x.Sub(x, turn.Mul(turn, new(big.Float).SetInt(n)))
	f, _ := x.Float64()
	return f
}

func TestRopeAngles(t *testing.T) {
	rope, err := kernels.NewRope(kernels.RopeParams{Dims: 64, Theta: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	// Frequencies in the six digits that Hugging Face's Glm4MoeRotaryEmbedding prints.
	for i, want := range map[int]float64{0: 1, 1: 0.649382, 16: 0.001, 31: 1.53993e-06} {
		if got := float64(rope.InvFreq[i]); math.Abs(got-want) > 1e-5*want {
			t.Errorf("frequency %d is %g, want %g", i, got, want)
		}
	}
	cos, sin := make([]float32, 32), make([]float32, 32)
	for _, pos := range []int32{0, 1, 4095, 131071, 199_999, 200_000, 202_751} {
		rope.Angles(pos, cos, sin)
		for i, f := range rope.InvFreq {
			angle := reduced(float32(pos) * f)
			if c, s := float32(math.Cos(angle)), float32(math.Sin(angle)); cos[i] != c || sin[i] != s {
				t.Errorf("position %d, pair %d: %g %g, want %g %g", pos, i, cos[i], sin[i], c, s)
			}
		}
	}
}

func TestRopeApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
		rows, heads := rapid.IntRange(0, 3).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "heads")
		half, rest := rapid.IntRange(0, 8).Draw(t, "half"), rapid.IntRange(0, 5).Draw(t, "rest")
		d := 2*half + rest
		if d == 0 {
			return
		}
		x, pos := r.F32(rows, heads, d), r.IDs(202752, rows)
		out := kernels.New(dtype.F32, rows, heads, d)
		kerneltest.Run(t, Kernels(), "rope.apply", kernels.Attrs{"dims": int64(2 * half), "theta": 1e6},
			&kernels.Call{In: []kernels.Tensor{x, pos}, Out: []kernels.Tensor{out}})
		for at := 0; at < len(x.F32); at += d {
			in, got := x.F32[at:at+d], out.F32[at:at+d]
			for i := range half {
				// As a rotation of the complex number in[i] + i*in[i+half]. The frequency is a float32.
				freq := float32(1) / float32(math.Pow(1e6, float64(float32(2*i)/float32(2*half))))
				s, c := math.Sincos(float64(float32(pos.I32[at/(d*heads)]) * freq))
				want := complex(float64(in[i]), float64(in[i+half])) * complex(c, s)
				if math.Abs(float64(got[i])-real(want)) > 2e-6 || math.Abs(float64(got[i+half])-imag(want)) > 2e-6 {
					t.Fatalf("pair %d is %g %g, want %g", i, got[i], got[i+half], want)
				}
			}
			for i := 2 * half; i < d; i++ {
				if got[i] != in[i] {
					t.Fatalf("value %d beyond the rotated ones changed", i)
				}
			}
		}
	})
}

// The inner product of two rotated heads depends on the distance of their positions only.
func TestRopeIsRelative(t *testing.T) {
	r := kerneltest.NewRand(7)
	const d = 32
	x := r.F32(2, 1, d)
	product := func(p, q int32) float64 {
		y := run1(t, "rope.apply", kernels.Attrs{"dims": int64(d), "theta": 1e4}, kernels.New(dtype.F32, 2, 1, d), x, kernels.FromI32([]int32{p, q}, 2))
		var sum float64
		for i := range d {
			sum += float64(y.F32[i]) * float64(y.F32[d+i])
		}
		return sum
	}
	if a, b := product(3, 10), product(1003, 1010); math.Abs(a-b) > 1e-3 {
		t.Errorf("%g at distance 7, %g after a shift", a, b)
	}
	if a, b := product(3, 10), product(3, 11); math.Abs(a-b) < 1e-3 {
		t.Errorf("the distance does not matter: %g and %g", a, b)
	}
}
