package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/plan/planpb"
)

// Bounds on what a plan may say, beside those of package ir. GLM-4.7 on eight ranks stays far below each.
const (
	maxStoredParts = 1 << 16 // tensors that one weight is made of
	maxPageSize    = 1 << 16
	maxSteps       = 1 << 16 // of one program
	maxAttrs       = 64      // of one step, or options of one draft
)

// decoder turns the wire form into a plan. It checks indices and sizes; the meaning of the graphs is checked
// by the verifier and the layouts by memory.Check.
type decoder struct {
	pb   *planpb.Plan
	plan *Plan
}

func fromProto(pb *planpb.Plan) (*Plan, error) {
	d := &decoder{pb: pb, plan: &Plan{Model: pb.Model, Pipeline: pb.Pipeline, Target: pb.Target,
		Module: &ir.Module{Name: pb.Model, Ranks: int(pb.Ranks)}}}
	for _, step := range []func() error{d.facts, d.serving, d.weights, d.caches, d.names, d.graphs, d.verify, d.layouts, d.report, d.source, d.evidence} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return d.plan, nil
}

func (d *decoder) facts() error {
	if d.pb.Ranks < 1 || d.pb.Ranks > ir.MaxRanks {
		return fmt.Errorf("%d ranks: wants 1 to %d", d.pb.Ranks, ir.MaxRanks)
	}
	f := d.pb.Facts
	if f.GetVocabSize() > ir.MaxDim || f.GetHiddenSize() > ir.MaxDim || f.GetMaxPositions() > ir.MaxDim {
		return fmt.Errorf("vocabulary %d, hidden size %d or positions %d is out of range", f.GetVocabSize(), f.GetHiddenSize(), f.GetMaxPositions())
	}
	d.plan.Facts = Facts{VocabSize: int(f.GetVocabSize()), HiddenSize: int(f.GetHiddenSize()), MaxPositions: int(f.GetMaxPositions())}
	figures, err := readAttrs(d.pb.Device.GetFigures())
	if err != nil {
		return fmt.Errorf("figures of the device: %w", err)
	}
	d.plan.Source.Device = Device{Source: d.pb.Device.GetSource(), Figures: figures}
	c := d.pb.CacheFormat
	t, err := readDType(c.GetDtype())
	if err != nil || !t.IsFloat() {
		return fmt.Errorf("the KV cache's dtype is %s", c.GetDtype())
	}
	if c.PageSize < 1 || c.PageSize > maxPageSize {
		return fmt.Errorf("a KV page of %d tokens: wants 1 to %d", c.PageSize, maxPageSize)
	}
	d.plan.Cache = CacheFormat{DType: t, PageSize: int(c.PageSize)}
	return nil
}

func (d *decoder) serving() error {
	s := d.pb.Serving
	if s.GetPrefillChunk() < 1 || s.GetPrefillChunk() > ir.MaxTokens {
		return fmt.Errorf("a prefill chunk of %d tokens: wants 1 to %d", s.GetPrefillChunk(), ir.MaxTokens)
	}
	if planpb.Precision_name[int32(s.Precision)] == "" {
		return fmt.Errorf("products in precision %d: wants one of %s", s.Precision, strings.Join(precisions, ", "))
	}
	d.plan.Serving = Serving{Precision: Precision(s.Precision), PrefillChunk: int(s.PrefillChunk), Transfer: s.Transfer, TransferAsync: s.TransferAsync, TransferPer: s.TransferPer}
	for _, x := range s.Drafts {
		options, err := readAttrs(x.GetOptions())
		if err != nil {
			return fmt.Errorf("draft %s: %w", x.GetKind(), err)
		}
		d.plan.Serving.Drafts = append(d.plan.Serving.Drafts, Draft{Kind: x.GetKind(), Options: options})
	}
	return nil
}

func (d *decoder) weights() error {
	for _, w := range d.pb.Weights {
		weight, err := readWeight(w)
		if err != nil {
			return fmt.Errorf("weight %q: %w", w.GetName(), err)
		}
		d.plan.Module.Weights = append(d.plan.Module.Weights, weight)
	}
	return nil
}

