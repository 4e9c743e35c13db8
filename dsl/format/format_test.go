package format

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/glmc/glmc/dsl/syntax"
)

var update = flag.Bool("update", false, "write the sections want of testdata/*.txtar")

// TestGolden formats the section "in" of each file in testdata and compares with the section "want".
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Files) == 0 || a.Files[0].Name != "in" {
				t.Fatal("the first section is not called in")
			}
			got := formatted(t, a.Files[0].Data)
			if *update {
				a.Files = append(a.Files[:1], txtar.File{Name: "want", Data: got})
				if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// formatted formats src and checks what has to hold of every result.
func formatted(t failer, src []byte) []byte {
	t.Helper()
	out, diags := Source("in.glm", src)
	if err := diags.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	checkResult(t, src, out)
	return out
}

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkResult compares what formatting must not change, and formats the result again.
func checkResult(t failer, src, out []byte) {
	t.Helper()
	want, _ := syntax.Parse("a.glm", src)
	got, diags := syntax.Parse("a.glm", out)
	if err := diags.Err(); err != nil {
		t.Fatalf("the result has errors: %v\n--- source\n%s\n--- result\n%s", err, src, out)
	}
	if diff := cmp.Diff(tree(want), tree(got)); diff != "" {
		t.Fatalf("the tree is another one; -source +result:\n%s\n--- source\n%s\n--- result\n%s", diff, src, out)
	}
	if diff := cmp.Diff(comments(src), comments(out)); diff != "" {
		t.Fatalf("comments are not the same; -source +result:\n%s\n--- source\n%s\n--- result\n%s", diff, src, out)
	}
	again, _ := Source("in.glm", out)
	if diff := cmp.Diff(strings.Split(string(out), "\n"), strings.Split(string(again), "\n")); diff != "" {
		t.Fatalf("formatting the result changes it; -once +twice:\n%s\n--- source\n%s\n--- result\n%s", diff, src, out)
	}
	for i, line := range strings.Split(string(out), "\n") {
		if strings.TrimRight(line, " \t\r") != line {
			t.Fatalf("line %d ends in white space: %q\n--- source\n%s", i+1, line, src)
		}
	}
}

// tree writes a file's tree, one field to a line, but for places, source text, and what points back to the file.
// (cmp.Diff of the trees themselves takes time exponential in their depth.)
func tree(f *syntax.File) []string {
	var lines []string
	var walk func(indent, name string, v reflect.Value)
	walk = func(indent, name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(indent, name, v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(indent, name, v.Index(i))
			}
		case reflect.Struct:
			lines = append(lines, indent+name+" "+v.Type().Name())
			for i := range v.NumField() {
				field := v.Type().Field(i)
				place := field.Type == reflect.TypeFor[syntax.Pos]() || field.Type == reflect.TypeFor[syntax.Span]()
				if !place && field.IsExported() && field.Type != reflect.TypeFor[*syntax.File]() {
					walk(indent+" ", field.Name, v.Field(i))
				}
			}
		default:
			lines = append(lines, fmt.Sprintf("%s%s = %v", indent, name, v))
		}
	}
	for _, d := range f.Decls() {
		walk("", "", reflect.ValueOf(d))
	}
	return lines
}

// comments returns the comments of a file, each line without the space around it.
func comments(src []byte) []string {
	var list []string
	for _, t := range syntax.Tokens("c.glm", src) {
		if t.Kind != syntax.CommentToken {
			continue
		}
		for _, line := range strings.Split(t.Text, "\n") {
			list = append(list, strings.Trim(line, " \t\r"))
		}
	}
	return list
}

// sources returns every .glm file of the repository and every example of the language page, by name.
func sources(t testing.TB) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".glm" {
			list[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```glm( model| pipeline)?\n(.*?)^```$").FindAllSubmatch(page, -1) {
		first, _, _ := bytes.Cut(m[2], []byte("\n"))
		name, text := "language.md"+string(m[1])+": "+string(first), string(m[2])
		if string(m[1]) == " model" {
			text = "model m {\n" + text + "}\n"
		}
		list[name] = []byte(text)
	}
	if len(list) < 30 {
		t.Fatalf("found only %d sources", len(list))
	}
	return list
}

func TestRepository(t *testing.T) {
	for name, src := range sources(t) {
		t.Run(name, func(t *testing.T) {
			if _, diags := syntax.Parse(name, src); diags.HasErrors() {
				out, diags := Source(name, src)
				if out != nil || !diags.HasErrors() {
					t.Errorf("a file with syntax errors was formatted: %q, %v", out, diags.All())
				}
				return
			}
			formatted(t, src)
		})
	}
}

// TestSmall is about what a txtar file cannot hold.
func TestSmall(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"empty", "", ""},
		{"white space", " \n\t\r\n\n", ""},
		{"comment", "\n\n  // a", "// a\n"},
		{"no end of line", "model m { }", "model m {}\n"},
		{"carriage returns", "model m {\r\n\r\n\r\n  let a = 1 // a\r\n\r\n\r\n  /* b\r\n  c */\r\n}\r\n",
			"model m {\n  let a = 1  // a\n\n  /* b\n  c */\n}\n"},
		{"white space at the end", "model m { \t\n // a \t\n/* b \n  c */  \n} ", "model m {\n  // a\n  /* b\n    c */\n}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(formatted(t, []byte(tt.src)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestTooLarge formats a file whose indented form would exceed what can be read.
func TestTooLarge(t *testing.T) {
	line := "x = " + strings.Repeat("f(a, ", 190) + "1" + strings.Repeat(")", 190) + "\n"
	src := []byte("block b() {\n" + strings.Repeat(line, 300) + "}\n")
	if got := formatted(t, src); !bytes.Equal(got, src) {
		t.Errorf("the file was changed, to %d bytes", len(got))
	}
}

// BenchmarkSource formats a file of about 2,000 lines: the model of the repository, repeated.
func BenchmarkSource(b *testing.B) {
	src, err := os.ReadFile("../../models/glm4moe/model.glm")
	if err != nil {
		b.Fatal(err)
	}
	src = bytes.Repeat(src, 2000/bytes.Count(src, []byte("\n"))+1)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Source("model.glm", src)
	}
}

func FuzzFormat(f *testing.F) {
	for _, src := range sources(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, diags := Source("f.glm", src)
		if diags.HasErrors() {
			if out != nil {
				t.Fatal("a file with syntax errors was formatted")
			}
			return
		}
		checkResult(t, src, out)
	})
}

// TestFormatted wants the models of the repository and the examples of the language page to be in canonical form.
func TestFormatted(t *testing.T) {
	for name, src := range sources(t) {
		if strings.Contains(name, "testdata") {
			continue
		}
		out := string(formatted(t, src))
		if page, _, _ := strings.Cut(name, ":"); page == "language.md model" {
			out = strings.ReplaceAll(out, "\n  ", "\n") // is shown without what stands around it
		}
		if diff := cmp.Diff(out, string(src)); diff != "" {
			t.Errorf("%s is not formatted; -want +got:\n%s", name, diff)
		}
	}
}
