package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/glmc/glmc/compiler/importer"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/models"
)

// Bounds of what is printed about families that are near.
const (
	nearFamilies = 3
	nearKeys     = 12 // of each kind of difference
)

// unknown reports a config.json that no family of the binary describes: what is known, and what is near.
func (f *importFlags) unknown(doc *config.Document, reason error) error {
	var families []importer.Family
	for _, family := range models.Families() {
		families = append(families, importable(family))
	}
	candidates := importer.Nearest(doc, families)
	err := fmt.Errorf("%s: %w", doc.Name, reason)
	out := importFailure{Error: err.Error(), Architectures: doc.Architectures(), Known: models.Classes()}
	for _, c := range candidates {
		out.Nearest = append(out.Nearest, newNearFamily(c))
	}
	_, quantisation := doc.Quantization()
	if quantisation != nil {
		out.Quantization = quantisation.Error()
	}
	if f.asJSON {
		return f.failed(out, err)
	}
	fmt.Fprintf(os.Stderr, "glmc: %v\nThe nearest of them, by the keys of the configuration:\n", err)
	for _, c := range candidates[:min(len(candidates), nearFamilies)] {
		printCandidate(c)
	}
	if quantisation != nil {
		fmt.Fprintf(os.Stderr, "Its quantisation is not supported either: %v\n", quantisation)
	}
	fmt.Fprintln(os.Stderr, "A model that differs can be described in a .glm file of its own: docs/language.md says how; begin with the nearest one.")
	return errReported
}

func printCandidate(c importer.Candidate) {
	fmt.Fprintf(os.Stderr, "  %s, %s, for %s: %s in common\n", c.Family.Model.Name.Name, c.Family.Path, strings.Join(c.Family.Classes, ", "), plural(len(c.Read), "key"))
	for _, part := range []struct {
		what string
		keys []string
	}{{"lacks, and the family wants", c.Missing}, {"has, and the family does not read", c.Unread}} {
		if len(part.keys) > 0 {
			fmt.Fprintf(os.Stderr, "    config.json %s: %s\n", part.what, some(part.keys))
		}
	}
	for _, r := range c.Refused {
		fmt.Fprintf(os.Stderr, "    the family refuses: %s", oneLine(r.Message))
		if len(r.Values) > 0 {
			fmt.Fprintf(os.Stderr, " (%s)", oneLine(strings.Join(r.Values, ", ")))
		}
		fmt.Fprintln(os.Stderr)
	}
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
		Missing: listOf(c.Missing), Unread: listOf(c.Unread), Refused: []refusal{}}
	for _, r := range c.Refused {
		out.Refused = append(out.Refused, refusal{r.Message, listOf(r.Values)})
	}
	return out
}
