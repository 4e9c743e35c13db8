package main

import (
	"fmt"
	"os"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// storedDType finds out in which dtype a checkpoint stores its weights. Where none can be looked at it is Invalid: a
// config.json alone is enough to compile, and verbs that load weights say for themselves why they cannot.
func storedDType(files checkpointFiles) dtype.DType {
	ckpt, err := files.open()
	if err != nil {
		return dtype.Invalid
	}
	defer ckpt.Close()
	return storedIn(ckpt)
}

func storedIn(ckpt *safetensors.Checkpoint) dtype.DType {
	stored, err := weights.StoredDType(ckpt)
	if err != nil {
		return dtype.Invalid
	}
	return stored
}

// noteStored says on stderr that a checkpoint's weights are not stored in the dtype that config.json names. Where it
// names none there is nothing to disagree with.
func noteStored(doc *config.Document, stored dtype.DType) {
	named, at := doc.WeightDTypeAt()
	if !stored.Valid() || !named.Valid() || named == stored {
		return
	}
	fmt.Fprintf(os.Stderr, "glmc: note: %s: most weights of the checkpoint are stored in %s, and config.json says %s: they are served as stored, in %s\n",
		at, stored, named, stored)
}

// noteRounded says once on stderr which weights lost precision when they were loaded.
func noteRounded(rounded []weights.Rounded) {
	for _, r := range rounded {
		what := r.Weights[0]
		if n := len(r.Weights); n > 1 {
			what = fmt.Sprintf("%d weights, %s and others,", n, what)
		}
		fmt.Fprintf(os.Stderr, "glmc: note: rounded when loaded: %s from %s, as stored, to %s, as the plan has it\n", what, r.From, r.To)
	}
}
