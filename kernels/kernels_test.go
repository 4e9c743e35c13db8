package kernels_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestTensorShape(t *testing.T) {
	for _, tc := range []struct {
		shape             []int
		elems, last, rows int
	}{
		{[]int{}, 1, 1, 1},
		{[]int{5}, 5, 5, 1},
		{[]int{2, 3, 4}, 24, 4, 6},
		{[]int{0, 4}, 0, 4, 0},
		{[]int{4, 0}, 0, 0, 0},
	} {
		x := kernels.New(dtype.F32, tc.shape...)
		if x.Elems() != tc.elems || x.Last() != tc.last || x.Rows() != tc.rows || !x.Present() || len(x.F32) != tc.elems {
			t.Errorf("%v: %d elements, last %d, %d rows, present %v, %d allocated",
				tc.shape, x.Elems(), x.Last(), x.Rows(), x.Present(), len(x.F32))
		}
	}
	if absent := (kernels.Tensor{}); absent.Present() {
		t.Error("the zero tensor is present")
	}
	scalar := kernels.New(dtype.I32)
	if !scalar.Present() || len(scalar.I32) != 1 {
		t.Errorf("scalar: present %v, %d elements", scalar.Present(), len(scalar.I32))
	}
}

func TestOptional(t *testing.T) {
	c := kernels.Call{In: []kernels.Tensor{kernels.New(dtype.F32, 1), {}}}
	for i, want := range []bool{true, false, false} {
		if got := c.Optional(i).Present(); got != want {
			t.Errorf("operand %d: present %v", i, got)
		}
	}
}

// What is stored is loaded again, rounded once to the format.
func TestStoreAndLoad(t *testing.T) {
	round := map[dtype.DType]func(float32) float32{
		dtype.F32:    func(v float32) float32 { return v },
		dtype.BF16:   dtype.RoundBF16,
		dtype.F16:    func(v float32) float32 { return dtype.F16ToF32(dtype.F32ToF16(v)) },
		dtype.F8E4M3: func(v float32) float32 { return dtype.F8E4M3ToF32(dtype.F32ToF8E4M3(v)) },
	}
	for format, rounded := range round {
		t.Run(format.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				values := rapid.SliceOfN(rapid.Float32Range(-1000, 1000), 0, 20).Draw(t, "values")
				before, after := rapid.IntRange(0, 3).Draw(t, "before"), rapid.IntRange(0, 3).Draw(t, "after")
				x := kernels.New(format, before+len(values)+after)
				x.Store(before, values)
				got, want := make([]float32, x.Elems()), make([]float32, x.Elems())
				x.Load(got, 0)
				for i, v := range values {
					want[before+i] = rounded(v)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestLoadRowAppliesTheRowsScale(t *testing.T) {
	w := kernels.New(dtype.F8E4M3, 2, 1, 2)
	w.Store(0, []float32{1, 2, 3, 4})
	w.Scale = []float32{10, 0.5}
	got := make([]float32, 2)
	for i, want := range [][]float32{{10, 20}, {1.5, 2}} {
		if w.LoadRow(got, i); !cmp.Equal(got, want) {
			t.Errorf("row %d is %v, want %v", i, got, want)
		}
	}
	w.Scale = nil
	if w.LoadRow(got, 1); !cmp.Equal(got, []float32{3, 4}) {
		t.Errorf("without scales, row 1 is %v", got)
	}
}

func TestInvalidDTypePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"new":   func() { kernels.New(dtype.Invalid, 1) },
		"load":  func() { (&kernels.Tensor{DType: dtype.I32}).Load(nil, 0) },
		"store": func() { (&kernels.Tensor{DType: dtype.I32}).Store(0, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestResize(t *testing.T) {
	s := kernels.Resize([]int(nil), 3)
	s[0] = 7
	if again := kernels.Resize(s[:0], 2); len(again) != 2 || &again[0] != &s[0] {
		t.Error("memory that suffices was not kept")
	}
	if grown := kernels.Resize(s, 100); len(grown) != 100 {
		t.Errorf("%d elements, want 100", len(grown))
	}
}

func TestCacheLayout(t *testing.T) {
	c := kernels.NewCache(dtype.F32, 2, 2, 2, 3, 2)
	if c.Slots() != 4 {
		t.Fatalf("%d slots, want 4", c.Slots())
	}
	c.Write(2, []float32{1, 2, 3, 4, 5, 6}, []float32{7, 8, 9, 10})
	// Head 1 of slot 2.
	if got := c.K.F32[(2*2+1)*3:][:3]; !cmp.Equal(got, []float32{4, 5, 6}) {
		t.Errorf("keys %v", got)
	}
	if got := c.V.F32[(2*2+1)*2:][:2]; !cmp.Equal(got, []float32{9, 10}) {
		t.Errorf("values %v", got)
	}
}

func TestAttrs(t *testing.T) {
	a := kernels.Attrs{"i": int64(3), "f": 2.5, "s": "x", "l": []int64{1, 2}, "act": "fp8_e4m3", "activation": "silu"}
	if v, err := a.Int("i"); v != 3 || err != nil {
		t.Errorf("i: %v, %v", v, err)
	}
	if v, err := a.Float("f"); v != 2.5 || err != nil {
		t.Errorf("f: %v, %v", v, err)
	}
	if v, err := a.Str("s"); v != "x" || err != nil {
		t.Errorf("s: %v, %v", v, err)
	}
	if v, err := a.Str("absent"); v != "" || err != nil {
		t.Errorf("absent string: %v, %v", v, err)
	}
	if v, err := a.Ints("l"); !cmp.Equal(v, []int64{1, 2}) || err != nil {
		t.Errorf("l: %v, %v", v, err)
	}
	if v, err := a.QuantisesRows(); !v || err != nil {
		t.Errorf("act: %v, %v", v, err)
	}
	if err := a.CheckActivation(); err != nil {
		t.Errorf("activation: %v", err)
	}
	for want, err := range map[string]error{
		`"f" is float64: want an integer`:        second(a.Int("f")),
		`"x" is missing: want an integer`:        second(a.Int("x")),
		`"i" is int64: want a float`:             second(a.Float("i")),
		`"i" is int64: want a string`:            second(a.Str("i")),
		`"i" is int64: want a list`:              second(a.Ints("i")),
		`"act" is "int8": want "" or "fp8_e4m3"`: second(kernels.Attrs{"act": "int8"}.QuantisesRows()),
		`"act" is bool: want a string`:           second(kernels.Attrs{"act": true}.QuantisesRows()),
		`"activation" is "": want "silu"`:        kernels.Attrs{}.CheckActivation(),
		`"activation" is float64: want a string`: kernels.Attrs{"activation": 1.0}.CheckActivation(),
		`rope: dims 5 is not an even`:            second(kernels.NewRope(kernels.RopeParams{Dims: 5, Theta: 1e6})),
		`rope: dims -2 is not an even`:           second(kernels.NewRope(kernels.RopeParams{Dims: -2, Theta: 1e6})),
		`rope: theta NaN is not`:                 second(kernels.NewRope(kernels.RopeParams{Dims: 4, Theta: math.NaN()})),
		`rope: theta +Inf is not`:                second(kernels.NewRope(kernels.RopeParams{Dims: 4, Theta: math.Inf(1)})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %s", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
