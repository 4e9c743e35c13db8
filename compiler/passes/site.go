package passes

import "github.com/glmc/glmc/compiler/ir"

// Site is one place where a pass is about to rewrite the module.
type Site struct {
	Pass    string
	Ordinal int    // of the sites that the pass asked for, from 0, whether they were allowed or not
	Entry   string // "" for the one site of a pass that decides for the whole module
	Layer   int    // -1 outside of any layer
	Source  string // file:line:col; "" where Entry is
}

// may reports whether the pass may rewrite a site (Options.Only). A pass asks once for each site, when it has
// decided to rewrite it and before it changes anything; where the answer is no it leaves the site as it is,
// and the remark is made here.
//
// A site that is left alone may give or take later ones: of two norms of one sum the second is fused when the
// first is not. The sites before it are the same, so a tool that looks for one site allows the first n.
func (c *Context) may(g *ir.Graph, o ir.Origin) bool {
	return c.ask(g, o, Site{Entry: g.Name, Layer: o.Layer, Source: o.Source})
}

// mayAll is may for a pass that decides for the module as a whole, and is one site.
func (c *Context) mayAll() bool {
	o := ir.Origin{Layer: -1}
	return c.ask(&ir.Graph{}, o, Site{Layer: -1})
}

// Gated is what any pass says of a site that it was not allowed to rewrite.
var Gated = RemarkKind{"gated", false, "a tool that looks for one site, such as glmc bisect, had this one left alone"}

func (c *Context) ask(g *ir.Graph, o ir.Origin, s Site) bool {
	s.Pass, s.Ordinal = c.pass.Name, c.sites
	c.sites++
	if c.Options.Only == nil || c.Options.Only(s) {
		return true
	}
	c.missed(g, o, Gated.ID, "this site was left alone on request")
	return false
}
