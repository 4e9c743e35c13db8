package filemap

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMap(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, release, err := Map(f, 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil { // a map outlives the file that it was made of
		t.Fatal(err)
	}
	if string(content) != "content" {
		t.Errorf("the content is %q", content)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
