package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/exec"
)

// precisionFlag is --precision of the verbs that run a model.
type precisionFlag struct {
	word  string
	given *plan.Precision // nil: as the plan has it
	used  plan.Precision  // by the executor
}

func (f *precisionFlag) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.word, "precision", "", "`WORD`: exact, or fast for products in int8, of weights in 8 bits and fewer (default: the pipeline's)")
}

// check reads the flag.
func (f *precisionFlag) check(device string) error {
	if f.word == "" {
		return nil
	}
	p, err := plan.ParsePrecision(f.word)
	if err != nil {
		if near := diag.Nearest(f.word, plan.Precisions()); near != "" {
			return usagef("--precision: %w: did you mean %s?", err, near)
		}
		return usagef("--precision: %w", err) // which lists them all
	}
	if p == plan.Fast && device == "ref" {
		return usagef("--precision fast: the reference kernels compute everything in float32; leave it out, or take --device cpu")
	}
	f.given = &p
	return nil
}

// note says on stderr that an executor multiplies in another precision than was asked for.
func (f *precisionFlag) note(p *plan.Plan, ex *exec.Executor) {
	wanted := p.Serving.Precision
	if f.given != nil {
		wanted = *f.given
	}
	f.used = ex.Precision()
	if f.used != wanted {
		fmt.Fprintf(os.Stderr, "glmc: note: products are %s, not %s: the inner products in use have no int8 (AVX-512 with BF16, VNNI and VBMI have)\n",
			f.used, wanted)
	}
}
