package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/packed"
)

// deviceFlags are the flags of the verbs that run a model: on what, and how.
type deviceFlags struct {
	device    string
	packed    packedFlag
	threads   int
	precision precisionFlag
	draft     draftFlag
}

func (f *deviceFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.device, "device", "cpu", "`NAME`: cpu, or ref for the reference kernels in float32")
	f.packed.register(fs)
	fs.IntVar(&f.threads, "threads", 0, "`N` threads, shared by all ranks (default: one a core; glmc devices says how many)")
	f.precision.register(fs)
	f.draft.register(fs)
}

// check refuses what this build, or no device, can do.
func (f *deviceFlags) check() error {
	switch {
	case !slices.Contains(exec.DeviceNames(), f.device):
		return usagef("--device %s: this build has %s", f.device, strings.Join(exec.DeviceNames(), ", "))
	case f.threads < 0:
		return usagef("--threads %d: wants a number from 0 on", f.threads)
	}
	if err := f.precision.check(f.device); err != nil {
		return err
	}
	return f.draft.check()
}

// execOptions are those of an executor with so many pages; made may be nil.
func (f *deviceFlags) execOptions(pages int, made *packed.File, guesses drafts) exec.Options {
	return exec.Options{Device: f.device, Threads: f.threads, Precision: f.precision.given, Pages: pages, Entries: guesses.entries(), Packed: made}
}
