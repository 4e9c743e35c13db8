package packed

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/glmc/glmc/runtime/filemap"
)

// File is an open packed file. It is mapped: its pages are read when they are first touched, and shared with every other
// process that maps it. The nil *File holds nothing.
type File struct {
	path       string
	size       int64
	checkpoint Key
	weights    []Weight
	index      map[Key]int
	content    []byte
	release    func() error
}

// Open opens a file and checks all that describes its weights, but reads no weight. The error is a MisfitError where the
// file is one of another glmc or machine; it wraps fs.ErrNotExist where there is none.
func Open(path string) (*File, error) {
	f, err := open(path)
	var e *os.PathError
	switch {
	case errors.As(err, &e):
		return nil, fmt.Errorf("%s: %w", path, e.Err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w: write it again with glmc pack, or do without it: --packed off", path, err)
	}
	return f, nil
}

func open(path string) (*File, error) {
	info, err := os.Stat(path) // before it is opened: opening a named pipe waits for a writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file (%v)", info.Mode().Type())
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	f := &File{path: path, size: info.Size()}
	if err := f.describe(in); err != nil {
		return nil, err
	}
	if f.size > math.MaxInt {
		return nil, fmt.Errorf("it has %d bytes, more than this process can address", f.size)
	}
	f.content, f.release, err = filemap.Map(in, int(f.size))
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes: %w", f.size, err)
	}
	wantHugePages(f.content)
	return f, nil
}

// describe reads what the file says of itself.
func (f *File) describe(in io.ReaderAt) error {
	first := make([]byte, headSize)
	n, err := in.ReadAt(first, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	h, err := decodeHead(first[:n], f.size)
	if err != nil {
		return err
	}
	body := make([]byte, h.description)
	if _, err := in.ReadAt(body, headSize); err != nil {
		return err
	}
	d, list, err := decode(h, body)
	if err != nil {
		return err
	}
	f.checkpoint, f.weights, f.index = d.Checkpoint, list, map[Key]int{}
	for i := range list {
		f.index[list[i].Key] = i
	}
	return nil
}

// Close unmaps the file. Weights of it must not be used any more: touching one ends the process.
func (f *File) Close() error {
	if f == nil || f.release == nil {
		return nil
	}
	release := f.release
	f.content, f.release, f.index = nil, nil, nil
	return release()
}

// Path is where the file lies.
func (f *File) Path() string { return f.path }

// Size is the file's size in bytes.
func (f *File) Size() int64 { return f.size }

// Weights lists what the file holds, in order. The caller leaves it as it is.
func (f *File) Weights() []Weight { return f.weights }

// Fits reports whether the file was made of the checkpoint with that fingerprint; the error is a MisfitError.
func (f *File) Fits(checkpoint Key) error {
	if f.checkpoint == checkpoint {
		return nil
	}
	return fmt.Errorf("%s: %w: write it again with glmc pack", f.path, &MisfitError{"it was made of another checkpoint, or the checkpoint was changed since"})
}

// Find returns the weight of that key, if the file holds it.
func (f *File) Find(k Key) (*Weight, bool) {
	if f == nil {
		return nil, false
	}
	i, ok := f.index[k]
	if !ok {
		return nil, false
	}
	return &f.weights[i], true
}

// Bytes gives the codes and the scales of a weight of this file, in the file's map: they are read-only. Both begin at a
// multiple of 64.
func (f *File) Bytes(w *Weight) (codes, scales []byte) {
	at := w.scalesAt()
	return f.content[w.At : w.At+w.Codes : w.At+w.Codes], f.content[at : at+w.Scales : at+w.Scales]
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum of a weight.
func sum(codes, scales []byte) uint32 {
	return crc32.Update(crc32.Checksum(codes, castagnoli), castagnoli, scales)
}

// Check reads all weights and compares their sums with those that were written.
func (f *File) Check(ctx context.Context) error {
	errs := make([]error, len(f.weights))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(f.weights)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				w := &f.weights[i]
				if got := sum(f.Bytes(w)); got != w.Sum {
					errs[i] = damaged("weight %s of rank %d has the sum %08x, and not %08x", w.Name, w.Rank, got, w.Sum)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w: write it again with glmc pack, or do without it: --packed off", f.path, err)
		}
	}
	return nil
}
