//go:build !linux

package packed

import (
	"errors"
	"os"
)

// createUnnamed has no portable meaning.
func createUnnamed(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func link(*os.File, string) error { return errors.ErrUnsupported }
