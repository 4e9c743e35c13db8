package lsp

import (
	"net/url"
	"path"
	"strings"

	"github.com/glmc/glmc/dsl/source"
)

// pathOf is the name by which the language knows the document of a URI: the path of a file, with slashes. A document
// that is no file, or one of another machine, has its URI for a name.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" || u.Host != "" && u.Host != "localhost" {
		return uri
	}
	p := u.Path
	if hasDrive(p[1:]) {
		p = strings.ToLower(p[1:2]) + p[2:] // editors do not agree on the letter's case
	}
	return path.Clean(p)
}

// hasDrive reports whether a path begins as those of Windows do.
func hasDrive(p string) bool {
	return len(p) >= 2 && p[1] == ':' && 'a' <= p[0]|0x20 && p[0]|0x20 <= 'z'
}

// uriOf is the URI of a file, the other way round.
func uriOf(name string) string {
	switch {
	case hasDrive(name):
		name = "/" + name
	case !path.IsAbs(name):
		return name // a URI already
	}
	return (&url.URL{Scheme: "file", Path: name}).String()
}

// isFile reports whether a name of the language's is one of a file on disk.
func isFile(name string) bool {
	return !strings.HasPrefix(name, source.Carried) && (path.IsAbs(name) || hasDrive(name))
}
