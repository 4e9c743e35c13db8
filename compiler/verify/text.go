package verify

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/glmc/glmc/compiler/plan"
)

// Evidence is what a plan keeps of a report in which no pass is wrong.
func (r *Report) Evidence() *plan.Evidence {
	e := &plan.Evidence{Seed: r.Seed, Config: r.Config, Lost: r.Lost}
	for _, x := range r.Results {
		e.Proofs = append(e.Proofs, plan.Proof{Pass: x.Pass.Name, Status: string(x.Status), Cases: x.Outcome.Cases,
			MaxError: x.Outcome.MaxError, Bound: x.Outcome.Bound})
	}
	return e
}

// Text writes a report as a table, a line for each pass, and what is wrong or not covered below it.
func (r *Report) Text(w io.Writer) error {
	fmt.Fprintf(w, "%s for %s, ranks: %d, seed %d\nsmall configuration: %s\n\n", r.Model, r.Target, r.Ranks, r.Seed, r.Config)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "PASS\tNUMERIC\tCASES\tMAX ERROR\tBOUND\tVERDICT")
	for _, x := range r.Results {
		if x.Outcome.Cases == 0 {
			fmt.Fprintf(t, "%s\t%s\t\t\t\t%s\n", x.Pass.Name, x.Pass.Numeric, x.Status)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", x.Pass.Name, x.Pass.Numeric, x.Outcome.Cases, size(x.Outcome.MaxError), size(x.Outcome.Bound), x.Status)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, what := range r.Lost {
		fmt.Fprintf(w, "not covered: %s\n", what)
	}
	if x := r.Failed(); x != nil {
		fmt.Fprintf(w, "\n%s is wrong: %s\n", x.Pass.Name, x.Outcome.Wrong)
	}
	return nil
}

func size(x float64) string {
	if x == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2g", x)
}

// JSON is a report as data.
type JSON struct {
	Model  string     `json:"model"`
	Target string     `json:"target"`
	Ranks  int        `json:"ranks"`
	Seed   uint64     `json:"seed"`
	Config string     `json:"config"` // integers that were made small: "KEY=VALUE KEY=VALUE"
	OK     bool       `json:"ok"`     // no pass is wrong
	Lost   []string   `json:"lost"`   // what passes say of the large model and not of the small one
	Passes []PassJSON `json:"passes"`
}

// PassJSON is the verdict on one pass.
type PassJSON struct {
	Name     string   `json:"name"`
	Numeric  string   `json:"numeric"`
	Verdict  string   `json:"verdict"`
	Cases    int      `json:"cases"`
	MaxError *float64 `json:"max_error"` // null where it is no number, because a result was none or could not be had
	Bound    float64  `json:"bound"`
	Wrong    string   `json:"wrong"` // "" where nothing is
}

// JSON returns the report as data.
func (r *Report) JSON() JSON {
	out := JSON{Model: r.Model, Target: r.Target, Ranks: r.Ranks, Seed: r.Seed, Config: r.Config, OK: r.Failed() == nil,
		Lost: append([]string{}, r.Lost...), Passes: []PassJSON{}}
	for _, x := range r.Results {
		out.Passes = append(out.Passes, PassJSON{Name: x.Pass.Name, Numeric: string(x.Pass.Numeric), Verdict: string(x.Status),
			Cases: x.Outcome.Cases, MaxError: number(x.Outcome.MaxError), Bound: x.Outcome.Bound, Wrong: x.Outcome.Wrong})
	}
	return out
}

func number(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

// Text writes where results begin to differ.
func (f *Finding) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is the first pass behind which results differ: %s\n", f.Pass.Name, f.Wrong)
	switch s := f.Site; {
	case s == nil:
		b.WriteString("no site of it is to blame: results differ although it was allowed none\n")
	case s.Entry == "":
		b.WriteString("it decides for the module as a whole and has one site\n")
	default:
		fmt.Fprintf(&b, "site %d of %d: entry %s, %s, %s\n", s.Ordinal+1, f.Sites, s.Entry, layerText(s.Layer), s.Source)
		if len(f.Layers) > 0 {
			fmt.Fprintf(&b, "layers of the model that are of this kind: %s\n", ranges(f.Layers))
		}
	}
	if p := f.First; p != nil {
		fmt.Fprintf(&b, "first value that differs: %s at %s, entry %s, %s, rank %d, step %d, by %s of its size\n",
			p.Op, p.Source, p.Entry, layerText(p.Layer), p.Rank, p.Step, size(p.Error))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func layerText(layer int) string {
	if layer < 0 {
		return "outside of the layers"
	}
	return fmt.Sprintf("layer %d of the small model", layer)
}

// ranges writes numbers that ascend: "1, 3..91".
func ranges(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := fmt.Sprint(list[i])
		if j > i {
			part = fmt.Sprintf("%d..%d", list[i], list[j])
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, ", ")
}

// FindingJSON is a finding as data; see Finding. Site and First are null where there is none.
type FindingJSON struct {
	Pass  string     `json:"pass"` // "": every pass is right, and the rest is empty
	Wrong string     `json:"wrong"`
	Sites int        `json:"sites"`
	Site  *SiteJSON  `json:"site"`
	First *PlaceJSON `json:"first"`
}

// SiteJSON is a site of a pass in the small model, from 0 on, and the layers of the model that are of its kind.
type SiteJSON struct {
	Number int    `json:"number"`
	Entry  string `json:"entry"` // "" where the pass decides for the module as a whole
	Layer  int    `json:"layer"`
	Source string `json:"source"`
	Alike  []int  `json:"alike"`
}

// PlaceJSON is a value of a run.
type PlaceJSON struct {
	Entry  string   `json:"entry"`
	Op     string   `json:"op"`
	Source string   `json:"source"`
	Layer  int      `json:"layer"`
	Step   int      `json:"step"`
	Rank   int      `json:"rank"`
	Error  *float64 `json:"error"` // null where it is no number
}

// JSON returns a finding as data; f may be nil.
func (f *Finding) JSON() FindingJSON {
	if f == nil {
		return FindingJSON{}
	}
	out := FindingJSON{Pass: f.Pass.Name, Wrong: f.Wrong, Sites: f.Sites}
	if s := f.Site; s != nil {
		out.Site = &SiteJSON{s.Ordinal, s.Entry, s.Layer, s.Source, append([]int{}, f.Layers...)}
	}
	if p := f.First; p != nil {
		out.First = &PlaceJSON{p.Entry, p.Op, p.Source, p.Layer, p.Step, p.Rank, number(p.Error)}
	}
	return out
}