func (d *decoder) caches() error {
	for _, c := range d.pb.Caches {
		if c.GetValueDim() > ir.MaxTokens {
			return fmt.Errorf("cache %q: values of %d", c.GetName(), c.GetValueDim())
		}
		if c.GetHeads() < 1 || c.GetHeads() > ir.MaxTokens || c.GetHeadDim() < 1 || c.GetHeadDim() > ir.MaxTokens {
			return fmt.Errorf("cache %q: %d heads of %d values", c.GetName(), c.GetHeads(), c.GetHeadDim())
		}
		d.plan.Module.Caches = append(d.plan.Module.Caches,
			&ir.Cache{Name: c.Name, Heads: int(c.Heads), HeadDim: int(c.HeadDim), ValueDim: int(c.ValueDim)})
	}
	return nil
}

func (d *decoder) names() error {
	for _, a := range d.pb.Aliases {
		out := Alias{Name: a.GetName(), Target: a.GetTarget()}
		for _, x := range a.GetIndex() {
			if x.GetFrom() > ir.MaxDim || x.GetTo() > ir.MaxDim || x.GetRange() && x.GetFrom() > x.GetTo() {
				return fmt.Errorf("alias %q: index %d .. %d", a.Name, x.GetFrom(), x.GetTo())
			}
			out.Index = append(out.Index, Index{Hole: x.GetHole(), From: int(x.GetFrom()), To: int(x.GetTo()), Range: x.GetRange()})
		}
		if len(out.Index) > ir.MaxRank {
			return fmt.Errorf("alias %q has %d indices", a.Name, len(out.Index))
		}
		d.plan.Aliases = append(d.plan.Aliases, out)
	}
	for _, x := range d.pb.Ignores {
		d.plan.Ignores = append(d.plan.Ignores, Ignore{Name: x.GetName(), Reason: x.GetReason()})
	}
	return nil
}

func (d *decoder) graphs() error {
	for _, p := range d.pb.Programs {
		g, err := d.graph(p)
		if err != nil {
			return fmt.Errorf("entry %q: %w", p.GetEntry(), err)
		}
		d.plan.Module.Graphs = append(d.plan.Module.Graphs, g)
	}
	return nil
}

