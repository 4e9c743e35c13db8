package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/glmc/glmc/compiler/plan"
)

// readLimited reads a file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name a file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return data, err
}

// checkOutput finds out before the work begins that its result could not be written to the path of a flag.
func checkOutput(flag, path string, inputs ...string) error {
	info, err := os.Stat(path)
	if err == nil {
		if info.IsDir() {
			return fmt.Errorf("%s %s is a directory: name a file in it", flag, path)
		}
		for _, name := range inputs {
			if in, err := os.Stat(name); err == nil && os.SameFile(in, info) {
				return usagef("%s %s would overwrite what is read: name another file", flag, path)
			}
		}
		return nil
	}
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s: there is no directory %s", flag, path, dir)
	case err != nil:
		return fmt.Errorf("%s %s: %w", flag, path, err)
	case !info.IsDir():
		return fmt.Errorf("%s %s: %s is no directory", flag, path, dir)
	}
	return nil
}

// writeFile puts bytes at path: a file in one step, anything else, such as /dev/null, as it is.
func writeFile(path string, file []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(file)
		return errors.Join(err, f.Close())
	}
	err := plan.WriteFile(path, file)
	var e *fs.PathError
	if errors.As(err, &e) { // it names the temporary file, which nobody asked for
		return fmt.Errorf("write %s: %w", path, e.Err)
	}
	return err
}
