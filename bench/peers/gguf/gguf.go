// Package gguf writes GGUF files, the model format of llama.cpp, version 3.
//
// A file is, all of it little-endian and without padding unless said otherwise,
//
//	size  content
//	4     "GGUF"
//	4     3, the version
//	8     the number of tensors
//	8     the number of metadata entries
//	...   the metadata: key (a string), type (4 bytes), value
//	...   of each tensor: name (a string), number of dimensions (4), dimensions (8 each, innermost first), type (4),
//	      offset into the data (8)
//	...   zeros up to a multiple of 32
//	...   the data: every tensor starts at a multiple of 32
//
// and a string is its length (8 bytes) and its bytes. Source: docs/gguf.md of github.com/ggml-org/ggml.
package gguf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// Type is how a tensor's values are stored.
type Type uint32

// The types that this package writes.
const (
	F32 Type = 0
	Q80 Type = 8 // "q8_0": blocks of Block codes and a scale, see AppendQ80
)

// bytes is what n values take.
func (t Type) bytes(n int) int {
	if t == Q80 {
		return n / Block * blockBytes
	}
	return 4 * n
}

// Pair is an entry of the metadata. Its value is a uint32, a float32, a bool or a string.
type Pair struct {
	Key   string
	Value any
}

// Tensor is one to be written.
type Tensor struct {
	Name  string
	Shape []int // outermost dimension first
	Type  Type
	Data  func(io.Writer) error // writes exactly the tensor's bytes
}

func (t *Tensor) values() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// alignment is the format's default.
const alignment = 32

func aligned(n int) int { return (n + alignment - 1) / alignment * alignment }

// Write writes a file. It appears under its name only when it is complete; on an error nothing is left behind.
func Write(path string, meta []Pair, tensors []Tensor) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(f.Close()), os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := encode(w, meta, tensors); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func encode(w io.Writer, meta []Pair, tensors []Tensor) error {
	head, err := header(meta, tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for i := range tensors {
		t := &tensors[i]
		c := &counter{w: w}
		if err := t.Data(c); err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		want := t.Type.bytes(t.values())
		if c.n != want {
			return fmt.Errorf("tensor %s has %d bytes, not the %d of its shape %v", t.Name, c.n, want, t.Shape)
		}
		if _, err := w.Write(make([]byte, aligned(want)-want)); err != nil {
			return err
		}
	}
	return nil
}

// header is everything before the data.
func header(meta []Pair, tensors []Tensor) ([]byte, error) {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("GGUF"), 3)
	b = le.AppendUint64(b, uint64(len(tensors)))
	b = le.AppendUint64(b, uint64(len(meta)))
	for _, p := range meta {
		b = appendString(b, p.Key)
		switch v := p.Value.(type) {
		case uint32:
			b = le.AppendUint32(le.AppendUint32(b, 4), v)
		case float32:
			b = le.AppendUint32(le.AppendUint32(b, 6), math.Float32bits(v))
		case bool:
			b = append(le.AppendUint32(b, 7), 0)
			if v {
				b[len(b)-1] = 1
			}
		case string:
			b = appendString(le.AppendUint32(b, 8), v)
		default:
			return nil, fmt.Errorf("metadata %s: values of type %T are not written", p.Key, v)
		}
	}
	offset := 0
	for i := range tensors {
		t := &tensors[i]
		if t.Type == Q80 && (len(t.Shape) == 0 || t.Shape[len(t.Shape)-1]%Block != 0) {
			return nil, fmt.Errorf("tensor %s of shape %v: rows in q8_0 are multiples of %d values", t.Name, t.Shape, Block)
		}
		b = appendString(b, t.Name)
		b = le.AppendUint32(b, uint32(len(t.Shape)))
		for d := len(t.Shape) - 1; d >= 0; d-- {
			b = le.AppendUint64(b, uint64(t.Shape[d]))
		}
		b = le.AppendUint32(b, uint32(t.Type))
		b = le.AppendUint64(b, uint64(offset))
		offset += aligned(t.Type.bytes(t.values()))
	}
	return append(b, make([]byte, aligned(len(b))-len(b))...), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// counter counts what goes through.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}
