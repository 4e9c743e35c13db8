package safetensors

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
)

// TestWriteLayout fixes the bytes of a file: order by width of element, then name; padding; sorted metadata.
func TestWriteLayout(t *testing.T) {
	tensors := []WriteTensor{
		vector("z", 1, 'z'),
		{Name: "i64", FileDType: "I64", Shape: []int{1}, Data: FromBytes([]byte("12345678"))},
		{Name: "b<&>\"\n\u00e9", DType: dtype.F32, Shape: []int{1, 2}, Data: FromFloat32s([]float32{1, -2})},
		{Name: "a", DType: dtype.F32, Data: FromFloat32s([]float32{0.5})},
		{Name: "empty", DType: dtype.BF16, Shape: []int{0, 3}, Data: FromBytes(nil)},
		{Name: "y", DType: dtype.F16, Shape: []int{1}, Data: FromReader(strings.NewReader("yy"))},
	}
	got := fileOfTensors(t, tensors, map[string]string{"format": "pt", "a": "\u2028"})
	header := `{"__metadata__":{"a":"\u2028","format":"pt"},` +
		`"i64":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},` +
		`"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},` +
		"\"b<&>\\\"\\n\u00e9\":" + `{"dtype":"F32","shape":[1,2],"data_offsets":[12,20]},` +
		`"empty":{"dtype":"BF16","shape":[0,3],"data_offsets":[20,20]},` +
		`"y":{"dtype":"F16","shape":[1],"data_offsets":[20,22]},` +
		`"z":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[22,23]}}`
	header += strings.Repeat(" ", 7-(len(header)+7)%8)
	want := fileOf(header, 0)
	want = append(want, "12345678\x00\x00\x00\x3f\x00\x00\x80\x3f\x00\x00\x00\xc0yyz"...)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	reversed := []WriteTensor{}
	for i := range tensors {
		reversed = append(reversed, tensors[len(tensors)-1-i])
	}
	reversed[0].Data = FromReader(strings.NewReader("yy"))
	if !bytes.Equal(fileOfTensors(t, reversed, map[string]string{"a": "\u2028", "format": "pt"}), got) {
		t.Error("the order of the tensors changes the file")
	}
}

func TestWriteEmpty(t *testing.T) {
	if got := fileOfTensors(t, nil, nil); string(got) != "\x08\x00\x00\x00\x00\x00\x00\x00{}      " {
		t.Errorf("got %q", got)
	}
}

func TestFromFloat32s(t *testing.T) {
	values := make([]float32, 10000) // several pieces
	for i := range values {
		values[i] = float32(i) / 3
	}
	path := filepath.Join(t.TempDir(), "logits.safetensors")
	if err := Write(path, []WriteTensor{{Name: "logits", DType: dtype.F32, Shape: []int{100, 100}, Data: FromFloat32s(values)}}, nil); err != nil {
		t.Fatal(err)
	}
	got, err := tensor(t, openFile(t, path), "logits").Float32s()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, got); diff != "" {
		t.Error(diff)
	}
}

// failAfter is a device with room for n bytes.
type failAfter struct{ n int }

var errFull = errors.New("no space left on device")

