package diff

import (
	"fmt"
	"regexp"
	"strings"
)

// writeWeights lists weights by name. The stored tensors stand once, in the name; recipes show what is done to them.
func (d *Diff) writeWeights(b *strings.Builder) {
	var g groups
	var removed, added, changed int
	whole := d.wholeEntries()
	for _, w := range d.Weights {
		_, lacking := whole[w.Entry]
		switch {
		case lacking:
			whole[w.Entry]++
		case w.A == nil:
			added++
			g.add("+ "+generic(w.B.Name)+"\t"+weightType(w.B), w.Entry, w.B.Layer, w.B.Layer)
		case w.B == nil:
			removed++
			g.add("- "+generic(w.A.Name)+"\t"+weightType(w.A), w.Entry, w.A.Layer, w.A.Layer)
		default:
			changed++
			g.add("~ "+weightChange(w.A, w.B), w.Entry, w.A.Layer, w.B.Layer)
		}
	}
	d.writeHeld(b, "weights", &g, whole, removed, added, changed)
}

func (d *Diff) writeCaches(b *strings.Builder) {
	var g groups
	var removed, added, changed int
	whole := d.wholeEntries()
	for _, c := range d.Caches {
		_, lacking := whole[c.Entry]
		switch {
		case lacking:
			whole[c.Entry]++
		case c.A == nil:
			added++
			g.add("+ "+generic(c.B.Name)+"\t"+cacheText(c.B), c.Entry, c.B.Layer, c.B.Layer)
		case c.B == nil:
			removed++
			g.add("- "+generic(c.A.Name)+"\t"+cacheText(c.A), c.Entry, c.A.Layer, c.A.Layer)
		default:
			changed++
			g.add("~ "+generic(c.A.Name)+"\t"+cacheText(c.A)+" -> "+cacheText(c.B), c.Entry, c.A.Layer, c.B.Layer)
		}
	}
	d.writeHeld(b, "KV caches", &g, whole, removed, added, changed)
}

func (d *Diff) writeHeld(b *strings.Builder, title string, g *groups, whole map[string]int, removed, added, changed int) {
	total := removed + added + changed
	for _, n := range whole {
		total += n
	}
	if total == 0 {
		return
	}
	b.WriteString(countedTitle(title, removed, added, changed))
	d.writeWhole(b, whole)
	writeHeadings(b, g)
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
