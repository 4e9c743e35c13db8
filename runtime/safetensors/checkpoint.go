package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Checkpoint is an open checkpoint of one or more files. Its methods may be called from several goroutines
// at once, except for Close.
//
// The files must not be changed in place or truncated while they are open: a memory map shows the change,
// and touching a page beyond a truncated end kills the process (SIGBUS). Replacing a file by renaming
// another over it, as [Write] does, is safe: the map keeps the old content.
type Checkpoint struct {
	path   string
	files  []*mapping // in the order of their names
	names  []string   // sorted
	where  map[string]location
	closed bool
}

// location says where a tensor lies.
type location struct {
	file  *mapping
	entry *entry
}

// Open opens a checkpoint directory in Hugging Face's layout: model.safetensors, or else the shards that
// model.safetensors.index.json names (a directory with both is read as transformers reads it, from the
// single file). All headers are read and checked, the data is not read. Tensors of a shard that the index
// does not mention are part of the checkpoint. Errors name the file and the tensor; a file that is missing
// gives an error that wraps fs.ErrNotExist.
func Open(dir string) (*Checkpoint, error) {
	single := filepath.Join(dir, singleName)
	switch info, err := os.Stat(dir); {
	case err != nil:
		return nil, fmt.Errorf("opening the checkpoint: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("opening the checkpoint: %s is a file: name the directory that holds it", dir)
	}
	if exists(single) {
		return OpenFile(single)
	}
	index := filepath.Join(dir, indexName)
	if !exists(index) {
		return nil, noCheckpoint(dir)
	}
	m, err := readIndex(index)
	if err != nil {
		return nil, err
	}
	return openShards(dir, m)
}

// OpenFile opens a single safetensors file of any name.
func OpenFile(path string) (*Checkpoint, error) {
	m, err := openMapping(path)
	if err != nil {
		return nil, err
	}
	return assemble(path, []*mapping{m})
}

func openShards(dir string, m weightMap) (*Checkpoint, error) {
	shards := m.shards()
	if err := checkPresent(dir, shards); err != nil {
		return nil, err
	}
	files := make([]*mapping, 0, len(shards))
	for _, shard := range shards {
		f, err := openMapping(filepath.Join(dir, filepath.FromSlash(shard)))
		if err != nil {
			return nil, errors.Join(err, closeAll(files))
		}
		files = append(files, f)
	}
	c, err := assemble(dir, files)
	if err != nil {
		return nil, err
	}
	if err := c.checkIndex(m, shards); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// checkPresent reports all missing shards at once: they are what an interrupted download leaves.
func checkPresent(dir string, shards []string) error {
	var missing []string
	for _, shard := range shards {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(shard))); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, shard)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("%s: %d of %d shards are missing (%s): an interrupted download? Fetch them: %w",
		filepath.Join(dir, indexName), len(missing), len(shards), some(missing), fs.ErrNotExist)
}

// checkIndex makes sure that every tensor lies in the shard that the index says. shards are the map's, in
// the order of c.files.
func (c *Checkpoint) checkIndex(m weightMap, shards []string) error {
	for i, shard := range shards {
		for _, name := range m[shard] {
			at, ok := c.where[name]
			if ok && at.file == c.files[i] {
				continue
			}
			elsewhere := "no shard has it"
			if ok {
				elsewhere = "it lies in " + filepath.Base(at.file.path)
			}
			return fmt.Errorf("%s: tensor %q is not in %s, %s: index and shards are of different checkpoints, fetch them again",
				filepath.Join(c.path, indexName), name, shard, elsewhere)
		}
	}
	return nil
}

// assemble builds the table of tensors. It takes over the files: on an error they are closed.
func assemble(path string, files []*mapping) (*Checkpoint, error) {
	total := 0
	for _, f := range files {
		total += len(f.header.entries)
	}
	c := &Checkpoint{path: path, files: files, names: make([]string, 0, total), where: make(map[string]location, total)}
	for _, f := range files {
		for i := range f.header.entries {
			e := &f.header.entries[i]
			if other, ok := c.where[e.name]; ok {
				err := fmt.Errorf("%s: tensor %q is also in %s: remove the shard that does not belong to the checkpoint",
					f.path, e.name, other.file.path)
				return nil, errors.Join(err, c.Close())
			}
			c.where[e.name] = location{f, e}
			c.names = append(c.names, e.name)
		}
	}
	slices.Sort(c.names)
	return c, nil
}

// Close unmaps the files. Every slice that came from the checkpoint's tensors without a copy ([Tensor.Bytes]
// and the typed views) is invalid from then on: touching one kills the process. A checkpoint is not closed
// by the garbage collector, which cannot see such slices. Closing twice is allowed.
func (c *Checkpoint) Close() error {
	c.closed = true
	return closeAll(c.files)
}

func closeAll(files []*mapping) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

// Names lists the tensors, sorted.
func (c *Checkpoint) Names() []string { return slices.Clone(c.names) }

// Has reports whether the checkpoint holds the tensor.
func (c *Checkpoint) Has(name string) bool {
	_, ok := c.where[name]
	return ok
}

// Tensor returns a tensor without reading its data. It fails when there is none of that name or the
// checkpoint is closed.
func (c *Checkpoint) Tensor(name string) (Tensor, error) {
	at, ok := c.where[name]
	switch {
	case c.closed:
		return Tensor{}, fmt.Errorf("tensor %q: %s is closed", name, c.path)
	case !ok:
		return Tensor{}, fmt.Errorf("%s has no tensor %q%s", c.path, name, c.nearest(name))
	}
	f := formats[at.entry.format]
	return Tensor{
		Name:      name,
		DType:     f.calc,
		FileDType: f.name,
		Shape:     slices.Clone(at.entry.shape),
		Bytes:     at.file.bytes(at.entry),
		File:      at.file.path,
		mapped:    at.file.release != nil,
	}, nil
}

// nearest suggests the name that shares the longest beginning with a missing one: in sorted order that is
// one of its two neighbours.
func (c *Checkpoint) nearest(name string) string {
	i, _ := slices.BinarySearch(c.names, name)
	best, shared := "", 0
	for _, other := range c.names[max(i-1, 0):min(i+1, len(c.names))] {
		if n := commonPrefix(name, other); n > shared {
			best, shared = other, n
		}
	}
	if best == "" {
		return fmt.Sprintf(" among its %d tensors", len(c.names))
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// Metadata returns the free-form text of the headers (__metadata__), by key. Where shards differ, the first
// in the order of their names counts. It is empty, not nil, without metadata.
func (c *Checkpoint) Metadata() map[string]string {
	all := make(map[string]string)
	for _, f := range slices.Backward(c.files) {
		for k, v := range f.header.metadata {
			all[k] = v
		}
	}
	return all
}

// Files lists the paths of the checkpoint's files in the order of their names.
func (c *Checkpoint) Files() []string {
	paths := make([]string, len(c.files))
	for i, f := range c.files {
		paths[i] = f.path
	}
	return paths
}

// exists reports whether there is anything of that name, be it unreadable or a dangling link: opening it
// then tells what is wrong.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
