package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/models"
)

// TestReferenceClient runs a session of an editor with glmc lsp through the client library that editors are built
// with. Node runs it, and the library is npm's: where one of them is missing, the protocol is still tested by
// package lsp's own client.
func TestReferenceClient(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed, and the reference client runs on it")
	}
	dir := filepath.Join(repository(t), "dsl", "lsp", "testdata", "client")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "vscode-languageserver-protocol")); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the client library is not installed: npm ci --prefix %s", dir)
	}
	glmc, err := exec.LookPath("glmc")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "suite.mjs", glmc)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// TestCarriedFilesAreCopied: editors find the files that the binary carries on disk, next to each other, and nobody
// edits them there by mistake.
func TestCarriedFilesAreCopied(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where caches are on Linux
	t.Setenv("HOME", t.TempDir())           // and on a Mac
	t.Setenv("LocalAppData", t.TempDir())   // and on Windows
	for range 2 {                           // the second time they are there
		var c carriedFiles
		for _, name := range models.Names() {
			path, err := c.copy(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := models.Open(name)
			if err != nil || string(got) != string(want) {
				t.Errorf("%s is not %s, or %v", path, name, err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o222 != 0 {
				t.Errorf("%s can be written to, or %v", path, err)
			}
			if filepath.ToSlash(path[len(path)-len(name)+len(source.Carried):]) != name[len(source.Carried):] {
				t.Errorf("%s is at %s", name, path)
			}
		}
	}
}
