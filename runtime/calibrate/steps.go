package calibrate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

// chainLength is how many steps a program has that is timed for one of them.
const chainLength = 128

// launch is the time from one step of a program to the next: of a chain of additions of eight values.
func (m *meter) launch() (float64, error) {
	return m.chain("add", 1, 8)
}

// The values that two ranks add up: few, and as many as a large step's.
const fewValues, manyValues = 8, 1 << 20

// collectives measures what ranks of one process take to meet, and to read from one another.
func (m *meter) collectives(f *Figures) error {
	few, err := m.chain("comm.all_reduce", 2, fewValues)
	if err != nil {
		return err
	}
	many, err := m.chain("comm.all_reduce", 2, manyValues)
	if err != nil {
		return err
	}
	// A step of two ranks starts a goroutine for each, which is part of what a collective costs here.
	f.Collective = max(few-f.Launch, f.Launch)
	f.Link = 4 * manyValues / max(many-few, 1e-9)
	return nil
}

// chain is the time of one step of a program of many, each an operator on the result of the last, a row of width
// values in f32.
func (m *meter) chain(op string, ranks, width int) (seconds float64, err error) {
	dir, err := os.MkdirTemp("", "glmc-calibrate-")
	if err != nil {
		return 0, fmt.Errorf("a program of %s: %w", op, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ckpt, err := emptyCheckpoint(filepath.Join(dir, "empty.safetensors"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ckpt.Close()) }()
	p, err := chainPlan(op, ranks, width)
	if err != nil {
		return 0, fmt.Errorf("a program of %s: %w", op, err)
	}
	e, err := exec.New(m.ctx, p, ckpt, exec.Options{Device: "cpu", Pages: 1})
	if err != nil {
		return 0, fmt.Errorf("a program of %s: %w", op, err)
	}
	defer e.Close()
	in := exec.Inputs{"x": kernels.FromF32(make([]float32, width), 1, width)}
	seconds, err = m.median(func() error {
		_, err := e.Step(m.ctx, chainEntry, in)
		return err
	})
	return seconds / chainLength, err
}

const chainEntry = "chain"

// emptyCheckpoint is one without tensors: the chains have no weights.
func emptyCheckpoint(path string) (*safetensors.Checkpoint, error) {
	if err := safetensors.Write(path, nil, nil); err != nil {
		return nil, err
	}
	return safetensors.OpenFile(path)
}

// chainPlan is the program that chain times.
func chainPlan(op string, ranks, width int) (*plan.Plan, error) {
	g := ir.NewGraph(chainEntry)
	x := g.Input("x", ir.TensorType(dtype.F32, ir.Symbolic(ir.T), ir.Fixed(width)))
	b := &ir.Builder{Graph: g, Origin: ir.Origin{Layer: -1}}
	for y := x; len(b.Nodes) < chainLength && b.Err() == nil; {
		in := []*ir.Value{y}
		if ir.Lookup(op) != nil && len(ir.Lookup(op).Operands) == 2 {
			in = append(in, x)
		}
		y = b.One(op, in)
		g.Outputs = []*ir.Value{y}
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	g.Nodes = b.Nodes
	module := &ir.Module{Name: chainEntry, Ranks: ranks, Graphs: []*ir.Graph{g}}
	if err := module.Verify(); err != nil {
		return nil, err
	}
	program := plan.NewProgram(g)
	if err := program.AddLayout("decode", ir.Sizes{Tokens: 1, Seqs: 1, Rows: 1}); err != nil {
		return nil, err
	}
	return &plan.Plan{Module: module, Cache: plan.CacheFormat{DType: dtype.F32, PageSize: 1}, Programs: []*plan.Program{program}}, nil
}
