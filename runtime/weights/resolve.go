package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/compressed"
	"github.com/glmc/glmc/runtime/safetensors"
)

// resolver finds stored tensors by the names that recipes use.
type resolver struct {
	ckpt    *safetensors.Checkpoint
	aliases []alias
	stored  map[string]*stored // that something resolved to, by name
	scales  map[string]bool    // stored tensors that are scales of those
	sources map[string]*source // by the name that a recipe uses
}

type alias struct {
	plan.Alias
	name, target pattern.Pattern
}

// Bounds on the search for a tensor. A plan for GLM-4.7 has five aliases, and a name leads to at most two more.
const (
	maxRules      = 256 // aliases, and ignore rules
	maxAliasDepth = 8
	maxTried      = 32 // names that are looked for in place of one
)

func newResolver(p *plan.Plan, ckpt *safetensors.Checkpoint) (*resolver, error) {
	r := &resolver{ckpt: ckpt, stored: map[string]*stored{}, scales: map[string]bool{}, sources: map[string]*source{}}
	if len(p.Aliases) > maxRules || len(p.Ignores) > maxRules {
		return nil, fmt.Errorf("the plan has %d aliases and %d ignore rules: at most %d of each", len(p.Aliases), len(p.Ignores), maxRules)
	}
	for _, a := range p.Aliases {
		name, err := pattern.Parse(a.Name)
		if err != nil {
			return nil, fmt.Errorf("alias %q: %w", a.Name, err)
		}
		target, err := pattern.Parse(a.Target)
		if err != nil {
			return nil, fmt.Errorf("alias %q: target %q: %w", a.Name, a.Target, err)
		}
		r.aliases = append(r.aliases, alias{Alias: a, name: name, target: target})
	}
	return r, nil
}

// find resolves a name and checks that it has the shape that the plan expects.
func (r *resolver) find(name string, shape []int) (*source, error) {
	s := r.sources[name]
	if s == nil {
		var tried []string
		var err error
		if s, err = r.lookup(name, 0, &tried); err != nil {
			return nil, err
		}
		if s == nil {
			others := slices.Compact(slices.Sorted(slices.Values(tried)))
			others = slices.DeleteFunc(others, func(other string) bool { return other == name })
			text := fmt.Sprintf("tensor %q is missing from the checkpoint", name)
			if len(others) > 0 {
				text += fmt.Sprintf(" (looked for %s too)", strings.Join(others, ", "))
			}
			return nil, problem(Problem{Kind: Missing, Name: name, Tried: others}, "%s", text)
		}
		r.sources[name] = s
	}
	if !slices.Equal(s.shape, shape) {
		says := fmt.Sprintf("has shape %s, the model wants %s", ir.FixedShape(s.shape), ir.FixedShape(shape))
		return nil, problem(Problem{Kind: WrongShape, Name: name, Stored: s.Name, File: s.File, Says: says}, "tensor %q has shape %s in %s, the model wants %s: is this the config.json of this checkpoint?",
			name, ir.FixedShape(s.shape), s.File, ir.FixedShape(shape))
	}
	s.parts[part{s.start, product(shape)}] = true
	return s, nil
}

// lookup returns nil, nil when nothing of that name is stored. tried collects the names that it looked for.
func (r *resolver) lookup(name string, depth int, tried *[]string) (*source, error) {
	if len(*tried) == maxTried {
		return nil, fmt.Errorf("tensor %q: aliases lead to more than %d names: do they lead to one another?", (*tried)[0], maxTried)
	}
	*tried = append(*tried, name)
	if r.ckpt.Has(name) {
		return r.open(name)
	}
	if r.ckpt.Has(name + compressed.PackedSuffix) {
		return r.openPacked(name)
	}
	if depth == maxAliasDepth {
		return nil, nil
	}
	for _, a := range r.aliases {
		holes, ok := a.name.Match(name)
		if !ok {
			continue
		}
		target, err := a.target.Expand(func(h string) (string, bool) { v, ok := holes[h]; return v, ok })
		if err != nil {
			return nil, fmt.Errorf("alias %q for tensor %q: %w", a.Name, name, err)
		}
		s, err := r.lookup(target, depth+1, tried)
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		found, err := s.index(a.Index, holes)
		if err != nil {
			says := fmt.Sprintf("alias %q: tensor %q in %q: %v", a.Name, name, target, err)
			return nil, problem(Problem{Kind: BadAlias, Name: name, Stored: s.Name, File: s.File, Says: says}, "%s", says)
		}
		return found, nil
	}
	return nil, nil
}

