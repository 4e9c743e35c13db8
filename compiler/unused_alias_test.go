package compiler

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/glmc/glmc/dsl/syntax"
)

// TestAliasesOfWeights: an alias for a weight that a model has is never called unused. It writes one for each kind of
// weight of every family into its file, and another with a letter more, which is unused.
func TestAliasesOfWeights(t *testing.T) {
	files, err := filepath.Glob("../models/*/model.glm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no models (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, list := syntax.Parse("m.glm", src)
			checked, more := CheckModels(f, nil)
			if list.Append(more); list.HasErrors() || len(checked) != 1 {
				t.Fatal(list.Err())
			}
			right, wrong := "", ""
			kinds := map[string]bool{}
			for _, w := range checked[0].Module.Weights {
				name := strings.ReplaceAll(w.Name, "{e}", "3")
				kind := strings.Trim(strings.Map(withoutDigits, name), ".")
				if kinds[kind] {
					continue
				}
				kinds[kind] = true
				right += fmt.Sprintf("alias %q = \"elsewhere.x\"\n", name)
				wrong += fmt.Sprintf("alias %q = \"elsewhere.x\"\n", name+"_")
			}
			if n := unusedAliases(t, src, right); n != 0 {
				t.Errorf("%d of %d aliases of weights are called unused", n, len(kinds))
			}
			if n := unusedAliases(t, src, wrong); n != len(kinds) {
				t.Errorf("%d of %d aliases of nothing are called unused", n, len(kinds))
			}
		})
	}
}

func withoutDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}

// unusedAliases counts the warnings of a model with more aliases.
func unusedAliases(t *testing.T, src []byte, aliases string) int {
	t.Helper()
	text := strings.Replace(string(src), "checkpoint {", "checkpoint {\n"+aliases, 1)
	f, list := syntax.Parse("m.glm", []byte(text))
	list.Append(Check(f, nil))
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	n := 0
	for _, d := range list.All() {
		if d.ID == "unused-alias" {
			n++
		}
	}
	return n
}
