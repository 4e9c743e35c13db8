package packed

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Item is a weight that is to be written: what describes it, with the sizes of Codes and Scales, and what makes it. The
// slices that Make returns have these sizes; they are not used any more when the next one is made.
type Item struct {
	Weight
	Make func() (codes, scales []byte, err error)
}

// Write writes a packed file of weights of the checkpoint with that fingerprint, and returns its size in bytes. Weights
// are made and written one by one. The file appears under its name only when it is complete and synced to disk,
// replacing an older one; on an error (a full disk, an end of the context, an error from Make) nothing is left behind.
func Write(ctx context.Context, path string, checkpoint Key, items []Item) (int64, error) {
	list := make([]Weight, len(items))
	for i, x := range items {
		list[i] = x.Weight
	}
	// Places need the length of the description, which has places in it: digits that are not there yet are made room for.
	length, err := lengthOf(checkpoint, list)
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", path, err)
	}
	size := place(list, length)
	if err := checkRoom(path, size); err != nil {
		return 0, err
	}
	f, err := create(path)
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", path, withoutPath(err))
	}
	w := writer{ctx: ctx, out: f.file, checkpoint: checkpoint, list: list, length: length, size: size}
	if err := w.write(items); err != nil {
		return 0, errors.Join(fmt.Errorf("writing %s: %w", path, withoutPath(err)), f.discard())
	}
	if err := f.commit(); err != nil {
		return 0, fmt.Errorf("writing %s: %w", path, withoutPath(err))
	}
	return size, nil
}

// withoutPath takes the name of the temporary file, which nobody asked for, out of an error.
func withoutPath(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// lengthOf is the length that the description gets: that of one whose places have as many digits as they can.
func lengthOf(checkpoint Key, list []Weight) (int64, error) {
	longest := make([]Weight, len(list))
	for i, w := range list {
		w.At = 1<<62 - 1
		longest[i] = w
	}
	body, err := encode(checkpoint, longest)
	return int64(len(body)), err
}

type writer struct {
	ctx          context.Context
	out          *os.File
	checkpoint   Key
	list         []Weight
	length, size int64
}

func (w *writer) write(items []Item) error {
	if err := w.out.Truncate(w.size); err != nil { // the last weight may end before the file does
		return err
	}
	for i, x := range items {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		codes, scales, err := x.Make()
		if err != nil {
			return err
		}
		at := &w.list[i]
		if int64(len(codes)) != at.Codes || int64(len(scales)) != at.Scales {
			panic(fmt.Sprintf("packed: weight %s has %d and %d bytes, %d and %d were announced", at.Name, len(codes), len(scales), at.Codes, at.Scales))
		}
		if _, err := w.out.WriteAt(codes, at.At); err != nil {
			return err
		}
		if _, err := w.out.WriteAt(scales, at.scalesAt()); err != nil {
			return err
		}
		at.Sum = sum(codes, scales)
	}
	body, err := encode(w.checkpoint, w.list)
	if err != nil {
		return err
	}
	for int64(len(body)) < w.length { // JSON may end in spaces
		body = append(body, ' ')
	}
	h := head{description: w.length, file: w.size, sum: sha256.Sum256(body)}
	if _, err := w.out.WriteAt(append(h.encode(), body...), 0); err != nil {
		return err
	}
	return w.out.Sync()
}

// unfinished is a file that does not have its name yet.
type unfinished struct {
	file *os.File
	temp string // its name for now, beside path; nothing of that name is there yet where it is unnamed
	path string

	unnamed bool
}

// create makes a file beside path. Where the system can, it has no name at all, and goes with the process however that
// ends. Elsewhere a process that is killed leaves it, path.tmp-*: such files may be deleted.
func create(path string) (*unfinished, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file (%v): name another", info.Mode().Type())
	}
	u := &unfinished{temp: path + ".tmp-" + rand.Text(), path: path}
	var err error
	if u.file, err = createUnnamed(filepath.Dir(path)); err == nil {
		u.unnamed = true
		return u, nil
	}
	u.file, err = os.OpenFile(u.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	return u, err
}

// discard removes the file.
func (u *unfinished) discard() error {
	u.file.Close() // it goes anyway
	if u.unnamed {
		return nil
	}
	return os.Remove(u.temp)
}

// commit gives the file its name, and has that survive a loss of power.
func (u *unfinished) commit() error {
	if u.unnamed {
		if err := link(u.file, u.temp); err != nil {
			return errors.Join(err, u.file.Close())
		}
	}
	if err := u.file.Close(); err != nil {
		return errors.Join(err, os.Remove(u.temp))
	}
	if err := os.Rename(u.temp, u.path); err != nil {
		return errors.Join(err, os.Remove(u.temp))
	}
	return syncDir(filepath.Dir(u.path))
}
