package exec

import (
	"context"
	"fmt"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/packed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// maxChecked is the size of packed files, in bytes, whose sums are checked before they are used: a tenth of a second's
// work. The sums of larger ones are for glmc pack --check.
const maxChecked = 1 << 30

// takePacked has a loader take weights from a packed file, if there is one.
func takePacked(ctx context.Context, loader *weights.Loader, f *packed.File) error {
	if f == nil {
		return nil
	}
	if err := loader.FromFile(f); err != nil {
		return err
	}
	if f.Size() > maxChecked {
		return nil
	}
	return f.Check(ctx)
}

// Pack writes the weights of all entries of a plan, as the device of each rank wants them, to a packed file. It returns
// what the file holds, and its size in bytes. There is nothing to hold, and no file, where the device uses all weights
// where they lie in the checkpoint.
func Pack(ctx context.Context, p *plan.Plan, ckpt *safetensors.Checkpoint, o Options, path string) ([]packed.Weight, int64, error) {
	loader, err := weights.NewLoader(p, ckpt)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	var wants []weights.Want
	for rank := range p.Module.Ranks {
		dev, err := o.device(p)
		if err != nil {
			return nil, 0, err
		}
		wants = append(wants, wantsOf(programsOf(p, o.Entries), rank, dev)...)
		dev.Close()
	}
	if _, err := loader.Prepare(wants); err != nil {
		return nil, 0, err
	}
	return loader.WritePacked(ctx, path, wants)
}
