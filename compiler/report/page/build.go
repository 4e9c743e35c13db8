package page

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/profile"
	"github.com/glmc/glmc/compiler/report"
)

// Input is what a page is made from.
type Input struct {
	Plan    *plan.Plan
	Stages  []Snapshot // as lowered, and behind each pass that ran, in order; empty where only the plan is known
	Sources []Source   // the .glm files
	Profile *profile.Profile
	Version string // of glmc
}

// Snapshot is the module behind a pass; the first has no pass.
type Snapshot struct {
	Pass   string
	Module *ir.Module
}

// builder makes the data. Blocks, weights and files are numbered as they are met.
type builder struct {
	in      Input
	data    *Data
	device  *cost.Device
	files   map[string]int
	weights map[Weight]int
	blocks  map[string]int
}

// Build makes the data of a page. It fails where the stages are not those of the plan, or the profile is of another
// plan.
func Build(in Input) (*Data, error) {
	p := in.Plan
	b := &builder{in: in, device: cost.Devices[p.Target], files: map[string]int{}, weights: map[Weight]int{}, blocks: map[string]int{},
		data: &Data{Version: in.Version, Model: p.Model, Pipeline: p.Pipeline, Target: p.Target, Ranks: p.Module.Ranks,
			Complete: len(in.Stages) > 0, Weights: []Weight{}, Blocks: []Block{}, Tracks: []Track{}, Sources: slices.Clone(in.Sources)}}
	for i, s := range in.Sources {
		b.files[s.Name] = i
	}
	if b.in.Stages == nil {
		last := ""
		if n := len(p.Passes); n > 0 {
			last = p.Passes[n-1].Name
		}
		b.in.Stages = []Snapshot{{last, p.Module}}
	}
	m := report.MeasureMemory(p)
	b.data.Memory = Memory{Weights: m.Weights, Arena: m.Arena, Bound: m.ArenaLowerBound, PerToken: m.CachePerToken}
	b.passes()
	if err := b.stages(); err != nil {
		return nil, err
	}
	for i := range p.Programs {
		if err := b.track(i); err != nil {
			return nil, err
		}
	}
	return b.data, nil
}

// stages says which pass each stage stands behind.
func (b *builder) stages() error {
	for i, s := range b.in.Stages {
		at := slices.IndexFunc(b.data.Passes, func(p Pass) bool { return p.Name == s.Pass })
		if at < 0 && i > 0 {
			return fmt.Errorf("stage %d stands behind %q, which is no pass of the plan", i, s.Pass)
		}
		b.data.Stages = append(b.data.Stages, at)
	}
	return nil
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
		b.data.Passes = append(b.data.Passes, row)
	}
}