func (f *failAfter) Write(p []byte) (int, error) {
	n := min(len(p), f.n)
	f.n -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// TestWriteFullDevice: wherever the room ends, the error arrives, even when Data drops it.
func TestWriteFullDevice(t *testing.T) {
	careless := func(w io.Writer) error {
		for range 5 {
			_, _ = w.Write([]byte{1})
		}
		return nil
	}
	checked, err := planTensors([]WriteTensor{vector("a", 9, 1), {Name: "b", DType: dtype.F8E4M3, Shape: []int{5}, Data: careless}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := planFile(checked, nil)
	if err != nil {
		t.Fatal(err)
	}
	total := len(p.head) + 14
	for room := range total {
		if err := p.writeTo(&failAfter{room}); !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: %v", room, total, err)
		}
	}
	if err := p.writeTo(&failAfter{total}); err != nil {
		t.Fatal(err)
	}
}

func TestWriteErrors(t *testing.T) {
	errSource := errors.New("source failed")
	with := func(change func(x *WriteTensor)) []WriteTensor {
		x := vector("bad", 4, 1)
		change(&x)
		return []WriteTensor{vector("good", 3, 1), x}
	}
	data := func(f func(w io.Writer) error) []WriteTensor { return with(func(x *WriteTensor) { x.Data = f }) }
	tests := []struct {
		name     string
		tensors  []WriteTensor
		metadata map[string]string
		want     []string
	}{
		{"too few bytes", data(FromBytes([]byte("abc"))), nil, []string{`tensor "bad"`, "ends after 3 of 4 bytes", "F8_E4M3 [4]"}},
		{"too many bytes", data(FromBytes([]byte("abcde"))), nil, []string{`tensor "bad"`, "at least 1 bytes longer"}},
		{"too many bytes, error dropped", data(func(w io.Writer) error { _, _ = w.Write(make([]byte, 9)); return nil }), nil, []string{`tensor "bad"`, "longer"}},
		{"error of Data", data(FromReader(iotest.ErrReader(errSource))), nil, []string{`tensor "bad"`, "source failed"}},
		{"no Data", data(nil), nil, []string{`tensor "bad"`, "Data is nil"}},
		{"no dtype", with(func(x *WriteTensor) { x.DType = dtype.Invalid }), nil, []string{`tensor "bad"`, `unknown dtype ""`}},
		{"unknown dtype", with(func(x *WriteTensor) { x.DType = 200; x.FileDType = "F7" }), nil, []string{`tensor "bad"`, `unknown dtype "F7"`}},
		{"negative dimension", with(func(x *WriteTensor) { x.Shape = []int{-2, -2} }), nil, []string{`tensor "bad"`, "[-2, -2]", "negative"}},
		{"overflow", with(func(x *WriteTensor) { x.Shape = []int{math.MaxInt, math.MaxInt} }), nil, []string{`tensor "bad"`, "overflows"}},
		{"many dimensions", with(func(x *WriteTensor) { x.Shape = make([]int, maxRank+1) }), nil, []string{`tensor "bad"`, "65 dimensions"}},
		{"name twice", with(func(x *WriteTensor) { x.Name = "good" }), nil, []string{`tensor "good" is given twice`}},
		{"reserved name", with(func(x *WriteTensor) { x.Name = metadataKey }), nil, []string{metadataKey, "reserved"}},
		{"name not UTF-8", with(func(x *WriteTensor) { x.Name = "\xff" }), nil, []string{"not Unicode"}},
		{"long name", with(func(x *WriteTensor) { x.Name = strings.Repeat("n", maxName+1) }), nil, []string{"4097 bytes"}},
		{"metadata key", nil, map[string]string{"\xff": ""}, []string{"metadata", "not Unicode"}},
		{"metadata value", nil, map[string]string{"k": "\xff"}, []string{"metadata", `"k"`, "not UTF-8"}},
		{"header too long", nil, map[string]string{"k": strings.Repeat("x", maxHeader)}, []string{"the header takes", "allows 100000000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := writeDir(t, map[string][]byte{"x.safetensors": []byte("old")})
			path := filepath.Join(dir, "x.safetensors")
			err := Write(path, tt.tensors, tt.metadata)
			wantError(t, err, append(tt.want, "writing "+path)...)
			if strings.Contains(tt.name, "error of Data") && !errors.Is(err, errSource) {
				t.Error("the error of Data is not wrapped")
			}
			if diff := cmp.Diff([]string{"x.safetensors"}, listDir(t, dir)); diff != "" {
				t.Error(diff)
			}
			if got := readFile(t, path); string(got) != "old" {
				t.Errorf("the old file became %q", got)
			}
		})
	}
}

func TestWriteCleansUpAfterPanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { _ = recover() }()
		x := vector("a", 1, 1)
		x.Data = func(io.Writer) error { panic("in Data") }
		_ = Write(filepath.Join(dir, "x.safetensors"), []WriteTensor{x}, nil)
		t.Error("the panic was swallowed")
	}()
	if got := listDir(t, dir); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

func TestWriteTargets(t *testing.T) {
	dir := t.TempDir()
	wantError(t, Write(dir, nil, nil), dir, "not a regular file")
	wantError(t, Write(filepath.Join(dir, "absent", "x.safetensors"), nil, nil), "absent")
	if _, err := os.Stat(os.DevNull); err == nil {
		wantError(t, Write(os.DevNull, nil, nil), os.DevNull, "not a regular file")
	}
}
