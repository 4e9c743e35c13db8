// Package verify checks the compiler's work by running it: translation validation in the sense of Pnueli, Siegel and
// Singerman (TACAS 1998). For each pass that ran, the module before and after it is executed on the reference kernels
// with random weights and inputs, and results and caches are compared in the pass's numeric class.
//
// A model of hundreds of gigabytes is too large for that. What is executed is the same model with the numbers of its
// configuration made small, such that what passes look at stays: which numbers divide each other and the ranks, which
// kinds of layers there are and follow each other, and what each pass has to say about each kind (shrink.go).
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/dsl/syntax"
)

// Subject is a model, and what it is compiled for. Options.Observe is not used.
type Subject struct {
	File    *syntax.File
	Options compiler.Options
	like    *decisions      // of a larger model, that the passes are to follow; nil: they decide themselves
	ctx     context.Context // ends the search for a small model, which compiles dozens of times; nil: nothing does
}

// decisions are the kinds of layers that passes rewrote, by decisionKey. Prices of small dimensions say nothing about
// large ones, so a small model is made to follow what was decided for the large one.
type decisions map[string]bool

func decisionKey(pass, entry, kind string) string { return pass + "\x00" + entry + "\x00" + kind }

func (c *compiled) decisions() *decisions {
	d, of := decisions{}, map[string]map[int]string{}
	for _, g := range c.lowered.Graphs {
		of[g.Name] = layerKinds(g)
	}
	for _, r := range c.Plan.Remarks {
		if r.Applied {
			d[decisionKey(r.Pass, r.Entry, of[r.Entry][r.Layer])] = true
		}
	}
	return &d
}

// follow lets passes rewrite the sites of a module, as it was lowered, that the decisions allow and only does.
func (d *decisions) follow(lowered **ir.Module, only func(passes.Site) bool) func(passes.Site) bool {
	if d == nil {
		return only
	}
	return func(s passes.Site) bool {
		if s.Entry != "" && !(*d)[decisionKey(s.Pass, s.Entry, layerKinds((*lowered).Graph(s.Entry))[s.Layer])] {
			return false
		}
		return only == nil || only(s)
	}
}

// with returns the subject with other values of configuration keys.
func (s Subject) with(set map[string]string) Subject {
	all := map[string]string{}
	for _, m := range []map[string]string{s.Options.Set, set} {
		for k, v := range m {
			all[k] = v
		}
	}
	s.Options.Set = all
	return s
}

// compiled is a subject's plan with the module behind every pass that ran.
type compiled struct {
	*compiler.Result
	lowered *ir.Module
	texts   []snapshot      // where they are kept
	changed map[string]bool // passes that changed the module
}

// snapshot is the module behind a pass.
type snapshot struct {
	pass string
	text string
}

// compile compiles a subject and keeps what lies between the passes.
func (s Subject) compile(between bool) (*compiled, error) {
	if s.ctx != nil && s.ctx.Err() != nil {
		return nil, s.ctx.Err()
	}
	c := &compiled{changed: map[string]bool{}}
	var failed error
	last := ""
	s.Options.Only = s.like.follow(&c.lowered, s.Options.Only)
	s.Options.Observe = func(name string, m *ir.Module) {
		text := m.String()
		switch {
		case name == "":
			c.lowered, failed = ir.Parse(text)
		case between:
			c.texts = append(c.texts, snapshot{name, text})
		}
		c.changed[name], last = text != last, text
	}
	r, list, err := compiler.Compile(s.File, s.Options)
	if err != nil {
		if list.HasErrors() {
			return nil, fmt.Errorf("%w: %w", err, list.Err())
		}
		return nil, err
	}
	c.Result = r
	return c, failed
}

// kinds are what a compilation has to say, by kind of layer: the layers that are alike before any pass, which of
// them follow each other, and the remarks that each kind gets.
type kinds map[string]bool

func (c *compiled) kinds() kinds {
	k := kinds{}
	of := map[string]map[int]string{}
	for _, g := range c.lowered.Graphs {
		of[g.Name] = layerKinds(g)
		layers := make([]int, 0, len(of[g.Name]))
		for l := range of[g.Name] {
			layers = append(layers, l)
		}
		slices.Sort(layers)
		for i, l := range layers {
			k["entry "+g.Name+" has layers of the kind "+of[g.Name][l]] = true
			if i > 0 && l == layers[i-1]+1 && l > 0 {
				k["entry "+g.Name+" has layers of the kind "+of[g.Name][l]+" behind "+of[g.Name][layers[i-1]]] = true
			}
		}
	}
	applied := *c.decisions()
	for _, r := range c.Plan.Remarks {
		if c.laysOut(r.Pass) {
			continue
		}
		verb := "missed"
		if r.Applied {
			verb = "applied"
		} else if strings.HasSuffix(r.ID, "."+passes.Unprofitable) && applied[decisionKey(r.Pass, r.Entry, of[r.Entry][r.Layer])] {
			continue // a price decided so at some step sizes, and otherwise at others
		}
		k[fmt.Sprintf("%s %s in %s, %s", verb, r.ID, r.Entry, of[r.Entry][r.Layer])] = true
	}
	return k
}

// laysOut reports whether a pass made programs. It rewrites nothing, and how well results of the large model's sizes fit
// into an arena says nothing about what the passes before it did.
func (c *compiled) laysOut(pass string) bool {
	return slices.ContainsFunc(c.Passes, func(r passes.Result) bool { return r.Pass.Name == pass && len(r.Programs) > 0 })
}

// layerKinds names the kind of each layer of a graph, and of what lies outside, by its operators.
func layerKinds(g *ir.Graph) map[int]string {
	ops := map[int][]string{}
	for _, n := range g.Nodes {
		ops[n.Origin.Layer] = append(ops[n.Origin.Layer], n.Op.Name)
	}
	kinds := map[int]string{}
	for l, names := range ops {
		kinds[l] = strings.Join(names, " ")
	}
	return kinds
}

// missing lists what is in k and not in other, sorted. A site that was left alone on request has been looked at.
func (k kinds) missing(other kinds) []string {
	var list []string
	for what := range k {
		gated := what
		if missed, ok := strings.CutPrefix(what, "missed "); ok {
			id, rest, _ := strings.Cut(missed, " ")
			pass, _, _ := strings.Cut(id, ".")
			gated = "missed " + pass + ".gated " + rest
		}
		if !other[what] && !other[gated] {
			list = append(list, what)
		}
	}
	slices.Sort(list)
	return list
}
