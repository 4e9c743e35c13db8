// Package packed is the file that `glmc pack` writes beside a checkpoint: weights as kernels want them, so that the next
// start maps them and makes none.
//
// A packed file is a head of 64 bytes, a description, and the weights:
//
//	 0  8  magic "GLMPACK\n"
//	 8  4  Version, little-endian
//	12  4  0x01020304 in the byte order of the machine that wrote the file, which the weights have too
//	16  8  length of the description in bytes, little-endian
//	24  8  size of the file in bytes, little-endian
//	32 32  SHA-256 of the description
//	64     description: JSON, see description
//	       weights, each at a multiple of 4096: codes, and from the next multiple of 64 on float32 scales
//
// What a file was made of is part of it: a fingerprint of the checkpoint, and for each weight a Key that says of which
// stored values it is made, in which dtype, shape and layout. A file of another checkpoint is never used.
package packed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// Version is that of the files that Write writes, the only one that Open reads. The order of panels (package panel), and
// what rounding does, are part of it. Version 1 kept the scales of e4m3 rows that have a NaN.
const Version = 2

// Name is what a packed file beside a checkpoint is called.
const Name = "model.glmpack"

const (
	magic     = "GLMPACK\n"
	headSize  = 64
	pageSize  = 4096
	lineSize  = 64
	orderMark = 0x01020304

	maxDescription = 64 << 20 // GLM-4.7 on eight ranks has 3 MiB
	maxDims        = 8
)

// Key says what a weight is, for one checkpoint.
type Key [sha256.Size]byte

// MarshalText and UnmarshalText write a key in hexadecimal digits.
func (k Key) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(k[:])), nil }

// UnmarshalText reads what MarshalText writes.
func (k *Key) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(k) {
		return fmt.Errorf("%q is no key of %d hexadecimal digits", text, 2*len(k))
	}
	copy(k[:], b)
	return nil
}

// Weight describes one weight of a file.
type Weight struct {
	Name   string // of the first weight of the plan that is made of these values
	Rank   int    // of the first rank
	Key    Key
	DType  dtype.DType
	Shape  []int
	Layout kernels.Layout
	Codes  int64 // bytes
	Scales int64 // bytes
	At     int64 // of the first code in the file
	Sum    uint32
}

// scalesAt is where the scales begin.
func (w *Weight) scalesAt() int64 { return roundUp(w.At+w.Codes, lineSize) }

// end is where the weight ends.
func (w *Weight) end() int64 { return w.scalesAt() + w.Scales }

// description is what is told of the weights.
type description struct {
	Checkpoint Key       `json:"checkpoint"`
	Weights    []written `json:"weights"`
}

// written is a Weight as JSON. Sums have a fixed length, so that they can be filled in last.
type written struct {
	Name   string `json:"name"`
	Rank   int    `json:"rank"`
	Key    Key    `json:"key"`
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Layout string `json:"layout"`
	At     int64  `json:"at"`
	Codes  int64  `json:"codes"`
	Scales int64  `json:"scales"`
	Sum    string `json:"crc32c"` // of codes and scales
}

// layouts are the words for layouts.
var layouts = map[kernels.Layout]string{kernels.RowMajor: "rows", kernels.Panels: "panels"}

// A MisfitError says that a file is whole and cannot be used here: it was made by another glmc, on another kind of machine,
// or of another checkpoint. Weights have to be made without it.
type MisfitError struct{ Reason string }

func (e *MisfitError) Error() string { return e.Reason }

// errDamaged is the error of files that are not what Write wrote.
var errDamaged = errors.New("the packed file is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

// head is what the first bytes say.
type head struct {
	description int64 // bytes
	file        int64 // bytes
	sum         [sha256.Size]byte
}

func (h head) encode() []byte {
	b := make([]byte, headSize)
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], Version)
	binary.NativeEndian.PutUint32(b[12:], orderMark)
	binary.LittleEndian.PutUint64(b[16:], uint64(h.description))
	binary.LittleEndian.PutUint64(b[24:], uint64(h.file))
	copy(b[32:], h.sum[:])
	return b
}

