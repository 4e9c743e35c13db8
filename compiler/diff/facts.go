package diff

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/align"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// list is names with texts, in order.
type list struct {
	names []string
	text  map[string]string
	seen  map[string]int
}

func (l *list) add(name, format string, args ...any) {
	if l.text == nil {
		l.text, l.seen = map[string]string{}, map[string]int{}
	}
	l.seen[name]++
	if n := l.seen[name]; n > 1 { // two drafts of one kind, or two aliases of one name
		name = fmt.Sprintf("%s (%d)", name, n)
	}
	l.names = append(l.names, name)
	l.text[name] = fmt.Sprintf(format, args...)
}

func (l *list) get(name string) *string {
	if text, ok := l.text[name]; ok {
		return &text
	}
	return nil
}

// compareLists lists the names whose texts differ.
func compareLists(a, b *list) []Fact {
	out := []Fact{}
	for _, name := range union(a.names, b.names) {
		if p, differs := pairOf(a.get(name), b.get(name)); differs {
			out = append(out, Fact{name, p})
		}
	}
	return out
}

// union merges two lists of names. Names of both keep their order where the lists agree in it.
func union(a, b []string) []string {
	swapped := strings.Join(a, "\x00") > strings.Join(b, "\x00")
	if swapped { // the order must not depend on which side is A
		a, b = b, a
	}
	var out []string
	seen := map[string]bool{}
	take := func(names []string) {
		for _, n := range names {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	lastA, lastB := 0, 0
	for _, p := range align.Common(a, b) {
		take(a[lastA:p.A])
		take(b[lastB : p.B+1])
		lastA, lastB = p.A+1, p.B+1
	}
	take(a[lastA:])
	take(b[lastB:])
	return out
}

func planFacts(a, b *plan.Plan) []Fact {
	out := compareLists(factsOf(a), factsOf(b))
	if a.Target == b.Target { // two devices differ in about every figure
		out = append(out, compareLists(figuresOf(a), figuresOf(b))...)
	}
	return out
}

// figuresOf is what the cost model took a plan's device to be.
func figuresOf(p *plan.Plan) *list {
	l := &list{}
	for _, f := range p.Source.Device.Figures {
		l.add("figure "+f.Key, "%v", f.Value)
	}
	return l
}

// factsOf are the facts of a whole plan, the most important first.
func factsOf(p *plan.Plan) *list {
	l := &list{}
	l.add("model", "%s", p.Model)
	if p.Module.Name != p.Model {
		l.add("module", "%s", p.Module.Name)
	}
	l.add("target", "%s", p.Target)
	if p.Source.Device.Source != "" {
		l.add("figures", "%s", p.Source.Device.Source)
	}
	l.add("ranks", "%d", p.Module.Ranks)
	l.add("pipeline", "%s", p.Pipeline)
	l.add("vocab_size", "%d", p.Facts.VocabSize)
	l.add("hidden_size", "%d", p.Facts.HiddenSize)
	l.add("max_positions", "%d", p.Facts.MaxPositions)
	l.add("cache", "%s", p.Cache.DType)
	l.add("cache.page", "%d", p.Cache.PageSize)
	var entries []string
	for _, prog := range p.Programs {
		buckets := ""
		if len(p.Variants(prog.Graph.Name)) > 1 {
			buckets = ir.BucketNames(prog.Graph.Buckets)
		}
		entries = append(entries, entryLabel(prog.Graph.Name, buckets))
	}
	l.add("entries", "%s", strings.Join(entries, ", "))
	if p.Serving.Precision != plan.Exact {
		l.add("precision", "%s", p.Serving.Precision)
	}
	l.add("prefill.chunk", "%d", p.Serving.PrefillChunk)
	if t := p.Serving; t.Transfer || t.TransferAsync || t.TransferPer != "" {
		l.add("transfer", "enabled=%v async=%v per=%s", t.Transfer, t.TransferAsync, t.TransferPer)
	}
	for _, d := range p.Serving.Drafts {
		var options []string
		for _, o := range d.Options {
			options = append(options, fmt.Sprintf("%s=%v", o.Key, o.Value))
		}
		l.add("draft "+d.Kind, "%s", strings.Join(options, " "))
	}
	for _, x := range p.Aliases {
		l.add("alias "+x.Name, "%s", aliasText(x))
	}
	for _, x := range p.Ignores {
		l.add("ignore "+x.Name, "%s", x.Reason)
	}
	var names []string
	for _, x := range p.Passes {
		names = append(names, x.Name)
	}
	l.add("source", "%s", strings.Join(filesOf(p), ", "))
	l.add("passes", "%s", strings.Join(names, ", "))
	sourceFacts(l, &p.Source)
	return l
}

// aliasText is what an alias stands for, as a .glm file writes it.
func aliasText(x plan.Alias) string {
	var index []string
	for _, i := range x.Index {
		switch {
		case i.Range:
			index = append(index, fmt.Sprintf("%d .. %d", i.From, i.To))
		case i.Hole != "":
			index = append(index, i.Hole)
		default:
			index = append(index, fmt.Sprint(i.From))
		}
	}
	if len(index) == 0 {
		return x.Target
	}
	return x.Target + "[" + strings.Join(index, ", ") + "]"
}

// entryFacts compares what each entry takes and returns.
func (c *comparison) entryFacts() []Fact {
	out := []Fact{}
	for _, e := range c.entries {
		if e.a == nil || e.b == nil {
			continue // the fact "entries" says so
		}
		out = append(out, compareLists(signature(e, e.a), signature(e, e.b))...)
		x, y := e.a.Graph.Outputs, e.b.Graph.Outputs
		for i := range min(len(x), len(y)) {
			if !c.sameOrigin(e, x[i], y[i]) {
				out = append(out, Fact{fmt.Sprintf("%s output %d from", e.label(), i), Pair[string]{originText(x[i], -1), originText(y[i], -1)}})
			}
		}
	}
	return out
}

// signature is how many layers an entry has, what it takes and what it returns.
func signature(e *entry, p *plan.Program) *list {
	l := &list{}
	layers := layersOf(p)
	if len(layers) > 0 && layers[0] < 0 {
		layers = layers[1:]
	}
	l.add(e.label()+" layers", "%d", len(layers))
	for _, v := range p.Graph.Inputs {
		l.add(e.label()+" input "+v.Input, "%s", v.Type)
	}
	for i, v := range p.Graph.Outputs {
		l.add(fmt.Sprintf("%s output %d", e.label(), i), "%s", v.Type)
	}
	return l
}

// sourceFacts are what a plan was compiled from. Texts that differ are told by their size and digest.
func sourceFacts(l *list, s *plan.Source) {
	text := func(name string, f plan.SourceFile) {
		l.add(name, "%s, %d bytes, sha256 %x", f.Name, len(f.Text), sha256.Sum256([]byte(f.Text)))
	}
	for i, f := range s.Files {
		text(fmt.Sprintf("source file %d", i+1), f)
	}
	if s.Config != (plan.SourceFile{}) {
		text("config", s.Config)
	}
	said := func(flag, value string) {
		if value != "" {
			l.add(flag, "%s", value)
		}
	}
	said("--pipeline", s.Pipeline)
	said("--target", s.Target)
	if s.TensorParallel != 0 {
		said("--tp", fmt.Sprint(s.TensorParallel))
	}
	if s.Stored.Valid() {
		said("stored weights", s.Stored.String())
	}
	for _, x := range s.Set {
		said("--set "+x.Key, x.Value)
	}
	said("--disable-pass", strings.Join(s.Disabled, ", "))
	said("--stop-after", s.StopAfter)
}
