package quantise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
)

const (
	configName   = "config.json"
	quantization = "quantization_config"

	defaultShardBytes = 5e9 // as transformers cuts them
	maxCopied         = 256 << 20
)

// Unquantised is the text of a config.json without its quantization_config.
func Unquantised(config []byte) ([]byte, error) {
	fields, err := decode(config)
	if err != nil {
		return nil, err
	}
	delete(fields, quantization)
	return encode(fields)
}

// Config is the text of a config.json that says how the checkpoint is quantised.
func (c *Checkpoint) Config(config []byte) ([]byte, error) {
	fields, err := decode(config)
	if err != nil {
		return nil, err
	}
	ignore := c.Ignore
	if ignore == nil {
		ignore = []string{}
	}
	if fields[quantization], err = compressed.Config(c.DType, false, ignore); err != nil {
		return nil, err
	}
	return encode(fields)
}

func decode(config []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.UseNumber() // 1e-05 stays what it is
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		return nil, fmt.Errorf("%s: %w", configName, err)
	}
	return fields, nil
}

func encode(fields map[string]any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(fields)
	return b.Bytes(), err
}

// Write writes the checkpoint to dir: its tensors in one file, or, where sharded, in several, config, and what else lies in
// the directory of the source. It is complete in a directory beside dir before anything in dir changes; on an error nothing
// is left behind. Where dir exists the checkpoint in it is replaced, and other files stay.
func (c *Checkpoint) Write(ctx context.Context, dir string, source fs.FS, config []byte, sharded bool) (err error) {
	text, err := c.Config(config)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), filepath.Base(dir)+".tmp-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = c.explain(errors.Join(err, os.RemoveAll(temp)), dir)
		}
	}()
	if err := os.Chmod(temp, 0o755); err != nil { // that of a temporary directory is for its owner alone
		return err
	}
	shard := int64(1) << 62
	if sharded {
		shard = defaultShardBytes
	}
	if err := safetensors.WriteSharded(temp, shard, c.Tensors, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	if err := copyOthers(ctx, temp, source); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, configName), text, 0o666); err != nil {
		return err
	}
	return install(temp, dir)
}

// explain says what to do where the disk is full.
func (c *Checkpoint) explain(err error, dir string) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return fmt.Errorf("%w: the checkpoint takes %.3g GB, and nothing of it was left behind: make room where %s lies, or name another directory",
		err, float64(c.Summary.Bytes)/1e9, dir)
}

// weightFiles are the ends of the names of files that hold weights, of which the source's are not copied.
var weightFiles = []string{".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx", ".glmpack"}

// replaced are the ends of the names of files that a checkpoint's weights lie in, or what was made of them.
var replaced = []string{".safetensors", ".safetensors.index.json", ".glmpack"}

func holdsWeights(name string) bool {
	return slices.ContainsFunc(weightFiles, func(end string) bool { return strings.HasSuffix(name, end) })
}

// copyOthers copies the tokenizer, the chat template and whatever else lies beside the source's weights.
func copyOthers(ctx context.Context, dir string, source fs.FS) error {
	entries, err := fs.ReadDir(source, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if name == configName || holdsWeights(name) || strings.HasPrefix(name, ".") {
			continue
		}
		info, err := fs.Stat(source, name) // behind links, of which downloaded checkpoints are made
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxCopied {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := copyFile(filepath.Join(dir, name), source, name); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to string, source fs.FS, name string) error {
	in, err := source.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxCopied))
	return errors.Join(err, out.Close())
}

// install gives a complete directory its name, or its files theirs where the directory is there. Then config.json goes
// first and comes last: without it, what is there is visibly no checkpoint.
func install(temp, dir string) error {
	if empty, err := isEmpty(dir); err != nil {
		return err
	} else if empty {
		return os.Rename(temp, dir)
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := []string{configName}
	for _, e := range old {
		if slices.ContainsFunc(replaced, func(end string) bool { return strings.HasSuffix(e.Name(), end) }) {
			names = append(names, e.Name())
		}
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	made, err := os.ReadDir(temp)
	if err != nil {
		return err
	}
	for _, e := range made {
		if e.Name() != configName {
			if err := os.Rename(filepath.Join(temp, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Rename(filepath.Join(temp, configName), filepath.Join(dir, configName)); err != nil {
		return err
	}
	return os.Remove(temp)
}

// isEmpty reports whether a directory holds nothing, or does not exist. An empty one is removed, so that another can have
// its name on every system.
func isEmpty(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil || len(entries) > 0:
		return false, err
	}
	return true, os.Remove(dir)
}
