package passes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
)

// Remark is what a pass has to say about one site.
type Remark struct {
	Pass    string
	ID      string // stable: the pass's name, a dot, what happened
	Applied bool
	Entry   string
	Buckets string // sizes of steps that it is about, where the entry has variants: "decode 1..64"
	Layer   int    // -1 outside of any layer
	Source  string // file:line:col
	End     string // line:col behind the last character there; "": not known
	Reason  string // why it was missed, or what is worth knowing where it was applied
	Saves   Saves

	graph *ir.Graph
}

// RemarkKind is one thing that a pass has to say. Scripts rely on the ID: it stays as it is, whatever the text says.
type RemarkKind struct {
	ID      string // what happened: a remark's ID is the pass's name, a dot, and this
	Applied bool
	Doc     string // what it means, without a full stop
}

// applied and missed record a site. The ID is the pass's name with a suffix, such as "shared_width".
func (c *Context) applied(g *ir.Graph, o ir.Origin, id string, saves Saves, format string, args ...any) {
	c.remark(g, o, id, true, saves, format, args...)
}

func (c *Context) missed(g *ir.Graph, o ir.Origin, id, format string, args ...any) {
	c.remark(g, o, id, false, Saves{}, format, args...)
}

func (c *Context) remark(g *ir.Graph, o ir.Origin, id string, applied bool, saves Saves, format string, args ...any) {
	buckets := ""
	if len(c.Module.Variants(g.Name)) > 1 {
		buckets = ir.BucketNames(g.Buckets)
	}
	c.remarks = append(c.remarks, Remark{
		Pass: c.pass.Name, ID: c.pass.Name + "." + id, Applied: applied, Entry: g.Name, Buckets: buckets, Layer: o.Layer,
		Source: o.Source, End: o.End, Reason: fmt.Sprintf(format, args...), Saves: saves, graph: g,
	})
}

// RequireError says where a required pass did not apply.
type RequireError struct {
	Pass   string
	Missed []Remark // empty where the pass found no site at all
}

func (e *RequireError) Error() string {
	if len(e.Missed) == 0 {
		return fmt.Sprintf("required pass %s found nothing to apply to in this model", e.Pass)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "required pass %s was missed at %s:", e.Pass, sites(len(e.Missed)))
	const shown = 5
	lines := e.lines()
	for _, line := range lines[:min(shown, len(lines))] {
		b.WriteString("\n  " + line)
	}
	if n := len(lines) - shown; n > 0 {
		fmt.Fprintf(&b, "\n  ... and %d more", n)
	}
	return b.String()
}

// lines are the remarks as texts, those that are alike but for the layer once.
func (e *RequireError) lines() []string {
	type key struct{ source, entry, buckets, reason, id string }
	var order []key
	numbers := map[key][]int{}
	for _, r := range e.Missed {
		k := key{r.Source, r.Entry, r.Buckets, r.Reason, r.ID}
		if r.Layer >= 0 {
			k.reason = layers.Replace(r.Reason, strconv.Itoa(r.Layer))
		}
		if numbers[k] == nil {
			order = append(order, k)
		}
		numbers[k] = append(numbers[k], r.Layer)
	}
	var out []string
	for _, k := range order {
		slices.Sort(numbers[k])
		where := layers.At(k.entry, slices.Compact(numbers[k]))
		if k.buckets != "" {
			where += ", " + k.buckets
		}
		out = append(out, fmt.Sprintf("%s: %s: %s [%s]", k.source, where, k.reason, k.id))
	}
	return out
}

func sites(n int) string {
	if n == 1 {
		return "1 site"
	}
	return fmt.Sprintf("%d sites", n)
}

func checkRequired(results []Result, o *Options) error {
	for _, r := range results {
		if !slices.Contains(o.Require, r.Pass.Name) {
			continue
		}
		e := &RequireError{Pass: r.Pass.Name, Missed: r.unmet()}
		if len(e.Missed) > 0 || r.Applied == 0 {
			return e
		}
	}
	return nil
}

// Unprofitable ends the ID of a miss that a price decided.
const Unprofitable = "unprofitable"

// unmet lists the misses that a pass that is required must not have. That a price decided against it at some step sizes
// is none, where it applied to the same site for others: that is what the sizes are told apart for.
func (r *Result) unmet() []Remark {
	type site struct {
		entry, source string
		layer         int
	}
	at := func(k Remark) site { return site{k.Entry, k.Source, k.Layer} }
	applied := map[site]bool{}
	for _, k := range r.Remarks {
		applied[at(k)] = applied[at(k)] || k.Applied
	}
	var out []Remark
	for _, k := range r.Remarks {
		if !k.Applied && !(applied[at(k)] && strings.HasSuffix(k.ID, "."+Unprofitable)) {
			out = append(out, k)
		}
	}
	return out
}
