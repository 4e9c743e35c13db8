package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
)

// saboteur makes steps fail.
type saboteur struct {
	engine.Executor
	pages  int   // of the cache; 0: all
	poison int32 // the token that makes each step fail that it is in

	drafts                           func() int // of the step that runs; nil: none
	what, did                        string
	steps, failed, blamed, notFinite int
	moves                            int
	faults                           []error
}

// panics is what a step says that panics.
const panics = "a kernel is broken"

func (s *saboteur) Pages() int {
	if s.pages == 0 {
		return s.Executor.Pages()
	}
	return s.pages
}

func (s *saboteur) Move(from, to []int32) error {
	if s.what == "no moves" {
		for i := range to { // half of it was done
			if err := s.Executor.(engine.Mover).Move(from[i/2:i/2+1], to[i:i+1]); err != nil {
				return err
			}
		}
		return errSabotage
	}
	s.moves += len(to)
	return s.Executor.(engine.Mover).Move(from, to)
}

func (s *saboteur) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	if entry == "draft" {
		return s.draft(ctx, in)
	}
	s.steps++
	tokens, starts := in["tokens"].I32, in["seq_start"].I32
	var parts []string
	for i := range len(starts) - 1 {
		parts = append(parts, fmt.Sprintf("%v at %d", tokens[starts[i]:starts[i+1]], in["pos"].I32[starts[i]]))
	}
	s.did = fmt.Sprintf("%s: %s", s.what, strings.Join(parts, ", "))
	if s.poison >= 0 && slices.Contains(tokens, s.poison) {
		return nil, errPoison
	}
	switch s.what {
	case "refuse", "garble", "panic", "lose":
		s.failed++
		if len(starts) == 2 && (s.drafts == nil || s.drafts() == 0) {
			s.blamed++
		}
	}
	switch s.what {
	case "refuse":
		return nil, errSabotage
	case "garble":
		other := slices.Clone(tokens)
		for i := range other {
			other[i] = (other[i] + 1) % 16
		}
		in = maps.Clone(in)
		in["tokens"] = kernels.FromI32(other, len(other))
	}
	out, err := s.Executor.Step(ctx, entry, in)
	switch {
	case errors.Is(err, errLayout):
		s.faults = append(s.faults, err)
		return nil, err
	case err != nil:
		return nil, err
	case s.what == "garble", s.what == "lose":
		return nil, errSabotage
	case s.what == "panic":
		panic(panics)
	case s.what == "not finite":
		s.notFinite += having(in["rows"].I32, starts)
		for i := range out[0].F32 {
			out[0].F32[i] = float32(math.NaN())
		}
	}
	return out, nil
}

// having is how many sequences have a row.
func having(rows, starts []int32) int {
	n := 0
	for i := range len(starts) - 1 {
		if slices.ContainsFunc(rows, func(r int32) bool { return starts[i] <= r && r < starts[i+1] }) {
			n++
		}
	}
	return n
}

// draft is a step of the draft layer, which may go wrong as well: then there are none, or wrong ones.
func (s *saboteur) draft(ctx context.Context, in exec.Inputs) ([]kernels.Tensor, error) {
	out, err := s.Executor.Step(ctx, "draft", in)
	switch {
	case errors.Is(err, errLayout):
		s.faults = append(s.faults, err)
	case err != nil:
	case s.what == "no drafts":
		return nil, errSabotage
	case s.what == "drafts panic":
		panic(panics)
	case s.what == "wrong drafts":
		slices.Reverse(out[0].F32)
	}
	return out, err
}
