package compiler

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/syntax"
)

var declaration = regexp.MustCompile(`(?m)^(model|pipeline) (\w+)( for (\w+) \{)?`)

// twoThousandLines is the families of the repository, again and again under other names, up to 2,000 lines.
func twoThousandLines(b *testing.B) []byte {
	b.Helper()
	files, err := filepath.Glob("../models/*/model.glm")
	if err != nil || len(files) == 0 {
		b.Fatalf("no models (%v)", err)
	}
	var out []byte
	for i := 0; ; i++ {
		src, err := os.ReadFile(files[i%len(files)])
		if err != nil {
			b.Fatal(err)
		}
		src = declaration.ReplaceAll(src, []byte(fmt.Sprintf("${1} ${2}_%d$3", i)))
		src = regexp.MustCompile(`(?m)^(pipeline \w+ for )(\w+)`).ReplaceAll(src, []byte(fmt.Sprintf("${1}${2}_%d", i)))
		if bytes.Count(out, []byte("\n"))+bytes.Count(src, []byte("\n")) > 2000 {
			return append(out, bytes.Repeat([]byte("// a line\n"), 2000-bytes.Count(out, []byte("\n")))...)
		}
		out = append(out, src...)
	}
}

// BenchmarkCheck2000Lines is what an editor waits for: parsing and checking, shapes included, for all
// configurations; and what `glmc check` does on top: lowering every model at its defaults and compiling the
// pipelines that promise something.
func BenchmarkCheck2000Lines(b *testing.B) {
	src := twoThousandLines(b)
	b.Run("syntax and check", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			f, list := syntax.Parse("m.glm", src)
			list.Append(check.File(f, ir.Surfaces()))
			if err := list.Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("everything", func(b *testing.B) {
		for b.Loop() {
			f, _ := syntax.Parse("m.glm", src)
			if err := Check(f, nil).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
