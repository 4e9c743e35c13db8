package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/packed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// packedFlag is the flag of the verbs that take weights from a packed file.
type packedFlag struct{ name string }

// withoutPacked is the word of --packed for none.
const withoutPacked = "off"

func (f *packedFlag) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.name, "packed", "", "packed `FILE` of glmc pack, or off (default: "+packed.Name+" in --weights, where there is one)")
}

// open opens the packed file of a checkpoint; nil where there is none that the device could use. One that nobody asked
// for, and that does not fit, is said to be left out.
func (f *packedFlag) open(device string, files checkpointFiles, ckpt *safetensors.Checkpoint) (*packed.File, error) {
	if f.name == withoutPacked {
		return nil, nil
	}
	if f.name != "" {
		file, err := openPacked(f.name, ckpt)
		if err != nil {
			return nil, fmt.Errorf("--packed %w", err)
		}
		return file, nil
	}
	dir, ok := files.(directory)
	if !ok || device != "cpu" {
		return nil, nil
	}
	file, err := openPacked(dir.path(packed.Name), ckpt)
	var misfit *packed.MisfitError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, &misfit):
		fmt.Fprintf(os.Stderr, "glmc: note: packed weights are left out: %v\n", err)
		return nil, nil
	}
	return file, err
}

func openPacked(name string, ckpt *safetensors.Checkpoint) (*packed.File, error) {
	file, err := packed.Open(name)
	if err != nil {
		return nil, err
	}
	if err := file.Fits(ckpt.Fingerprint()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// notePacked says on stderr that a packed file does not hold all that was wanted.
func notePacked(file *packed.File, s weights.Stats) {
	if file == nil || s.Made == 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "glmc: note: %s holds %d of %s as they are wanted here; the others were made (glmc pack with the same model and flags, on this machine, holds all)\n",
		file.Path(), s.Packed, diag.Count(s.Packed+s.Made, "weight"))
}
