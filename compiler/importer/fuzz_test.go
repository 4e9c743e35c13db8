package importer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/format"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/models"
)

// FuzzImport: whatever a config.json holds, it is ranked beside every family, and what is imported from it has no
// errors.
func FuzzImport(f *testing.F) {
	for _, glob := range []string{"testdata/golden/*/config.json", "models/tiny/config.json"} {
		files, err := filepath.Glob(root + glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %v", glob, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(mixtral))
	f.Add([]byte(gemma))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := config.Parse("config.json", data)
		if err != nil {
			return
		}
		for _, c := range Nearest(doc, families()) {
			if l := c.Likeness(); !(l >= 0 && l <= 1) {
				t.Fatalf("%s has a likeness of %g", c.Family.Path, l)
			}
		}
		family, err := models.ForArchitectures(doc.Architectures())
		if err != nil {
			return
		}
		in := Input{Family: Family{family.Path, family.Model, family.Classes}, Open: models.Open, Config: doc, Title: string(data), Targets: []string{"cpu"}}
		r, _, err := Import(in)
		if err != nil {
			return
		}
		if canonical, _ := format.Source(fileName, r.Text); string(canonical) != string(r.Text) {
			t.Fatalf("not as glmc fmt writes it:\n%s", r.Text)
		}
		program, list := source.Load(fileName, r.Text, models.Open)
		list.Append(compiler.Check(program.Root, doc))
		if list.HasErrors() {
			t.Fatalf("%v\n%s", list.Err(), r.Text)
		}
	})
}
