package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/glmc/glmc/compiler/passes"
)

// PassesDoc writes docs/passes.md: the pass table with its ordering reasons.
func PassesDoc(w io.Writer) error {
	const head = `# Passes

Made from the table in compiler/passes by ` + "`go test ./compiler/report -update`" + `; do not edit.

A pass rewrites the graph in place. The verifier runs after each one, and each leaves a remark for every site that it
looked at: ` + "`glmc inspect`" + ` prints them. ` + "`--disable-pass NAME`" + ` leaves a pass out, and ` + "`require NAME`" + ` in a pipeline makes
the compilation fail where it does not apply. Numeric class: *exact* passes give the same bits, *reassociates* sums in
another order, *changes dtype* computes in another precision.

| # | pass | numeric class | what it does |
|---|---|---|---|
`
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	for i, p := range passes.Table {
		if _, err := fmt.Fprintf(w, "| %d | [`%s`](../compiler/passes/%s.go) | %s | %s |\n", i+1, p.Name, p.Name, p.Numeric, p.Doc); err != nil {
			return err
		}
	}
	if err := remarksDoc(w); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n## Why in this order\n\n"); err != nil {
		return err
	}
	for _, p := range passes.Table {
		for i := 0; i < len(p.After); {
			before, why := []string{}, p.After[i].Why
			for ; i < len(p.After) && p.After[i].Why == why; i++ {
				before = append(before, "`"+p.After[i].Pass+"`")
			}
			list := strings.Join(before, ", ")
			if len(before) > 2 && len(before) == len(passes.Table)-1 {
				list = "all others"
			}
			if _, err := fmt.Fprintf(w, "- `%s` after %s: %s\n", p.Name, list, why); err != nil {
				return err
			}
		}
	}
	return nil
}

// remarksDoc writes the table of all that passes have to say.
func remarksDoc(w io.Writer) error {
	const head = `
## Remarks

The IDs are stable, and no pass says anything else. A pass looks at a site once, so a miss is told once. *missed* is no
mistake: ` + "`require`" + ` makes it one.

| ID | status | meaning |
|---|---|---|
`
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	for _, p := range passes.Table {
		for _, k := range p.Remarks {
			status := "missed"
			if k.Applied {
				status = "applied"
			}
			if _, err := fmt.Fprintf(w, "| `%s.%s` | %s | %s |\n", p.Name, k.ID, status, k.Doc); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "| `PASS.%s` | missed | %s |\n", passes.Gated.ID, passes.Gated.Doc)
	return err
}
