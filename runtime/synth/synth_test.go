package synth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// planFor compiles the model of a preset.
func planFor(t *testing.T, preset string, d dtype.DType) *plan.Plan {
	t.Helper()
	text, err := Config(preset, d)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse("config.json", text)
	if err != nil {
		t.Fatal(err)
	}
	const name = source.Carried + "glm4moe/model.glm"
	src, err := models.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	program, list := source.Load(name, src, models.Open)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	r, list, err := compiler.Compile(program.Root, compiler.Options{Config: doc})
	if listed := list.Err(); listed != nil {
		t.Fatal(listed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.Plan
}

// TestTensorsAreThoseOfTheModel: nothing is missing, nothing is unused, shapes and scales fit, in one file and in many.
func TestTensorsAreThoseOfTheModel(t *testing.T) {
	for _, d := range []dtype.DType{dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4} {
		for _, shard := range []int64{0, 20000} {
			t.Run(fmt.Sprint(d, " ", shard), func(t *testing.T) {
				p, dir := planFor(t, "tiny", d), t.TempDir()
				s, err := Write(t.Context(), dir, p, Options{Preset: "tiny", DType: d, ShardBytes: shard})
				if err != nil {
					t.Fatal(err)
				}
				ckpt, err := safetensors.Open(dir)
				if err != nil {
					t.Fatal(err)
				}
				defer ckpt.Close()
				if many := len(ckpt.Files()) > 1; many != (shard > 0) {
					t.Errorf("files: %q", ckpt.Files())
				}
				problems, err := weights.Compare(p, ckpt)
				if err != nil {
					t.Fatal(err)
				}
				for _, problem := range problems {
					t.Error(problem)
				}
				checkContents(t, ckpt, d, s)
			})
		}
	}
}

// checkContents holds what is stored against the summary, and looks for Linears in another dtype.
func checkContents(t *testing.T, ckpt *safetensors.Checkpoint, d dtype.DType, s Summary) {
	t.Helper()
	var got Summary
	for _, name := range ckpt.Names() {
		x, err := ckpt.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(x.Elems())
		got.Tensors++
		got.Bytes += int64(len(x.Bytes))
		switch {
		case strings.HasSuffix(name, "_packed"):
			got.Parameters += n * compressed.PackedCodes
		case !strings.HasSuffix(name, "_scale") && !strings.HasSuffix(name, "_shape"):
			got.Parameters += n
		}
		linear := strings.HasSuffix(name, "_proj.weight") && !strings.HasSuffix(name, "eh_proj.weight")
		if linear && x.DType != d && !(d == dtype.I4 && strings.Contains(name, "experts")) {
			t.Errorf("%s is stored as %s, not as %s", name, x.DType, d)
		}
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
}

// TestPresets: every preset compiles, and has the parameters that its line says.
func TestPresets(t *testing.T) {
	want := map[string]string{"tiny": "0.00017 B", "bench-0.7b": "0.71 B", "air-layers": "2.6 B", "glm-4.7-layer": "4 B"}
	for _, preset := range Presets {
		for _, d := range []dtype.DType{dtype.BF16, dtype.F8E4M3, dtype.I8, dtype.I4} {
			list, err := storedBy(planFor(t, preset.Name, d))
			if err != nil {
				t.Fatal(err)
			}
			var s Summary
			write(t.Context(), list, 0, &s)
			if got := fmt.Sprintf("%.2g B", float64(s.Parameters)/1e9); got != want[preset.Name] {
				t.Errorf("%s in %s has %s parameters, want %s", preset.Name, d, got, want[preset.Name])
			}
		}
	}
}

// TestSeed: the same seed gives the same files, another one gives others.
func TestSeed(t *testing.T) {
	p := planFor(t, "tiny", dtype.F8E4M3)
	files := func(seed uint64) string {
		dir := t.TempDir()
		if _, err := Write(t.Context(), dir, p, Options{Preset: "tiny", DType: dtype.F8E4M3, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, name := range []string{"config.json", "generation_config.json", "model.safetensors"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all.Write(data)
		}
		return all.String()
	}
	one := files(1)
	if files(1) != one {
		t.Error("the same seed gives other files")
	}
	if files(2) == one {
		t.Error("another seed gives the same files")
	}
}

// TestCancel: an interrupted write leaves nothing that looks like a checkpoint, nor a directory that was not there.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := Write(ctx, dir, planFor(t, "tiny", dtype.BF16), Options{Preset: "tiny", DType: dtype.BF16})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if empty, err := Empty(dir); !empty || err != nil {
		t.Errorf("something was left behind (%v)", err)
	}
	dir = filepath.Join(dir, "new")
	if _, err := Write(ctx, dir, planFor(t, "tiny", dtype.BF16), Options{Preset: "tiny", DType: dtype.BF16}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was left behind (%v)", err)
	}
}

// TestFullDisk: the error names the file and says what to do.
func TestFullDisk(t *testing.T) {
	cause := fmt.Errorf("writing a checkpoint to big: model.safetensors: %w", &os.PathError{Op: "write", Path: "big/model.safetensors", Err: syscall.ENOSPC})
	err := explain(cause, "big", Summary{Bytes: 1.5e9})
	for _, want := range []string{"big/model.safetensors", "no space left", "takes 1.5 GB", "make room", "another directory"} {
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if other := errors.New("other"); !errors.Is(explain(other, "big", Summary{}), other) || explain(other, "big", Summary{}).Error() != "other" {
		t.Error("another error was explained")
	}
}

func TestRefusals(t *testing.T) {
	p := planFor(t, "tiny", dtype.BF16)
	for _, o := range []Options{{Preset: "huge", DType: dtype.BF16}, {Preset: "tiny", DType: dtype.F16}} {
		dir := filepath.Join(t.TempDir(), "out")
		if _, err := Write(t.Context(), dir, p, o); err == nil {
			t.Errorf("%+v was written", o)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%+v left a directory", o)
		}
	}
}
