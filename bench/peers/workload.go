package main

import (
	"fmt"
	"slices"
	"strings"
)

// model is a preset that is measured.
type model struct {
	name      string
	gigabytes int // on disk, of all formats together
	workloads []string
}

var models = []model{
	{"bench-0.7b", 4, []string{"pp512", "pp2048", "tg128", "tg128x8"}},
	{"air-layers", 12, []string{"pp512", "tg32", "tg32x8"}}, // the peer needs a minute for a prompt of 2048
}

func modelNames() []string {
	var names []string
	for _, m := range models {
		names = append(names, m.name)
	}
	return names
}

// workload is what llama-bench calls a test: a prompt, or tokens behind an empty context; or tokens of several sequences
// at once, each behind a prompt.
type workload struct {
	name               string
	prompt, gen, batch int
	doc                string
}

var workloads = []workload{
	{name: "pp512", prompt: 512, doc: "a prompt of 512 tokens"},
	{name: "pp2048", prompt: 2048, doc: "a prompt of 2048 tokens"},
	{name: "tg32", gen: 32, doc: "32 tokens generated"},
	{name: "tg128", gen: 128, doc: "128 tokens generated"},
	{name: "tg32x8", prompt: 16, gen: 32, batch: 8, doc: "32 tokens of each of 8 sequences"},
	{name: "tg128x8", prompt: 16, gen: 128, batch: 8, doc: "128 tokens of each of 8 sequences"},
}

func workloadNames() []string {
	var names []string
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return names
}

// workloadsOf are those that -workloads names, or those of the model.
func (o *options) workloadsOf(m model) ([]workload, error) {
	names := m.workloads
	if o.workloads != "" {
		names = strings.Split(o.workloads, ",")
	}
	var list []workload
	for _, name := range names {
		i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-workloads %s: there is %s", name, strings.Join(workloadNames(), ", "))
		}
		list = append(list, workloads[i])
	}
	return list, nil
}
