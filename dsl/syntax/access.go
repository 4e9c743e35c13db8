package syntax

import "slices"

// Node is anything with a place in a source file.
type Node interface {
	// Span is the source that the node was parsed from.
	Span() Span
}

// Span implements Node; so do the methods below.
func (n *Ident) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Str) Span() Span        { return Span{n.Pos, n.EndPos} }
func (n *Import) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *ImportName) Span() Span { return Span{n.Pos, n.EndPos} }
func (n *Model) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Member) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *Config) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *Field) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Let) Span() Span        { return Span{n.Pos, n.EndPos} }
func (n *Assert) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *Block) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Entry) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Param) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Type) Span() Span       { return Span{n.Pos, n.EndPos} }
func (n *Body) Span() Span       { return Span{n.Pos, n.EndPos} }
func (n *Stmt) Span() Span       { return Span{n.Pos, n.EndPos} }
func (n *If) Span() Span         { return Span{n.Pos, n.EndPos} }
func (n *For) Span() Span        { return Span{n.Pos, n.EndPos} }
func (n *Return) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *Assign) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *Checkpoint) Span() Span { return Span{n.Pos, n.EndPos} }
func (n *Rule) Span() Span       { return Span{n.Pos, n.EndPos} }
func (n *Alias) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Index) Span() Span      { return Span{n.Pos, n.EndPos} }
func (n *Ignore) Span() Span     { return Span{n.Pos, n.EndPos} }
func (n *Pipeline) Span() Span   { return Span{n.Pos, n.EndPos} }
func (n *Setting) Span() Span    { return Span{n.Pos, n.EndPos} }
func (n *Option) Span() Span     { return Span{n.Pos, n.EndPos} }

// Span is the place of the argument's value, with its name where it has one.
func (a Arg) Span() Span { return Span{a.Pos, a.Value.Span().End} }

// Is reports whether an expression is nothing but this name.
func (n *Ident) Is(x Expr) bool {
	name, ok := x.(*Name)
	return ok && len(name.Parts) == 1 && name.Parts[0] == n.Name
}

// Required reports whether a config.json has to have the key.
func (f *Field) Required() bool { return !f.MayMiss() && f.Else == nil }

// MayMiss reports whether the field is optional.
func (f *Field) MayMiss() bool { return f.Optional || f.Behind }

// NameEnd is the place behind the name of a named argument.
func (a Arg) NameEnd() Pos {
	end := a.Pos
	end.Offset, end.Column = end.Offset+len(a.Name), end.Column+len(a.Name)
	return end
}

// Model returns the model that has that name in the file, declared or imported; nil if there is none.
func (f *File) Model(name string) *Model {
	for _, m := range f.Models {
		if m.Name.Name == name {
			return m
		}
	}
	if n := f.imported(name, func(n *ImportName) bool { return n.Model != nil }); n != nil {
		return n.Model
	}
	return nil
}

// Linked reports whether everything that the file imports, directly or through others, was found.
func (f *File) Linked() bool {
	for _, g := range f.Reachable() {
		for _, i := range g.Imports {
			if i.File == nil || slices.ContainsFunc(i.Names, func(n *ImportName) bool { return n.Block == nil && n.Model == nil }) {
				return false
			}
		}
	}
	return true
}

// Reachable returns the file and those that it imports, directly or through others, each once: files that import the
// same ones have more paths between them than can be walked.
func (f *File) Reachable() []*File {
	list, seen := []*File{f}, map[*File]bool{f: true}
	for k := 0; k < len(list); k++ {
		for _, i := range list[k].Imports {
			if i.File != nil && !seen[i.File] {
				seen[i.File] = true
				list = append(list, i.File)
			}
		}
	}
	return list
}

// Known returns the models that the file declares, then those that it imports.
func (f *File) Known() []*Model {
	list := slices.Clone(f.Models)
	for _, i := range f.Imports {
		for _, n := range i.Names {
			if n.Model != nil {
				list = append(list, n.Model)
			}
		}
	}
	return list
}

// Block returns the block that has that name at file level, declared or imported; nil if there is none.
func (f *File) Block(name string) *Block {
	for _, b := range f.Blocks {
		if b.Name.Name == name {
			return b
		}
	}
	if n := f.imported(name, func(n *ImportName) bool { return n.Block != nil }); n != nil {
		return n.Block
	}
	return nil
}

// imported returns the import of a kind that gives the file a name: a block and a model may have the same one.
func (f *File) imported(name string, kind func(*ImportName) bool) *ImportName {
	for _, i := range f.Imports {
		for _, n := range i.Names {
			if n.Local().Name == name && kind(n) {
				return n
			}
		}
	}
	return nil
}

// Callees returns the blocks that calls outside of models mean, by their names in the file: declared or imported.
func (f *File) Callees() map[string]*Block {
	names := map[string]*Block{}
	for _, i := range slices.Backward(f.Imports) { // of two of a name, which is an error, the first stays
		for _, n := range slices.Backward(i.Names) {
			if n.Block != nil {
				names[n.Local().Name] = n.Block
			}
		}
	}
	addBlocks(names, f.Blocks)
	return names
}

// Callees returns the blocks that calls in the model mean, by name: the model's own and those at file level.
func (m *Model) Callees() map[string]*Block {
	names := m.File.Callees()
	addBlocks(names, m.Blocks())
	return names
}

func addBlocks(names map[string]*Block, list []*Block) {
	for _, b := range slices.Backward(list) {
		names[b.Name.Name] = b
	}
}

// Decls returns the declarations of the file in the order of the source.
func (f *File) Decls() []Node {
	var list []Node
	for _, d := range f.Imports {
		list = append(list, d)
	}
	for _, d := range f.Blocks {
		list = append(list, d)
	}
	for _, d := range f.Models {
		list = append(list, d)
	}
	for _, d := range f.Pipelines {
		list = append(list, d)
	}
	slices.SortStableFunc(list, func(a, b Node) int { return a.Span().Pos.Offset - b.Span().Pos.Offset })
	return list
}

// Pipeline returns the pipeline of that name, nil if the file has none.
func (f *File) Pipeline(name string) *Pipeline {
	for _, p := range f.Pipelines {
		if p.Name.Name == name {
			return p
		}
	}
	return nil
}

// Fields returns the configuration keys of the model, in the order of the file.
func (m *Model) Fields() []*Field {
	return within(m, func(member *Member) []*Field {
		if member.Config == nil {
			return nil
		}
		return member.Config.Fields
	})
}

// Lets returns the model's lets.
func (m *Model) Lets() []*Let {
	return within(m, func(member *Member) []*Let { return one(member.Let) })
}

// Asserts returns the model's assertions.
func (m *Model) Asserts() []*Assert {
	return within(m, func(member *Member) []*Assert { return one(member.Assert) })
}

// Blocks returns the model's blocks.
func (m *Model) Blocks() []*Block {
	return within(m, func(member *Member) []*Block { return one(member.Block) })
}

// Entries returns the model's entries.
func (m *Model) Entries() []*Entry {
	return within(m, func(member *Member) []*Entry { return one(member.Entry) })
}

// Rules returns the model's checkpoint rules, in the order of the file.
func (m *Model) Rules() []*Rule {
	return within(m, func(member *Member) []*Rule {
		if member.Checkpoint == nil {
			return nil
		}
		return member.Checkpoint.Rules
	})
}

func within[T any](m *Model, pick func(*Member) []*T) []*T {
	var list []*T
	for _, member := range m.Members {
		list = append(list, pick(member)...)
	}
	return list
}

func one[T any](n *T) []*T {
	if n == nil {
		return nil
	}
	return []*T{n}
}