// remarks joins the remarks of a pass that are alike but for the layer, in the order of the first of each.
func (b *builder) remarks(pass string) []Remark {
	type key struct {
		applied                                   bool
		id, entry, buckets, source, reason, saves string
	}
	out := []Remark{}
	at := map[key]int{}
	for _, r := range b.in.Plan.Remarks {
		if r.Pass != pass {
			continue
		}
		k := key{r.Applied, r.ID, r.Entry, r.Buckets, r.Source, report.Readable(r.Reason), report.Savings(r.SavesLaunches, r.SavesBytes)}
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
		out[i].Where = strings.TrimPrefix(report.Where(out[i].Layers), ", ")
	}
	return out
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

// graphAt is the graph of a program at a stage: that of the entry, or of its variants the one for the same sizes. Nil
// where the module has no such entry.
func graphAt(m *ir.Module, final *ir.Graph) *ir.Graph {
	for _, g := range m.Variants(final.Name) {
		if len(final.Buckets) == 0 || slices.Contains(g.Buckets, final.Buckets[0]) {
			return g
		}
	}
	return m.Graph(final.Name)
}

func (b *builder) track(program int) error {
	prog := b.in.Plan.Programs[program]
	t := &trackBuilder{builder: b, prog: prog}
	t.track = Track{Entry: prog.Graph.Name, Label: prog.Graph.Name, Variant: ir.BucketNames(prog.Graph.Buckets), Inputs: []Operand{}, Buckets: []Bucket{}, Buffers: []Buffer{}, Sizes: [][]int64{}}
	if len(b.in.Plan.Variants(prog.Graph.Name)) > 1 {
		t.track.Label += ", " + t.track.Variant
	}
	for i, s := range b.in.Stages {
		g := graphAt(s.Module, prog.Graph)
		if i == len(b.in.Stages)-1 {
			g = prog.Graph // the stages may be copies
		}
		if g == nil {
			return fmt.Errorf("entry %s is not in the module behind %q", prog.Graph.Name, s.Pass)
		}
		t.stages = append(t.stages, newLayering(g))
	}
	t.sections, t.of = sections(t.stages)
	for _, s := range t.sections {
		x := Section{Label: s.label(), Layers: []int{}, Count: len(s.layers)}
		if s.shown >= 0 {
			x.Layers = s.layers
		}
		t.track.Sections = append(t.track.Sections, x)
	}
	for _, v := range prog.Graph.Inputs {
		t.track.Inputs = append(t.track.Inputs, Operand{Name: v.Input, ID: v.ID, Type: v.Type.String(), Input: v.Input})
	}
	if err := t.buckets(); err != nil {
		return err
	}
	for _, l := range t.stages {
		stage, err := t.stage(l)
		if err != nil {
			return err
		}
		t.track.Stages = append(t.track.Stages, stage)
	}
	t.final()
	if err := t.memory(); err != nil {
		return err
	}
	if err := t.measured(); err != nil {
		return err
	}
	b.data.Tracks = append(b.data.Tracks, t.track)
	return nil
}

// trackBuilder makes one track.
type trackBuilder struct {
	*builder
	prog     *plan.Program
	track    Track
	stages   []*layering
	sections []section
	of       map[int]int // section by layer
}

func (t *trackBuilder) buckets() error {
	for _, l := range t.prog.Layouts {
		buffers, err := t.prog.Buffers(l.Max)
		if err != nil {
			return err
		}
		t.track.Buckets = append(t.track.Buckets, Bucket{Phase: l.Phase, Tokens: l.Max.Tokens, Seqs: l.Max.Seqs, Rows: l.Max.Rows,
			Arena: l.Arena, Bound: memory.LowerBound(buffers)})
	}
	return nil
}

// stage describes the graph of a stage, by the layer that stands for each section.
func (t *trackBuilder) stage(l *layering) (Stage, error) {
	s := Stage{Launches: report.Launches(l.graph), Micros: []float64{}}
	if t.device != nil {
		for _, layout := range t.prog.Layouts {
			s.Micros = append(s.Micros, rounded(1e6*cost.Program(l.graph, layout.Max, t.device).Seconds))
		}
	}
	users := l.graph.Users()
	for _, sec := range t.sections {
		at := -1
		if nodes := l.nodes[sec.shown]; len(nodes) > 0 {
			var block Block
			for _, n := range nodes {
				block.Nodes = append(block.Nodes, t.node(l, n, users))
			}
			text, err := json.Marshal(block)
			if err != nil {
				return s, err
			}
			var ok bool
			if at, ok = t.blocks[string(text)]; !ok {
				at = len(t.data.Blocks)
				t.blocks[string(text)] = at
				t.data.Blocks = append(t.data.Blocks, block)
			}
		}
		s.Blocks = append(s.Blocks, at)
	}
	return s, nil
}

func (t *trackBuilder) node(l *layering, n *ir.Node, users map[*ir.Value][]*ir.Node) Node {
	out := Node{ID: n.ID, Op: n.Op.Name, Doc: n.Op.Doc, Family: family(n), View: n.Op.View, Path: n.Origin.Path, Place: t.place(n.Origin.Source),
		Out: []Result{}, In: []Operand{}, Micros: []float64{}}
	for _, v := range n.Out {
		r := Result{ID: v.ID, Type: v.Type.String(), Out: l.graph.IsOutput(v)}
		for _, u := range users[v] {
			if other := l.of[u]; other != l.of[n] && !slices.Contains(r.To, other) {
				r.To = append(r.To, other)
			}
		}
		out.Out = append(out.Out, r)
	}
	for i, v := range n.In {
		out.In = append(out.In, t.operand(l, n, i, v))
	}
	for _, a := range n.Attrs {
		out.Attrs = append(out.Attrs, [2]string{a.Key, attrText(a.Value)})
	}
	if t.device != nil {
		for _, layout := range t.prog.Layouts {
			out.Micros = append(out.Micros, rounded(t.seconds(n, layout.Max)*1e6))
		}
	}
	return out
}

// seconds is the predicted time of one operator.
func (t *trackBuilder) seconds(n *ir.Node, s ir.Sizes) float64 {
	return cost.Program(&ir.Graph{Nodes: []*ir.Node{n}}, s, t.device).Seconds
}

func (t *trackBuilder) operand(l *layering, n *ir.Node, i int, v *ir.Value) Operand {
	o := Operand{Name: n.Op.Operands[i].Name}
	if v == nil {
		return o
	}
	o.ID, o.State = v.ID, v.Type.State
	switch {
	case v.Weight != nil:
		o.Weight = t.weight(v.Weight)
	case v.Cache != nil:
		o.Cache = v.Cache.Name
	case v.Def == nil:
		o.Input, o.Type = v.Input, v.Type.String()
	default:
		o.Type = v.Type.String()
		if from := l.of[v.Def]; from != l.of[n] {
			// The value as the layer calls it that stands for the one where it is made.
			shown := l.nodes[t.sections[t.of[from]].shown][l.index[v.Def]]
			o.ID = shown.Out[slices.Index(v.Def.Out, v)].ID
			o.From = t.sections[t.of[from]].label()
			if from >= 0 {
				o.From = fmt.Sprintf("layer %d", from)
			}
		}
	}
	return o
}

// weight numbers a weight, from 1 on.
func (b *builder) weight(w *ir.Weight) int {
	x := Weight{Name: w.Name, Type: w.Type().String(), Bytes: w.Bytes(), Recipe: w.Recipe.String()}
	i, ok := b.weights[x]
	if !ok {
		b.data.Weights = append(b.data.Weights, x)
		i = len(b.data.Weights)
		b.weights[x] = i
	}
	return i
}

// final describes the program as it runs.
func (t *trackBuilder) final() {
	l := t.stages[len(t.stages)-1]
	for _, n := range t.prog.Graph.Nodes {
		t.track.Order = append(t.track.Order, [2]int{t.of[l.of[n]], l.of[n]})
	}
	for _, sec := range t.sections {
		rows := [][]Work{}
		for _, n := range l.nodes[sec.shown] {
			row := []Work{}
			for _, layout := range t.prog.Layouts {
				w := n.WorkOf(layout.Max)
				row = append(row, Work{Flops: rounded(w.Flops), Bytes: rounded(w.ReadBytes + w.WriteBytes), Comm: rounded(w.CommBytes)})
			}
			rows = append(rows, row)
		}
		t.track.Work = append(t.track.Work, rows)
	}
}

// memory describes the arena.
func (t *trackBuilder) memory() error {
	count := t.prog.Storages()
	t.track.Buffers = make([]Buffer, count)
	seen := make([]bool, count)
	for _, n := range t.prog.Graph.Nodes {
		for _, v := range n.Out {
			if s, ok := t.prog.Storage(v); ok && !seen[s] {
				seen[s] = true
				t.track.Buffers[s].Value = v.ID
			}
		}
	}
	sizes := make([][]int64, count)
	for _, layout := range t.prog.Layouts {
		buffers, err := t.prog.Buffers(layout.Max)
		if err != nil {
			return err
		}
		for i, x := range buffers {
			t.track.Buffers[i].First, t.track.Buffers[i].Last = x.First, x.Last
			t.track.Buffers[i].Offsets = append(t.track.Buffers[i].Offsets, layout.Offsets[i])
			sizes[i] = append(sizes[i], x.Bytes)
		}
	}
	kinds := map[string]int{}
	for i, s := range sizes {
		key := fmt.Sprint(s)
		k, ok := kinds[key]
		if !ok {
			k = len(kinds)
			kinds[key] = k
			t.track.Sizes = append(t.track.Sizes, s)
		}
		t.track.Buffers[i].Kind = k
	}
	return nil
}

// family is the kind of work that an operator does.
func family(n *ir.Node) string {
	name, _, _ := strings.Cut(n.Op.Name, ".")
	switch {
	case n.Op.View:
		return "view"
	case name == "comm":
		return "comm"
	case name == "linear":
		return "linear"
	case n.Op.Name == "moe.experts":
		return "experts"
	case name == "moe":
		return "route"
	case name == "attn" || name == "kv" || name == "rope":
		return "attention"
	case name == "norm":
		return "norm"
	}
	return "element"
}

func attrText(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.6g", f)
	}
	return fmt.Sprint(v)
}

// rounded keeps four digits: more of them say nothing of a prediction and make the page larger.
func rounded(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(x))))
	if math.IsInf(scale, 0) || scale == 0 {
		return 0
	}
	return math.Round(x*scale) / scale
}
