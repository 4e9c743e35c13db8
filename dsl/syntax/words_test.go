package syntax

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWords(t *testing.T) {
	var got []string
	kinds := map[WordKind]string{WordName: "name", WordKeyword: "keyword", WordNumber: "number", WordString: "string",
		WordComment: "comment", WordSign: "sign"}
	for _, w := range Words("f", []byte("for x_1 in 0 .. 1.5e3 { \"a\\\"b\" // c\n 12x \"open\n § /* d")) {
		got = append(got, kinds[w.Kind]+" "+w.Text)
	}
	want := []string{"keyword for", "name x_1", "keyword in", "number 0", "sign ..", "number 1.5e3", "sign {", `string "a\"b"`,
		"comment // c", "number 12x", `string "open`, "sign §", "comment /* d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

// TestWordsLeaveNothingOut: what lies between words is white space, whatever the text.
func TestWordsLeaveNothingOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.String().Draw(t, "source")
		at := 0
		for _, w := range Words("f", []byte(src)) {
			if gap := src[at:w.Pos.Offset]; strings.Trim(gap, spaces) != "" {
				t.Fatalf("%q lies between words", gap)
			}
			if src[w.Pos.Offset:w.End()] != w.Text {
				t.Fatalf("%q is not at its place", w.Text)
			}
			at = w.End()
		}
		if strings.Trim(src[at:], spaces) != "" {
			t.Fatalf("%q lies behind the last word", src[at:])
		}
	})
}
