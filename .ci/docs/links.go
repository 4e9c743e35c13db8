package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	scheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
	// repoPath is inline code that may name a file: two or more components, nothing but name characters.
	repoPath = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+/?$`)
)

// checkLinks follows every relative link of the pages, and every inline code that names a path below one of
// the repository's top-level folders. Nothing is fetched: links with a scheme are left alone.
func checkLinks(root fs.FS, pages []*page) []string {
	c := &linkChecker{root: root, pages: map[string]*page{}}
	for _, p := range pages {
		c.pages[p.file] = p
	}
	for _, p := range pages {
		for _, l := range p.links {
			c.link(p, l)
		}
		for _, s := range p.code {
			c.path(p, s)
		}
	}
	return c.problems
}

type linkChecker struct {
	root     fs.FS
	pages    map[string]*page
	problems []string
}

func (c *linkChecker) fail(p *page, s span, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("%s:%d: %s", p.file, s.line, fmt.Sprintf(format, args...)))
}

func (c *linkChecker) link(p *page, l span) {
	if l.text == "" {
		c.fail(p, l, "a link leads nowhere")
		return
	}
	if scheme.MatchString(l.text) || strings.HasPrefix(l.text, "//") {
		return
	}
	target, anchor, _ := strings.Cut(l.text, "#")
	target, err := url.PathUnescape(target)
	if err != nil {
		c.fail(p, l, "link %s: %v", l.text, err)
		return
	}
	name := p.file
	switch {
	case strings.HasPrefix(target, "/"):
		name = path.Clean(strings.TrimPrefix(target, "/"))
	case target != "":
		name = path.Join(path.Dir(p.file), target)
	}
	if !fs.ValidPath(name) {
		c.fail(p, l, "link %s leaves the repository", l.text)
		return
	}
	if _, err := fs.Stat(c.root, name); err != nil {
		c.fail(p, l, "link %s: there is no %s", l.text, name)
		return
	}
	if anchor == "" || path.Ext(name) != ".md" {
		return
	}
	to, err := c.page(name)
	if err != nil {
		c.fail(p, l, "link %s: %v", l.text, err)
		return
	}
	if !to.anchors[anchor] {
		c.fail(p, l, "link %s: %s has no heading for #%s", l.text, name, anchor)
	}
}

// page returns a parsed page, reading those that are linked to but were not asked to be checked.
func (c *linkChecker) page(name string) (*page, error) {
	if p := c.pages[name]; p != nil {
		return p, nil
	}
	text, err := fs.ReadFile(c.root, name)
	if err != nil {
		return nil, err
	}
	p := parse(name, string(text))
	c.pages[name] = p
	return p, nil
}

// path checks inline code such as `compiler/plan/file.go`. It may be relative to any folder: pages about a package
// speak of its `testdata/x`.
func (c *linkChecker) path(p *page, s span) {
	if !repoPath.MatchString(s.text) {
		return
	}
	name := path.Clean(s.text)
	top, _, _ := strings.Cut(name, "/")
	if info, err := fs.Stat(c.root, top); err != nil || !info.IsDir() || top == "." || top == ".." {
		return
	}
	if _, err := fs.Stat(c.root, name); err == nil || c.somewhere(name) {
		return
	}
	c.fail(p, s, "`%s`: there is no such path", s.text)
}

// somewhere reports whether a path of the tree ends in name.
func (c *linkChecker) somewhere(name string) bool {
	found := errors.New("found")
	return fs.WalkDir(c.root, ".", func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at == ".git" && entry.IsDir(): // in a worktree it is a file
			return fs.SkipDir
		case strings.HasSuffix(at, "/"+name):
			return found
		}
		return nil
	}) == found
}
