package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/bench/peers/gguf"
	"github.com/glmc/glmc/kernels/dtype"
)

func data(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// TestWrite spells a file out, byte by byte.
func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	err := gguf.Write(path, []gguf.Pair{{Key: "a", Value: "x"}, {Key: "b", Value: uint32(7)}, {Key: "c", Value: float32(1)}, {Key: "d", Value: true}},
		[]gguf.Tensor{{Name: "v", Shape: []int{3}, Type: gguf.F32, Data: data(bytes.Repeat([]byte{1}, 12))},
			{Name: "m", Shape: []int{2, 32}, Type: gguf.Q80, Data: data(bytes.Repeat([]byte{2}, 68))}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, part := range []any{
		[]byte("GGUF"), uint32(3), uint64(2), uint64(4),
		uint64(1), []byte("a"), uint32(8), uint64(1), []byte("x"),
		uint64(1), []byte("b"), uint32(4), uint32(7),
		uint64(1), []byte("c"), uint32(6), float32(1),
		uint64(1), []byte("d"), uint32(7), byte(1),
		uint64(1), []byte("v"), uint32(1), uint64(3), uint32(0), uint64(0),
		uint64(1), []byte("m"), uint32(2), uint64(32), uint64(2), uint32(8), uint64(32), // the innermost dimension first
	} {
		if want, err = binary.Append(want, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	zeros := func() { want = append(want, make([]byte, (32-len(want)%32)%32)...) }
	zeros()
	want = append(want, bytes.Repeat([]byte{1}, 12)...)
	zeros()
	want = append(want, bytes.Repeat([]byte{2}, 68)...)
	zeros()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWriteLeavesNothing: what fails leaves no file, and says which tensor it was.
func TestWriteLeavesNothing(t *testing.T) {
	broken := errors.New("broken")
	for want, x := range map[string]gguf.Tensor{
		"tensor m: broken": {Name: "m", Shape: []int{1}, Data: func(io.Writer) error { return broken }},
		"tensor m has 3 bytes, not the 4 of its shape [1]":                  {Name: "m", Shape: []int{1}, Data: data(make([]byte, 3))},
		"tensor m of shape [2 33]: rows in q8_0 are multiples of 32 values": {Name: "m", Shape: []int{2, 33}, Type: gguf.Q80},
		"metadata k: values of type int are not written":                    {Name: "k"},
	} {
		dir := t.TempDir()
		var meta []gguf.Pair
		if x.Name == "k" {
			meta = []gguf.Pair{{Key: "k", Value: 1}}
		}
		err := gguf.Write(filepath.Join(dir, "m.gguf"), meta, []gguf.Tensor{x})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("%q left %v (%v)", want, left, err)
		}
	}
}

// TestAppendQ80: no value is further from what it was than half of a step, and what the scale's rounding to f16 does.
func TestAppendQ80(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float32Range(-100, 100), gguf.Block, gguf.Block).Draw(t, "values")
		b := gguf.AppendQ80(nil, values)
		if len(b) != 34 {
			t.Fatalf("a block of %d bytes", len(b))
		}
		scale := float64(dtype.F16ToF32(binary.LittleEndian.Uint16(b)))
		for i, v := range values {
			code := float64(int8(b[2+i]))
			bound := scale/2 + math.Abs(code)*max(scale/1024, 1e-7) + 1e-6
			if off := math.Abs(code*scale - float64(v)); off > bound {
				t.Fatalf("value %d is %g, stored as %g * %g: %g off, at most %g", i, v, scale, code, off, bound)
			}
		}
	})
}
