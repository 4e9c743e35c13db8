package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// contest is one format of the peer's, and what of ours is held against it.
type contest struct {
	name string // of the format
	file string
	ours []entry
}

// entry is a way in which glmc runs a model.
type entry struct {
	name      string
	dir       string // of the checkpoint
	precision string
	weights   string // dtype for those that are in bf16: the output layer
}

// prepare makes the files of a model that are not there yet.
func (o *options) prepare(ctx context.Context, p *peer, m model) ([]contest, error) {
	file := func(name string) string { return filepath.Join(o.dir, m.name+name) }
	fp8, int4, q8, q4 := file("-fp8"), file("-int4"), file("-q8_0.gguf"), file("-q4_k_m.gguf")
	synth := func(format, dir string) func() error {
		return func() error {
			_, err := output(exec.CommandContext(ctx, o.glmc, "synth", "--preset", m.name, "--dtype", format, "--force", "-o", dir))
			return err
		}
	}
	steps := []struct {
		made string
		make func() error
	}{
		{filepath.Join(fp8, "config.json"), synth("fp8", fp8)},
		{filepath.Join(int4, "config.json"), synth("int4", int4)},
		{q8, func() error { return convert(fp8, q8) }},
		{q4, func() error { return o.quantise(ctx, p, q8, q4) }},
	}
	for _, s := range steps {
		if exists(s.made) {
			continue
		}
		if err := o.room(ctx, m); err != nil {
			return nil, err
		}
		note("making %s", s.made)
		if err := s.make(); err != nil {
			return nil, err
		}
	}
	return []contest{
		{"q8_0", q8, []entry{{"fp8", fp8, "exact", "fp8_e4m3"}, {"fp8, fast", fp8, "fast", "fp8_e4m3"}}},
		{"q4_k_m", q4, []entry{{"int4", int4, "exact", "int8"}, {"int4, fast", int4, "fast", "int8"}}},
	}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// quantise has the peer's own tool choose what q4_k_m stores each matrix in.
func (o *options) quantise(ctx context.Context, p *peer, from, to string) error {
	part := to + ".part"
	_, err := output(p.command(ctx, "llama-quantize", "--allow-requantize", from, part, "Q4_K_M", strconv.Itoa(o.threads)))
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return os.Rename(part, to)
}

// room finds out before files are made that the disk has no room for them.
func (o *options) room(ctx context.Context, m model) error {
	out, err := output(exec.CommandContext(ctx, "df", "-Pk", o.dir))
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	columns := strings.Fields(lines[len(lines)-1])
	if len(columns) < 4 {
		return fmt.Errorf("df says %q of %s", out, o.dir)
	}
	free, err := strconv.Atoi(columns[3])
	if err != nil {
		return fmt.Errorf("df says %q of %s: %w", out, o.dir, err)
	}
	have, err := size(o.dir, m.name)
	if err != nil {
		return err
	}
	if need := m.gigabytes<<20 - have; free < need {
		return fmt.Errorf("the files of %s take %.1f GB more in %s, which has %.1f GB: make room, or name another folder with -dir or PEERS_DIR",
			m.name, float64(need)/(1<<20), o.dir, float64(free)/(1<<20))
	}
	return nil
}

// size is what the files of a model take already, in KiB.
func size(dir, name string) (kib int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path[len(dir):], name) {
			return err
		}
		info, err := d.Info()
		if err == nil {
			kib += int(info.Size() >> 10)
		}
		return err
	})
	return kib, err
}
