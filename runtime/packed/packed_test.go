package packed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var checkpoint = Key(sha256.Sum256([]byte("a checkpoint")))

// item is a weight of as many bytes.
func item(name string, codes, scales int) Item {
	c, s := make([]byte, codes), make([]byte, scales)
	for i := range c {
		c[i] = byte(i*7 + len(name))
	}
	for i := range s {
		s[i] = byte(i*5 + 1)
	}
	w := Weight{Name: name, Rank: len(name) % 3, Key: sha256.Sum256([]byte(name)), DType: dtype.F8E4M3, Shape: []int{2, codes / 2}, Layout: kernels.Panels,
		Codes: int64(codes), Scales: int64(scales)}
	return Item{w, func() ([]byte, []byte, error) { return c, s, nil }}
}

func write(t testing.TB, items ...Item) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), Name)
	size, err := Write(context.Background(), path, checkpoint, items)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Fatalf("the file has %v bytes, %d were said: %v", info.Size(), size, err)
	}
	return path
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var items []Item
		for i := range rapid.IntRange(0, 6).Draw(t, "weights") {
			codes := rapid.IntRange(1, 9000).Draw(t, "codes")
			items = append(items, item(strings.Repeat("w", i+1), codes, 4*rapid.IntRange(0, 40).Draw(t, "scales")))
		}
		path := filepath.Join(dir, Name)
		if _, err := Write(context.Background(), path, checkpoint, items); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := errors.Join(f.Fits(checkpoint), f.Check(context.Background())); err != nil {
			t.Fatal(err)
		}
		if len(f.Weights()) != len(items) {
			t.Fatalf("%d weights, want %d", len(f.Weights()), len(items))
		}
		for _, x := range items {
			w, ok := f.Find(x.Key)
			if !ok {
				t.Fatalf("%s is not there", x.Name)
			}
			codes, scales, _ := x.Make()
			gotCodes, gotScales := f.Bytes(w)
			if !bytes.Equal(codes, gotCodes) || !bytes.Equal(scales, gotScales) {
				t.Errorf("%s has other bytes", x.Name)
			}
			want := x.Weight
			want.At, want.Sum = w.At, w.Sum
			if diff := cmp.Diff(want, *w); diff != "" {
				t.Errorf("%s (-want +got)\n%s", x.Name, diff)
			}
			if w.At%pageSize != 0 || w.scalesAt()%lineSize != 0 {
				t.Errorf("%s lies at %d, its scales at %d", x.Name, w.At, w.scalesAt())
			}
		}
		if _, ok := f.Find(Key{}); ok {
			t.Error("a weight is there that nobody wrote")
		}
	})
}

// again gives a damaged description the sum that it should have: what follows has to find the damage by itself.
func again(t *testing.T, b []byte, change func(body string) string) []byte {
	t.Helper()
	length := binary.LittleEndian.Uint64(b[16:])
	body := change(strings.TrimRight(string(b[headSize:headSize+length]), " "))
	if len(body) > int(length) {
		t.Fatal("the description has grown")
	}
	body += strings.Repeat(" ", int(length)-len(body))
	sum := sha256.Sum256([]byte(body))
	copy(b[32:], sum[:])
	copy(b[headSize:], body)
	return b
}

func TestDamagedFiles(t *testing.T) {
	good, err := os.ReadFile(write(t, item("first", 5000, 40), item("second", 100, 0)))
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) func(*testing.T, []byte) []byte {
		return func(t *testing.T, b []byte) []byte {
			return again(t, b, func(body string) string {
				if !strings.Contains(body, old) {
					t.Fatalf("%q is not in %s", old, body)
				}
				return strings.Replace(body, old, new, 1)
			})
		}
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, b []byte) []byte
		misfit bool
		want   string
	}{
		{"empty", func(_ *testing.T, b []byte) []byte { return nil }, false, "this is no packed file"},
		{"another file", func(_ *testing.T, b []byte) []byte { return []byte(strings.Repeat("{", 100)) }, false, "this is no packed file"},
		{"another version", func(_ *testing.T, b []byte) []byte { b[8]++; return b }, true, "version 3 of the format, this glmc reads 2"},
		{"another byte order", func(_ *testing.T, b []byte) []byte { b[12], b[13], b[14], b[15] = b[15], b[14], b[13], b[12]; return b }, true, "another byte order"},
		{"cut", func(_ *testing.T, b []byte) []byte { return b[:len(b)-1] }, false, "bytes, and says that it has"},
		{"longer", func(_ *testing.T, b []byte) []byte { return append(b, 0) }, false, "bytes, and says that it has"},
		{"a description beyond the end", func(_ *testing.T, b []byte) []byte { b[18] = 0xff; return b }, false, "description cannot be"},
		{"a description of negative length", func(_ *testing.T, b []byte) []byte { b[23] = 0x80; return b }, false, "description cannot be"},
		{"a bit of the description", func(_ *testing.T, b []byte) []byte { b[headSize+20] ^= 1; return b }, false, "its description is not what was written"},
		{"a description that is no JSON", swap(`{`, `[`), false, "its description"},
		{"a dtype that there is not", swap(`"fp8_e4m3"`, `"fp8_e4m4"`), false, "fp8_e4m4"},
		{"a layout that there is not", swap(`"panels"`, `"panes"`), false, `there is no layout "panes"`},
		{"a place beyond the end", swap(`"codes":5000`, `"codes":9999`), false, "outside of the file"},
		{"a place that is not a page's", swap(`"at":4096`, `"at":4097`), false, "not where a weight may begin"},
		{"a place in the description", swap(`"at":4096`, `"at":0`), false, "not where a weight may begin"},
		{"a negative size", swap(`"codes":5000`, `"codes":-500`), false, "outside of the file"},
		{"a sum that is none", swap(`"crc32c":"`, `"crc32c":"x`), false, "the sum"},
		{"a key that is none", swap(`"key":"`, `"key":"x`), false, "is no key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "damaged")
			if err := os.WriteFile(path, tt.change(t, bytes.Clone(good)), 0o666); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			for _, text := range []string{path, tt.want, "glmc pack"} {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("the error does not say %q: %v", text, err)
				}
			}
			var misfit *MisfitError
			if errors.As(err, &misfit) != tt.misfit {
				t.Errorf("a misfit: %t, want %t", !tt.misfit, tt.misfit)
			}
		})
	}
}

