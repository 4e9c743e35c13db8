package plan_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/glmc/glmc/compiler/plan"
)

func TestHeaderErrors(t *testing.T) {
	file := encode(t, hand(t))
	changed := func(at int, with ...byte) []byte {
		out := bytes.Clone(file)
		copy(out[at:], with)
		return out
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "not a glmc plan"},
		{"text", []byte("model glm4_moe {"), "not a glmc plan"},
		{"half a magic", file[:7], "not a glmc plan"},
		{"other magic", changed(0, 'g'), "not a glmc plan"},
		{"magic only", file[:8], "damaged plan: 8 bytes, the header alone takes 56"},
		{"half a header", file[:55], "damaged plan: 55 bytes, the header alone takes 56"},
		{"version 0", changed(8, 0, 0, 0, 0), "the plan has format version 0 and this glmc reads version 1: compile it again, or use the glmc that wrote it"},
		{"next version", changed(8, 2), "the plan has format version 2 and this glmc reads version 1: compile it again, or use the glmc that wrote it"},
		{"reserved bytes", changed(12, 1), "damaged plan: reserved header bytes are 0x1"},
		{"header only", file[:56], "damaged plan: the header speaks of "},
		{"truncated", file[:len(file)-1], "it was cut off"},
		{"longer", append(bytes.Clone(file), 0), "something was put behind it"},
		{"huge length", changed(16, binary.LittleEndian.AppendUint64(nil, 1<<63)...), "damaged plan: the header speaks of 9223372036854775808 bytes"},
		{"digest", changed(24, file[24]^1), "damaged plan: its bytes do not match the digest in its header"},
		{"body", changed(len(file)-1, file[len(file)-1]^1), "damaged plan: its bytes do not match the digest in its header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := plan.Decode(c.file)
			if err == nil || p != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %s", err, c.want)
			}
			if errors.Is(err, plan.ErrNotPlan) != !bytes.HasPrefix(c.file, []byte("GLMPLAN\n")) || plan.IsPlan(c.file) == errors.Is(err, plan.ErrNotPlan) {
				t.Errorf("that it is no plan at all: %v", err)
			}
		})
	}
}

func TestWriteAndRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.plan")
	file := encode(t, hand(t))
	for range 2 { // the second time over the first
		if err := plan.WriteFile(path, file); err != nil {
			t.Fatal(err)
		}
		p, err := plan.ReadFile(path)
		if err != nil || p.Model != "hand" {
			t.Fatalf("got %v, %v", p, err)
		}
	}
	checkFolder(t, dir, "a.plan")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the file has mode %v, error %v", info.Mode(), err)
	}
}

func checkFolder(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
}

// TestWriteFailures: whatever goes wrong, what was there before is still there, and nothing else.
func TestWriteFailures(t *testing.T) {
	file := encode(t, hand(t))
	t.Run("no folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "none", "a.plan")
		if err := plan.WriteFile(path, file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("a folder of that name", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "a.plan", "inside"), 0o755); err != nil {
			t.Fatal(err)
		}
		err := plan.WriteFile(filepath.Join(dir, "a.plan"), file)
		if err == nil || !strings.Contains(err.Error(), "write "+filepath.Join(dir, "a.plan")+": ") {
			t.Errorf("got error %v", err)
		}
		checkFolder(t, dir, "a.plan")
		checkFolder(t, filepath.Join(dir, "a.plan"), "inside")
	})
	t.Run("a folder that cannot be written to", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root writes everywhere")
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "a.plan")
		if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o755)
		if err := plan.WriteFile(path, file); !errors.Is(err, os.ErrPermission) {
			t.Errorf("got error %v", err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "before" {
			t.Errorf("the file holds %q, error %v", got, err)
		}
	})
}

func TestReadFailures(t *testing.T) {
	dir := t.TempDir()
	if _, err := plan.ReadFile(filepath.Join(dir, "none.plan")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v", err)
	}
	if _, err := plan.ReadFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: got error %v", err)
	}
	path := filepath.Join(dir, "a.plan")
	if err := os.WriteFile(path, []byte("GLMPLAN\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.ReadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+": damaged plan: ") {
		t.Errorf("a damaged plan: got error %v", err)
	}
	// A file that is larger than any plan, and sparse: only reading it would take long.
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("GLMPLAN\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(1 << 40); err != nil {
		t.Skip(err)
	}
	if _, err := plan.ReadFile(path); err == nil || !strings.HasSuffix(err.Error(), "damaged plan: 1099511627776 bytes, a plan has at most 268435456") {
		t.Errorf("a huge file: got error %v", err)
	}
}

// TestOldPlans: plans that were written by older versions load for ever, to the same programs; see README.md
// in testdata/plans.
func TestOldPlans(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "plans")
	files, err := filepath.Glob(filepath.Join(dir, "*.plan"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no old plans in %s (%v)", dir, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			p, err := plan.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(path, ".plan") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if p.Module.String() != string(want) {
				t.Error("the plan decodes to another module than the text beside it")
			}
			if again, err := plan.Decode(encode(t, p)); err != nil || again.Module.String() != string(want) {
				t.Errorf("written again it decodes to another module (%v)", err)
			}
		})
	}
}
