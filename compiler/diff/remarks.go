package diff

import (
	"fmt"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
)

// Pass is a pass whose row in the pass table differs.
type Pass struct {
	Name string `json:"name"`
	Pair[PassSide]
}

// PassSide is a pass in one plan.
type PassSide struct {
	Doc         string `json:"doc"`
	Numeric     string `json:"numeric"`
	Disabled    bool   `json:"disabled"`
	Applied     int    `json:"applied"`
	Missed      int    `json:"missed"`
	NodesBefore int    `json:"nodes_before"`
	NodesAfter  int    `json:"nodes_after"`
}

// Remark is a remark that only one plan has, or one of both that stands elsewhere in the source or saves
// something else. Where a pass fired in one plan and not in the other, each has a remark that the other lacks.
type Remark struct {
	Pass  string `json:"pass"`
	Entry string `json:"entry"`
	Pair[RemarkSide]
}

// RemarkSide is a remark in one plan.
type RemarkSide struct {
	Status        string  `json:"status"` // "applied" or "missed"
	ID            string  `json:"id"`
	Layer         int     `json:"layer"`             // -1: outside of any layer
	Buckets       string  `json:"buckets,omitempty"` // where the entry has several programs
	Source        string  `json:"source"`            // file:line:col
	End           string  `json:"end"`               // line:col behind the last character there; "": not known
	Reason        string  `json:"reason"`
	SavesLaunches int     `json:"saves_launches"`
	SavesBytes    int64   `json:"saves_bytes_per_token"`
	SavesDecode   float64 `json:"saves_decode_us"` // of the largest decode bucket, as predicted
	SavesPrefill  float64 `json:"saves_prefill_us"`
}

func passes(a, b *plan.Plan) []Pass {
	index := func(p *plan.Plan) ([]string, map[string]*PassSide) {
		var names []string
		out := map[string]*PassSide{}
		for _, x := range p.Passes {
			names = append(names, x.Name)
			out[x.Name] = &PassSide{x.Doc, x.Numeric, x.Disabled, x.Applied, x.Missed, x.NodesBefore, x.NodesAfter}
		}
		return names, out
	}
	namesA, inA := index(a)
	namesB, inB := index(b)
	out := []Pass{}
	for _, name := range union(namesA, namesB) {
		if p, differs := pairOf(inA[name], inB[name]); differs {
			out = append(out, Pass{name, p})
		}
	}
	return out
}

// remarks pairs remarks that say the same of one entry and layer.
func (c *comparison) remarks() []Remark {
	out := []Remark{}
	compareHeld(c, remarksOf(c.a, c.sources.a), remarksOf(c.b, c.sources.b), func(_ string, p Pair[remarkHeld]) {
		r := Remark{}
		for _, side := range []struct {
			from *remarkHeld
			to   **RemarkSide
		}{{p.A, &r.A}, {p.B, &r.B}} {
			if side.from != nil {
				r.Pass, r.Entry = side.from.pass, side.from.entry
				*side.to = &side.from.RemarkSide
			}
		}
		out = append(out, r)
	})
	return out
}

type remarkHeld struct {
	RemarkSide
	pass, entry string
}

func remarksOf(p *plan.Plan, file string) []held[remarkHeld] {
	var out []held[remarkHeld]
	for _, r := range p.Remarks {
		side := &remarkHeld{RemarkSide{status(r), r.ID, r.Layer, r.Buckets, r.Source, r.End, r.Reason, r.SavesLaunches, r.SavesBytes,
			report.Microseconds(r.SavesDecode), report.Microseconds(r.SavesPrefill)}, r.Pass, r.Entry}
		layer := ""
		if r.Layer >= 0 {
			layer = fmt.Sprint(r.Layer)
		}
		key := fmt.Sprintf("%q %v %q %q %q", r.Pass, r.Applied, r.ID, r.Buckets, layers.Replace(report.Unpriced(r.Reason), layer))
		out = append(out, held[remarkHeld]{entry: r.Entry, key: key, layer: layer, side: side,
			same: fmt.Sprintf("%d %d %d %d %s %s", r.SavesLaunches, r.SavesBytes, r.SavesDecode, r.SavesPrefill,
				strings.TrimPrefix(r.Reason, report.Unpriced(r.Reason)), place(file, ir.JoinRange(r.Source, r.End)))})
	}
	return out
}

func status(r plan.Remark) string {
	if r.Applied {
		return "applied"
	}
	return "missed"
}
