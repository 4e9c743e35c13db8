package plan

import (
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan/planpb"
	"github.com/glmc/glmc/kernels/dtype"
)

// encoder turns a plan into its wire form. Strings that repeat from step to step go into tables.
type encoder struct {
	pb      *planpb.Plan
	sources table
	paths   table
	weights map[*ir.Weight]uint32
	caches  map[*ir.Cache]uint32
}

// table numbers strings in the order of their first use.
type table struct {
	index map[string]uint32
	list  []string
}

func (t *table) add(s string) uint32 {
	if t.index == nil {
		t.index = map[string]uint32{}
	}
	i, ok := t.index[s]
	if !ok {
		i = uint32(len(t.list))
		t.index[s] = i
		t.list = append(t.list, s)
	}
	return i
}

func toProto(p *Plan) *planpb.Plan {
	e := &encoder{weights: map[*ir.Weight]uint32{}, caches: map[*ir.Cache]uint32{}, pb: &planpb.Plan{
		Model: p.Model, Pipeline: p.Pipeline, Target: p.Target, Ranks: uint32(p.Module.Ranks),
		Facts:       &planpb.Facts{VocabSize: uint32(p.Facts.VocabSize), HiddenSize: uint32(p.Facts.HiddenSize), MaxPositions: uint32(p.Facts.MaxPositions)},
		CacheFormat: &planpb.CacheFormat{Dtype: wireDType(p.Cache.DType), PageSize: uint32(p.Cache.PageSize)},
		Serving: &planpb.Serving{Precision: planpb.Precision(p.Serving.Precision), PrefillChunk: uint32(p.Serving.PrefillChunk), Transfer: p.Serving.Transfer,
			TransferAsync: p.Serving.TransferAsync, TransferPer: p.Serving.TransferPer},
	}}
	if p.Source.Device.Source != "" {
		e.pb.Device = &planpb.Device{Source: p.Source.Device.Source, Figures: wireAttrs(p.Source.Device.Figures)}
	}
	for _, d := range p.Serving.Drafts {
		e.pb.Serving.Drafts = append(e.pb.Serving.Drafts, &planpb.Draft{Kind: d.Kind, Options: wireAttrs(d.Options)})
	}
	for i, w := range p.Module.Weights {
		e.weights[w] = uint32(i)
		e.pb.Weights = append(e.pb.Weights, &planpb.Weight{Name: w.Name, Dtype: wireDType(w.DType), Shape: wireInts(w.Shape), Recipe: wireRecipe(w.Recipe)})
	}
	for i, c := range p.Module.Caches {
		e.caches[c] = uint32(i)
		e.pb.Caches = append(e.pb.Caches, &planpb.Cache{Name: c.Name, Heads: uint32(c.Heads), HeadDim: uint32(c.HeadDim), ValueDim: uint32(c.ValueDim)})
	}
	for _, a := range p.Aliases {
		w := &planpb.Alias{Name: a.Name, Target: a.Target}
		for _, x := range a.Index {
			w.Index = append(w.Index, &planpb.Index{Hole: x.Hole, From: uint64(x.From), To: uint64(x.To), Range: x.Range})
		}
		e.pb.Aliases = append(e.pb.Aliases, w)
	}
	for _, x := range p.Ignores {
		e.pb.Ignores = append(e.pb.Ignores, &planpb.Ignore{Name: x.Name, Reason: x.Reason})
	}
	for _, q := range p.Programs {
		e.pb.Programs = append(e.pb.Programs, e.program(q))
	}
	e.report(p)
	e.pb.Source = wireSource(&p.Source)
	e.pb.Evidence = wireEvidence(p)
	e.pb.Sources, e.pb.Paths = e.sources.list, e.paths.list
	return e.pb
}

func (e *encoder) report(p *Plan) {
	index := map[string]uint32{}
	for i, x := range p.Passes {
		index[x.Name] = uint32(i)
		e.pb.Passes = append(e.pb.Passes, &planpb.Pass{Name: x.Name, Doc: x.Doc, Numeric: x.Numeric, Disabled: x.Disabled,
			Applied: uint32(x.Applied), Missed: uint32(x.Missed), NodesBefore: uint32(x.NodesBefore), NodesAfter: uint32(x.NodesAfter)})
	}
	for _, r := range p.Remarks {
		e.pb.Remarks = append(e.pb.Remarks, &planpb.Remark{Pass: index[r.Pass], Id: r.ID, Applied: r.Applied, Entry: r.Entry, Buckets: r.Buckets,
			Layer: int32(r.Layer), Source: e.sources.add(ir.JoinRange(r.Source, r.End)), Reason: r.Reason,
			SavesLaunches: int32(r.SavesLaunches), SavesBytes: r.SavesBytes,
			SavesDecode: int64(r.SavesDecode), SavesPrefill: int64(r.SavesPrefill)})
	}
}

// valueTable numbers a program's values: inputs first, then operands and results as the steps name them.
type valueTable struct {
	e     *encoder
	index map[*ir.Value]uint32
	list  []*planpb.Value
}

