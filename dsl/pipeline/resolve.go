package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// Resolve reads a pipeline's settings. What the pipeline does not say is as in Default for its target.
// PassNames are the passes that `require` may name; nil allows every name. The settings are only meaningful
// where the diagnostics hold no errors.
func Resolve(p *syntax.Pipeline, passNames []string) (Settings, *diag.List) {
	r := &resolver{passes: passNames, diags: &diag.List{}, first: map[string]*syntax.Setting{}, needs: map[string]*syntax.Ident{}}
	r.s, _ = Default("cpu")
	if target := r.target(p); target != "" {
		r.s, _ = Default(target)
	}
	r.s.Name, r.s.Model = p.Name.Name, p.Model.Name
	for _, setting := range p.Settings {
		r.setting(setting)
	}
	r.diags.Sort()
	return r.s, r.diags
}

type resolver struct {
	s      Settings
	passes []string
	diags  *diag.List
	first  map[string]*syntax.Setting // by name
	needs  map[string]*syntax.Ident   // passes that are required, with the first place
}

// shape says what a setting looks like.
type shape struct {
	args    int    // how many words it takes; any for many
	bare    bool   // it may do without words
	usage   string // an example
	options []string
	repeats bool
	read    func(r *resolver, s *syntax.Setting)
}

const many = -1

// shapes has the settings.
var shapes = map[string]shape{
	"target":      {args: 1, usage: "target h200 { tensor_parallel = 8 }", options: []string{"tensor_parallel"}, read: (*resolver).readTarget},
	"weights":     {args: 1, usage: `weights fp8_e4m3 { scale = channel, skip = ["lm_head"] }`, options: []string{"scale", "skip"}, read: (*resolver).readWeights},
	"activations": {args: 1, usage: "activations fp8_e4m3", read: (*resolver).readActivations},
	"cache":       {args: 1, bare: true, usage: "cache bf16 { page = 128 }", options: []string{"page"}, read: (*resolver).readCache},
	"precision":   {args: 1, usage: "precision fast", read: (*resolver).readPrecision},
	"prefill":     {usage: "prefill { chunk = 8192 }", options: []string{"chunk", "rows"}, read: (*resolver).readPrefill},
	"decode":      {usage: "decode { capture = [1, 2, 4] }", options: []string{"capture"}, read: (*resolver).readDecode},
	"require":     {args: many, usage: "require fuse_qknorm_rope_kv", repeats: true, read: (*resolver).readRequire},
	"draft":       {args: 1, usage: "draft mtp { steps = 3 }", repeats: true, read: (*resolver).readDraft},
	"transfer":    {usage: "transfer { async, per = layer }", options: []string{"async", "per"}, read: (*resolver).readTransfer},
}

func (r *resolver) target(p *syntax.Pipeline) string {
	for _, s := range p.Settings {
		if s.Name.Name == "target" && len(s.Args) == 1 {
			if _, err := parseWord(s.Args[0].Name, targets); err == nil {
				return s.Args[0].Name
			}
			return ""
		}
	}
	if !slices.ContainsFunc(p.Settings, func(s *syntax.Setting) bool { return s.Name.Name == "target" }) {
		r.diags.Errorf(p.Name.Span().Diag(), idMissingSetting, "the pipeline has no target").
			Suggest("write, for example, %q", "target cpu")
	}
	return ""
}

func (r *resolver) setting(s *syntax.Setting) {
	name := s.Name.Name
	shape, ok := shapes[name]
	if !ok {
		names := slices.Sorted(maps.Keys(shapes))
		r.diags.Errorf(s.Name.Span().Diag(), idUnknownSetting, "unknown setting %q: one of %s", name, strings.Join(names, ", ")).
			DidYouMean(name, names)
		return
	}
	if first := r.first[name]; first != nil && !shape.repeats {
		r.diags.Errorf(s.Name.Span().Diag(), idDuplicateSetting, "%q is set twice", name).
			Note(first.Name.Span().Diag(), "first set here")
		return
	}
	r.first[name] = s
	if !r.fits(s, shape) {
		return
	}
	if name != "draft" {
		r.checkOptions(s, shape.options)
	}
	shape.read(r, s)
}

// fits checks the number of words of a setting.
func (r *resolver) fits(s *syntax.Setting, shape shape) bool {
	var complaint string
	switch {
	case shape.args == many && len(s.Args) == 0, shape.args > len(s.Args) && !shape.bare:
		complaint = "lacks a word behind it"
	case shape.args != many && len(s.Args) > shape.args:
		complaint = fmt.Sprintf("takes %s behind it, not %d", [...]string{"no word", "one word"}[shape.args], len(s.Args))
	default:
		return true
	}
	r.diags.Errorf(s.Span().Diag(), idSettingForm, "%q %s", s.Name.Name, complaint).Suggest("write, for example, `%s`", shape.usage)
	return false
}

// checkOptions reports options that the setting does not have, or has twice.
func (r *resolver) checkOptions(s *syntax.Setting, known []string) {
	seen := map[string]*syntax.Option{}
	for _, o := range s.Options {
		name := o.Name.Name
		if !slices.Contains(known, name) {
			d := r.diags.Errorf(o.Name.Span().Diag(), idUnknownSetting, "%q has no option %q", title(s), name)
			if len(known) > 0 {
				d.Message += ": " + strings.Join(known, ", ")
			}
			d.DidYouMean(name, known)
		} else if first := seen[name]; first != nil {
			r.diags.Errorf(o.Name.Span().Diag(), idDuplicateSetting, "%q is set twice", name).
				Note(first.Name.Span().Diag(), "first set here")
		} else {
			seen[name] = o
		}
	}
}

// title is the setting's name, with its kind where there are several.
func title(s *syntax.Setting) string {
	if s.Name.Name == "draft" {
		return "draft " + s.Args[0].Name
	}
	return s.Name.Name
}

// option returns an option's first occurrence, nil if it is not there.
func option(s *syntax.Setting, name string) *syntax.Option {
	for _, o := range s.Options {
		if o.Name.Name == name {
			return o
		}
	}
	return nil
}

// bad reports a value that is not allowed.
func (r *resolver) bad(at syntax.Node, what string, err error) {
	d := r.diags.Errorf(at.Span().Diag(), idSettingValue, "%s: %s", what, err)
	var word *wordError
	if errors.As(err, &word) {
		d.DidYouMean(word.word, word.allowed)
	}
}
