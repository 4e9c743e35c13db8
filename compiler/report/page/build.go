package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/history"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/compiler/report"
)

// Recorder keeps what a page needs of a compilation. Its Observe is what passes.Options.Observe wants.
type Recorder struct {
	history *history.Recorder
	steps   []*ir.Module
}

// NewRecorder returns a recorder that has seen nothing.
func NewRecorder() *Recorder { return &Recorder{history: history.New()} }

// Observe records the module behind a pass, "" for the module as it was lowered.
func (r *Recorder) Observe(pass string, m *ir.Module) {
	r.history.Observe(pass, m)
	kept := &ir.Module{Name: m.Name, Ranks: m.Ranks}
	for _, g := range m.Graphs {
		kept.Graphs = append(kept.Graphs, g.Clone())
	}
	r.steps = append(r.steps, kept)
}

// Input is what a page is made from.
type Input struct {
	Plan    *plan.Plan
	Record  *Recorder // of the plan's compilation; nil where only the plan is known
	Sources []Source  // the .glm files
	Profile *profile.Profile
	Version string // of glmc
}

// builder makes the data. Weights and files are numbered as they are met.
type builder struct {
	in      Input
	data    *Data
	history *history.History
	steps   []*ir.Module
	target  cost.Target
	priced  bool       // the target is known
	sizes   []ir.Sizes // of the buckets
	files   map[string]int
	weights map[Weight]int
}

// Build makes the data of a page. It fails where the record is not of the plan, or the profile is of another plan.
func Build(in Input) (*Data, error) {
	p := in.Plan
	b := &builder{in: in, files: map[string]int{}, weights: map[Weight]int{},
		data: &Data{Version: in.Version, Model: p.Model, Pipeline: p.Pipeline, Target: p.Target, Ranks: p.Module.Ranks, Precision: p.Serving.Precision.String(),
			Complete: in.Record != nil, Weights: []Weight{}, Buckets: []Bucket{}, Tracks: []Track{}, Sources: list(slices.Clone(in.Sources))}}
	for i, s := range in.Sources {
		b.files[s.Name] = i
	}
	if target, err := cost.OfPlan(p); err == nil { // else the page goes without predictions
		b.target, b.priced = target, true
	}
	record := in.Record
	if record == nil {
		record = NewRecorder()
		record.Observe("", p.Module)
	}
	b.history, b.steps = record.history.History(), record.steps
	m := report.MeasureMemory(p)
	b.data.Memory = Memory{Weights: m.Weights, Arena: m.Arena, Bound: m.ArenaLowerBound, PerToken: m.CachePerToken}
	b.passes()
	if err := b.stages(); err != nil {
		return nil, err
	}
	b.buckets()
	b.nodes()
	for i := range p.Programs {
		if err := b.track(i); err != nil {
			return nil, err
		}
	}
	return b.data, nil
}

// stages says which pass each stage stands behind.
func (b *builder) stages() error {
	last := b.history.Steps[len(b.history.Steps)-1]
	if len(last.Graphs) != len(b.in.Plan.Programs) {
		return fmt.Errorf("the record ends with %d graphs, the plan has %d programs", len(last.Graphs), len(b.in.Plan.Programs))
	}
	for i, s := range b.history.Steps {
		at := slices.IndexFunc(b.data.Passes, func(p Pass) bool { return p.Name == s.Pass })
		if at < 0 && i > 0 {
			return fmt.Errorf("stage %d stands behind %q, which is no pass of the plan", i, s.Pass)
		}
		if b.in.Record == nil {
			at = len(b.data.Passes) - 1 // the final graph
		}
		b.data.Stages = append(b.data.Stages, at)
	}
	return nil
}

