package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/importer"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/safetensors"
	"github.com/glmc/glmc/runtime/weights"
)

// Bounds of what is printed about families that are near.
const (
	nearFamilies = 3
	nearKeys     = 12 // of each kind of difference
)

// unknown reports a config.json that no family of the binary describes: what is known, and what is near. The checkpoint
// is nil where there is only a configuration.
func (f *importFlags) unknown(doc *config.Document, ckpt *safetensors.Checkpoint, reason error) error {
	var families []importer.Family
	for _, family := range models.Families() {
		families = append(families, importable(family))
	}
	candidates := importer.Nearest(doc, families)
	withoutWrongGuess(reason, doc, ckpt)
	err := fmt.Errorf("%s: %w", doc.Name, reason)
	out := importFailure{Error: err.Error(), Architectures: doc.Architectures(), Known: models.Classes()}
	for i, c := range candidates {
		n := newNearFamily(c)
		if ckpt != nil && i < nearFamilies && n.Near {
			n.Tensors = compareTensors(c, doc, ckpt)
		}
		out.Nearest = append(out.Nearest, n)
	}
	_, quantisation := doc.Quantization()
	if quantisation != nil {
		out.Quantization = quantisation.Error()
	}
	if f.asJSON {
		return f.failed(out, err)
	}
	fmt.Fprintf(os.Stderr, "glmc: %v\n", err)
	near := slices.DeleteFunc(out.Nearest, func(n nearFamily) bool { return !n.Near })
	near = near[:min(len(near), nearFamilies)]
	if len(near) > 0 {
		fmt.Fprintln(os.Stderr, "The nearest of them, by the keys of the configuration:")
	} else {
		fmt.Fprintln(os.Stderr, "By the keys of the configuration, none of them is near.")
	}
	for _, n := range near {
		n.print(doc)
	}
	if quantisation != nil {
		fmt.Fprintf(os.Stderr, "Its quantisation is not supported either: %v\n", quantisation)
	}
	advice := "A model that differs can be described in a .glm file of its own: docs/language.md says how"
	if len(near) > 0 {
		advice += fmt.Sprintf("; begin with a copy of the nearest one, glmc fmt %s > FILE.glm", beginWith(near).Model)
	}
	fmt.Fprintln(os.Stderr, advice+".")
	return errReported
}

// beginWith is the family to begin with: the nearest by the keys, or where its tensors could be compared, the one whose
// tensors differ least.
func beginWith(near []nearFamily) nearFamily {
	best := near[0]
	for _, n := range near[1:] {
		if best.Tensors != nil && n.Tensors != nil && n.Tensors.differences() < best.Tensors.differences() {
			best = n
		}
	}
	return best
}

// withoutWrongGuess drops the guess at a class from an error where the checkpoint's tensors are not those of its family:
// to change the name in config.json would not help.
func withoutWrongGuess(reason error, doc *config.Document, ckpt *safetensors.Checkpoint) {
	var unknown *models.UnknownError
	if ckpt == nil || !errors.As(reason, &unknown) {
		return
	}
	family, err := models.ForArchitectures([]string{unknown.Guess()})
	if err != nil {
		return
	}
	t := compareTensors(importer.Candidate{Family: importable(family)}, doc, ckpt)
	unknown.Plain = t == nil || !t.Fit
}

// tensorComparison is how a checkpoint's tensors differ from those that a family asks for.
type tensorComparison struct {
	Fit     bool     `json:"fit"`
	Missing []string `json:"missing"` // that the family asks for and the checkpoint lacks, alike ones as one
	Unread  []string `json:"unread"`  // that the checkpoint has and the family has none of
	Wrong   []string `json:"wrong"`   // of another shape or format
}

func (t *tensorComparison) differences() int { return len(t.Missing) + len(t.Unread) + len(t.Wrong) }

// compareTensors compares names and shapes. It returns nil where the family cannot be compiled for the configuration.
func compareTensors(c importer.Candidate, doc *config.Document, ckpt *safetensors.Checkpoint) *tensorComparison {
	lowered, ok := c.Lower(doc)
	if !ok {
		return nil
	}
	problems, err := weights.Compare(&plan.Plan{Module: lowered.Module, Aliases: lowered.Aliases, Ignores: lowered.Ignores}, ckpt)
	if err != nil {
		return nil
	}
	t := &tensorComparison{Fit: len(problems) == 0, Missing: []string{}, Unread: []string{}, Wrong: []string{}}
	for _, alike := range groupAlike(problems) {
		switch what := namesOf(alike); alike[0].Kind {
		case weights.Missing:
			t.Missing = append(t.Missing, what)
		case weights.Unused:
			t.Unread = append(t.Unread, what)
		default:
			t.Wrong = append(t.Wrong, what)
		}
	}
	return t
}

func (n nearFamily) print(doc *config.Document) {
	fmt.Fprintf(os.Stderr, "  %s, %s, for %s: %s in common\n", n.Family, n.Model, strings.Join(n.Architectures, ", "), diag.Count(n.common, "key"))
	line := func(what string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(os.Stderr, "    %s: %s\n", what, some(list))
		}
	}
	line("config.json lacks, and the family wants", n.Missing)
	line("config.json has, and the family does not read", withValues(doc, n.Unread))
	for _, r := range n.Refused {
		fmt.Fprintf(os.Stderr, "    the family refuses: %s", oneLine(r.Message))
		if len(r.Values) > 0 {
			fmt.Fprintf(os.Stderr, " (%s)", oneLine(strings.Join(r.Values, ", ")))
		}
		fmt.Fprintln(os.Stderr)
	}
	if t := n.Tensors; t != nil {
		line("the checkpoint lacks, and the family wants", t.Missing)
		line("the checkpoint has, and the family does not read", t.Unread)
		line("stored in another shape or format", t.Wrong)
		if t.Fit {
			fmt.Fprintln(os.Stderr, "    the checkpoint's tensors are those that the family reads")
		}
	}
}

// shortValue bounds the values that are shown beside their keys.
const shortValue = 24

// withValues writes "key = value" for the keys whose values are short.
func withValues(doc *config.Document, keys []string) []string {
	var list []string
	for _, key := range keys {
		if item, ok := doc.Lookup(key); ok {
			if value, err := json.Marshal(item.Value()); err == nil && len(value) <= shortValue {
				key += " = " + string(value)
			}
		}
		list = append(list, key)
	}
	return list
}

// some lists keys, the first of them where there are many.
func some(keys []string) string {
	var shown []string
	for _, k := range keys[:min(len(keys), nearKeys)] {
		shown = append(shown, oneLine(k))
	}
	if more := len(keys) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}

// oneLine keeps what a file says from moving the cursor.
func oneLine(s string) string {
	const limit = 300
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "..."
	}
	quoted := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func newNearFamily(c importer.Candidate) nearFamily {
	out := nearFamily{Family: c.Family.Model.Name.Name, Model: c.Family.Path, Architectures: c.Family.Classes, Likeness: c.Likeness(),
		Near: c.Likeness() >= importer.Near, common: len(c.Read),
		Missing: listOf(c.Missing), Unread: listOf(c.Unread), Refused: []refusal{}}
	for _, r := range c.Refused {
		out.Refused = append(out.Refused, refusal{r.Message, listOf(r.Values)})
	}
	return out
}
