package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// normal draws normally distributed numbers.
func normal(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// int8Tensors are an int8 weight and its scales, and the values that they stand for.
func int8Tensors(name string, rows, k int) ([]fileTensor, []float32) {
	codes, scales, want := normal(3, rows*k), make([]float32, rows), make([]float32, rows*k)
	for i := range codes {
		codes[i] = float32(dtype.F32ToI8(40 * codes[i]))
		scales[i/k] = 0.25 + float32(i/k)
		want[i] = codes[i] * scales[i/k]
	}
	return []fileTensor{values(name, dtype.I8, []int{rows, k}, codes...), values(name+"_scale", dtype.F32, []int{rows, 1}, scales...)}, want
}

// packedTensors are an int4 weight as compressed-tensors packs it, number by number, and the values that they stand for.
func packedTensors(name string, rows, k int) ([]fileTensor, []float32) {
	codes, scales, want := normal(4, rows*k), make([]float32, rows*k/dtype.Group), make([]float32, rows*k)
	var packed []byte
	for i := range codes {
		code := dtype.F32ToI4(3 * codes[i])
		scales[i/dtype.Group] = 0.5 + float32(i/dtype.Group)
		want[i] = dtype.I4ToF32(code) * scales[i/dtype.Group]
		if i%8 == 0 {
			packed = append(packed, 0, 0, 0, 0)
		}
		last := packed[len(packed)-4:]
		binary.LittleEndian.PutUint32(last, binary.LittleEndian.Uint32(last)|uint32(code)<<(i%8*4))
	}
	shape := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(rows)), uint64(k))
	return []fileTensor{
		{name + "_packed", "I32", []int{rows, k / 8}, packed},
		values(name+"_scale", dtype.BF16, []int{rows, k / dtype.Group}, scales...),
		{name + "_shape", "I64", []int{2}, shape},
	}, want
}

