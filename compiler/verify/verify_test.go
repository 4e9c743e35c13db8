package verify

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/dsl/syntax"
)

func subject(t testing.TB, model string, o compiler.Options) Subject {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(lowertest.Root(t), model))
	if err != nil {
		t.Fatal(err)
	}
	file, list := syntax.Parse(filepath.Base(model), src)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return Subject{file, o}
}

func TestX(t *testing.T) {
	for _, m := range []string{"glm4moe", "glm4moelite", "deepseekv3", "qwen3moe", "qwen3", "llama3"} {
		for _, tp := range []int{0, 1, 8} {
			start := time.Now()
			s := subject(t, "models/"+m+"/model.glm", compiler.Options{Target: "h200", TensorParallel: tp})
			r, err := Verify(t.Context(), s, 1)
			if err != nil {
				t.Error(err)
				continue
			}
			t.Log(m, r.Ranks, time.Since(start), r.Config, r.Lost)
			for _, p := range r.Results {
				t.Log("     ", p.Pass.Name, p.Status, p.Outcome)
			}
		}
	}
}
