package report

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/passes"
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

// Remarks writes remarks of a plan, pass by pass and place by place. Those that are alike but for the layer are written
// once: "layers 3..91, 89 x".
func Remarks(w io.Writer, p *plan.Plan, remarks []plan.Remark) error {
	var b strings.Builder
	pass := ""
	for _, g := range collapse(NewScale(p), remarks) {
		if g.pass != pass {
			pass = g.pass
			fmt.Fprintf(&b, "\n%s\n", pass)
		}
		fmt.Fprintf(&b, "  %s  %s\n", g.text(), g.source)
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

type place struct{ pass, entry, buckets, source, end string }

// text says where remarks belong: "forward, layers 3..91, 89 x, decode 1..64".
func (g *group) text() string {
	text := layers.At(g.entry, g.layers)
	if g.buckets != "" {
		text += ", " + g.buckets
	}
	return text
}

// note is a remark without its place, with {n} for the layer's number.
type note struct {
	applied           bool
	id, reason, saves string
}

// collapse joins remarks that are alike, and then those about one place that concern the same layers. Their
// order is that of the first of each.
func collapse(scale *Scale, remarks []plan.Remark) []group {
	type key struct {
		place
		note
	}
	var order []key
	numbers := map[key][]int{}
	for _, r := range remarks {
		k := key{place{r.Pass, r.Entry, r.Buckets, r.Source, r.End}, note{r.Applied, r.ID, Readable(r.Reason), scale.savings(r)}}
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

// Unpriced is a reason without the prices that may end it, which another device or another number of ranks changes.
func Unpriced(reason string) string {
	said, _, _ := strings.Cut(reason, passes.Priced)
	return said
}

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

// Savings says what a rewrite saves at each execution: launches, and bytes of activations for each token, with a sign
// where it costs. It is empty where that is nothing.
func Savings(launches int, bytes int64) string {
	var parts []string
	switch launches {
	case 0:
	case 1, -1:
		parts = append(parts, fmt.Sprintf("%d launch", launches))
	default:
		parts = append(parts, fmt.Sprintf("%d launches", launches))
	}
	switch {
	case bytes > 0:
		parts = append(parts, Bytes(bytes)+" of activations a token")
	case bytes < 0:
		parts = append(parts, "-"+Bytes(-max(bytes, -math.MaxInt64))+" of activations a token")
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
	for i, word := range wordsOf(text) {
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

// quantity is a number and its unit, which stay on one line.
var quantity = regexp.MustCompile(`^\d+(\.\d+)? ([µm]?s|[KMGT]i?B|B)\b`)

// wordsOf splits a text where lines may end.
func wordsOf(text string) []string {
	var out []string
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i++ {
		if i+1 < len(fields) && quantity.MatchString(fields[i]+" "+fields[i+1]) {
			out = append(out, fields[i]+" "+fields[i+1])
			i++
			continue
		}
		out = append(out, fields[i])
	}
	return out
}
