package tokenizer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestAtMost: the bound gives all ids or none.
func TestAtMost(t *testing.T) {
	for _, path := range []string{bundled, "testdata/trained/odd.json.gz", "testdata/trained/llama3.json.gz", "testdata/trained/qwen2.json.gz"} {
		tok := parseFile(t, path)
		rapid.Check(t, func(t *rapid.T) {
			all := segments(false).Draw(t, "segments")
			want := tok.EncodeSegments(all, PostProcess())
			n := rapid.IntRange(0, len(want)+2).Draw(t, "n")
			if len(want) > n {
				want = nil
			}
			if diff := cmp.Diff(want, tok.EncodeSegments(all, PostProcess(), AtMost(n))); diff != "" {
				t.Fatalf("%s, at most %d (-want +got):\n%s", path, n, diff)
			}
		})
	}
}

// TestAtLeast: a text has no fewer ids than its bytes say.
func TestAtLeast(t *testing.T) {
	for _, path := range []string{bundled, "testdata/trained/llama3.json.gz", "testdata/trained/cl100k.json.gz"} {
		tok := parseFile(t, path)
		rapid.Check(t, func(t *rapid.T) {
			var b strings.Builder
			for _, id := range rapid.SliceOf(rapid.IntRange(0, tok.VocabSize()-1)).Draw(t, "ids") {
				b.WriteString(tok.Bytes(int32(id)))
			}
			text := toValid(b.String())
			if ids := tok.Encode(text, Recognise(AddedNone)); tok.atLeast(text) > len(ids) {
				t.Fatalf("%s: %q has %d ids, and its bytes say %d at least", path, text, len(ids), tok.atLeast(text))
			}
		})
	}
}

// TestAtMostOfALargeText: what would take a minute is known from its bytes.
func TestAtMostOfALargeText(t *testing.T) {
	tok := parseFile(t, bundled)
	text := strings.Repeat("a", 64<<20)
	if got := tok.Encode(text, AtMost(100_000)); got != nil {
		t.Errorf("%d ids", len(got))
	}
}
