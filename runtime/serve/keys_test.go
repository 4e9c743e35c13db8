package serve

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKeyFiles: what files may hold, and that they are followed.
func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		"":                              "holds no keys",
		"# nothing\n":                   "holds no keys",
		"short\n":                       ":1: it has 5 characters",
		"\n\na b c\n":                   ":3: wants KEY or NAME KEY",
		"key\u00e9key\u00e9\n":          "printable ASCII",
		strings.Repeat("x", 600) + "\n": "512 at most",
	} {
		write(text)
		if _, err := NewKeys(nil, []string{file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
	if _, err := NewKeys(nil, []string{filepath.Join(dir, "none")}); err == nil {
		t.Error("a file that is not there is taken")
	}
	write("# who may ask\nalice " + keyA + "\n")
	k, err := NewKeys(nil, []string{file})
	if err != nil {
		t.Fatal(err)
	}
	x := start(t, Options{Keys: k})
	if a := x.ask("POST", "/v1/say", "Hi", "X-Api-Key: "+keyA); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	x.logged(`"key":"alice"`)
	write("bob " + keyB + "\n")
	for range 50 {
		if x.ask("POST", "/v1/say", "Hi", "X-Api-Key: "+keyA).status == 401 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	got := []int{x.ask("POST", "/v1/say", "Hi", "X-Api-Key: "+keyA).status, x.ask("POST", "/v1/say", "Hi", "X-Api-Key: "+keyB).status}
	if !slices.Equal(got, []int{401, 200}) {
		t.Errorf("when the file has changed: %v", got)
	}
}
