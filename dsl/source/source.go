// Package source reads a .glm file together with the files that it imports, and links what one file takes from
// another.
package source

import (
	"path"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/syntax"
)

// Carried begins the paths of files that the binary carries: "glmc:glm4moe/model.glm".
const Carried = "glmc:"

// MaxFiles bounds the files of one program.
const MaxFiles = 100

// Open returns the text of a file by the path that Resolve made. An error of its own says why there is none.
type Open func(path string) ([]byte, error)

// Program is a file with all that it imports, directly or through others.
type Program struct {
	Root  *syntax.File
	Files []*syntax.File // Root, then the others in the order in which they were read
	// Broken says that a file has syntax errors: its tree lacks the pieces that they are in, and nothing can be said
	// about names.
	Broken bool
}

// Source returns the text of one of the program's files, nil if it has no file of that name.
func (p *Program) Source(name string) []byte {
	for _, f := range p.Files {
		if f.Name == name {
			return f.Source
		}
	}
	return nil
}

// Load parses a file and everything that it imports. Name is what diagnostics call the file, and what the paths
// of its imports are relative to. The program is never nil; the diagnostics hold every syntax error of every
// file, and the imports that lead nowhere.
func Load(name string, src []byte, open Open) (*Program, *diag.List) {
	l := &loader{open: open, program: &Program{}, diags: &diag.List{}, files: map[string]*file{}}
	l.program.Root = l.parse(name, src).File
	l.diags.Sort()
	return l.program, l.diags
}

// Resolve returns the path of a file that is imported by another: relative to the importing file, unless it names
// one that the binary carries.
func Resolve(importer, imported string) string {
	if strings.HasPrefix(imported, Carried) {
		return Carried + path.Clean(strings.TrimPrefix(imported, Carried))
	}
	if inside, ok := strings.CutPrefix(importer, Carried); ok {
		return Carried + path.Join(path.Dir(inside), imported)
	}
	return path.Join(path.Dir(toSlash(importer)), imported)
}

// toSlash makes a path of Windows comparable with the ones in files.
func toSlash(p string) string { return strings.ReplaceAll(p, `\`, "/") }

type loader struct {
	open    Open
	program *Program
	diags   *diag.List
	files   map[string]*file // by path
	stack   []*syntax.Import // that are being followed
}

// file is a file of the program.
type file struct {
	*syntax.File
	broken bool // it has syntax errors: what it lacks may be in the pieces that do not parse
	open   bool // its imports are being followed

	blocks map[string]*syntax.Block // what others can import, by name; see index
	models map[string]*syntax.Model
}

// index makes the maps of what others can import. Where two have one name, which is reported later, it is the first.
func (f *file) index() {
	if f.blocks != nil {
		return
	}
	f.blocks, f.models = map[string]*syntax.Block{}, map[string]*syntax.Model{}
	for _, b := range slices.Backward(f.Blocks) {
		f.blocks[b.Name.Name] = b
	}
	for _, m := range slices.Backward(f.Models) {
		f.models[m.Name.Name] = m
	}
}

// parse adds a file to the program and follows its imports.
func (l *loader) parse(name string, src []byte) *file {
	tree, diags := syntax.Parse(name, src)
	f := &file{File: tree, broken: diags.HasErrors(), open: true}
	l.files[path.Clean(toSlash(name))] = f
	l.program.Files = append(l.program.Files, tree)
	l.program.Broken = l.program.Broken || f.broken
	l.diags.Append(diags)
	for _, i := range tree.Imports {
		l.stack = append(l.stack, i)
		if from := l.follow(f, i); from != nil {
			i.File = from.File
			l.link(i, from)
		}
		l.stack = l.stack[:len(l.stack)-1]
	}
	f.open = false
	return f
}

// follow returns the file that an import names; nil after an error.
func (l *loader) follow(from *file, i *syntax.Import) *file {
	name := i.Path.Value
	if !l.allowed(i.Path) {
		return nil
	}
	target := Resolve(from.Name, name)
	if f := l.files[target]; f != nil {
		if f.open {
			l.cycle(f, i)
			return nil
		}
		return f
	}
	if len(l.program.Files) == MaxFiles {
		l.errorf(i.Path, idTooManyFiles, "the program has more than %d files", MaxFiles)
		return nil
	}
	src, err := l.open(target)
	if err != nil {
		l.errorf(i.Path, idImportUnread, "cannot import %q: %v", name, err)
		return nil
	}
	return l.parse(target, src)
}

// allowed refuses paths that mean something else on another machine.
func (l *loader) allowed(p *syntax.Str) bool {
	inside := strings.TrimPrefix(p.Value, Carried)
	switch {
	case path.Ext(inside) != ".glm":
		l.errorf(p, idBadImportPath, "%q does not end in .glm", p.Value)
	case strings.Contains(inside, `\`) || strings.Contains(inside, ":"):
		l.errorf(p, idBadImportPath, "%q: the parts of a path have / between them, and no drive in front", p.Value)
	case path.IsAbs(inside):
		l.errorf(p, idBadImportPath, "%q is absolute: a path is relative to the file that imports", p.Value).
			Suggest(`write a relative path, or "%s..." for a file that the binary carries`, Carried)
	default:
		return true
	}
	return false
}

// cycle reports files that import each other. Target is being read, and the last import of the stack leads back
// to it.
func (l *loader) cycle(target *file, i *syntax.Import) {
	d := l.errorf(i.Path, idImportCycle, "%s imports itself", target.Name)
	first := 0
	for first < len(l.stack) && l.stack[first].Pos.Filename != target.Name {
		first++
	}
	if len(l.stack)-first > 1 {
		d.Message += ", through others"
		for _, s := range l.stack[first : len(l.stack)-1] {
			d.Note(s.Span().Diag(), "it imports %s here", s.Path.Value)
		}
	}
	d.Suggest("move what both need into a file of its own")
}

// link finds what an import names in the file that it names. A block and a model of one name come together.
func (l *loader) link(i *syntax.Import, from *file) {
	from.index()
	for _, n := range i.Names {
		n.Block, n.Model = from.blocks[n.Name.Name], from.models[n.Name.Name]
		if n.Block == nil && n.Model == nil && !from.broken {
			l.unknown(n, i, from)
		}
	}
}

func (l *loader) unknown(n *syntax.ImportName, i *syntax.Import, from *file) {
	full := l.diags.Full()
	d := l.errorf(n.Name, idUnknownImport, "%q declares no block or model %q", i.Path.Value, n.Name.Name)
	if full {
		return
	}
	var names []string
	for _, b := range from.Blocks {
		names = append(names, b.Name.Name)
	}
	for _, m := range from.Models {
		names = append(names, m.Name.Name)
	}
	for _, m := range from.Models {
		for _, b := range m.Blocks() {
			if b.Name.Name == n.Name.Name {
				d.Note(b.Name.Span().Diag(), "this one belongs to model %s: only blocks outside of models can be imported", m.Name.Name)
				return
			}
		}
	}
	d.DidYouMean(n.Name.Name, names)
}

func (l *loader) errorf(at syntax.Node, id, format string, args ...any) *diag.Diagnostic {
	return l.diags.Errorf(at.Span().Diag(), id, format, args...)
}
