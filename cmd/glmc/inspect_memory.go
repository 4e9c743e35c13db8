package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/report"
)

// memoryFlags are the flags of `glmc inspect` that belong to --memory.
type memoryFlags struct {
	memory bool
	bucket string // "decode:64"
	why    string // "A,B"
}

func (f *memoryFlags) check() error {
	switch {
	case f.bucket != "" && !f.memory:
		return usagef("--bucket wants --memory")
	case f.why != "" && !f.memory:
		return usagef("--why wants --memory")
	case f.why != "" && strings.Count(f.why, ",") != 1:
		return usagef("--why %q: wants two values, A,B", f.why)
	}
	_, _, err := f.parseBucket()
	return err
}

// parseBucket splits "decode:64".
func (f *memoryFlags) parseBucket() (phase string, tokens int, err error) {
	if f.bucket == "" {
		return "", 0, nil
	}
	phase, number, _ := strings.Cut(f.bucket, ":")
	if tokens, err = strconv.Atoi(number); err != nil || tokens < 1 || phase != "decode" && phase != "prefill" {
		return "", 0, usagef("--bucket %q: wants decode:TOKENS or prefill:TOKENS", f.bucket)
	}
	return phase, tokens, nil
}

// placed is one layout of a program.
type placed struct {
	program *plan.Program
	layout  *plan.Layout
	arena   *report.Arena
}

// layouts lists what --entry and --bucket pick, in the order of the plan.
func (f *inspectFlags) layouts(p *plan.Plan) ([]placed, error) {
	phase, tokens, err := f.parseBucket()
	if err != nil {
		return nil, err
	}
	if f.entry != "" {
		if err := f.checkEntry(p.Module); err != nil {
			return nil, err
		}
	}
	var out []placed
	var have []string
	for _, q := range p.Programs {
		for i := range q.Layouts {
			l := &q.Layouts[i]
			if f.entry != "" && q.Graph.Name != f.entry {
				continue
			}
			if name := fmt.Sprintf("%s:%d", l.Phase, l.Max.Tokens); !slices.Contains(have, name) { // entries have the same
				have = append(have, name)
			}
			if tokens != 0 && (l.Phase != phase || l.Max.Tokens != tokens) {
				continue
			}
			a, err := report.MeasureArena(q, l)
			if err != nil {
				return nil, err
			}
			out = append(out, placed{q, l, a})
		}
	}
	if len(out) == 0 {
		return nil, usagef("--bucket %s: the plan has %s", f.bucket, strings.Join(have, ", "))
	}
	return out, nil
}

// printMemory prints the arenas, or why two values share bytes.
func (f *inspectFlags) printMemory(p *plan.Plan) error {
	list, err := f.layouts(p)
	if err != nil {
		return err
	}
	bySize := slices.Clone(list)
	slices.SortStableFunc(bySize, func(a, b placed) int { return cmp.Compare(b.arena.Bytes, a.arena.Bytes) })
	largest := bySize[0]
	if f.why != "" {
		return f.printWhy(bySize)
	}
	arenas := make([]*report.Arena, len(list))
	for i, x := range list {
		arenas[i] = x.arena
	}
	if f.asJSON {
		return printJSON(struct {
			Arenas []*report.Arena `json:"arenas"`
		}{arenas})
	}
	return printText(func(w io.Writer) error {
		fmt.Fprintf(w, "%s for %s\n\n", p.Model, placeOf(p))
		if err := report.Arenas(w, arenas); err != nil {
			return err
		}
		return report.ArenaPeak(w, largest.arena)
	})
}

// printWhy explains the two values of --why in the first layout whose program has both; the largest arena stands first.
func (f *inspectFlags) printWhy(list []placed) error {
	x := list[0]
	a, b, err := f.valuesOfWhy(x.program)
	for _, other := range list[1:] {
		if !errors.As(err, new(*report.NoValueError)) {
			break
		}
		if c, d, found := f.valuesOfWhy(other.program); !errors.As(found, new(*report.NoValueError)) {
			x, a, b, err = other, c, d, found
		}
	}
	if err != nil {
		return usagef("--why: %w", err)
	}
	why, err := report.ExplainSharing(x.program, x.layout, a, b)
	if err != nil {
		return usagef("--why: %w", err)
	}
	if f.asJSON {
		return printJSON(struct {
			Entry  string `json:"entry"`
			Phase  string `json:"phase"`
			Tokens int    `json:"tokens"`
			*report.Why
		}{x.arena.Entry, x.arena.Phase, x.arena.Tokens, why})
	}
	return printText(func(w io.Writer) error { return report.WriteWhy(w, x.arena, why) })
}

// valuesOfWhy finds the two values of --why in a program.
func (f *inspectFlags) valuesOfWhy(p *plan.Program) (a, b *ir.Value, err error) {
	first, second, _ := strings.Cut(f.why, ",")
	if a, err = report.FindValue(p, strings.TrimSpace(first)); err != nil {
		return nil, nil, err
	}
	b, err = report.FindValue(p, strings.TrimSpace(second))
	return a, b, err
}