// TestStoredIntegers: integer weights are loaded as they are stored, whole and in parts, one behind the other, and in
// wider formats.
func TestStoredIntegers(t *testing.T) {
	const rows, k = 6, 256
	for _, d := range []dtype.DType{dtype.I8, dtype.I4} {
		tensors, want := int8Tensors("w", rows, k)
		if d == dtype.I4 {
			tensors, want = packedTensors("w", rows, k)
		}
		cut := func(from, n, col, width int) []float32 {
			var out []float32
			for r := from; r < from+n; r++ {
				out = append(out, want[r*k+col:r*k+col+width]...)
			}
			return out
		}
		whole := ir.Stored("w", rows, k)
		for _, tt := range []struct {
			name string
			r    *ir.Recipe
			rank int
			want []float32
		}{
			{"whole", whole, 0, want},
			{"rows", ir.Shard(whole, 0, 2, 1), 1, cut(3, 3, 0, k)},
			{"columns", ir.Shard(whole, 1, 2, 1), 1, cut(0, rows, k/2, k/2)},
			{"one row's columns", ir.Slice(ir.Slice(whole, 0, 2, 1), 1, 64, 128), 0, cut(2, 1, 64, 128)},
			{"below each other", ir.Concat(0, ir.Slice(whole, 0, 4, 2), ir.Slice(whole, 0, 0, 4)), 0, slices.Concat(cut(4, 2, 0, k), cut(0, 4, 0, k))},
			{"side by side", ir.Slice(ir.Concat(1, ir.Slice(whole, 1, 192, 64), whole), 0, 0, 1), 0, slices.Concat(cut(0, 1, 192, 64), cut(0, 1, 0, k))},
			{"stacked", ir.Stack(ir.Slice(whole, 0, 0, 3), ir.Slice(whole, 0, 3, 3)), 0, want},
		} {
			t.Run(fmt.Sprint(d, " ", tt.name), func(t *testing.T) {
				w := weight(t, "w", d, tt.r)
				l, err := NewLoader(planOf(t, 2, w, weight(t, "all", d, whole)), open(t, tensors...))
				if err != nil {
					t.Fatal(err)
				}
				for _, as := range []dtype.DType{d, dtype.F32} {
					if diff := cmp.Diff(tt.want, floats(load(t, l, w, tt.rank, as))); diff != "" {
						t.Errorf("as %s (-want +got):\n%s", as, diff)
					}
				}
				panels := inRegion(t, l, Want{Weight: w, Rank: tt.rank, DType: d, Layout: kernels.Panels})
				if diff := cmp.Diff(tt.want, floats(panels)); diff != "" || panels.Layout != kernels.Panels {
					t.Errorf("in panels (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestIntegersStayInTheFile: what is stored as it is needed is not copied.
func TestIntegersStayInTheFile(t *testing.T) {
	eight, _ := int8Tensors("eight", 3, 64)
	four, _ := packedTensors("four", 3, 64)
	ckpt := open(t, append(eight, four...)...)
	a, b := weight(t, "a", dtype.I8, ir.Stored("eight", 3, 64)), weight(t, "b", dtype.I4, ir.Stored("four", 3, 64))
	l, err := NewLoader(planOf(t, 1, a, b), ckpt)
	if err != nil {
		t.Fatal(err)
	}
	for w, name := range map[*ir.Weight]string{a: "eight", b: "four_packed"} {
		stored, err := ckpt.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := load(t, l, w, 0, w.DType); &got.U8[0] != &stored.Bytes[0] {
			t.Errorf("%s was copied", name)
		}
	}
	if r := l.Rounded(); r != nil {
		t.Errorf("rounded: %v", r)
	}
}

// TestQuantiseWhenLoaded: rows and groups are quantised as package dtype does it, and a rank's part is that part of the whole.
func TestQuantiseWhenLoaded(t *testing.T) {
	const rows, k = 5, 256
	x := normal(7, rows*k)
	whole := ir.Stored("w", rows, k)
	for _, d := range []dtype.DType{dtype.I8, dtype.I4} {
		for _, r := range []*ir.Recipe{whole, ir.Shard(whole, 1, 4, 1), ir.Concat(0, whole, whole)} {
			w := weight(t, "w", d, r)
			l, err := NewLoader(planOf(t, 4, w, weight(t, "all", dtype.F32, whole)), open(t, values("w", dtype.F32, []int{rows, k}, x...)))
			if err != nil {
				t.Fatal(err)
			}
			for rank := range 4 {
				got := load(t, l, w, rank, d)
				values, width := floats(got), got.Last()
				panels := inRegion(t, l, Want{Weight: w, Rank: rank, DType: d, Layout: kernels.Panels})
				if diff := cmp.Diff(values, floats(panels)); diff != "" {
					t.Errorf("%s on rank %d, in panels (-want +got):\n%s", r, rank, diff)
				}
				for i := range got.Rows() {
					want := quantised(d, x[i%rows*k:i%rows*k+k])
					if width < k {
						want = want[rank*width:][:width]
					}
					if diff := cmp.Diff(want, values[i*width:(i+1)*width]); diff != "" {
						t.Fatalf("%s on rank %d, row %d (-want +got):\n%s", r, rank, i, diff)
					}
				}
			}
			if got := l.Rounded(); len(got) != 1 || got[0].To != d {
				t.Errorf("%s: rounded %v", r, got)
			}
		}
	}
}

// quantised is a row after quantisation.
func quantised(d dtype.DType, row []float32) []float32 {
	codes, out := make([]byte, len(row)), make([]float32, len(row))
	if d == dtype.I8 {
		scale := dtype.QuantizeI8(codes, row)
		for i, c := range codes {
			out[i] = scale * float32(int8(c))
		}
		return out
	}
	for at := 0; at < len(row); at += dtype.Group {
		scale := dtype.QuantizeI4(codes, row[at:at+dtype.Group])
		for i := range dtype.Group {
			out[at+i] = scale * dtype.I4ToF32(codes[i])
		}
	}
	return out
}

// TestErrorsOfQuantisation holds the error of rows of normally distributed weights against what the formats promise.
func TestErrorsOfQuantisation(t *testing.T) {
	const rows, k = 64, 512
	x := normal(11, rows*k)
	for d, most := range map[dtype.DType]float64{dtype.F8E4M3: 0.03, dtype.I8: 0.009, dtype.I4: 0.105} {
		w := weight(t, "w", d, ir.Stored("w", rows, k))
		l, err := NewLoader(planOf(t, 1, w), open(t, values("w", dtype.F32, []int{rows, k}, x...)))
		if err != nil {
			t.Fatal(err)
		}
		var errors, squares float64
		for i, v := range floats(load(t, l, w, 0, d)) {
			errors += math.Pow(float64(v-x[i]), 2)
			squares += math.Pow(float64(x[i]), 2)
		}
		if e := math.Sqrt(errors / squares); e > most || e < most/3 {
			t.Errorf("%s: relative error %.4g, within %.3g", d, e, most)
		}
	}
}

func TestZerosInIntegers(t *testing.T) {
	for _, d := range []dtype.DType{dtype.I8, dtype.I4} {
		w := weight(t, "w", d, ir.Lead(ir.Stored("w", 2, 64)))
		l, err := NewLoader(planOf(t, 2, w), open(t, values("w", dtype.F32, []int{2, 64}, normal(1, 128)...)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(make([]float32, 128), floats(load(t, l, w, 1, d))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d, diff)
		}
	}
}

func TestCutGroups(t *testing.T) {
	for _, r := range []*ir.Recipe{
		ir.Shard(ir.Stored("w", 2, 192), 1, 2, 1),                                        // 96 values a rank
		ir.Concat(1, ir.Slice(ir.Stored("w", 2, 192), 1, 0, 32), ir.Stored("w", 2, 192)), // a group of two parts
	} {
		for _, stored := range []bool{true, false} {
			tensors, x := packedTensors("w", 2, 192)
			if !stored {
				tensors = []fileTensor{values("w", dtype.F32, []int{2, 192}, x...)}
			}
			w := weight(t, "w", dtype.I4, r)
			l, err := NewLoader(planOf(t, 2, w, weight(t, "all", dtype.F32, ir.Stored("w", 2, 192))), open(t, tensors...))
			if err != nil {
				t.Fatal(err)
			}
			_, err = l.Load(w, 1, dtype.I4)
			wantError(t, err, "weight w", "cut within a group of 64 values", "fewer ranks")
			if got := load(t, l, w, 1, dtype.F32); got.Last() != w.Shape[1] { // wider formats take any part
				t.Errorf("got %v", got.Shape)
			}
		}
	}
}

func TestPackedErrors(t *testing.T) {
	good, _ := packedTensors("w", 2, 128)
	packed, scale, shape := good[0], good[1], good[2]
	with := func(f fileTensor, change func(*fileTensor)) fileTensor { change(&f); return f }
	eight, _ := int8Tensors("w", 2, 128)
	for _, tt := range []struct {
		name    string
		tensors []fileTensor
		want    string // "" for none
	}{
		{"good", good, ""},
		{"no shape", good[:2], ""},
		{"no scales", []fileTensor{packed, shape}, `scales "w_scale" are missing`},
		{"scales of channels", []fileTensor{packed, values("w_scale", dtype.BF16, []int{2, 1}, 1, 1), shape}, `"w_scale" have shape [2, 1], but "w_packed" of shape [2, 128] wants one for each 64 values of a row: [2, 2]`},
		{"another shape", []fileTensor{packed, scale, with(shape, func(f *fileTensor) { f.bytes = slices.Concat(f.bytes[8:], f.bytes[:8]) })}, `is I64 [128 2], and the packed codes have shape [2, 128]`},
		{"a shape that is none", []fileTensor{packed, scale, values("w_shape", dtype.F32, []int{2}, 2, 128)}, `is F32 []`},
		{"bytes", []fileTensor{with(packed, func(f *fileTensor) { f.format, f.shape = "U8", []int{2, 64} }), scale, shape}, `"w_packed" of model.safetensors is U8[2, 64]`},
		{"a vector", []fileTensor{with(packed, func(f *fileTensor) { f.shape = []int{32} }), scale, shape}, `is I32[32]`},
		{"no whole groups", []fileTensor{{"w_packed", "I32", []int{2, 4}, make([]byte, 32)}, scale, shape}, `rows of 32 values: int4 rows are whole groups of 64`},
		{"another order", slices.Concat(good, []fileTensor{{"w_g_idx", "I32", []int{128}, make([]byte, 512)}}), `another order`},
		{"zero points", slices.Concat(good, []fileTensor{{"w_zero_point", "I32", []int{1, 2}, make([]byte, 8)}}), `used by nothing: w_zero_point`},
		{"int8 without scales", eight[:1], `"w" is I8 but its scales "w_scale" are missing`},
	} {
		w := weight(t, "w", dtype.F32, ir.Stored("w", 2, 128))
		_, err := NewLoader(planOf(t, 1, w), open(t, tt.tensors...))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		wantError(t, err, tt.want)
	}
}
