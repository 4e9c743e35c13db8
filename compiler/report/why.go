package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// Why says whether two results share bytes of the arena, and if not, what keeps them apart.
type Why struct {
	A       ArenaBuffer `json:"a"` // the one that is written first
	B       ArenaBuffer `json:"b"`
	Verdict string      `json:"verdict"` // of the verdicts below
	From    int         `json:"from"`    // steps at which both are alive; From > To: none
	To      int         `json:"to"`
	Reason  string      `json:"reason"` // sentences, with the steps and the places in the source
}

// Verdicts.
const (
	SameValue  = "same value" // two names of the same elements
	InPlace    = "in place"   // B took over A's bytes while A was read for the last time
	Reused     = "reused"     // they are not alive together and have bytes in common
	AliveBoth  = "alive together"
	NotInPlace = "not in place" // alive together at one step only, which reads A for the last time and writes B
	Apart      = "apart"        // they are not alive together, and the planner put them apart
)

// FindValue finds the result of a program that a name means: %12 or 12 its number; OP or OP@LAYER the operator that
// writes it; or the path of the block that it is written in, with the operator behind a slash where that is not enough:
// model.layers.3.mlp/act.swiglu. The error is a *NoValueError, or
// lists what a name could mean that means several.
func FindValue(p *plan.Program, name string) (*ir.Value, error) {
	var found []*ir.Value
	id, isID := strconv.Atoi(strings.TrimPrefix(name, "%"))
	for _, v := range p.Graph.Inputs {
		if isID == nil && v.ID == id || v.Input == name {
			return v, nil
		}
	}
	for _, n := range p.Graph.Nodes {
		for _, v := range slices.Concat(n.In, n.Out) {
			switch {
			case v == nil:
			case isID == nil && v.ID == id:
				return v, nil
			case isID != nil && v.Def == n && !v.Type.State && means(n, name):
				found = append(found, v)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &NoValueError{p.Graph.Name, name}
	}
	var list []string
	for i, v := range found {
		if i == 8 {
			list = append(list, fmt.Sprintf("and %d more", len(found)-i))
			break
		}
		list = append(list, describeValue(v))
	}
	return nil, fmt.Errorf("%q means several values of %s: %s", name, p.Graph.Name, strings.Join(list, "; "))
}

// NoValueError says that no result of an entry has a name.
type NoValueError struct{ Entry, Name string }

func (e *NoValueError) Error() string {
	return fmt.Sprintf("%s has no value %q: wants %%NUMBER, OPERATOR, OPERATOR@LAYER, PATH or PATH/OPERATOR, as `glmc inspect --memory` shows them", e.Entry, e.Name)
}

func means(n *ir.Node, name string) bool {
	o := n.Origin
	return name == n.Op.Name || name == fmt.Sprintf("%s@%d", n.Op.Name, o.Layer) || o.Path != "" && (name == o.Path || name == o.Path+"/"+n.Op.Name)
}

func describeValue(v *ir.Value) string {
	return fmt.Sprintf("%%%d (%s, %s)", v.ID, v.Def.Op.Name, v.Def.Origin.Source)
}

// ExplainSharing says why two values of a program share bytes in a layout, or why they do not. The error says what a
// value is that has no bytes in the arena.
func ExplainSharing(p *plan.Program, l *plan.Layout, a, b *ir.Value) (*Why, error) {
	m, err := MeasureArena(p, l)
	if err != nil {
		return nil, err
	}
	x, err := storageOf(p, a)
	if err != nil {
		return nil, err
	}
	y, err := storageOf(p, b)
	if err != nil {
		return nil, err
	}
	if y < x {
		x, y, a, b = y, x, b, a
	}
	e := &explainer{p: p, m: m, x: x, y: y, a: &m.Buffers[x], b: &m.Buffers[y]}
	w := &Why{A: *e.a, B: *e.b, From: max(e.a.First, e.b.First), To: min(e.a.Last, e.b.Last)}
	switch {
	case x == y:
		w.Verdict, w.Reason = SameValue, fmt.Sprintf("%%%d and %%%d are the same elements: a view is another name of its operand", a.ID, b.ID)
	case e.chain():
		w.Verdict, w.Reason = InPlace, e.chainReason()
	case w.From <= w.To && e.b.First == e.a.Last && e.operands(e.b.First) > 0:
		w.Verdict, w.Reason = NotInPlace, e.notInPlace()
	case w.From <= w.To:
		w.Verdict, w.Reason = AliveBoth, e.aliveReason(w.From, w.To)
	case e.a.Offset < e.b.Offset+e.b.Bytes && e.b.Offset < e.a.Offset+e.a.Bytes:
		w.Verdict, w.Reason = Reused, e.reusedReason()
	default:
		w.Verdict, w.Reason = Apart, e.apartReason()
	}
	return w, nil
}

func storageOf(p *plan.Program, v *ir.Value) (int, error) {
	if s, ok := p.Storage(v); ok {
		return s, nil
	}
	what := "a view of what the caller provides"
	switch {
	case v.Input != "":
		what = "input " + v.Input + ", which the caller provides and nothing writes over"
	case v.Weight != nil:
		what = "weight " + v.Weight.Name + ", which stays between steps"
	case v.Cache != nil || v.Type.State:
		what = "the state of a KV cache, which stays between steps"
	}
	return 0, fmt.Errorf("%%%d is not in the arena: it is %s", v.ID, what)
}

// explainer compares buffer x, a, with buffer y, b, which is written later or by the same node.
type explainer struct {
	p    *plan.Program
	m    *Arena
	x, y int
	a, b *ArenaBuffer
}

// step names a step: "step 12 (act.silu, model.glm:3:4)".
func (e *explainer) step(i int) string {
	if i >= e.m.Steps {
		return "the end, where the caller reads it"
	}
	n := e.p.Graph.Nodes[i]
	return fmt.Sprintf("step %d (%s, %s)", i, n.Op.Name, n.Origin.Source)
}

// needed says until when a buffer is needed.
func (e *explainer) needed(b *ArenaBuffer) string {
	text := fmt.Sprintf("%%%d is written at %s and read last at %s", b.Value, e.step(b.First), e.step(b.LastRead))
	switch {
	case b.LastRead == b.First:
		text = fmt.Sprintf("%%%d is written at %s and read by nobody", b.Value, e.step(b.First))
	case b.LastRead >= e.m.Steps:
		text = fmt.Sprintf("%%%d is written at %s and returned to the caller", b.Value, e.step(b.First))
	}
	if b.Last > b.LastRead && b.Last < e.m.Steps {
		text += fmt.Sprintf(", and kept until step %d, because another stream may be behind", b.Last)
	}
	return text
}

// chain reports whether b took over a's bytes, at once or through others.
func (e *explainer) chain() bool {
	for i := e.y; i >= 0; i = e.m.Buffers[i].InPlaceOf {
		if i == e.x {
			return true
		}
	}
	return false
}

func (e *explainer) chainReason() string {
	var links []string
	for i := e.y; i != e.x; i = e.m.Buffers[i].InPlaceOf {
		b := &e.m.Buffers[i]
		links = append(links, fmt.Sprintf("%%%d takes over the bytes of %%%d at %s", b.Value, e.m.Buffers[b.InPlaceOf].Value, e.step(b.First)))
	}
	slices.Reverse(links)
	return strings.Join(links, "; ")
}

// operands counts the operands of a step that lie in a.
func (e *explainer) operands(step int) int {
	count := 0
	if step < e.m.Steps {
		for _, v := range e.p.Graph.Nodes[step].In {
			if s, ok := e.p.Storage(v); ok && s == e.x {
				count++
			}
		}
	}
	return count
}

// notInPlace says why the node that reads a for the last time and writes b does not write b over a.
func (e *explainer) notInPlace() string {
	n := e.p.Graph.Nodes[e.b.First]
	head := fmt.Sprintf("both are needed at %s, which reads %%%d for the last time and writes %%%d", e.step(e.b.First), e.a.Value, e.b.Value)
	result := slices.IndexFunc(n.Out, func(v *ir.Value) bool { s, ok := e.p.Storage(v); return ok && s == e.y })
	operand := slices.IndexFunc(n.In, func(v *ir.Value) bool { s, ok := e.p.Storage(v); return ok && s == e.x })
	switch {
	case !slices.Contains(n.Op.InPlace, ir.InPlace{Result: result, Operand: operand}):
		return fmt.Sprintf("%s: %s does not work in place on its operand %s", head, n.Op.Name, n.Op.Operands[operand].Name)
	case e.operands(e.b.First) > 1:
		return fmt.Sprintf("%s: %s reads it as %d operands", head, n.Op.Name, e.operands(e.b.First))
	case !n.In[operand].Type.Equal(n.Out[result].Type):
		return fmt.Sprintf("%s: one is %s, the other %s", head, n.In[operand].Type, n.Out[result].Type)
	}
	for i := range e.m.Buffers {
		if b := &e.m.Buffers[i]; b.InPlaceOf == e.x {
			return fmt.Sprintf("%s: its other result %%%d takes over the bytes", head, b.Value)
		}
	}
	if e.b.InPlaceOf >= 0 {
		return fmt.Sprintf("%s: %%%d takes over the bytes of another operand, %%%d", head, e.b.Value, e.m.Buffers[e.b.InPlaceOf].Value)
	}
	return head + ": it could be written in place, and the planner found a smaller arena where it is not"
}

func (e *explainer) aliveReason(from, to int) string {
	when := fmt.Sprintf("from step %d to %d", from, to)
	if from == to {
		when = fmt.Sprintf("at step %d", from)
	}
	return fmt.Sprintf("both are needed %s: %s; %s", when, e.needed(e.a), e.needed(e.b))
}

func (e *explainer) reusedReason() string {
	from, to := max(e.a.Offset, e.b.Offset), min(e.a.Offset+e.a.Bytes, e.b.Offset+e.b.Bytes)
	return fmt.Sprintf("they share bytes [%d, %d): %s; %s", from, to, e.needed(e.a), e.needed(e.b))
}

// apartReason says what lies in the way where two buffers could share and do not.
func (e *explainer) apartReason() string {
	first, second := e.a, e.b
	if second.Last < first.First {
		first, second = second, first
	}
	text := fmt.Sprintf("nothing keeps them apart: %s; %s", e.needed(first), e.needed(second))
	var others []string
	for i := range e.m.Buffers {
		c := &e.m.Buffers[i]
		alive := c.First <= second.Last && second.First <= c.Last && c != second
		if alive && c.Offset < first.Offset+second.Bytes && first.Offset < c.Offset+c.Bytes {
			others = append(others, fmt.Sprintf("%%%d (%s, %s) at [%d, %d)", c.Value, c.Op, c.Source, c.Offset, c.Offset+c.Bytes))
		}
	}
	switch {
	case first.Offset+second.Bytes > e.m.Bytes:
		text += fmt.Sprintf(". Where %%%d lies, %%%d would end behind the arena", first.Value, second.Value)
	case len(others) > 0:
		more := ""
		if n := len(others) - 3; n > 0 {
			others, more = others[:3], fmt.Sprintf(" and %d more", n)
		}
		text += fmt.Sprintf(". Where %%%d lies, %%%d would meet %s%s", first.Value, second.Value, strings.Join(others, ", "), more)
	default:
		text += fmt.Sprintf(". %%%d could lie where %%%d does: the planner found another gap first", second.Value, first.Value)
	}
	if e.m.Bytes == e.m.Bound {
		text += ". The arena is as small as it can be either way"
	}
	return text
}
