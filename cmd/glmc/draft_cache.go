package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/draft/suffix"
)

// draftCacheFlag is --draft-cache of serve: where the responses that suffix trees draft from are kept between two runs.
type draftCacheFlag struct{ path string }

// open learns the responses of the file, if there is one, and gives what writes it again, once nobody generates any more.
func (f *draftCacheFlag) open(d drafts, label string) (keep func() error, err error) {
	if f.path == "" {
		return func() error { return nil }, nil
	}
	if d.cache == nil {
		return nil, usagef("--draft-cache: there are no suffix trees to keep: --draft suffix, tree or hybrid")
	}
	if err := checkOutput("--draft-cache", f.path); err != nil {
		return nil, err // now, and not when the responses of days cannot be written
	}
	file, err := os.Open(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("--draft-cache: %w", err)
	default:
		err = d.cache.Load(file, label)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("--draft-cache %s: %w", f.path, err)
		}
	}
	return func() error { return f.write(d.cache, label) }, nil
}

// write keeps the responses. They are what people were answered, so that nobody else may read them; and the file is the old one or the new
// one, never a part.
func (f *draftCacheFlag) write(cache *suffix.Cache, label string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("--draft-cache %s: %w", f.path, err)
		}
	}()
	cache.Flush()
	tmp, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+".*") // its mode is 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if err = errors.Join(cache.Save(tmp, label), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.path)
}

// label tells token ids of one tokenizer from those of another; of a checkpoint without one, the model.
func (f *textFlags) label(files checkpointFiles, p *plan.Plan) (string, error) {
	data, err := f.read(f.tokenizer, files, "tokenizer.json", maxTokenizerFile)
	if errors.Is(err, fs.ErrNotExist) && f.tokenizer == "" {
		return "ids of " + p.Model, nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("tokenizer %x", sha256.Sum256(data)), nil
}
