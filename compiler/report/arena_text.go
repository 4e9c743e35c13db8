package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/dsl/diag"
)

// Arenas writes a table of arenas: how large they are, how large they have to be, and how much is computed in place.
func Arenas(w io.Writer, list []*Arena) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ENTRY\tBUCKET\tARENA\tBOUND\tRATIO\tIN PLACE\tRESULTS\tMOST IS ALIVE AT")
	for _, a := range list {
		fmt.Fprintf(t, "%s\t%s %d\t%s\t%s\t%.3f\t%d of %d\t%s\t%s\n", a.Entry, a.Phase, a.Tokens, Bytes(a.Bytes), Bytes(a.Bound), a.ratio(), a.InPlace,
			len(a.Buffers), Bytes(a.total()), a.peakName())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, diag.Printable(b.String()))
	return err
}

// ratio is how far the arena is above the bound; 1 where nothing is alive.
func (a *Arena) ratio() float64 {
	if a.Bound == 0 {
		return 1
	}
	return float64(a.Bytes) / float64(a.Bound)
}

// total is what the results would take side by side.
func (a *Arena) total() int64 {
	sum := int64(0)
	for _, b := range a.Buffers {
		sum += b.Bytes
	}
	return sum
}

// peakName says where most is alive, in all layers of which it holds.
func (a *Arena) peakName() string {
	var numbers []int
	name := ""
	for i, b := range a.Buffers {
		if a.Live[b.First] != a.Live[a.Peak] || i > 0 && a.Buffers[i-1].First == b.First {
			continue
		}
		if name == "" {
			name = fmt.Sprintf("%s (%s)", b.Op, b.Source)
			if b.Layer < 0 {
				return name
			}
		}
		if name == fmt.Sprintf("%s (%s)", b.Op, b.Source) {
			numbers = append(numbers, b.Layer)
		}
	}
	slices.Sort(numbers)
	if where := layers.Where(numbers); where != "" {
		return name + ", " + where
	}
	return name
}

// shown is how many buffers ArenaPeak lists.
const shown = 12

// ArenaPeak writes the largest buffers at the step where most is alive.
func ArenaPeak(w io.Writer, a *Arena) error {
	if len(a.Buffers) == 0 {
		return nil
	}
	at := a.At(a.Peak)
	slices.SortStableFunc(at, func(x, y int) int { return cmp.Compare(a.Buffers[y].Bytes, a.Buffers[x].Bytes) })
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s alive at step %d of %d, %s\n", a, Bytes(a.Live[a.Peak]), a.Peak, a.Steps, a.peakName())
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "  BYTES\tOFFSET\tSTEPS\tVALUE\tTYPE\tOPERATOR\tWHERE\tSOURCE")
	for i, n := range at {
		if i == shown {
			break
		}
		x := &a.Buffers[n]
		value := fmt.Sprintf("%%%d", x.Value)
		if x.InPlaceOf >= 0 {
			value += fmt.Sprintf(" in place of %%%d", a.Buffers[x.InPlaceOf].Value)
		}
		fmt.Fprintf(t, "  %s\t%d\t%d..%d\t%s\t%s\t%s\t%s\t%s\n", Bytes(x.Bytes), x.Offset, x.First, x.Last, value, x.Type, x.Op, x.Path, x.Source)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if more := len(at) - shown; more > 0 {
		fmt.Fprintf(&b, "  and %d smaller\n", more)
	}
	_, err := io.WriteString(w, diag.Printable(b.String()))
	return err
}

// WriteWhy writes why two results share bytes, or why they do not.
func WriteWhy(w io.Writer, a *Arena, y *Why) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", a)
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, x := range []*ArenaBuffer{&y.A, &y.B} {
		fmt.Fprintf(t, "  %%%d\t%s\t%s\t%s\t%s\t[%d, %d)\tsteps %d..%d\n", x.Value, x.Type, x.Op, x.Path, x.Source, x.Offset, x.Offset+x.Bytes, x.First, x.Last)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s: %s\n", y.Verdict, y.Reason)
	_, err := io.WriteString(w, diag.Printable(b.String()))
	return err
}
