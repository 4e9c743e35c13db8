package passes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
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
	Reason  string // why it was missed, or what is worth knowing where it was applied
	Saves   Saves
}

// Saves is what an applied rewrite saves at each execution of the site.
type Saves struct {
	Launches int   // kernel launches
	Bytes    int64 // bytes of activations that no longer go through memory, for each token
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
		Source: o.Source, Reason: fmt.Sprintf(format, args...), Saves: saves,
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
	fmt.Fprintf(&b, "required pass %s was missed at %d sites:", e.Pass, len(e.Missed))
	const shown = 5
	for i, r := range e.Missed {
		if i == shown {
			fmt.Fprintf(&b, "\n  ... and %d more", len(e.Missed)-shown)
			break
		}
		fmt.Fprintf(&b, "\n  %s: %s, layer %d: %s [%s]", r.Source, r.Entry, r.Layer, r.Reason, r.ID)
	}
	return b.String()
}

func checkRequired(results []Result, o *Options) error {
	for _, r := range results {
		if !slices.Contains(o.Require, r.Pass.Name) || r.Missed == 0 && r.Applied > 0 {
			continue
		}
		e := &RequireError{Pass: r.Pass.Name}
		for _, k := range r.Remarks {
			if !k.Applied {
				e.Missed = append(e.Missed, k)
			}
		}
		return e
	}
	return nil
}

// rowBytes is the size of one token's row of a value.
func rowBytes(v *ir.Value) int64 {
	n := int64(v.Type.DType.Size())
	for _, d := range v.Type.Shape {
		if d.IsConst() {
			n *= int64(d.Add)
		}
	}
	return n
}
