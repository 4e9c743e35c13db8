package suffix

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// The file of a cache's responses. Integers are little-endian.
//
//	magic    8 bytes  "glmcsfx\n"
//	version  u32      1
//	label    u32, and so many bytes: what the tokens are of, such as a hash of the tokenizer
//	count    u32      responses, oldest first, each:
//	                  u32 length, i32 tokens
//	sum      32 bytes SHA-256 of all before it
//
// The tree itself is not in it: to build it takes about a second for a million tokens, and what is built is known to be whole.
const (
	magic       = "glmcsfx\n"
	fileVersion = 1
	maxLabel    = 256
)

// Errors of [Cache.Load].
var (
	ErrFormat  = errors.New("suffix: it is no file of responses")
	ErrVersion = errors.New("suffix: the file of responses has another version; remove it")
	ErrLabel   = errors.New("suffix: the file of responses is of another model; remove it")
	ErrDamaged = errors.New("suffix: the file of responses is damaged; remove it")
)

// Save writes the responses that the cache holds. What waits to be learnt is not among them: see [Cache.Flush].
func (c *Cache) Save(w io.Writer, label string) error {
	if len(label) > maxLabel {
		return fmt.Errorf("suffix: a label of %d bytes, more than %d", len(label), maxLabel)
	}
	sum := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	word := func(x uint32) { // bufio keeps the first error
		_, _ = out.Write(binary.LittleEndian.AppendUint32(out.AvailableBuffer(), x))
	}
	_, _ = out.WriteString(magic)
	word(fileVersion)
	word(uint32(len(label)))
	_, _ = out.WriteString(label)
	responses := c.responses()
	word(uint32(len(responses)))
	for _, tokens := range responses {
		word(uint32(len(tokens)))
		for _, token := range tokens {
			word(uint32(token))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// responses copies what the cache holds, oldest first.
func (c *Cache) responses() (list [][]int32) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range c.tree.sequences {
		s := &c.tree.sequences[i]
		if s.removed || s.begin == s.end {
			continue
		}
		tokens := make([]int32, 0, s.end-s.begin)
		for p := s.begin; p != s.end; p++ {
			tokens = append(tokens, c.tree.store.at(p))
		}
		list = append(list, tokens)
	}
	return list
}

// Load learns the responses of a file that Save wrote with the same label, and waits until they are learnt. Of a file with an error
// nothing is learnt. A file that is too large for the cache is read no further than the cache's bound allows, and is ErrDamaged then.
func (c *Cache) Load(r io.Reader, label string) error {
	responses, err := readFile(r, label, c.config.MaxBytes/4)
	if err != nil {
		return err
	}
	for _, tokens := range responses {
		c.waiting.Add(int64(len(tokens)))
		if !c.lessons.put(tokens) {
			c.waiting.Add(-int64(len(tokens)))
			return errors.New("suffix: the cache is closed")
		}
	}
	c.Flush()
	return nil
}

// readFile reads a file with at most so many tokens.
func readFile(r io.Reader, label string, most int64) ([][]int32, error) {
	f := file{in: bufio.NewReader(r), sum: sha256.New()}
	if head := f.bytes(len(magic)); !bytes.Equal(head, []byte(magic)) {
		if f.failed != nil {
			return nil, f.failed
		}
		return nil, ErrFormat
	}
	if v := f.word(); f.err == nil && v != fileVersion {
		return nil, fmt.Errorf("%w: it is %d, this glmc has %d", ErrVersion, v, fileVersion)
	}
	size := f.word()
	if size > maxLabel {
		return nil, fmt.Errorf("%w: a label of %d bytes", ErrDamaged, size)
	}
	if got := f.bytes(int(size)); f.err == nil && string(got) != label {
		return nil, fmt.Errorf("%w: of %q, not %q", ErrLabel, got, label)
	}
	var list [][]int32
	total := int64(0)
	for count := f.word(); count > 0 && f.err == nil; count-- {
		n := f.word()
		if total += int64(n); n == 0 || total > most {
			return nil, fmt.Errorf("%w: a response of %d tokens, behind %d others; the cache takes %d", ErrDamaged, n, total-int64(n), most)
		}
		// The tokens are taken in parts: a length is no reason to allocate.
		var tokens []int32
		for n > 0 && f.err == nil {
			part := f.bytes(4 * int(min(n, 1<<14)))
			for ; len(part) >= 4; part = part[4:] {
				tokens = append(tokens, int32(binary.LittleEndian.Uint32(part)))
				n--
			}
		}
		list = append(list, tokens)
	}
	want := f.sum.Sum(nil)
	switch got := f.bytes(len(want)); {
	case f.failed != nil:
		return nil, f.failed
	case f.err != nil:
		return nil, fmt.Errorf("%w: it ends too early", ErrDamaged)
	case !bytes.Equal(got, want):
		return nil, fmt.Errorf("%w: the checksum differs", ErrDamaged)
	}
	if _, err := f.in.ReadByte(); err != io.EOF {
		return nil, fmt.Errorf("%w: something is behind its end", ErrDamaged)
	}
	return list, nil
}

// file reads and sums up.
type file struct {
	in     *bufio.Reader
	sum    hash.Hash
	buf    []byte
	err    error // the end came too early, or failed
	failed error // the reader did not work
}

// bytes gives the next ones, which the next call overwrites; fewer, or none, where there is an error.
func (f *file) bytes(n int) []byte {
	if f.err != nil {
		return nil
	}
	if cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	buf := f.buf[:n]
	if got, err := io.ReadFull(f.in, buf); err != nil {
		if f.err = err; err != io.EOF && err != io.ErrUnexpectedEOF {
			f.failed = err
		}
		return buf[:got]
	}
	f.sum.Write(buf)
	return buf
}

func (f *file) word() uint32 {
	b := f.bytes(4)
	if len(b) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}
