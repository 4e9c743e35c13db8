package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/lsp"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/models"
)

func lspCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lsp",
		Short: "Serve editors: mistakes, types, definitions, completion in .glm files",
		Long: `Lsp speaks the Language Server Protocol on stdin and stdout. An editor starts it and ends it; docs/editors.md
says how for several. What goes wrong inside is printed to stderr. The exit status is 0 where the editor asked
for a shutdown before it left.`,
		Example: "  glmc lsp",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveEditors(cmd.Context())
		},
	}
}

func serveEditors(ctx context.Context) error {
	var known []lsp.Pass
	for _, p := range passes.Table {
		known = append(known, lsp.Pass{Name: p.Name, Doc: p.Doc})
	}
	err := lsp.Serve(ctx, stdio{os.Stdin, os.Stdout}, lsp.Options{
		Version:   version(),
		Functions: ir.Surfaces(),
		Passes:    known,
		Check:     func(f *syntax.File) *diag.List { return compiler.Check(f, nil) },
		Open:      models.Open,
		Carried:   models.Names(),
		Copy:      (&carriedFiles{}).copy,
		Log:       os.Stderr,
	})
	if errors.Is(err, lsp.ErrNoShutdown) {
		return errors.New("the editor left without a word: it sent no shutdown")
	}
	return err
}

// stdio is stdin and stdout as one stream.
type stdio struct {
	io.ReadCloser
	io.Writer
}

// carriedFiles puts copies of the files that the binary carries into the user's cache, for editors to open. They all
// go there, since they import each other by relative paths.
type carriedFiles struct {
	once sync.Once
	dir  string
	err  error
}

func (c *carriedFiles) copy(name string) (string, error) {
	c.once.Do(func() { c.dir, c.err = copyCarried() })
	if c.err != nil {
		return "", fmt.Errorf("copy %s for the editor: %w", name, c.err)
	}
	return filepath.Join(c.dir, filepath.FromSlash(strings.TrimPrefix(name, source.Carried))), nil
}

// copyCarried writes the files below a directory whose name is made of their contents, and returns it.
func copyCarried() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	texts := map[string][]byte{}
	for _, name := range models.Names() {
		text, err := models.Open(name)
		if err != nil {
			return "", err
		}
		texts[name] = text
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	dir := filepath.Join(cache, "glmc", fmt.Sprintf("models-%x", sum.Sum(nil)[:8]))
	for name, text := range texts {
		path := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, source.Carried)))
		if old, err := os.ReadFile(path); err == nil && string(old) == string(text) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		_ = os.Remove(path)
		if err := os.WriteFile(path, text, 0o444); err != nil { // it is not the place to change them
			return "", err
		}
	}
	return dir, nil
}
