package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/serve/anthropic"
	"github.com/glmc/glmc/runtime/serve/openai"
	"github.com/glmc/glmc/runtime/serve/openapi"
	"github.com/glmc/glmc/runtime/serve/route"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/reply"
)

// routes are the interfaces to a model.
func (f *servedModelFlags) routes(b service.Backend, p *plan.Plan) []route.Route {
	keep := f.keep.bytes
	if keep == 0 {
		keep = -1 // none, where 0 is the usual amount
	}
	return slices.Concat(openai.Routes(b, openai.Options{Fingerprint: fingerprint(p), Keep: keep}), anthropic.Routes(b, anthropic.Options{}),
		[]route.Route{openapi.Route(b, version())}, consoleRoutes(p))
}

// serviceOptions are what a service has to know of the model: its text tools, and the bounds of its requests.
func (f *servedModelFlags) serviceOptions(p *plan.Plan, files checkpointFiles, text *textTools, pages int) (service.Options, error) {
	longest, err := f.room(p, pages)
	if err != nil {
		return service.Options{}, err
	}
	o := service.Options{Name: f.servedName(), Created: created(files), MaxPositions: longest, VocabSize: p.Facts.VocabSize, Tokenizer: text.tokenizer, Stop: text.stop}
	if o.Defaults, err = f.text.sampling(files); err != nil {
		return o, err
	}
	if text.tokenizer == nil {
		return o, nil
	}
	t, err := text.template()
	switch {
	case errors.Is(err, chat.ErrNoTemplate) && f.text.template == "":
		return o, nil // it continues texts, and has no conversations
	case err != nil:
		return o, err
	}
	o.Template, o.Format = t, reply.Detect(t)
	return o, nil
}

// sampling reads from generation_config.json how the checkpoint wants tokens to be picked where a request says nothing.
func (f *textFlags) sampling(files checkpointFiles) (service.Sampling, error) {
	var s service.Sampling
	data, err := f.read(f.generation, files, "generation_config.json", maxGenerationFile)
	if errors.Is(err, fs.ErrNotExist) && f.generation == "" {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	var c struct {
		Sample      *bool    `json:"do_sample"`
		Temperature *float64 `json:"temperature"`
		TopP        *float64 `json:"top_p"`
		TopK        *int     `json:"top_k"`
		MinP        *float64 `json:"min_p"`
		Repetition  *float64 `json:"repetition_penalty"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return s, fmt.Errorf("%s: %w", f.name(f.generation, files, "generation_config.json"), err)
	}
	s = service.Sampling{Temperature: c.Temperature, TopP: c.TopP, TopK: c.TopK, MinP: c.MinP, Repetition: c.Repetition}
	if c.Sample != nil && !*c.Sample {
		greedy := 0.0
		s.Temperature = &greedy
	}
	return s, nil
}
