package plan_test

import (
	"encoding/binary"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/plan/planpb"
)

// site is a place of a message that an edit can change: a scalar, or a whole list.
type site func(e *editor)

// editor reads choices from the fuzzer's bytes.
type editor struct{ choices []byte }

func (e *editor) next() int {
	if len(e.choices) == 0 {
		return 0
	}
	c := e.choices[0]
	e.choices = e.choices[1:]
	return int(c)
}

// pick is a choice among n.
func (e *editor) pick(n int) int { return (e.next()<<8 | e.next()) % n }

// number is small, or at the edge of something.
func (e *editor) number() uint64 {
	edges := []uint64{1 << 8, 1 << 16, 1<<16 + 1, 1 << 20, 1 << 31, 1<<31 + 1, math.MaxUint32, 1 << 46, math.MaxInt64, math.MaxUint64}
	if c := e.next(); c < 200 {
		return uint64(c)
	} else {
		return edges[c%len(edges)]
	}
}

// sites lists what can be changed in a message, in the order of its fields.
func sites(m protoreflect.Message) []site {
	var out []site
	for i := range m.Descriptor().Fields().Len() {
		field := m.Descriptor().Fields().Get(i)
		if field.ContainingOneof() != nil && !m.Has(field) {
			continue
		}
		switch {
		case field.IsList():
			out = append(out, listSites(m, field)...)
		case field.Kind() != protoreflect.MessageKind:
			out = append(out, func(e *editor) { m.Set(field, e.value(field, m.Get(field))) })
		case m.Has(field):
			out = append(out, func(*editor) { m.Clear(field) })
			out = append(out, sites(m.Get(field).Message())...)
		}
	}
	return out
}

func listSites(m protoreflect.Message, field protoreflect.FieldDescriptor) []site {
	list := m.Mutable(field).List()
	out := []site{func(e *editor) { e.reorder(list) }}
	for i := range list.Len() {
		if field.Kind() == protoreflect.MessageKind {
			out = append(out, sites(list.Get(i).Message())...)
		} else {
			out = append(out, func(e *editor) {
				if i < list.Len() {
					list.Set(i, e.value(field, list.Get(i)))
				}
			})
		}
	}
	return out
}

// reorder drops, doubles or exchanges elements of a list.
func (e *editor) reorder(list protoreflect.List) {
	if list.Len() == 0 {
		list.Append(list.NewElement())
		return
	}
	i, j := e.pick(list.Len()), e.pick(list.Len())
	a, b := list.Get(i), list.Get(j)
	switch e.next() % 4 {
	case 0:
		list.Set(i, list.Get(list.Len()-1))
		list.Truncate(list.Len() - 1)
	case 1:
		list.Append(a)
	case 2:
		list.Set(i, b)
		list.Set(j, a)
	case 3:
		list.Append(list.NewElement())
	}
}

// value makes another value for a scalar.
func (e *editor) value(field protoreflect.FieldDescriptor, old protoreflect.Value) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(!old.Bool())
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(e.next() % 9))
	case protoreflect.StringKind:
		names := []string{"", "forward", "embed", "attn", "linear", "act.silu", "add", "T", "bf16", "{e}", old.String() + "x"}
		return protoreflect.ValueOfString(names[e.next()%len(names)])
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(math.Float64frombits(binary.LittleEndian.Uint64(append(e.choices, make([]byte, 8)...))))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(e.number()))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(e.number())
	case protoreflect.Sint32Kind, protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(e.number()) - 1)
	case protoreflect.Sint64Kind, protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(e.number()) - 1)
	}
	panic("a plan has no fields of kind " + field.Kind().String())
}

// FuzzDecodeEdits changes single fields of the message of a small plan, so that the fuzzer does not have to
// find out how the wire form works.
func FuzzDecodeEdits(f *testing.F) {
	base := wire(f, encode(f, hand(f)))
	total := len(sites(proto.Clone(base).ProtoReflect()))
	for i := range total {
		for _, value := range []byte{0, 1, 2, 255} {
			f.Add([]byte{byte(i >> 8), byte(i), value, 1, 2, value})
		}
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		pb := proto.Clone(base).(*planpb.Plan)
		e := &editor{choices}
		for edits := 0; len(e.choices) > 0 && edits < 8; edits++ {
			all := sites(pb.ProtoReflect())
			all[e.pick(len(all))](e)
		}
		body, err := proto.Marshal(pb)
		if err != nil {
			return
		}
		if p, err := plan.Decode(withHeader(body)); err == nil {
			checkAccepted(t, p)
		}
	})
}
