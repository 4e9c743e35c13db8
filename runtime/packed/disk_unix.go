//go:build linux || darwin

package packed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// checkRoom finds out before the work begins that a file would fill the disk. An older file of that name goes only when
// the new one is complete.
func checkRoom(path string, size int64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &s); err != nil {
		return nil // who creates the file finds out
	}
	if free := int64(s.Bavail) * int64(s.Bsize); size > free {
		return fmt.Errorf("writing %s: %w: it takes %.3g GB, and %.3g GB are free there: make room, or name a file elsewhere with -o",
			path, unix.ENOSPC, float64(size)/1e9, float64(free)/1e9)
	}
	return nil
}

// syncDir makes renames in a directory survive a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
