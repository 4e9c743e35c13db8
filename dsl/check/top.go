package check

import "github.com/glmc/glmc/dsl/syntax"

// top is the namespace of a file: what is declared outside of models, and what is imported.
type top struct {
	file      *syntax.File
	blocks    *names
	models    *names
	pipelines *names
	imports   []*symbol
	callable  map[string]*block // the blocks, by the name that they have in the file
}

// top declares what a file has outside of models, and checks the blocks there.
func (c *checker) top(f *syntax.File) *top {
	t := &top{file: f, blocks: newNames(c), models: newNames(c), pipelines: newNames(c), callable: map[string]*block{}}
	for _, i := range f.Imports {
		for _, n := range i.Names {
			c.imported(t, n)
		}
	}
	scope := c.outside(t)
	for _, b := range f.Blocks {
		info := &block{Block: b, home: scope, results: notCounted, reached: true} // other files may call it
		c.shared[b] = info
		scope.blockList = append(scope.blockList, info)
		c.blockName(t.blocks, &symbol{what: "block", name: b.Name, used: true, block: b})
		if t.callable[b.Name.Name] == nil {
			t.callable[b.Name.Name] = info
		}
	}
	for _, m := range f.Models {
		t.models.declare(&symbol{what: "model", name: m.Name, used: true})
	}
	for _, b := range scope.blockList {
		scope.block(b)
	}
	scope.recursion()
	return t
}

// imported declares one name of an import. One that leads nowhere has been reported, and goes with everything.
func (c *checker) imported(t *top, n *syntax.ImportName) {
	s := &symbol{what: "import", name: n.Local(), used: n.Block == nil && n.Model == nil, block: n.Block}
	switch {
	case n.Block != nil:
		s.target = n.Block.Name
	case n.Model != nil:
		s.target = n.Model.Name
	}
	if n.As != nil {
		c.ref(n.Name, s, s.typeText())
	}
	t.imports = append(t.imports, s)
	if n.Block != nil || n.Model == nil {
		c.blockName(t.blocks, s)
		t.callable[s.name.Name] = c.shared[n.Block] // nil where n.Block is
	}
	if n.Model != nil || n.Block == nil {
		t.models.declare(s)
	}
}

// blockName declares the name of a block.
func (c *checker) blockName(space *names, s *symbol) {
	space.declare(s)
	if c.builtins[s.name.Name] != nil {
		c.errorf(s.name, idDuplicateName, "there is a function %q already", s.name.Name)
	}
}

// outside is the scope of blocks that stand outside of models: no configuration keys, no lets.
func (c *checker) outside(t *top) *model {
	return &model{checker: c, top: t, file: t.file, globals: newNames(c), blocks: map[string]*block{}}
}

// outsideModels reports whether the check is in a block that stands outside of models.
func (m *model) outsideModels() bool { return m.later == nil }

// callee returns the block that a name means in a call: the model's own, or one outside of models. It is unknown
// with found set where the name was imported in vain.
func (m *model) callee(name string) (b *block, found bool) {
	if b := m.blocks[name]; b != nil {
		return b, true
	}
	if s := m.top.blocks.symbols[name]; s != nil {
		s.used = true
		return m.top.callable[name], true
	}
	return nil, false
}

// refCall notes the name of a block in a call.
func (m *model) refCall(x *syntax.Call, name string, b *block) {
	s := &symbol{what: "block", name: b.Name}
	if outer := m.top.blocks.symbols[name]; outer != nil && m.blocks[name] != b {
		s = outer
	}
	m.ref(x.Func, s, signature(b.Block))
}