func (t *valueTable) add(v *ir.Value) uint32 {
	if i, ok := t.index[v]; ok {
		return i
	}
	w := &planpb.Value{Kind: planpb.Value_RESULT, Id: uint32(v.ID), Shape: wireShape(v.Type.Shape)}
	if !v.Type.State {
		w.Dtype = wireDType(v.Type.DType)
	}
	switch {
	case v.Weight != nil:
		w.Kind, w.Index = planpb.Value_WEIGHT, t.e.weights[v.Weight]
		w.Dtype, w.Shape = 0, nil // the weight has them
	case v.Cache != nil:
		w.Kind, w.Index = planpb.Value_CACHE, t.e.caches[v.Cache]
	case v.Def == nil:
		w.Kind, w.Name = planpb.Value_INPUT, v.Input
	}
	i := uint32(len(t.list))
	t.index[v] = i
	t.list = append(t.list, w)
	return i
}

func (e *encoder) program(p *Program) *planpb.Program {
	g := p.Graph
	out := &planpb.Program{Entry: g.Name}
	t := &valueTable{e: e, index: map[*ir.Value]uint32{}}
	for _, v := range g.Inputs {
		out.Inputs = append(out.Inputs, t.add(v))
	}
	position := make(map[*ir.Node]uint32, len(g.Nodes))
	for i, n := range g.Nodes {
		position[n] = uint32(i)
		s := &planpb.Step{Op: n.Op.Name, Attrs: wireAttrs(n.Attrs), Source: e.sources.add(n.Origin.Range()),
			Path: e.paths.add(n.Origin.Path), Layer: int32(n.Origin.Layer), Id: uint32(n.ID), Stream: uint32(n.Stream)}
		for _, w := range n.Waits {
			s.Waits = append(s.Waits, position[w])
		}
		for _, v := range n.In {
			ref := uint32(0)
			if v != nil {
				ref = t.add(v) + 1
			}
			s.In = append(s.In, ref)
		}
		for _, v := range n.Out {
			s.Out = append(s.Out, t.add(v))
		}
		out.Steps = append(out.Steps, s)
	}
	for _, v := range g.Outputs {
		out.Outputs = append(out.Outputs, t.add(v))
	}
	out.Values = t.list
	for _, l := range p.Layouts {
		w := &planpb.Layout{Phase: l.Phase, MaxTokens: uint32(l.Max.Tokens), MaxSequences: uint32(l.Max.Seqs), MaxRows: uint32(l.Max.Rows), ArenaBytes: uint64(l.Arena)}
		for _, o := range l.Offsets {
			w.Offsets = append(w.Offsets, uint64(o))
		}
		out.Layouts = append(out.Layouts, w)
	}
	return out
}

var wireDTypes = map[dtype.DType]planpb.DType{
	dtype.F32: planpb.DType_F32, dtype.BF16: planpb.DType_BF16, dtype.F16: planpb.DType_F16,
	dtype.F8E4M3: planpb.DType_F8_E4M3, dtype.I32: planpb.DType_I32, dtype.I8: planpb.DType_I8, dtype.I4: planpb.DType_I4,
}

func wireDType(d dtype.DType) planpb.DType { return wireDTypes[d] }

func wireInts(v []int) []uint64 {
	out := make([]uint64, len(v))
	for i, n := range v {
		out[i] = uint64(n)
	}
	return out
}

func wireShape(s ir.Shape) []*planpb.Dim {
	out := make([]*planpb.Dim, len(s))
	for i, d := range s {
		out[i] = &planpb.Dim{Symbol: planpb.Dim_Symbol(d.Sym), Mul: int64(d.Mul), Add: int64(d.Add)}
	}
	return out
}

func wireRecipe(r *ir.Recipe) *planpb.Recipe {
	out := &planpb.Recipe{Kind: planpb.Recipe_Kind(r.Kind), Name: r.Name, Shape: wireInts(r.Shape), Count: uint32(r.Count), Dim: uint32(r.Dim),
		Start: uint64(r.Start), Size: uint64(r.Size), Parts: uint32(r.Parts), Group: uint32(r.Group)}
	for _, a := range r.Args {
		out.Args = append(out.Args, wireRecipe(a))
	}
	return out
}

func wireAttrs(attrs ir.Attrs) []*planpb.Attr {
	var out []*planpb.Attr
	for _, a := range attrs {
		w := &planpb.Attr{Key: a.Key}
		switch v := a.Value.(type) {
		case int64:
			w.Value = &planpb.Attr_Int{Int: v}
		case float64:
			w.Value = &planpb.Attr_Float{Float: v}
		case string:
			w.Value = &planpb.Attr_Str{Str: v}
		case bool:
			w.Value = &planpb.Attr_Bool{Bool: v}
		case ir.Shape:
			w.Value = &planpb.Attr_Shape{Shape: &planpb.Shape{Dims: wireShape(v)}}
		}
		out = append(out, w)
	}
	return out
}
