package main

import (
	"cmp"
	"fmt"
	"math"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
	"github.com/glmc/glmc/runtime/hugepages"
)

// longest is the most tokens of a prompt and its output.
func (f *servedModelFlags) longest(p *plan.Plan) (int, error) {
	most := p.Facts.MaxPositions
	switch {
	case f.maxLen == 0:
		return most, nil
	case most > 0 && f.maxLen > most:
		return 0, fmt.Errorf("--max-model-len %d: the model has %d positions", f.maxLen, most)
	}
	return f.maxLen, nil
}

// room is the most tokens of a prompt and its output with a KV cache of so many pages.
func (f *servedModelFlags) room(p *plan.Plan, pages int) (int, error) {
	longest, err := f.longest(p)
	if room := pages * p.Cache.PageSize; longest == 0 || longest > room {
		longest = room
	}
	return longest, err
}

// sequences is how many sequences run side by side at most.
func (f *servedModelFlags) sequences(p *plan.Plan) int {
	most := 1
	for _, q := range p.Variants("forward") {
		for _, l := range q.Layouts {
			most = max(most, l.Max.Seqs)
		}
	}
	if f.maxRunning > 0 {
		most = min(most, f.maxRunning)
	}
	return most
}

// checkChunks refuses steps that the plan has no room for, before its weights are loaded.
func (f *servedModelFlags) checkChunks(p *plan.Plan) error {
	room := 0
	for _, q := range p.Variants("forward") {
		for _, l := range q.Layouts {
			room = max(room, l.Max.Tokens)
		}
	}
	chunk := cmp.Or(f.chunk, p.Serving.PrefillChunk)
	switch {
	case chunk > room:
		return fmt.Errorf("--chunk %d: the plan has room for %d tokens in a step; its setting prefill.chunk says for how many it is compiled", chunk, room)
	case f.mixedChunk > chunk:
		return fmt.Errorf("--mixed-chunk %d: wants at most %d, the tokens of a prompt in a step with nothing else (--chunk)", f.mixedChunk, chunk)
	}
	return nil
}

// pages is how many pages the KV cache has: as many as --kv-tokens or --kv-memory say; of the latter no more than all sequences
// that run can use.
func (f *servedModelFlags) pages(p *plan.Plan) (int, error) {
	longest, err := f.longest(p)
	if err != nil {
		return 0, err
	}
	size := p.Cache.PageSize
	if f.kvTokens > 0 {
		return (f.kvTokens-1)/size + 1, nil
	}
	page := f.pageBytes(p)
	bytes := float64(f.kvMemory.bytes)
	if bytes == 0 {
		left := float64(hugepages.Free()) - f.fixedBytes(p)
		if left <= 0 {
			return 0, fmt.Errorf("%w: the weights alone take more than the %s that are free", errNoRoom, report.Bytes(hugepages.Free()))
		}
		bytes = left * f.kvMemory.share
	}
	n := math.Floor(bytes / page)
	if longest > 0 {
		useful := math.Ceil(float64(longest)/float64(size)) * float64(f.sequences(p))
		n = min(n, useful)
	}
	n = min(n, float64(math.MaxInt32/size))
	if n < 1 {
		return 0, fmt.Errorf("%w: a page of %d tokens takes %s, and --kv-memory is %s", errNoRoom, size, report.Bytes(int64(page)), f.kvMemory.text)
	}
	return int(n), nil
}

// pageBytes is what a page of the KV cache takes, on all ranks.
func (f *servedModelFlags) pageBytes(p *plan.Plan) float64 {
	element := p.Cache.DType.Size()
	if f.device == "ref" {
		element = 4 // which keeps everything in float32
	}
	values := 0
	for _, c := range p.Module.Caches {
		values += c.Slot()
	}
	return float64(values) * float64(element) * float64(p.Cache.PageSize) * float64(p.Module.Ranks)
}

// fixedBytes is what weights and the results of a step take. Devices of this machine hold results in float32, whatever the plan
// calls them.
func (f *servedModelFlags) fixedBytes(p *plan.Plan) float64 {
	m := report.MeasureMemory(p)
	weights := float64(m.Weights)
	if f.device == "ref" {
		weights *= 4
	}
	return (weights + 4*float64(m.Arena)) * float64(p.Module.Ranks)
}
