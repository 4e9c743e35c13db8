package main

import (
	"bytes"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report/page"
	"github.com/glmc/glmc/runtime/serve/console"
	"github.com/glmc/glmc/runtime/serve/route"
)

// consoleRoutes are those of the page at /, which shows the plan too: that page is made when somebody opens it. The runtime
// knows nothing of the compiler's reports, and takes it as bytes.
func consoleRoutes(p *plan.Plan) []route.Route {
	return console.Routes(consoleOptions(func() ([]byte, error) { return planPage(p) }))
}

// loadingRoutes are those of the page while there is no plan yet.
func loadingRoutes() []route.Route { return console.Files(consoleOptions(nil)) }

func consoleOptions(plan func() ([]byte, error)) console.Options {
	script, style := page.Digests()
	return console.Options{Plan: &console.Plan{Script: script, Style: style, Page: plan}}
}

// planPage is what glmc inspect --html writes of a plan.
func planPage(p *plan.Plan) ([]byte, error) {
	in, _ := planInput(p) // the page itself says what it lacks
	in.Version = version()
	data, err := page.Build(in)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := page.Write(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
