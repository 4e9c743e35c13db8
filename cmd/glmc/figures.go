package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/glmc/glmc/compiler/cost"
)

// figuresPath is where `glmc devices --calibrate` leaves what it measured. An error says that the system has no place
// for a user's configuration.
func figuresPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no directory for figures of this machine: %w", err)
	}
	return filepath.Join(dir, "glmc", "devices.json"), nil
}

// readFigures reads a file with figures, by device.
func readFigures(path string) (map[string]*cost.Device, error) {
	data, err := readLimited(path, cost.MaxFileSize)
	if err != nil {
		return nil, err
	}
	devices, err := cost.DecodeFile(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; measure this machine again with glmc devices --calibrate, or do without with --device-figures %s",
			path, err, cost.Builtin)
	}
	return devices, nil
}

// measuredFigures are those of the file that --device-figures names, or of the user's own where there is one; none for
// "builtin". The path is that of the file.
func measuredFigures(flag string) (devices map[string]*cost.Device, path string, err error) {
	switch flag {
	case cost.Builtin:
		return nil, "", nil
	case "":
		if path, err = figuresPath(); err != nil {
			return nil, "", nil // nobody can have measured anything
		}
		if devices, err = readFigures(path); errors.Is(err, fs.ErrNotExist) {
			return nil, "", nil
		}
	default:
		path = flag
		if devices, err = readFigures(path); err != nil {
			err = fmt.Errorf("--device-figures: %w", err)
		}
	}
	return devices, path, err
}

// deviceFigures are those that a plan for a target is priced with.
func (f *compileFlags) deviceFigures(target string) (*cost.Device, error) {
	devices, path, err := measuredFigures(f.figures)
	if err != nil {
		return nil, err
	}
	if d := devices[target]; d != nil {
		return d, nil
	}
	if f.figures != "" && path != "" {
		return nil, fmt.Errorf("--device-figures: %s has no figures of target %s", path, target)
	}
	if d := cost.Devices[target]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("there are no figures of target %q: the cost model knows %v", target, cost.Names())
}