// open gives a stored tensor as a whole.
func (r *resolver) open(name string) (*source, error) {
	s := r.stored[name]
	if s == nil {
		t, err := r.ckpt.Tensor(name)
		if err != nil {
			return nil, err
		}
		if !t.DType.IsFloat() && t.DType != dtype.I8 {
			says := fmt.Sprintf("is stored as %s: weights are F32, BF16, F16, F8_E4M3 or I8, or packed I32", t.FileDType)
			return nil, problem(Problem{Kind: WrongDType, Name: name, Stored: name, File: t.File, Says: says}, "tensor %q is stored as %s in %s: weights are F32, BF16, F16, F8_E4M3 or I8, or packed I32", name, t.FileDType, t.File)
		}
		s = &stored{Tensor: t, parts: map[part]bool{}}
		if t.DType.Scaled() {
			if err := r.findScale(s); err != nil {
				return nil, err
			}
		}
		r.stored[name] = s
	}
	return &source{stored: s, shape: s.Shape}, nil
}

// findScale attaches the scales of an fp8 or int8 tensor: compressed-tensors keeps them beside it under the tensor's
// name with "_scale" behind, one for each row: [..., rows, 1] or [..., rows].
func (r *resolver) findScale(s *stored) error {
	name := s.Name + compressed.ScaleSuffix
	if blocks := s.Name + "_scale_inv"; r.ckpt.Has(blocks) {
		says := fmt.Sprintf("is %s with scales of blocks (DeepSeek-V3's format), which are not supported: convert the checkpoint to bf16", s.FileDType)
		return problem(Problem{Kind: WrongDType, Name: s.Name, Stored: blocks, File: s.File, Says: says},
			"tensor %q is %s with the scales %q of blocks (DeepSeek-V3's format), which are not supported: convert the checkpoint to bf16", s.Name, s.FileDType, blocks)
	}
	rows := s.Shape[:max(len(s.Shape)-1, 0)]
	return r.attachScale(s, name, "one for each output channel", append(slices.Clone(rows), 1), rows)
}

// attachScale attaches the scales of that name, which have one of the shapes.
func (r *resolver) attachScale(s *stored, name, each string, shapes ...[]int) error {
	if !r.ckpt.Has(name) {
		says := fmt.Sprintf("is %s, but its scales are missing from the checkpoint", s.FileDType)
		return problem(Problem{Kind: WrongDType, Name: s.Name, Stored: name, File: s.File, Says: says}, "tensor %q is %s but its scales %q are missing from the checkpoint", s.Name, s.FileDType, name)
	}
	t, err := r.ckpt.Tensor(name)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(shapes, func(shape []int) bool { return slices.Equal(t.Shape, shape) }) {
		var wanted []string
		for _, shape := range shapes {
			wanted = append(wanted, fmt.Sprint(ir.FixedShape(shape)))
		}
		says := fmt.Sprintf("has shape %s, and scales are %s of %s", ir.FixedShape(t.Shape), each, ir.FixedShape(s.Shape))
		return problem(Problem{Kind: WrongShape, Name: name, Stored: s.Name, File: t.File, Says: says}, "scales %q have shape %s, but %q of shape %s wants %s: %s",
			name, ir.FixedShape(t.Shape), s.Name, ir.FixedShape(s.Shape), each, strings.Join(wanted, " or "))
	}
	if !t.DType.IsFloat() || t.DType == dtype.F8E4M3 {
		says := fmt.Sprintf("is stored as %s: scales are F32, BF16 or F16", t.FileDType)
		return problem(Problem{Kind: WrongDType, Name: name, Stored: s.Name, File: t.File, Says: says}, "scales %q are stored as %s: want F32, BF16 or F16", name, t.FileDType)
	}
	r.scales[name] = true
	s.scale = &t
	return nil
}
