package diff

import (
	"fmt"
	"regexp"
	"strings"
)

// writeWeights lists weights by name. The stored tensors stand once, in the name; recipes show what is done to them.
func (d *Diff) writeWeights(b *strings.Builder) {
	h := holdings{whole: d.wholeEntries()}
	for _, w := range d.Weights {
		switch {
		case h.lacks(w.Entry):
		case w.A == nil:
			h.onlyB(w.Entry, generic(w.B.Name)+"\t"+weightType(w.B), w.B.Layer)
		case w.B == nil:
			h.onlyA(w.Entry, generic(w.A.Name)+"\t"+weightType(w.A), w.A.Layer)
		default:
			h.both(w.Entry, weightChange(w.A, w.B), w.A.Layer, w.B.Layer)
		}
	}
	d.writeHeld(b, "weights", &h)
}

func (d *Diff) writeCaches(b *strings.Builder) {
	h := holdings{whole: d.wholeEntries()}
	for _, c := range d.Caches {
		switch {
		case h.lacks(c.Entry):
		case c.A == nil:
			h.onlyB(c.Entry, generic(c.B.Name)+"\t"+cacheText(c.B), c.B.Layer)
		case c.B == nil:
			h.onlyA(c.Entry, generic(c.A.Name)+"\t"+cacheText(c.A), c.A.Layer)
		default:
			h.both(c.Entry, generic(c.A.Name)+"\t"+cacheText(c.A)+" -> "+cacheText(c.B), c.A.Layer, c.B.Layer)
		}
	}
	d.writeHeld(b, "KV caches", &h)
}

// holdings collects what a plan holds beside its operators, for one list.
type holdings struct {
	groups                  groups
	whole                   map[string]int // how much of the entries that one side lacks altogether
	removed, added, changed int
}

// lacks reports, and counts, what belongs to an entry that one side lacks.
func (h *holdings) lacks(entry string) bool {
	_, lacking := h.whole[entry]
	if lacking {
		h.whole[entry]++
	}
	return lacking
}

func (h *holdings) onlyA(entry, text string, layer int) {
	h.removed++
	h.groups.add("- "+text, entry, layer, layer)
}

func (h *holdings) onlyB(entry, text string, layer int) {
	h.added++
	h.groups.add("+ "+text, entry, layer, layer)
}

func (h *holdings) both(entry, text string, a, b int) {
	h.changed++
	h.groups.add("~ "+text, entry, a, b)
}

func (d *Diff) writeHeld(b *strings.Builder, title string, h *holdings) {
	total := h.removed + h.added + h.changed
	for _, n := range h.whole {
		total += n
	}
	if total == 0 {
		return
	}
	b.WriteString(countedTitle(title, h.removed, h.added, h.changed))
	d.writeWhole(b, h.whole)
	writeHeadings(b, &h.groups)
}

func weightType(w *WeightSide) string {
	return w.DType + strings.ReplaceAll(fmt.Sprint(w.Shape), " ", ", ")
}

func weightChange(a, b *WeightSide) string {
	name := strings.TrimSuffix(generic(a.Name), rankPart.FindString(a.Name))
	text := name
	if other := strings.TrimSuffix(generic(b.Name), rankPart.FindString(b.Name)); other != name {
		text += " | " + other
	}
	if x, y := weightType(a), weightType(b); x != y {
		text += "\t" + x + " -> " + y
	} else {
		text += "\t" + x
	}
	if x, y := recipeShape(a.Recipe), recipeShape(b.Recipe); x != y {
		text += "\t" + x + " -> " + y
	}
	return text
}

// rankPart is what the split over ranks puts behind a weight's name; the recipe says the same.
var rankPart = regexp.MustCompile(` @\d+/\d+$`)

// leaf is a stored tensor in a recipe.
var leaf = regexp.MustCompile(`(tensor|each)\("(?:[^"\\]|\\.)*" \[[^\]]*\](?:, \d+)?\)`)

// recipeShape is a recipe without the names of the stored tensors, which the weight's own name has.
func recipeShape(recipe string) string { return leaf.ReplaceAllString(recipe, "$1") }

func cacheText(c *CacheSide) string {
	return fmt.Sprintf("%d heads of %d keys and %d values", c.Heads, c.HeadDim, c.ValueDim)
}
