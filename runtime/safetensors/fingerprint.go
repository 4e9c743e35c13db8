package safetensors

import (
	"crypto/sha256"
	"encoding/binary"
	"path/filepath"
)

// Fingerprint tells checkpoints apart without reading their data: the SHA-256 of the files' names, sizes and times of
// change, and of what the headers say of the tensors. A checkpoint that was copied without its times, or that was
// written again, has another one. Where it lies does not matter.
func (c *Checkpoint) Fingerprint() [sha256.Size]byte {
	hash := sha256.New()
	var line []byte
	write := func(text string, numbers ...int64) {
		line = binary.AppendUvarint(line[:0], uint64(len(text)))
		line = append(line, text...)
		line = binary.AppendUvarint(line, uint64(len(numbers)))
		for _, n := range numbers {
			line = binary.AppendVarint(line, n)
		}
		hash.Write(line)
	}
	for _, f := range c.files {
		when := int64(0)
		if !f.changed.IsZero() {
			when = f.changed.UnixNano()
		}
		write(filepath.Base(f.path), int64(len(f.content)), when, f.header.data, int64(len(f.header.entries)))
		for i := range f.header.entries {
			e := &f.header.entries[i]
			write(e.name, e.begin, e.end)
			shape := make([]int64, len(e.shape))
			for i, n := range e.shape {
				shape[i] = int64(n)
			}
			write(formats[e.format].name, shape...)
		}
	}
	return [sha256.Size]byte(hash.Sum(nil))
}