// decodeHead reads the head of a file of that size.
func decodeHead(b []byte, size int64) (head, error) {
	if len(b) < headSize || string(b[:len(magic)]) != magic {
		return head{}, errors.New("this is no packed file")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != Version {
		return head{}, &MisfitError{fmt.Sprintf("it has version %d of the format, this glmc reads %d", v, Version)}
	}
	if binary.NativeEndian.Uint32(b[12:]) != orderMark {
		return head{}, &MisfitError{"it was written on a machine of another byte order"}
	}
	h := head{description: int64(binary.LittleEndian.Uint64(b[16:])), file: int64(binary.LittleEndian.Uint64(b[24:]))}
	copy(h.sum[:], b[32:])
	switch {
	case h.file != size:
		return head{}, damaged("it has %d bytes, and says that it has %d", size, h.file)
	case h.description < 0 || h.description > maxDescription || h.description > size-headSize:
		return head{}, damaged("its description cannot be %d bytes long", h.description)
	}
	return h, nil
}

// encode gives the description's bytes.
func encode(checkpoint Key, list []Weight) ([]byte, error) {
	d := description{Checkpoint: checkpoint, Weights: make([]written, len(list))}
	for i, w := range list {
		d.Weights[i] = written{w.Name, w.Rank, w.Key, w.DType.String(), w.Shape, layouts[w.Layout], w.At, w.Codes, w.Scales, fmt.Sprintf("%08x", w.Sum)}
	}
	body, err := json.Marshal(d)
	if err == nil && len(body) > maxDescription {
		err = fmt.Errorf("the description of %d weights takes %d bytes, more than the %d that a file may have", len(list), len(body), maxDescription)
	}
	return body, err
}

// decode reads the description that a head announces.
func decode(h head, body []byte) (*description, []Weight, error) {
	if sha256.Sum256(body) != h.sum {
		return nil, nil, damaged("its description is not what was written")
	}
	var d description
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, nil, damaged("its description: %v", err)
	}
	list, keys := make([]Weight, len(d.Weights)), map[Key]bool{}
	for i := range d.Weights {
		var err error
		if list[i], err = d.Weights[i].weight(); err != nil {
			return nil, nil, damaged("weight %d: %v", i, err)
		}
		if err := list[i].inside(headSize+h.description, h.file); err != nil {
			return nil, nil, damaged("weight %d: %v", i, err)
		}
		if keys[list[i].Key] {
			return nil, nil, damaged("weight %d is there twice", i)
		}
		keys[list[i].Key] = true
	}
	return &d, list, nil
}

func (x *written) weight() (Weight, error) {
	w := Weight{Name: x.Name, Rank: x.Rank, Key: x.Key, Shape: x.Shape, At: x.At, Codes: x.Codes, Scales: x.Scales}
	var err error
	if w.DType, err = dtype.Parse(x.DType); err != nil {
		return w, err
	}
	if len(x.Shape) > maxDims {
		return w, fmt.Errorf("%d dimensions", len(x.Shape))
	}
	if n, err := fmt.Sscanf(x.Sum, "%08x", &w.Sum); n != 1 || len(x.Sum) != 8 {
		return w, fmt.Errorf("the sum %q: %v", x.Sum, err)
	}
	for l, word := range layouts {
		if word == x.Layout {
			w.Layout = l
			return w, nil
		}
	}
	return w, fmt.Errorf("there is no layout %q", x.Layout)
}

// inside refuses places that are not in the file's part for weights.
func (w *Weight) inside(first, size int64) error {
	for _, n := range []int64{w.At, w.Codes, w.Scales} {
		if n < 0 || n > size {
			return errors.New("it lies outside of the file")
		}
	}
	if w.At < first || w.At%pageSize != 0 || w.Codes == 0 || w.Scales%4 != 0 || w.end() > size {
		return errors.New("it lies outside of the file, or not where a weight may begin")
	}
	return nil
}

// place gives each weight its place behind a description of that length, and returns the size of the file.
func place(list []Weight, length int64) int64 {
	at := roundUp(headSize+length, pageSize)
	for i := range list {
		list[i].At = at
		at = roundUp(list[i].end(), pageSize)
	}
	if len(list) == 0 {
		return headSize + length
	}
	return list[len(list)-1].end()
}

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
