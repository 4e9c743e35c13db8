package lsp

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
)

// inString completes the path of an import, and the holes of a weight's path.
func (c *completer) inString(w *syntax.Token, offset int) {
	begin, end := w.Pos.Offset+1, w.End.Offset
	if isClosed(w.Text) {
		end--
	}
	written := c.doc.text.src[begin:offset]
	if head := c.cursor.head; len(head) > 1 && head[0].Text == "import" && head[len(head)-1].Text == "from" {
		c.from, c.to = begin, end
		c.paths(written)
		return
	}
	open := strings.LastIndexByte(written, '{')
	if open < 0 || strings.Contains(written[open:], "}") {
		return
	}
	c.from, c.to = begin+open+1, offset
	for c.to < end && isWordByte(c.doc.text.src[c.to]) {
		c.to++
	}
	c.integers()
	if f := c.cursor.frames; slices.ContainsFunc(f, func(f frame) bool { return f.callee == "experts" }) {
		c.add(rankLocal, itemVariable, "e", "number of the expert")
	}
}

func isWordByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// maxEntries bounds the entries of a directory that are looked at.
const maxEntries = 1000

// paths offers the files that the binary carries, and the files and directories next to the document.
func (c *completer) paths(written string) {
	for _, name := range c.o.Carried {
		c.add(rankGlobal, itemFile, name, "carried by glmc")
	}
	if !isFile(c.doc.path) || strings.HasPrefix(written, source.Carried) {
		return
	}
	dir := written[:strings.LastIndexByte(written, '/')+1]
	if strings.ContainsAny(dir, `\:`) || path.IsAbs(dir) {
		return // no path that an import takes
	}
	d, err := os.Open(filepath.FromSlash(path.Join(path.Dir(c.doc.path), dir)))
	if err != nil {
		return
	}
	defer d.Close()
	entries, _ := d.ReadDir(maxEntries) // what was read in front of an error is as good
	for _, e := range entries {
		name := dir + e.Name()
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			c.add(rankBlock, itemFile, name+"/", "directory")
		case path.Ext(name) == ".glm" && path.Join(path.Dir(c.doc.path), name) != c.doc.path:
			c.add(rankLocal, itemFile, name, "file")
		}
	}
	if dir == "" || strings.Trim(dir, "./") == "" {
		c.add(rankBlock, itemFile, dir+"../", "directory")
	}
}

// exported offers what the file declares that the import at the cursor names further on.
func (c *completer) exported() {
	words := c.outline.words
	at := slices.IndexFunc(words, func(w syntax.Token) bool { return w.Pos.Offset >= c.cursor.start })
	for ; at >= 0 && at+1 < len(words); at++ {
		switch w := words[at]; {
		case w.Text == "from" && words[at+1].Kind == syntax.StringToken:
			c.declaredIn(strings.Trim(words[at+1].Text, `"`))
			return
		case !isName(w) && w.Text != "," && w.Text != "as":
			return
		}
	}
}

// declaredIn offers what a file declares outside of its models. It need not be a part of the program: the import does
// not parse while its names are being written.
func (c *completer) declaredIn(imported string) {
	name := source.Resolve(c.doc.path, imported)
	c.mu.Lock()
	docs := map[string]*document{name: c.docs[name]}
	c.mu.Unlock()
	src, err := c.opener(docs)(name)
	if err != nil {
		return
	}
	f, _ := syntax.Parse(name, src)
	for _, b := range f.Blocks {
		c.add(rankBlock, itemFunction, b.Name.Name, blockSignature(f.Source, b).label)
	}
	for _, m := range f.Models {
		c.add(rankBlock, itemModule, m.Name.Name, "model")
	}
}