func (d *decoder) graph(p *planpb.Program) (*ir.Graph, error) {
	if len(p.Steps) > maxSteps {
		return nil, fmt.Errorf("%d steps: at most %d are possible", len(p.Steps), maxSteps)
	}
	g := ir.NewGraph(p.Entry)
	for _, l := range p.Layouts {
		b, err := readBucket(l)
		if err != nil {
			return nil, err
		}
		g.Buckets = append(g.Buckets, b)
	}
	values := make([]*ir.Value, len(p.Values))
	for i, w := range p.Values {
		v, err := d.value(w)
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i, err)
		}
		values[i] = v
	}
	pick := func(i uint32, what string) (*ir.Value, error) {
		if int64(i) >= int64(len(values)) {
			return nil, fmt.Errorf("%s is value %d of %d", what, i, len(values))
		}
		return values[i], nil
	}
	var err error
	if g.Inputs, err = pickAll(p.Inputs, "an input", pick); err != nil {
		return nil, err
	}
	inputs := map[string]bool{}
	for _, v := range g.Inputs {
		if v.Input == "" || inputs[v.Input] {
			return nil, fmt.Errorf("value %%%d stands among the inputs: its name %q is empty or taken", v.ID, v.Input)
		}
		inputs[v.Input] = true
	}
	if g.Outputs, err = pickAll(p.Outputs, "an output", pick); err != nil {
		return nil, err
	}
	for i, s := range p.Steps {
		n, err := d.node(s, pick)
		if err != nil {
			return nil, fmt.Errorf("step %d (%s): %w", i, s.GetOp(), err)
		}
		if err := readSchedule(n, s, g.Nodes); err != nil {
			return nil, fmt.Errorf("step %d (%s): %w", i, s.GetOp(), err)
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g, nil
}

// readSchedule reads on which stream a step runs and for which of the steps before it it waits.
func readSchedule(n *ir.Node, s *planpb.Step, before []*ir.Node) error {
	if s.GetStream() >= ir.MaxStreams || len(s.Waits) >= ir.MaxStreams {
		return fmt.Errorf("runs on stream %d and waits for %d steps: at most %d streams are possible", s.Stream, len(s.Waits), ir.MaxStreams)
	}
	n.Stream = int(s.Stream)
	for _, i := range s.Waits {
		if int64(i) >= int64(len(before)) {
			return fmt.Errorf("waits for step %d, which does not stand before it", i)
		}
		n.Waits = append(n.Waits, before[i])
	}
	return nil
}

func pickAll(refs []uint32, what string, pick func(uint32, string) (*ir.Value, error)) ([]*ir.Value, error) {
	out := make([]*ir.Value, len(refs))
	for i, r := range refs {
		v, err := pick(r, what)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (d *decoder) value(w *planpb.Value) (*ir.Value, error) {
	if w.GetId() > ir.MaxID {
		return nil, fmt.Errorf("has number %d: at most %d is possible", w.Id, ir.MaxID)
	}
	v := &ir.Value{ID: int(w.GetId())}
	switch w.GetKind() {
	case planpb.Value_WEIGHT:
		if int64(w.Index) >= int64(len(d.plan.Module.Weights)) {
			return nil, fmt.Errorf("is weight %d of %d", w.Index, len(d.plan.Module.Weights))
		}
		v.Weight = d.plan.Module.Weights[w.Index]
		v.Type = v.Weight.Type()
		return v, nil
	case planpb.Value_CACHE:
		if int64(w.Index) >= int64(len(d.plan.Module.Caches)) {
			return nil, fmt.Errorf("is cache %d of %d", w.Index, len(d.plan.Module.Caches))
		}
		v.Cache = d.plan.Module.Caches[w.Index]
		v.Type.State = true
		return v, nil
	case planpb.Value_INPUT:
		v.Input = w.Name
	case planpb.Value_RESULT:
	default:
		return nil, fmt.Errorf("has kind %d", w.GetKind())
	}
	if w.Dtype == planpb.DType_DTYPE_UNSPECIFIED {
		v.Type.State = true
		return v, nil
	}
	var err error
	if v.Type.DType, err = readDType(w.Dtype); err != nil {
		return nil, err
	}
	v.Type.Shape, err = readShape(w.Shape)
	return v, err
}

func (d *decoder) node(s *planpb.Step, pick func(uint32, string) (*ir.Value, error)) (*ir.Node, error) {
	n := &ir.Node{ID: int(s.GetId()), Op: ir.Lookup(s.GetOp())}
	if n.Op == nil {
		return nil, fmt.Errorf("this glmc has no such operator")
	}
	if s.Id > ir.MaxID {
		return nil, fmt.Errorf("has number %d: at most %d is possible", s.Id, ir.MaxID)
	}
	if int64(s.Source) >= int64(len(d.pb.Sources)) || int64(s.Path) >= int64(len(d.pb.Paths)) {
		return nil, fmt.Errorf("names source %d of %d, path %d of %d", s.Source, len(d.pb.Sources), s.Path, len(d.pb.Paths))
	}
	n.Origin = ir.Origin{Path: d.pb.Paths[s.Path], Layer: int(s.Layer)}
	n.Origin.Source, n.Origin.End = ir.CutRange(d.pb.Sources[s.Source])
	var err error
	if n.Attrs, err = readAttrs(s.Attrs); err != nil {
		return nil, err
	}
	for _, ref := range s.In {
		var v *ir.Value
		if ref != 0 {
			if v, err = pick(ref-1, "an operand"); err != nil {
				return nil, err
			}
		}
		n.In = append(n.In, v)
	}
	if n.Out, err = pickAll(s.Out, "a result", pick); err != nil {
		return nil, err
	}
	for _, v := range n.Out {
		if v.Def != nil || v.Weight != nil || v.Cache != nil || v.Input != "" {
			return nil, fmt.Errorf("result %%%d is defined elsewhere", v.ID)
		}
		v.Def = n
	}
	return n, nil
}

func (d *decoder) verify() error { return d.plan.Module.Verify() }

func (d *decoder) layouts() error {
	for i, g := range d.plan.Module.Graphs {
		p := NewProgram(g)
		for k, l := range d.pb.Programs[i].Layouts {
			if err := p.readLayout(g.Buckets[k], l); err != nil {
				return fmt.Errorf("entry %q, layout of %s: %w", g.Name, g.Buckets[k], err)
			}
		}
		if len(p.Layouts) == 0 {
			return fmt.Errorf("entry %q has no layout", g.Name)
		}
		d.plan.Programs = append(d.plan.Programs, p)
	}
	return nil
}

// readBucket reads what a layout is for; whether it makes sense is for the verifier to say.
func readBucket(w *planpb.Layout) (ir.Bucket, error) {
	for _, n := range []uint32{w.GetMaxTokens(), w.GetMaxSequences(), w.GetMaxRows()} {
		if n > ir.MaxTokens {
			return ir.Bucket{}, fmt.Errorf("a layout is for %d tokens, sequences or rows: at most %d are possible", n, ir.MaxTokens)
		}
	}
	return ir.Bucket{Phase: w.GetPhase(), Max: ir.Sizes{Tokens: int(w.GetMaxTokens()), Seqs: int(w.GetMaxSequences()), Rows: int(w.GetMaxRows())}}, nil
}

func (p *Program) readLayout(b ir.Bucket, w *planpb.Layout) error {
	l := Layout{Bucket: b}
	if w.ArenaBytes > memory.MaxBytes {
		return fmt.Errorf("an arena of %d bytes", w.ArenaBytes)
	}
	l.Arena = int64(w.ArenaBytes)
	for _, o := range w.Offsets {
		if o > memory.MaxBytes {
			return fmt.Errorf("offset %d", o)
		}
		l.Offsets = append(l.Offsets, int64(o))
	}
	buffers, err := p.Buffers(l.Max)
	if err != nil {
		return err
	}
	if err := p.Check(&l); err != nil {
		return err
	}
	if err := p.checkRaces(&l); err != nil {
		return err
	}
	// An arena that no buffer reaches the end of would make a small plan ask for any amount of memory.
	end := int64(0)
	for i, b := range buffers {
		end = max(end, l.Offsets[i]+b.Bytes)
	}
	if l.Arena >= end+2*memory.Align {
		return fmt.Errorf("the arena has %d bytes, its buffers end at %d", l.Arena, end)
	}
	p.Layouts = append(p.Layouts, l)
	return nil
}

func (d *decoder) report() error {
	for _, x := range d.pb.Passes {
		d.plan.Passes = append(d.plan.Passes, Pass{Name: x.GetName(), Doc: x.GetDoc(), Numeric: x.GetNumeric(), Disabled: x.GetDisabled(),
			Applied: int(x.GetApplied()), Missed: int(x.GetMissed()), NodesBefore: int(x.GetNodesBefore()), NodesAfter: int(x.GetNodesAfter())})
	}
	for i, r := range d.pb.Remarks {
		if int64(r.GetPass()) >= int64(len(d.plan.Passes)) || int64(r.GetSource()) >= int64(len(d.pb.Sources)) {
			return fmt.Errorf("remark %d names pass %d of %d, source %d of %d", i, r.GetPass(), len(d.plan.Passes), r.GetSource(), len(d.pb.Sources))
		}
		source, end := ir.CutRange(d.pb.Sources[r.Source])
		d.plan.Remarks = append(d.plan.Remarks, Remark{Pass: d.plan.Passes[r.Pass].Name, ID: r.Id, Applied: r.Applied, Entry: r.Entry, Buckets: r.Buckets,
			Layer: int(r.Layer), Source: source, End: end, Reason: r.Reason, SavesLaunches: int(r.SavesLaunches), SavesBytes: r.SavesBytes,
			SavesDecode: time.Duration(r.SavesDecode), SavesPrefill: time.Duration(r.SavesPrefill)})
	}
	return nil
}
