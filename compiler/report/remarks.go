package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
)

// Filter picks remarks. The zero value picks all.
type Filter struct {
	Pass  string
	Entry string
	Layer *int
}

// Select returns a plan's remarks that a filter picks, in order.
func Select(p *plan.Plan, f Filter) []plan.Remark {
	var out []plan.Remark
	for _, r := range p.Remarks {
		if (f.Pass == "" || r.Pass == f.Pass) && (f.Entry == "" || r.Entry == f.Entry) && (f.Layer == nil || r.Layer == *f.Layer) {
			out = append(out, r)
		}
	}
	return out
}

// Remarks writes remarks, pass by pass and place by place. Those that are alike but for the layer are written
// once: "layers 3..91, 89 x".
func Remarks(w io.Writer, remarks []plan.Remark) error {
	var b strings.Builder
	pass := ""
	for _, g := range collapse(remarks) {
		if g.pass != pass {
			pass = g.pass
			fmt.Fprintf(&b, "\n%s\n", pass)
		}
		buckets := ""
		if g.buckets != "" {
			buckets = ", " + g.buckets
		}
		fmt.Fprintf(&b, "  %s%s  %s\n", layers.At(g.entry, g.layers), buckets, g.source)
		for _, n := range g.notes {
			n.write(&b)
		}
	}
	_, err := io.WriteString(w, diag.Printable(b.String()))
	return err
}

// group is what was said about one place in the source, for the same layers.
type group struct {
	place
	layers []int
	notes  []note
}

type place struct{ pass, entry, buckets, source string }

// note is a remark without its place, with {n} for the layer's number.
type note struct {
	applied           bool
	id, reason, saves string
}

// collapse joins remarks that are alike, and then those about one place that concern the same layers. Their
// order is that of the first of each.
func collapse(remarks []plan.Remark) []group {
	type key struct {
		place
		note
	}
	var order []key
	numbers := map[key][]int{}
	for _, r := range remarks {
		k := key{place{r.Pass, r.Entry, r.Buckets, r.Source}, note{r.Applied, r.ID, Readable(r.Reason), Savings(r.SavesLaunches, r.SavesBytes)}}
		if numbers[k] == nil {
			order = append(order, k)
		}
		numbers[k] = append(numbers[k], r.Layer)
	}
	var groups []group
	for _, k := range order {
		list := numbers[k]
		slices.Sort(list)
		list = slices.Compact(list)
		if n := len(groups) - 1; n >= 0 && groups[n].place == k.place && slices.Equal(groups[n].layers, list) {
			groups[n].notes = append(groups[n].notes, k.note)
			continue
		}
		groups = append(groups, group{k.place, list, []note{k.note}})
	}
	return groups
}

var (
	layerNumber = regexp.MustCompile(`layers\.\d+\.`)
	byteCount   = regexp.MustCompile(`\b(\d+) bytes( instead of (\d+))?\b`)
)

// Readable is a reason as people want it: {n} for the layer's number, and sizes with units.
func Readable(reason string) string {
	reason = layerNumber.ReplaceAllString(reason, "layers.{n}.")
	return byteCount.ReplaceAllStringFunc(reason, func(text string) string {
		m := byteCount.FindStringSubmatch(text)
		size, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return text
		}
		if m[2] == "" {
			return Bytes(size)
		}
		before, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			return text
		}
		return Bytes(size) + " instead of " + Bytes(before)
	})
}

// Savings says what a rewrite saves at each execution: launches, and bytes of activations for each token. It is
// empty where that is nothing.
func Savings(launches int, bytes int64) string {
	var parts []string
	switch {
	case launches == 1:
		parts = append(parts, "1 launch")
	case launches > 1:
		parts = append(parts, fmt.Sprintf("%d launches", launches))
	}
	if bytes > 0 {
		parts = append(parts, Bytes(bytes)+" of activations a token")
	}
	return strings.Join(parts, ", ")
}

// lineWidth is where remarks are wrapped, in bytes.
const lineWidth = 128

// write writes "applied  id: reason", and under it what that saves.
func (n note) write(b *strings.Builder) {
	lead := "    missed   "
	if n.applied {
		lead = "    applied  "
	}
	indent := strings.Repeat(" ", len(lead))
	b.WriteString(lead)
	wrap(b, indent, n.id+": "+n.reason)
	if n.saves != "" {
		b.WriteString(indent)
		wrap(b, indent, "saves "+n.saves)
	}
}

// wrap writes words behind an indent, and continues behind another one of the same width on the next lines.
func wrap(b *strings.Builder, indent, text string) {
	column := len(indent)
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > lineWidth:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
}
