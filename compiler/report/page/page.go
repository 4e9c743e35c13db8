// Package page makes the page that `glmc inspect --html` writes: one file with everything in it, that asks no network
// for anything and works from a disk.
//
// Go collects what there is to show (Build) and puts it into the page as one JSON document (Write). The page itself is
// written in TypeScript (web/src) and bundled by esbuild into web/dist, which is committed, so that building glmc needs
// Go only. Names in a model or a plan are not trusted: they are data in the document and text in the page, and a content
// security policy lets nothing run but the bundle.
package page

import (
	"crypto/sha256"
	_ "embed" // the bundle
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
)

//go:embed web/dist/page.js
var script string

//go:embed web/dist/page.css
var style string

//go:embed web/dist/licences.txt
var licences string

// Write writes the page.
func Write(w io.Writer, d *Data) error {
	// json.Marshal escapes <, > and &, so that nothing in the document can end its element.
	doc, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	policy := fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'", digest(script), digest(style))
	title := fmt.Sprintf("%s for %s · glmc inspect", clean(d.Model), clean(d.Target))
	_, err = fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<style>%s</style>
</head>
<body>
<!--
This page holds the libraries named below, under their licences.

%s-->
<div id="page"><noscript>This page draws itself with JavaScript. glmc inspect prints the same as text.</noscript></div>
<script type="application/json" id="data">%s</script>
<script>%s</script>
</body>
</html>
`, html.EscapeString(policy), html.EscapeString(title), style, licences, doc, script)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// Digests name the page's own script and style as a content security policy does, for whoever shows the page inside of another
// one, whose policy it inherits.
func Digests() (scriptDigest, styleDigest string) { return digest(script), digest(style) }

// digest is what a content security policy names an inline element by.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// clean leaves out what a title cannot show.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}
