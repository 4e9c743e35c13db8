package hugepages

import (
	"errors"
	"math"
	"testing"
	"unsafe"
)

func TestSlicesAreAlignedAndApart(t *testing.T) {
	sizes := []int{1, 63, 64, 65, 0, 4096, 3}
	var total int64
	for _, n := range sizes {
		total += Room(int64(n)) + Room(int64(2*n)) + Room(int64(4*n))
	}
	a, err := New(total)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var made [][]byte
	for i, n := range sizes {
		b, w, f := Make[byte](a, n), Make[uint16](a, n), Make[float32](a, n)
		for _, s := range [][]byte{b, bytesOf(w), bytesOf(f)} {
			for j := range s {
				if s[j] != 0 {
					t.Fatalf("slice %d begins with something", i)
				}
				s[j] = byte(i + 1)
			}
			if len(s) > 0 && uintptr(unsafe.Pointer(&s[0]))%Alignment != 0 {
				t.Errorf("a slice of %d bytes is not aligned", len(s))
			}
			made = append(made, s)
		}
	}
	for i, s := range made {
		for j := range s {
			if s[j] != byte(i/3+1) {
				t.Fatalf("slice %d was written over", i)
			}
		}
	}
	if a.Used() != total {
		t.Errorf("%d bytes used, want %d", a.Used(), total)
	}
}

func bytesOf[T any](s []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}

func TestMoreThanThereIs(t *testing.T) {
	_, err := New(math.MaxInt64)
	var e *NotEnough
	if !errors.As(err, &e) || e.Wanted != math.MaxInt64 || e.Free < 1<<20 {
		t.Errorf("the error is %v", err)
	}
}

func TestNilIsTheHeap(t *testing.T) {
	var r *Region
	if s := Make[uint16](r, 7); len(s) != 7 {
		t.Errorf("%d elements", len(s))
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAskingForMoreThanReservedIsABug(t *testing.T) {
	a, err := New(100)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
		for range 2 {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	Make[byte](a, 101)
}
