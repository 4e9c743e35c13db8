package weights

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// fileTensor is a tensor of a checkpoint that a test makes.
type fileTensor struct {
	name   string
	format string // as the file spells it
	shape  []int
	bytes  []byte
}

var fileFormats = map[dtype.DType]string{dtype.F32: "F32", dtype.BF16: "BF16", dtype.F16: "F16", dtype.F8E4M3: "F8_E4M3", dtype.I8: "I8"}

// values is a tensor that stores values, rounded to d.
func values(name string, d dtype.DType, shape []int, v ...float32) fileTensor {
	return fileTensor{name, fileFormats[d], shape, encode(d, v)}
}

// counted is a tensor that stores first, first+1, ...
func counted(name string, d dtype.DType, first float32, shape ...int) fileTensor {
	v := make([]float32, product(shape))
	for i := range v {
		v[i] = first + float32(i)
	}
	return values(name, d, shape, v...)
}

func encode(d dtype.DType, v []float32) []byte {
	var out []byte
	for _, x := range v {
		switch d {
		case dtype.F32:
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		case dtype.BF16:
			out = binary.LittleEndian.AppendUint16(out, dtype.F32ToBF16(x))
		case dtype.F16:
			out = binary.LittleEndian.AppendUint16(out, dtype.F32ToF16(x))
		case dtype.F8E4M3:
			out = append(out, dtype.F32ToF8E4M3(x))
		case dtype.I8:
			out = append(out, byte(dtype.F32ToI8(x)))
		}
	}
	return out
}

// fileOf is a safetensors file of the tensors, in their order. Its data begins at 8+n bytes with n % 8 == phase,
// so that any phase but 0 stores wide elements where no view is possible.
func fileOf(phase int, tensors ...fileTensor) []byte {
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, data := map[string]entry{}, []byte{}
	for _, t := range tensors {
		begin := len(data)
		data = append(data, t.bytes...)
		header[t.name] = entry{t.format, append([]int{}, t.shape...), [2]int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	for len(text)%8 != phase {
		text = append(text, ' ')
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return append(append(file, text...), data...)
}

func open(t testing.TB, tensors ...fileTensor) *safetensors.Checkpoint {
	t.Helper()
	c, err := safetensors.FromMemory("model.safetensors", fileOf(0, tensors...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// weight declares a weight in d, of the shape that its recipe yields.
func weight(t testing.TB, name string, d dtype.DType, r *ir.Recipe) *ir.Weight {
	t.Helper()
	shape, err := r.OutShape()
	if err != nil {
		t.Fatal(err)
	}
	return &ir.Weight{Name: name, DType: d, Shape: shape, Recipe: r}
}

// planOf is a plan that has nothing but weights.
func planOf(t testing.TB, ranks int, weights ...*ir.Weight) *plan.Plan {
	t.Helper()
	p := &plan.Plan{Module: &ir.Module{Ranks: ranks, Weights: weights}}
	if err := p.Module.Verify(); err != nil {
		t.Fatal(err)
	}
	return p
}

func load(t testing.TB, l *Loader, w *ir.Weight, rank int, d dtype.DType) kernels.Tensor {
	t.Helper()
	got, err := l.Load(w, rank, d)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// floats is a tensor's values, scales applied.
func floats(t kernels.Tensor) []float32 {
	out := make([]float32, t.Elems())
	n := t.Last()
	for i := range t.Rows() {
		t.LoadRow(out[i*n:(i+1)*n], i)
	}
	return out
}

func diffTensor(t testing.TB, got kernels.Tensor, shape []int, want []float32) {
	t.Helper()
	if diff := cmp.Diff(shape, got.Shape); diff != "" {
		t.Fatalf("shape (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, floats(got)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// wantError asks for an error with all of the texts.
func wantError(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	if missing := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return strings.Contains(err.Error(), s) }); len(missing) > 0 {
		t.Errorf("the error does not say %q:\n%v", missing, err)
	}
}
