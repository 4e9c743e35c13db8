package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/dsl/diag"
)

// remarkLog writes remarks as a SARIF log. A plan from before plans had their source gives no columns.
func remarkLog(w io.Writer, p *plan.Plan, filter report.Filter) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	run := diag.SARIFRun{Version: version(), Dir: dir, Sources: func(file string) []byte { return []byte(p.Source.Text(file)) }}
	return report.SARIF(w, p, filter, run)
}

// checkRemarks refuses a file for remarks whose name does not say in which form it wants them.
func checkRemarks(path string) error {
	if ext := filepath.Ext(path); path == "" || ext == ".json" || ext == ".sarif" {
		return nil
	}
	return usagef("--remarks %s: the name says the form, and ends in .json or .sarif", path)
}

// writeRemarks puts all remarks of a plan into a file, in the form that its name says.
func writeRemarks(path string, p *plan.Plan) error {
	var b bytes.Buffer
	var err error
	if filepath.Ext(path) == ".sarif" {
		err = remarkLog(&b, p, report.Filter{})
	} else {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err = e.Encode(report.NewJSON(p, report.Filter{}))
	}
	if err != nil {
		return err
	}
	return writeFile(path, b.Bytes())
}
