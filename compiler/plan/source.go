package plan

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan/planpb"
	"github.com/glmc/glmc/kernels/dtype"
)

// Source is what a plan was compiled from, as it was given: enough to compile it again, which is how
// tools look at passes of a plan whose files have changed or are not there. Nothing that runs a plan reads it.
type Source struct {
	Files  []SourceFile // the model's file, then all that it imports; none: the plan was not compiled from any
	Config SourceFile   // config.json; without a name where there was none
	// What the command line chose, or what the file says where it chose nothing.
	Pipeline       string // "": the default one for Target
	Target         string
	TensorParallel int
	Stored         dtype.DType // of the checkpoint's weights, where it was at hand; else Invalid
	Set            []Setting   // in the order of their keys
	Disabled       []string    // passes, in the order in which they were named
	StopAfter      string
	Device         Device // what the target was taken to be
}

// Device is what the cost model took the target to be when it decided, and when it predicted what remarks say: the
// same source and the same figures give the same plan.
type Device struct {
	Source  string   // "builtin", or on what and when it was measured; "" in plans from before there was the field
	Figures ir.Attrs // by name, see package cost
}

// SourceFile is a file with its text.
type SourceFile struct{ Name, Text string }

// Setting is one --set.
type Setting struct{ Key, Value string }

// Text returns the text of a file that the plan was compiled from, "" where it has none of that name.
func (s *Source) Text(name string) string {
	for _, f := range s.Files {
		if f.Name == name {
			return f.Text
		}
	}
	return ""
}

// maxSourceFiles bounds the files of a source: more than a program can have.
const maxSourceFiles = 1000

func wireSource(s *Source) *planpb.Source {
	if len(s.Files) == 0 {
		return nil
	}
	out := &planpb.Source{Config: &planpb.SourceFile{Name: s.Config.Name, Text: s.Config.Text}, Pipeline: s.Pipeline, Target: s.Target,
		TensorParallel: uint32(s.TensorParallel), Stored: wireDType(s.Stored), Disabled: s.Disabled, StopAfter: s.StopAfter}
	for _, f := range s.Files {
		out.Files = append(out.Files, &planpb.SourceFile{Name: f.Name, Text: f.Text})
	}
	for _, x := range s.Set {
		out.Set = append(out.Set, &planpb.Setting{Key: x.Key, Value: x.Value})
	}
	return out
}

// source reads what the plan was compiled from. That it is a program is for the compiler to find out.
func (d *decoder) source() error {
	w := d.pb.Source
	if w == nil {
		return nil
	}
	if len(w.Files) == 0 || len(w.Files) > maxSourceFiles {
		return fmt.Errorf("its source has %d files: wants 1 to %d", len(w.Files), maxSourceFiles)
	}
	s := Source{Config: SourceFile{w.GetConfig().GetName(), w.GetConfig().GetText()}, Pipeline: w.Pipeline, Target: w.Target,
		TensorParallel: int(min(w.TensorParallel, 1<<20)), Disabled: w.Disabled, StopAfter: w.StopAfter}
	if w.Stored != planpb.DType_DTYPE_UNSPECIFIED {
		t, err := readDType(w.Stored)
		if err != nil {
			return fmt.Errorf("its source: %w", err)
		}
		s.Stored = t
	}
	for _, f := range w.Files {
		if slices.ContainsFunc(s.Files, func(g SourceFile) bool { return g.Name == f.GetName() }) {
			return fmt.Errorf("its source has the file %q twice", f.GetName())
		}
		s.Files = append(s.Files, SourceFile{f.GetName(), f.GetText()})
	}
	for _, x := range w.Set {
		s.Set = append(s.Set, Setting{x.GetKey(), x.GetValue()})
	}
	s.Device = d.plan.Source.Device
	d.plan.Source = s
	return nil
}
