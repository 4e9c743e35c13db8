package tokenizer

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestToValid holds results of Python's decode("utf-8", "replace"), with ? for
// U+FFFD.
func TestToValid(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"plain é 中 😀 \ufffd":        "plain é 中 😀 ?",
		"\x80a":                     "?a",
		"a\xff\xfeb":                "a??b",
		"\xc0\xaf":                  "??", // overlong
		"\xe0\x80\x80":              "???",
		"\xe4\xbd":                  "?", // begun and cut off
		"\xe4\xbdx":                 "?x",
		"\xf0\x9f\x98":              "?",
		"\xf0\x9f\x98\xe4":          "??",
		"\xf0\x9f\xc3\xa9":          "?é",
		"\xed\xa0\x80":              "???", // a surrogate
		"\xf4\x90\x80\x80":          "????",
		"\xf5\x80":                  "??",
		"\xc3\xc3\xa9":              "?é",
		"\xf0\x80\x80\x80":          "????",
		"\xf1\x80\x80\x80\x80":      "\U00040000?",
		"x\xe2\x82\xf0\x9f\x98\x80": "x?😀",
	} {
		want = strings.ReplaceAll(want, "?", "\ufffd")
		if got := toValid(in); got != want {
			t.Errorf("%+q becomes %+q, want %+q", in, got, want)
		}
	}
}

// streamAll feeds ids to a stream and returns the pieces.
func streamAll(s *Stream, ids []int32) []string {
	var out []string
	for _, id := range ids {
		out = append(out, s.Next(id))
	}
	return append(out, s.Flush())
}

// TestStream: the pieces together are what Decode gives, and none of them is
// damaged where Decode's text is not.
func TestStream(t *testing.T) {
	for _, path := range []string{bundled, "testdata/trained/odd.json.gz"} {
		tok := parseFile(t, path)
		// Ids of single bytes make most sequences of bytes possible, also broken ones.
		id := rapid.OneOf(
			rapid.Int32Range(-2, int32(tok.VocabSize())+2),
			rapid.SampledFrom(tok.model.bytes[0x80:]),
			rapid.SampledFrom(tok.model.bytes[:]),
		)
		stream := map[bool]*Stream{false: tok.NewStream(false), true: tok.NewStream(true)}
		rapid.Check(t, func(t *rapid.T) {
			ids := rapid.SliceOfN(id, 0, 30).Draw(t, "ids")
			for _, skip := range []bool{false, true} {
				pieces := streamAll(stream[skip], ids)
				if got, want := strings.Join(pieces, ""), tok.Decode(ids, skip); got != want {
					t.Fatalf("skipSpecial %v: pieces %q, Decode %q", skip, pieces, want)
				}
				for _, p := range pieces {
					if !utf8.ValidString(p) {
						t.Fatalf("piece %q is not valid UTF-8", p)
					}
				}
			}
		})
	}
}

// TestStreamHoldsBack shows when text becomes visible.
func TestStreamHoldsBack(t *testing.T) {
	tok := parseFile(t, bundled)
	s := tok.NewStream(false)
	for _, step := range []struct {
		b    byte
		want string
	}{
		{'a', "a"},
		{0xf0, ""}, {0x9f, ""}, {0x98, ""}, {0x80, "😀"},
		{0xe4, ""}, {0xbd, ""}, {'x', "\ufffdx"}, // broken off
		{0xff, "\ufffd"},
		{0xe4, ""}, {0xe4, "\ufffd"}, // another begins
	} {
		if got := s.Next(tok.model.bytes[step.b]); got != step.want {
			t.Errorf("byte %#x gives %q, want %q", step.b, got, step.want)
		}
	}
	if got := s.Flush(); got != "\ufffd" {
		t.Errorf("Flush gives %q", got)
	}
	if got := s.Flush(); got != "" {
		t.Errorf("a second Flush gives %q", got)
	}
}

// TestBytes: what tokens add to a text, put together, is what they decode to.
func TestBytes(t *testing.T) {
	tok := parseFile(t, bundled)
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOf(rapid.Int32Range(-2, int32(tok.VocabSize())+2)).Draw(t, "ids")
		var joined string
		for _, id := range ids {
			joined += tok.Bytes(id)
		}
		if got, want := toValid(joined), tok.Decode(ids, false); got != want {
			t.Errorf("the bytes of %v are %q, they decode to %q", ids, got, want)
		}
	})
}
