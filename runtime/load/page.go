package load

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// WritePage writes a run as one page for a browser: the table, the failures and plots. It asks no network for anything, and
// holds no script. Title says what was measured.
func (r *Run) WritePage(w io.Writer, title string, p *Report, s Settings) error {
	plots, err := r.plots()
	if err != nil {
		return err
	}
	var drawn []template.HTML
	for _, svg := range plots {
		drawn = append(drawn, template.HTML(svg)) // of our own words only
	}
	var table bytes.Buffer
	if err := p.Print(&table, s); err != nil {
		return err
	}
	return pageTemplate.Execute(w, map[string]any{"Title": title, "Table": table.String(), "Errors": p.Errors, "Plots": drawn, "Interrupted": p.Interrupted})
}
