package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// One reader for each setting; resolver.setting has checked the number of words and the names of the options.

func (r *resolver) readTarget(s *syntax.Setting) {
	if _, err := parseWord(s.Args[0].Name, targets); err != nil {
		r.bad(s.Args[0], "target", err)
	}
	r.int(s, "tensor_parallel", &r.s.TensorParallel, func(n int64) (int, error) { return inRange(n, 1, maxTensorParallel) })
}

func (r *resolver) readWeights(s *syntax.Setting) {
	var d dtype.DType
	r.dtype(s, &d, weightDTypes)
	if err := r.s.setWeights(d); err != nil {
		r.bad(s.Args[0], "weights", err)
	}
	if o := option(s, "scale"); o != nil {
		r.scale(o, d)
	}
	if o := option(s, "skip"); o != nil {
		r.skip(o)
	}
}

// scale reads what shares a scale: each format has one answer.
func (r *resolver) scale(o *syntax.Option, d dtype.DType) {
	was := r.s.Weights.Scale
	r.word(o, &r.s.Weights.Scale, scales)
	switch {
	case d.Valid() && !d.Scaled():
		r.bad(o, "scale", fmt.Errorf("%s weights have no scales", d))
	case d.Valid() && r.s.Weights.Scale != was:
		r.bad(o, "scale", fmt.Errorf("%s weights have scale = %s", d, was))
	}
}

// skip reads a list of patterns. A string with a single pattern is not a list: that is refused like all else.
func (r *resolver) skip(o *syntax.Option) {
	list, ok := o.Value.(*syntax.ListLit)
	if !ok {
		r.bad(o, "skip", fmt.Errorf(`it takes a list of modules, such as ["lm_head", "{layer...}.mlp.gate"]`))
		return
	}
	for _, e := range list.Elems {
		str, ok := e.(*syntax.StrLit)
		if !ok {
			r.bad(e, "skip", fmt.Errorf("a module is a string"))
			continue
		}
		module, err := pattern.Parse(str.Value)
		if err != nil {
			r.bad(e, "skip", err)
			continue
		}
		r.s.Weights.Skip = append(r.s.Weights.Skip, module)
	}
}

func (r *resolver) readActivations(s *syntax.Setting) { r.dtype(s, &r.s.Activations, activations) }

func (r *resolver) readCache(s *syntax.Setting) {
	if len(s.Args) > 0 {
		r.dtype(s, &r.s.Cache.DType, cacheDTypes)
	}
	r.int(s, "page", &r.s.Cache.Page, checkPage)
}

func (r *resolver) readPrecision(s *syntax.Setting) {
	if err := r.s.setPrecision(s.Args[0].Name); err != nil {
		r.bad(s.Args[0], "precision", err)
	}
}

func (r *resolver) readPrefill(s *syntax.Setting) {
	r.int(s, "chunk", &r.s.Prefill.Chunk, func(n int64) (int, error) { return inRange(n, 1, maxChunk) })
	r.int(s, "rows", &r.s.Prefill.Rows, func(n int64) (int, error) { return inRange(n, 1, maxChunk) })
}

func (r *resolver) readDecode(s *syntax.Setting) {
	o := option(s, "capture")
	if o == nil {
		return
	}
	list, ok := o.Value.(*syntax.ListLit)
	if !ok || len(list.Elems) == 0 {
		r.bad(o, "capture", fmt.Errorf("it takes a list of batch sizes, such as [1, 2, 4]"))
		return
	}
	r.s.Decode.Capture = nil
	for _, e := range list.Elems {
		n, err := integer(e)
		if err == nil {
			r.s.Decode.Capture, err = addCapture(r.s.Decode.Capture, n)
		}
		if err != nil {
			r.bad(e, "capture", err)
		}
	}
}