func TestSums(t *testing.T) {
	path := write(t, item("first", 5000, 40), item("second", 100, 8))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := f.Find(sha256.Sum256([]byte("second")))
	at := second.scalesAt()
	f.Close()
	bad := bytes.Clone(good)
	bad[at+3] ^= 0x10
	if err := os.WriteFile(path, bad, 0o666); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(path); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Check(context.Background()); err == nil || !strings.Contains(err.Error(), "weight second of rank 0 has the sum") || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v", err)
	}
	if err := f.Fits(Key{1}); err == nil || !strings.Contains(err.Error(), "another checkpoint") {
		t.Errorf("the error is %v", err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if err := f.Check(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	broken := item("broken", 10, 0)
	broken.Make = func() ([]byte, []byte, error) { return nil, nil, errors.New("no such tensor") }
	stopped, stop := context.WithCancel(context.Background())
	stop()
	dir := t.TempDir()
	path := filepath.Join(dir, Name)
	if err := os.WriteFile(path, []byte("older"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		items []Item
		want  string
	}{
		{"a weight that cannot be made", context.Background(), []Item{item("a", 5000, 0), broken}, "no such tensor"},
		{"an interrupt", stopped, []Item{item("a", 5000, 0)}, "context canceled"},
		{"a disk that is too small", context.Background(), []Item{{Weight: Weight{Codes: 1 << 60}}}, "name a file elsewhere"},
	} {
		_, err := Write(tt.ctx, path, checkpoint, tt.items)
		if err == nil {
			t.Fatalf("%s: no error", tt.name)
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", tt.name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: the directory holds %v: %v", tt.name, entries, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "older" {
			t.Errorf("%s: the older file holds %q: %v", tt.name, b, err)
		}
	}
	if _, err := Write(context.Background(), dir, checkpoint, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("writing to a directory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what is not there: %v", err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("opening a directory: %v", err)
	}
}

func TestNilHoldsNothing(t *testing.T) {
	var f *File
	if _, ok := f.Find(Key{}); ok {
		t.Error("it holds something")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzDecode: whatever the first bytes of a file are, what is accepted lies in the file.
func FuzzDecode(f *testing.F) {
	good, err := os.ReadFile(write(f, item("first", 5000, 40), item("second", 100, 0)))
	if err != nil {
		f.Fatal(err)
	}
	length := binary.LittleEndian.Uint64(good[16:])
	f.Add(good[:headSize], string(good[headSize:headSize+length]), int64(len(good)))
	f.Add([]byte{}, "", int64(0))
	f.Add(good[:headSize], `{"weights":[{"dtype":"bf16","layout":"rows","shape":[],"crc32c":"00000000","at":4096,"codes":9223372036854775807}]}`, int64(1)<<40)
	f.Fuzz(func(t *testing.T, first []byte, body string, size int64) {
		if len(first) >= headSize { // most inputs would end at the sums
			sum := sha256.Sum256([]byte(body))
			copy(first[32:], sum[:])
		}
		h, err := decodeHead(first, size)
		if err != nil {
			return
		}
		_, list, err := decode(h, []byte(body))
		if err != nil {
			return
		}
		for _, w := range list {
			if w.At < 0 || w.Codes < 1 || w.Scales < 0 || w.scalesAt() < w.At+w.Codes || w.end() > size || w.end() < w.At {
				t.Fatalf("weight at %d of %d and %d bytes in a file of %d", w.At, w.Codes, w.Scales, size)
			}
		}
	})
}
