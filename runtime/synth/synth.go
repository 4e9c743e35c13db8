// Package synth writes checkpoints with random weights in Hugging Face's layout, for benchmarks and tests. How fast a
// model runs depends on its dimensions, and hardly on its values.
package synth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
)

// Options say what is written.
type Options struct {
	Preset     string
	DType      dtype.DType // that Linears are stored in: BF16, F8E4M3, I8 or I4
	Seed       uint64      // the same seed gives the same files, byte for byte
	ShardBytes int64       // of tensor data in a file at most; 0: 5 GB, as transformers does
}

// defaultShardBytes is what transformers takes.
const defaultShardBytes = 5e9

// Summary says what was written.
type Summary struct {
	Tensors    int   // scales included
	Parameters int64 // without scales
	Bytes      int64 // of tensor data
}

// Write writes a checkpoint into dir, which is made when it does not exist: exactly the tensors that the weights of p
// are made from, config.json, generation_config.json, a tokenizer and a chat template. p has to be compiled for one rank from the preset's Config in
// the same dtype. The weights are streamed, a tensor at a time. An older checkpoint in dir is replaced. On an error,
// that of ctx included, no file of weights is left behind, nor a directory that was made for them, and config.json is
// written last.
func Write(ctx context.Context, dir string, p *plan.Plan, o Options) (s Summary, err error) {
	if _, there := os.Lstat(dir); errors.Is(there, fs.ErrNotExist) {
		defer func() {
			if err != nil {
				_ = os.Remove(dir) // where it is empty, or was not made, that is no mistake
			}
		}()
	}
	config, err := Config(o.Preset, o.DType)
	if err != nil {
		return s, err
	}
	files, err := textFiles(o.Preset)
	if err != nil {
		return s, err
	}
	if p.Module.Ranks != 1 {
		return s, fmt.Errorf("the plan is for %d ranks: a checkpoint is that of one", p.Module.Ranks)
	}
	list, err := storedBy(p)
	if err != nil {
		return s, err
	}
	tensors := write(ctx, list, o.Seed, &s)
	shard := o.ShardBytes
	if shard == 0 {
		shard = defaultShardBytes
	}
	if err := safetensors.WriteSharded(dir, shard, tensors, map[string]string{"format": "pt"}); err != nil {
		return s, explain(err, dir, s)
	}
	for _, f := range append(files, textFile{"config.json", config}) {
		if err := plan.WriteFile(filepath.Join(dir, f.name), f.data); err != nil {
			return s, explain(fmt.Errorf("%s: %w", f.name, err), dir, s)
		}
	}
	return s, nil
}

// write turns the list into what the writer takes, and counts.
func write(ctx context.Context, list []stored, seed uint64, s *Summary) []safetensors.WriteTensor {
	var tensors []safetensors.WriteTensor
	for _, t := range list {
		out := safetensors.WriteTensor{Name: t.name, DType: t.dtype, Shape: t.shape}
		switch {
		case t.dtype.Scaled():
			tensors = append(tensors, compressed.Tensors(t.name, t.dtype, t.shape, t.codes(ctx, seed), t.scales(ctx, seed))...)
		case t.dtype == dtype.F32:
			out.Data = t.f32(ctx, seed)
			tensors = append(tensors, out)
		default:
			out.Data = t.bf16(ctx, seed)
			tensors = append(tensors, out)
		}
		s.Parameters += int64(t.values())
	}
	s.Tensors, s.Bytes = len(tensors), safetensors.DataBytes(tensors)
	return tensors
}

// explain says what to do where the disk is full, which for files of this size is what goes wrong.
func explain(err error, dir string, s Summary) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return fmt.Errorf("%w: the checkpoint takes %.3g GB, and nothing of it was left behind: make room where %s lies, or name another directory",
		err, float64(s.Bytes)/1e9, dir)
}

// Empty reports whether a directory holds nothing, or does not exist.
func Empty(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}
