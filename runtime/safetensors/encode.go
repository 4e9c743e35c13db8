package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/kernels/dtype"
)

// WriteTensor is a tensor to be written.
type WriteTensor struct {
	Name      string
	DType     dtype.DType
	FileDType string // with DType dtype.Invalid: a format of the file format that we cannot compute with
	Shape     []int  // empty for a scalar

	// Data writes the tensor's bytes, row-major and little-endian: exactly as many as dtype and shape ask for,
	// in pieces of any size. It is called once, in the order of the file, which is not the order of the call
	// to Write. An error ends the writing and is returned, wrapped: this is also how to cancel.
	Data func(w io.Writer) error
}

// FromBytes is the Data of a tensor whose bytes lie in memory.
func FromBytes(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// FromReader is the Data of a tensor whose bytes are the rest of r.
func FromReader(r io.Reader) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	}
}

// FromFloat32s is the Data of an F32 tensor.
func FromFloat32s(values []float32) func(io.Writer) error {
	const chunk = 4096
	return func(w io.Writer) error {
		buf := make([]byte, 0, 4*chunk)
		for part := range slices.Chunk(values, chunk) {
			buf, _ = binary.Append(buf[:0], binary.LittleEndian, part) // cannot fail: the size is fixed
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		return nil
	}
}

// filePlan is a file that is about to be written: all that can be wrong with it except for the data and the
// disk is checked.
type filePlan struct {
	head    []byte // length field, header, padding
	tensors []planned
	data    int64 // bytes
}

// planned is a checked tensor.
type planned struct {
	WriteTensor
	format int // index in formats
	size   int64
}

// planTensor checks a tensor.
func planTensor(t WriteTensor) (planned, error) {
	p := planned{WriteTensor: t}
	var err error
	switch {
	case t.Name == metadataKey:
		return p, fmt.Errorf("%s is reserved for metadata: choose another name", metadataKey)
	case t.Data == nil:
		return p, fmt.Errorf("tensor %q: Data is nil", t.Name)
	case len(t.Shape) > maxRank:
		return p, fmt.Errorf("tensor %q: %d dimensions, at most %d", t.Name, len(t.Shape), maxRank)
	case slices.ContainsFunc(t.Shape, func(d int) bool { return d < 0 }):
		return p, fmt.Errorf("tensor %q: shape %s has a negative dimension", t.Name, dims(t.Shape))
	}
	if err = checkKey(t.Name); err != nil {
		return p, err
	}
	if t.DType.Valid() {
		p.format, err = formatOf(t.DType)
	} else {
		p.format, err = formatNamed(t.FileDType)
	}
	if err == nil {
		p.size, err = formats[p.format].byteSize(t.Shape)
	}
	if err != nil {
		return p, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	return p, nil
}

// planTensors checks tensors that will share a checkpoint.
func planTensors(tensors []WriteTensor) ([]planned, error) {
	out := make([]planned, len(tensors))
	seen := make(map[string]bool, len(tensors))
	for i, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %q is given twice", t.Name)
		}
		seen[t.Name] = true
		var err error
		if out[i], err = planTensor(t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// planFile lays out a file: wide elements first, then by name. That is the order of the reference writer; it
// makes files reproducible byte for byte and aligns every tensor to its element.
func planFile(tensors []planned, metadata map[string]string) (*filePlan, error) {
	p := &filePlan{tensors: slices.Clone(tensors)}
	slices.SortFunc(p.tensors, func(a, b planned) int {
		return cmp.Or(cmp.Compare(b.format, a.format), strings.Compare(a.Name, b.Name))
	})
	text, err := p.headerText(metadata)
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("the header takes %d bytes, the format allows %d: write more, smaller shards", len(text), maxHeader)
	}
	p.head = append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	return p, nil
}

// headerText is the header's JSON, padded with spaces to a multiple of 8 bytes. It sets p.data.
func (p *filePlan) headerText(metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		if err := appendMetadata(&b, metadata); err != nil {
			return nil, err
		}
	}
	for _, t := range p.tensors {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		shape := strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ",")
		end := p.data + t.size
		if end < p.data {
			return nil, fmt.Errorf("tensor %q: the file would be larger than 2^63 bytes", t.Name)
		}
		fmt.Fprintf(&b, `%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, quoteJSON(t.Name), formats[t.format].name, shape, p.data, end)
		p.data = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}

// appendMetadata writes the metadata, sorted by key.
func appendMetadata(b *bytes.Buffer, metadata map[string]string) error {
	sep := `"` + metadataKey + `":{`
	for _, k := range slices.Sorted(maps.Keys(metadata)) {
		if err := checkKey(k); err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
		if !utf8.ValidString(metadata[k]) {
			return fmt.Errorf("metadata: the value of %q is not UTF-8", k)
		}
		b.WriteString(sep + quoteJSON(k) + ":" + quoteJSON(metadata[k]))
		sep = ","
	}
	b.WriteByte('}')
	return nil
}

// quoteJSON is s as a JSON string, without the escapes that only HTML needs.
func quoteJSON(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("safetensors: a string cannot be encoded: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// writeTo writes the file.
func (p *filePlan) writeTo(w io.Writer) error {
	if _, err := w.Write(p.head); err != nil {
		return err
	}
	for _, t := range p.tensors {
		if err := t.writeTo(w); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

func (t *planned) writeTo(w io.Writer) error {
	exact := &exactWriter{w: w, left: t.size}
	if err := t.Data(exact); err != nil {
		return err
	}
	// Data may have dropped the error of a write too many.
	if exact.err != nil {
		return exact.err
	}
	if exact.left != 0 {
		return fmt.Errorf("its data ends after %d of %d bytes (%s %v)", t.size-exact.left, t.size, formats[t.format].name, t.Shape)
	}
	return nil
}

// exactWriter passes on a given number of bytes and refuses more.
type exactWriter struct {
	w    io.Writer
	left int64
	err  error // the first
}

func (e *exactWriter) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	if int64(len(p)) > e.left {
		e.err = fmt.Errorf("its data is at least %d bytes longer than dtype and shape ask for", int64(len(p))-e.left)
		return 0, e.err
	}
	var n int
	n, e.err = e.w.Write(p)
	e.left -= int64(n)
	return n, e.err
}

// DataBytes is how many bytes of data tensors take in files. Those that cannot be written count as none.
func DataBytes(tensors []WriteTensor) int64 {
	total := int64(0)
	for _, t := range tensors {
		if p, err := planTensor(t); err == nil {
			total += p.size
		}
	}
	return total
}
