package safetensors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	singleName = "model.safetensors"
	indexName  = "model.safetensors.index.json"
	fileSuffix = ".safetensors"

	maxIndex = 100_000_000 // bytes; a published index of 90,000 tensors takes 9 MB
)

// weightMap is the checked content of an index: for each shard, by its slash-separated path in the
// checkpoint's directory, the tensors that it must hold.
type weightMap map[string][]string

// readIndex reads model.safetensors.index.json.
func readIndex(path string) (weightMap, error) {
	f, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := info.Size()
	if size > maxIndex {
		return nil, fmt.Errorf("%s: is %d bytes, over the limit of %d for an index", path, size, maxIndex)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(f, raw); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m, err := parseIndex(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// parseIndex reads the text of an index, and where it is none says what the text looks like.
func parseIndex(raw []byte) (weightMap, error) {
	m, err := parseIndexJSON(raw)
	if err != nil && !bytes.HasPrefix(raw, []byte("{")) {
		if kind := sniff(raw[:min(len(raw), sniffLen)]); kind != "" {
			return nil, errors.New(kind)
		}
	}
	return m, err
}

// parseIndexJSON reads {"metadata": ..., "weight_map": {tensor: file, ...}}. Other keys are skipped, as
// transformers does (src/transformers/utils/hub.py, get_checkpoint_shard_files).
func parseIndexJSON(raw []byte) (weightMap, error) {
	r, err := newJSONReader(raw)
	if err != nil {
		return nil, err
	}
	var m weightMap
	err = r.object(func(key string) (err error) {
		if key != "weight_map" {
			return r.skip()
		}
		m, err = parseWeightMap(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, errors.New("has no weight_map or an empty one: no tensor would be loaded")
	}
	return m, r.end()
}

func parseWeightMap(r *jsonReader) (weightMap, error) {
	m := make(weightMap)
	err := r.object(func(name string) error {
		shard, err := r.text("the file of tensor " + name)
		if err != nil {
			return fmt.Errorf("weight_map: %w", err)
		}
		if err := checkShardName(shard); err != nil {
			return fmt.Errorf("weight_map: tensor %q: %w", name, err)
		}
		m[shard] = append(m[shard], name)
		return nil
	})
	return m, err
}

// checkShardName refuses paths that lead out of the checkpoint's directory. It looks at the name only, not
// through os.Root, because Hugging Face's download cache consists of symbolic links that lead out of it.
func checkShardName(shard string) error {
	if len(shard) > maxName {
		return fmt.Errorf("file name %.40q... has %d bytes: at most %d", shard, len(shard), maxName)
	}
	if _, err := filepath.Localize(shard); err != nil || !fs.ValidPath(shard) {
		return fmt.Errorf("file %q is not a plain path inside the checkpoint's directory: refused", shard)
	}
	return nil
}

// shards lists the files of the map, sorted.
func (m weightMap) shards() []string {
	return slices.Sorted(maps.Keys(m))
}

// noCheckpoint explains why a directory without model.safetensors and index cannot be opened.
func noCheckpoint(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("opening the checkpoint: %w", err)
	}
	var weights, pickles []string
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case fileSuffix:
			weights = append(weights, e.Name())
		case ".bin", ".pt", ".pth", ".gguf":
			pickles = append(pickles, e.Name())
		}
	}
	base := fmt.Sprintf("%s holds neither %s nor %s", dir, singleName, indexName)
	switch {
	case len(weights) > 0:
		return fmt.Errorf("%s, only %s: an interrupted download? Fetch what is missing: %w", base, some(weights), fs.ErrNotExist)
	case len(pickles) > 0:
		return fmt.Errorf("%s, only %s: use the model's safetensors checkpoint: %w", base, some(pickles), fs.ErrNotExist)
	}
	return fmt.Errorf("%s: name the directory of a checkpoint: %w", base, fs.ErrNotExist)
}

// some lists the first few names.
func some(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
