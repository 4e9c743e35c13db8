package safetensors

import (
	"fmt"
	"math"
	"os"
	"time"

	"github.com/glmc/glmc/runtime/filemap"
)

// mapping is one file of a checkpoint: its checked header and its content.
type mapping struct {
	path    string
	changed time.Time // when the file was; zero of one in memory
	header  *header
	content []byte
	release func() error // nil when content is ordinary memory
}

// openMapping checks a file's header and maps the file. The descriptor is closed again.
func openMapping(path string) (*mapping, error) {
	f, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := info.Size()
	h, err := readHeader(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if size > math.MaxInt {
		return nil, fmt.Errorf("%s: is %d bytes, more than this 32-bit process can address", path, size)
	}
	content, release, err := filemap.Map(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("%s: mapping %d bytes: %w", path, size, err)
	}
	return &mapping{path, info.ModTime(), h, content, release}, nil
}

// openRegular opens a regular file and says what it is. Other kinds are refused before they are opened:
// opening a named pipe waits for a writer.
func openRegular(path string) (*os.File, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: is not a regular file (%v)", path, info.Mode().Type())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	return f, info, nil
}

// bytes is the view of one tensor. Its capacity ends with the tensor, so that append cannot reach the next.
func (m *mapping) bytes(e *entry) []byte {
	begin, end := m.header.data+e.begin, m.header.data+e.end
	return m.content[begin:end:end]
}

func (m *mapping) close() error {
	release := m.release
	m.content, m.release = nil, nil
	if release == nil {
		return nil
	}
	if err := release(); err != nil {
		return fmt.Errorf("%s: unmapping: %w", m.path, err)
	}
	return nil
}