// buckets lists the sizes of steps of all programs, decoding first.
func (b *builder) buckets() {
	var all []ir.Bucket
	for _, p := range b.in.Plan.Programs {
		for _, l := range p.Layouts {
			if !slices.Contains(all, l.Bucket) {
				all = append(all, l.Bucket)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y ir.Bucket) int { return x.Max.Tokens - y.Max.Tokens })
	for _, x := range all {
		b.data.Buckets = append(b.data.Buckets, Bucket{x.Phase, x.Max.Tokens, x.Max.Seqs, x.Max.Rows})
		b.sizes = append(b.sizes, x.Max)
	}
}

func (b *builder) passes() {
	p := b.in.Plan
	b.data.Passes = make([]Pass, 0, len(p.Passes))
	for _, x := range p.Passes {
		row := Pass{Name: x.Name, Doc: x.Doc, Numeric: x.Numeric, Disabled: x.Disabled, Applied: x.Applied, Missed: x.Missed,
			After: []Order{}, Remarks: b.remarks(x.Name)}
		for _, t := range passes.Table {
			if t.Name != x.Name {
				continue
			}
			for _, o := range t.After {
				row.After = append(row.After, Order{o.Pass, o.Why})
			}
		}
		row.Proof = b.proof(x.Name)
		b.data.Passes = append(b.data.Passes, row)
	}
}

// proof is the plan's evidence for a pass; nil where it has none.
func (b *builder) proof(pass string) *Proof {
	if b.in.Plan.Evidence == nil {
		return nil
	}
	for _, x := range b.in.Plan.Evidence.Proofs {
		if x.Pass == pass {
			return &Proof{Status: x.Status, Cases: x.Cases, MaxError: x.MaxError, Bound: x.Bound}
		}
	}
	return nil
}

// remarks joins the remarks of a pass that are alike but for the layer, in the order of the first of each.
func (b *builder) remarks(pass string) []Remark {
	type key struct {
		applied                                   bool
		id, entry, buckets, source, reason, saves string
	}
	out := []Remark{}
	at := map[key]int{}
	scale := report.NewScale(b.in.Plan)
	for _, r := range b.in.Plan.Remarks {
		if r.Pass != pass {
			continue
		}
		k := key{r.Applied, r.ID, r.Entry, r.Buckets, r.Source, report.Readable(r.Reason), savings(scale, r)}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, Remark{Applied: r.Applied, ID: r.ID, Entry: r.Entry, Buckets: r.Buckets, Place: b.place(r.Source), Reason: k.reason, Saves: k.saves})
		}
		out[i].Layers = append(out[i].Layers, r.Layer)
	}
	for i := range out {
		slices.Sort(out[i].Layers)
		out[i].Layers = slices.Compact(out[i].Layers)
		out[i].Where = layers.Where(out[i].Layers)
	}
	return out
}

// savings is what a rewrite saves at each execution, counted and predicted.
func savings(scale *report.Scale, r plan.Remark) string {
	counted, predicted := report.Savings(r.SavesLaunches, r.SavesBytes), scale.Predicted(r)
	if counted != "" && predicted != "" {
		return counted + "; " + predicted
	}
	return counted + predicted
}

// place turns "file:line:column" into numbers. What has another form is a file of that name.
func (b *builder) place(source string) Place {
	if source == "" {
		return Place{-1, 0, 0}
	}
	file, line, column := source, 0, 0
	if parts := strings.Split(source, ":"); len(parts) >= 3 {
		l, errLine := strconv.Atoi(parts[len(parts)-2])
		c, errColumn := strconv.Atoi(parts[len(parts)-1])
		if errLine == nil && errColumn == nil && l > 0 && c > 0 {
			file, line, column = strings.Join(parts[:len(parts)-2], ":"), l, c
		}
	}
	i, ok := b.files[file]
	if !ok {
		i = len(b.data.Sources)
		b.files[file] = i
		b.data.Sources = append(b.data.Sources, Source{Name: file})
	}
	return Place{i, line, column}
}

// rounded keeps four digits: more of them say nothing of a prediction and make the page larger.
func rounded(x float64) float64 { return digits(4, x) }

// digits keeps so many digits. Whole steps have six, so that they read the same here as where glmc compile prints them.
func digits(n int, x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	scale := math.Pow(10, float64(n-1)-math.Floor(math.Log10(math.Abs(x))))
	if math.IsInf(scale, 0) || scale == 0 {
		return 0
	}
	return math.Round(x*scale) / scale
}
