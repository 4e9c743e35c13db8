package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/runtime/draft/replay"
)

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ids")
	sessions := []replay.Session{{{Prompt: []int32{1, 2}, Reply: []int32{3}}}, {{Prompt: nil, Reply: []int32{4}}}}
	if err := write(name, sessions); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int32, len(data)/4)
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int32{2, 2, 1, 2, 1, 3, 0, 1, 4}, got); d != "" {
		t.Error(d)
	}
}

func TestReport(t *testing.T) {
	var out strings.Builder
	ours := []figures{{Length: 4, Draft: times{P50: 9}}, {Length: 4, Draft: times{P50: 1}}, {Length: 4, Draft: times{P50: 2}}}
	theirs := []figures{{Length: 2, Draft: times{P50: 8}}}
	if err := report(&out, ours, theirs); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| tokens a step", "| 4.000", "| 2.000", "| 8.000", "| 0.25"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}

// TestRead: the sessions beside the small model, as its template writes them.
func TestRead(t *testing.T) {
	sessions, err := read("../../models/tiny/sessions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if len(sessions) != 3 || len(sessions[0]) != 4 {
		t.Errorf("%d sessions", len(sessions))
	}
	if _, err := read("nowhere.jsonl"); err == nil {
		t.Error("a file that is not there")
	}
	if err := compare(t.Context(), options{}); err == nil {
		t.Error("a comparison of nothing")
	}
}
