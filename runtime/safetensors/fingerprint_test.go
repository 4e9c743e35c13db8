package safetensors

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/glmc/glmc/kernels/dtype"
)

func TestFingerprint(t *testing.T) {
	when := time.Unix(1_700_000_000, 12345)
	tensor := func(name string, shape ...int) WriteTensor {
		n := 4
		for _, d := range shape {
			n *= d
		}
		return WriteTensor{Name: name, DType: dtype.F32, Shape: shape, Data: FromBytes(make([]byte, n))}
	}
	print := func(dir, file string, changed time.Time, tensors ...WriteTensor) [32]byte {
		t.Helper()
		path := filepath.Join(dir, file)
		if err := Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
		c, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.Fingerprint()
	}
	a := tensor("a", 2, 6)
	want := print(t.TempDir(), "x", when, a)
	for _, tt := range []struct {
		name string
		got  [32]byte
		same bool
	}{
		{"elsewhere", print(t.TempDir(), "x", when, a), true},
		{"written later", print(t.TempDir(), "x", when.Add(time.Microsecond), a), false},
		{"another file's name", print(t.TempDir(), "y", when, a), false},
		{"another tensor's name", print(t.TempDir(), "x", when, tensor("b", 2, 6)), false},
		{"another shape", print(t.TempDir(), "x", when, tensor("a", 3, 4)), false},
		{"one tensor more", print(t.TempDir(), "x", when, a, tensor("b", 1)), false},
	} {
		if (tt.got == want) != tt.same {
			t.Errorf("%s: the same fingerprint: %t", tt.name, !tt.same)
		}
	}
}

// TestRelease: bytes that were given back are there again when they are touched, whether they came from a file or not.
func TestRelease(t *testing.T) {
	data := make([]byte, 100_000)
	for i := range data {
		data[i] = byte(i * 31)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Write(path, []WriteTensor{{Name: "a", DType: dtype.F32, Shape: []int{len(data) / 4}, Data: FromBytes(data)}}, nil); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer mapped.Close()
	inMemory, err := FromMemory("memory", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Checkpoint{mapped, inMemory} {
		a, err := c.Tensor("a")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if !bytes.Equal(a.Bytes, data) {
				t.Fatalf("%s holds something else", a.File)
			}
			a.Release()
			short := a
			short.Bytes = a.Bytes[3:5]
			short.Release()
		}
	}
}