func (r *resolver) readRequire(s *syntax.Setting) {
	r.checkOptions(s, nil)
	for _, a := range s.Args {
		if r.passes != nil && !slices.Contains(r.passes, a.Name) {
			r.diags.Errorf(a.Span().Diag(), idUnknownPass, "there is no pass %q", a.Name).DidYouMean(a.Name, r.passes)
			continue
		}
		if first := r.needs[a.Name]; first != nil {
			r.diags.Errorf(a.Span().Diag(), idDuplicateSetting, "%q is required twice", a.Name).
				Note(first.Span().Diag(), "first required here")
			continue
		}
		r.needs[a.Name] = a
		r.s.Require = append(r.s.Require, a.Name)
		r.s.RequiredAt = append(r.s.RequiredAt, a.Span().Diag())
	}
}

func (r *resolver) readDraft(s *syntax.Setting) {
	kind, err := parseWord(s.Args[0].Name, draftKinds())
	if err != nil {
		r.bad(s.Args[0], "draft", err)
		return
	}
	if slices.ContainsFunc(r.s.Drafts, func(d Draft) bool { return d.Kind == kind }) {
		r.diags.Errorf(s.Args[0].Span().Diag(), idDuplicateSetting, "there is a draft %s already", kind)
		return
	}
	draft := newDraft(kind)
	var names []string
	for _, known := range draftOptions[kind] {
		names = append(names, known.name)
		o := option(s, known.name)
		if o == nil {
			continue
		}
		v, err := valueOf(o)
		if err == nil {
			v, err = known.check(v)
		}
		if err != nil {
			r.bad(o, known.name, err)
			continue
		}
		draft.Options[known.name] = v
	}
	r.checkOptions(s, names)
	r.s.Drafts = append(r.s.Drafts, draft)
}

func (r *resolver) readTransfer(s *syntax.Setting) {
	r.s.Transfer.Enabled = true
	if o := option(s, "async"); o != nil {
		v, err := valueOf(o)
		async, ok := v.(config.Bool)
		if err == nil && !ok {
			err = fmt.Errorf("%s is not true or false", v)
		}
		if err != nil {
			r.bad(o, "async", err)
		}
		r.s.Transfer.Async = bool(async)
	}
	if o := option(s, "per"); o != nil {
		r.word(o, &r.s.Transfer.Per, transferPer)
	}
}

func (r *resolver) dtype(s *syntax.Setting, target *dtype.DType, allowed []dtype.DType) {
	d, err := parseDType(s.Args[0].Name, allowed)
	if err != nil {
		r.bad(s.Args[0], s.Name.Name, err)
		return
	}
	*target = d
}

// word reads an option whose value is one of a few words: `scale = channel`.
func (r *resolver) word(o *syntax.Option, target *string, allowed []string) {
	name, ok := o.Value.(*syntax.Name)
	if !ok {
		r.bad(o, o.Name.Name, fmt.Errorf("it takes one of %s", strings.Join(allowed, ", ")))
		return
	}
	w, err := parseWord(strings.Join(name.Parts, "."), allowed)
	if err != nil {
		r.bad(o.Value, o.Name.Name, err)
		return
	}
	*target = w
}

func (r *resolver) int(s *syntax.Setting, name string, target *int, check func(int64) (int, error)) {
	o := option(s, name)
	if o == nil {
		return
	}
	if o.Value == nil {
		r.bad(o, name, fmt.Errorf("it has no value: write %s = VALUE", name))
		return
	}
	n, err := integer(o.Value)
	checked := 0
	if err == nil {
		checked, err = check(n)
	}
	if err != nil {
		r.bad(o.Value, name, err)
		return
	}
	*target = checked
}

// valueOf evaluates an option's value; a bare option is true. Nothing but literals and arithmetic is known
// in a pipeline.
func valueOf(o *syntax.Option) (config.Value, error) {
	if o.Value == nil {
		return config.Bool(true), nil
	}
	return evaluate(o.Value)
}

func evaluate(x syntax.Expr) (config.Value, error) {
	v, err := config.Eval(x, func(string) (config.Value, bool) { return nil, false })
	var e *config.EvalError
	if errors.As(err, &e) {
		return nil, errors.New(e.Message)
	}
	return v, err
}

func integer(x syntax.Expr) (int64, error) {
	v, err := evaluate(x)
	if err != nil {
		return math.MinInt64, err
	}
	n, ok := v.(config.Int)
	if !ok {
		return 0, fmt.Errorf("%s is not an int", v)
	}
	return int64(n), nil
}
