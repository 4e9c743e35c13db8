package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/layers"
)

// layerLaunches is how many kernels some layers take that are alike in it.
type layerLaunches struct {
	Entry   string           `json:"entry"`
	Layers  []int            `json:"layers"`
	Written int              `json:"written"` // as the model is written, before any pass
	Steps   []bucketLaunches `json:"steps"`
}

type bucketLaunches struct {
	Buckets  string `json:"buckets"`
	Launches int    `json:"launches"` // of each of the layers
}

// launchesOfLayers counts the kernels of every layer before and behind all passes. Layers with the same numbers stand
// together, in the order of the first of each.
func launchesOfLayers(r *compiler.Result) []layerLaunches {
	out := []layerLaunches{}
	for _, entry := range r.Plan.Entries() {
		at := map[string]int{}
		variants := r.Plan.Variants(entry)
		for _, layer := range slices.Sorted(maps.Keys(r.Written[entry])) {
			if layer < 0 {
				continue
			}
			x := layerLaunches{Entry: entry, Written: r.Written[entry][layer]}
			for _, p := range variants {
				x.Steps = append(x.Steps, bucketLaunches{ir.BucketNames(p.Graph.Buckets), p.Graph.Launches()[layer]})
			}
			key := fmt.Sprint(x)
			if _, ok := at[key]; !ok {
				at[key] = len(out)
				out = append(out, x)
			}
			like := &out[at[key]]
			like.Layers = append(like.Layers, layer)
		}
	}
	return out
}

// printLaunches writes a line for layers that are alike.
func printLaunches(w io.Writer, list []layerLaunches) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "kernels of a layer, as written and as compiled:")
	for _, x := range list {
		var steps []string
		for _, s := range x.Steps {
			if len(x.Steps) == 1 {
				steps = append(steps, fmt.Sprint(s.Launches))
			} else {
				steps = append(steps, fmt.Sprintf("%d (%s)", s.Launches, s.Buckets))
			}
		}
		fmt.Fprintf(w, "  %s: %d -> %s\n", layers.At(x.Entry, x.Layers), x.Written, strings.Join(steps, ", "))
	}
	fmt.Fprintln(w)
}
