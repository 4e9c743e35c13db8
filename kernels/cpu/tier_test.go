package cpu

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/kerneltest"
)

// The tests that compare kernels with the reference and with themselves run once more on every tier of this processor
// but the best, which this run is about already.
func TestEveryTier(t *testing.T) {
	if os.Getenv(tierVariable) != "" || testing.Short() {
		return // this run is for one tier, or is to be short
	}
	best := device(t, 1).Tier()
	for name := range dotTables() {
		if name == best {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^Test(Linear|Experts|AttnPaged|Norm|AddNorm|SwiGLU|Elementwise|Route|QKNorm|Damaged|Steady|Scratch|Concurrent|ForcedTier)")
			cmd.Env = append(os.Environ(), tierVariable+"="+name)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestForcedTier(t *testing.T) {
	forced := os.Getenv(tierVariable)
	if got := device(t, 1).Tier(); forced != "" && got != forced {
		t.Errorf("%s=%s gives %s", tierVariable, forced, got)
	}
	t.Setenv(tierVariable, "generic")
	if got := device(t, 1).Tier(); got != "generic" {
		t.Errorf("generic gives %s", got)
	}
	t.Setenv(tierVariable, "mmx")
	if _, err := New(1); err == nil || !strings.Contains(err.Error(), "GLMC_CPU=mmx") || !strings.Contains(err.Error(), "generic") {
		t.Errorf("error for mmx: %v", err)
	}
}

func TestTierThatDoesNotRun(t *testing.T) {
	for _, tier := range tiers() {
		_, err := chooseTier(tier.dots.name)
		if (err == nil) != tier.runs {
			t.Errorf("%s, runs %v: %v", tier.dots.name, tier.runs, err)
		}
		if err != nil && !strings.Contains(err.Error(), tier.needs) {
			t.Errorf("%s: the error does not say what is lacking: %v", tier.dots.name, err)
		}
	}
}

// dotCase is a call of one format's inner kernel; the operands lie at odd places of larger ones, so that nothing is
// aligned.
type dotCase struct {
	w    kernels.Tensor // [k]
	wide []float32      // its values
	x    [][]float32
}

func drawDot(t *rapid.T) dotCase {
	r := kerneltest.NewRand(rapid.Uint64().Draw(t, "seed"))
	k := rapid.OneOf(rapid.IntRange(0, 70), rapid.IntRange(0, 700)).Draw(t, "k")
	rows, at := rapid.IntRange(1, tileRows).Draw(t, "rows"), rapid.IntRange(0, 5).Draw(t, "at")
	format := rapid.SampledFrom(dotFormats).Draw(t, "format")
	all := r.Weights(format, at+k+7)
	c := dotCase{w: kernels.Tensor{DType: format, Shape: []int{k}}, wide: make([]float32, k)}
	switch format {
	case dtype.F32:
		c.w.F32 = all.F32[at : at+k : at+k]
	case dtype.F8E4M3:
		c.w.U8 = all.U8[at : at+k : at+k]
	default:
		c.w.U16 = all.U16[at : at+k : at+k]
	}
	c.w.Load(c.wide, 0)
	x := r.F32(rows, at+k)
	if format == dtype.BF16 || format == dtype.F8E4M3 {
		x = kerneltest.RoundBF16(x)
	}
	for i := range rows {
		c.x = append(c.x, row(x, i).F32[at:at+k:at+k])
	}
	return c
}

func (c dotCase) run(table *dots) []float32 {
	y := make([]float32, len(c.x))
	switch c.w.DType {
	case dtype.F32:
		table.f32(y, c.w.F32, c.x)
	case dtype.BF16:
		table.bf16(y, c.w.U16, c.x)
	case dtype.F8E4M3:
		table.f8(y, c.w.U8, c.x)
	case dtype.F16:
		table.f16(y, c.w.U16, c.x)
	}
	return y
}

// Against sums in float64: off by no more than 1e-5 of the sum of the absolute products, on every tier.
func TestInnerKernelsAgainstFloat64(t *testing.T) {
	for name, table := range dotTables() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := drawDot(t)
				if c.w.DType == dtype.F16 && table.f16 == nil {
					return
				}
				for r, got := range c.run(table) {
					var want, size float64
					for i, w := range c.wide {
						want += float64(w) * float64(c.x[r][i])
						size += math.Abs(float64(w) * float64(c.x[r][i]))
					}
					if math.Abs(float64(got)-want) > 1e-5*size {
						t.Fatalf("%v: row %d is %g, want %g", c.w.DType, r, got, want)
					}
				}
			})
		})
	}
}

// Every code of the narrow formats, at every place of a register, times one: its value, and NaN for a NaN.
func TestInnerKernelsKnowEveryCode(t *testing.T) {
	ones := [][]float32{slices.Repeat([]float32{1}, 83)}
	for name, table := range dotTables() {
		same := func(format fmt.Stringer, code, at int, got, want float32) {
			t.Helper()
			if got != want && (got == got || want == want) {
				t.Errorf("%s: %v code %#x at %d is %g, want %g", name, format, code, at, got, want)
			}
		}
		y := make([]float32, 1)
		for code := range 256 {
			for at := range 83 {
				w := make([]byte, 83)
				w[at] = byte(code)
				table.f8(y, w, ones)
				same(dtype.F8E4M3, code, at, y[0], f8Values[code])
			}
		}
		for code := range 1 << 16 {
			w, at := make([]uint16, 83), code%83
			w[at] = uint16(code)
			table.bf16(y, w, ones)
			same(dtype.BF16, code, at, y[0], dtype.BF16ToF32(uint16(code)))
			if table.f16 != nil {
				table.f16(y, w, ones)
				same(dtype.F16, code, at, y[0], dtype.F16ToF32(uint16(code)))
			}
		}
	}
}

// A row that is damaged stays the only one.
func TestInnerKernelsKeepRowsApart(t *testing.T) {
	for name, table := range dotTables() {
		rapid.Check(t, func(t *rapid.T) {
			c := drawDot(t)
			if c.w.DType == dtype.F16 && table.f16 == nil || len(c.wide) == 0 {
				return
			}
			want := c.run(table)
			bad := rapid.IntRange(0, len(c.x)-1).Draw(t, "bad")
			at := rapid.IntRange(0, len(c.wide)-1).Draw(t, "bad at")
			c.x[bad][at] = nan
			for r, got := range c.run(table) {
				if r == bad && got == got || r != bad && got != want[r] {
					t.Fatalf("%s, %v: row %d is %g with NaN in row %d, before %g", name, c.w.DType, r, got, bad, want[r])
				}
			}
		})
	}
}

// Lengths that do not fit are found before a kernel in assembly leaves its operands.
func TestInnerKernelsCheckLengths(t *testing.T) {
	for name, table := range dotTables() {
		for what, call := range map[string]func(){
			"a short row": func() {
				table.f32(make([]float32, 2), make([]float32, 9), [][]float32{make([]float32, 9), make([]float32, 8)})
			},
			"too few results": func() {
				table.bf16(make([]float32, 1), make([]uint16, 9), [][]float32{make([]float32, 9), make([]float32, 9)})
			},
			"a short value": func() { table.axpy(make([]float32, 9), make([]float32, 1), [][]float32{make([]float32, 7)}) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: %s did not panic", name, what)
					}
				}()
				call()
			}()
		}
	}
}
