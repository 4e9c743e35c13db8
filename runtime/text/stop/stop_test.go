package stop

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// batch is the definition: the text up to the stop string that is complete first, of those that are complete behind the first so many
// bytes.
func batch(text string, stops []string, keep bool, behind int) (out, found string) {
	for end := behind + 1; end <= len(text); end++ {
		for _, s := range stops {
			if strings.HasSuffix(text[:end], s) {
				if !keep {
					end -= len(s)
				}
				return text[:end], s
			}
		}
	}
	return text, ""
}

// ending is the longest end of the text that is a beginning of a stop string, and not all of it.
func ending(text string, stops []string) string {
	longest := ""
	for _, s := range stops {
		for n := len(longest) + 1; n < len(s); n++ {
			if strings.HasSuffix(text, s[:n]) {
				longest = s[:n]
			}
		}
	}
	return longest
}

func TestStops(t *testing.T) {
	for _, c := range []struct {
		name        string
		stops       []string
		keep        bool
		text        string
		want, found string
	}{
		{"none", nil, false, "some text", "some text", ""},
		{"cut off", []string{"\n\n"}, false, "one\n\ntwo", "one", "\n\n"},
		{"kept", []string{"\n\n"}, true, "one\n\ntwo", "one\n\n", "\n\n"},
		{"at once", []string{"one"}, false, "one two", "", "one"},
		{"only a beginning", []string{"END"}, false, "the EN", "the EN", ""},
		{"a beginning and then all of it", []string{"aab"}, false, "caaab", "ca", "aab"},
		{"the first to end, not the first to begin", []string{"abcd", "bc"}, false, "xabcdx", "xa", "bc"},
		{"the first to end, whatever their order", []string{"a", "is", ","}, false, " The user is a", " The user ", "is"},
		{"both end, the longer first", []string{"user:", ":"}, false, "user: hi", "", "user:"},
		{"both end, the shorter first", []string{":", "user:"}, false, "user: hi", "user", ":"},
		{"twice the same", []string{"x", "x"}, false, "axb", "a", "x"},
		{"characters of several bytes", []string{"。"}, false, "日本。語", "日本", "。"},
		{"falls back twice", []string{"abab!", "bac"}, false, "ababac", "aba", "bac"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, found := batch(c.text, c.stops, c.keep, 0); out != c.want || found != c.found {
				t.Fatalf("the definition gives %q, %q, want %q, %q", out, found, c.want, c.found)
			}
			set, err := Compile(c.stops)
			if err != nil {
				t.Fatal(err)
			}
			for step := 1; step <= len(c.text); step++ {
				m := set.Matcher(Options{Keep: c.keep})
				out := ""
				for i := 0; i < len(c.text); i += step {
					part, _ := m.Write(c.text[i:min(i+step, len(c.text))])
					out += part
				}
				if out += m.Close(); out != c.want || m.Found() != c.found {
					t.Errorf("in parts of %d: %q, %q, want %q, %q", step, out, m.Found(), c.want, c.found)
				}
			}
		})
	}
}

// check cuts a text anywhere and compares what comes out with the definition, and what is held back after each part.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, stops []string, keep bool, parts []string, passed int) {
	t.Helper()
	set, err := Compile(stops)
	if err != nil {
		t.Fatalf("%q: %v", stops, err)
	}
	m := set.Matcher(Options{Keep: keep})
	text, out, behind := strings.Join(parts, ""), "", len(strings.Join(parts[:passed], ""))
	want, found := batch(text, stops, keep, behind)
	so := ""
	for i, part := range parts {
		so += part
		var got string
		stopped := false
		if i < passed {
			got = m.Pass(part)
		} else {
			got, stopped = m.Write(part)
		}
		out += got
		_, first := batch(so, stops, keep, behind)
		if stopped != (first != "" && i >= passed) {
			t.Fatalf("%q of %q: stopped is %t, the first stop string of it is %q", so, parts, stopped, first)
		}
		if stopped {
			continue
		}
		held := ending(so, stops)
		if keep {
			held = ""
		}
		if out+held != so {
			t.Fatalf("behind %q of %q came out %q, want all but %q", so, parts, out, held)
		}
	}
	if out += m.Close(); out != want || m.Found() != found {
		t.Fatalf("%q, stops %q, keep %t, %d passed: got %q, %q, want %q, %q", parts, stops, keep, passed, out, m.Found(), want, found)
	}
}

// TestPartsChangeNothing: however a text is cut, what comes out is what the definition gives, and no more is held back than has to be.
func TestPartsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"ab", "abc", "aé世"}).Draw(t, "alphabet")
		text := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 0, 12, -1)
		stops := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 1, 6, -1), 0, 4).Draw(t, "stops")
		parts := rapid.SliceOfN(text, 1, 8).Draw(t, "parts")
		check(t, stops, rapid.Bool().Draw(t, "keep"), parts, rapid.IntRange(0, len(parts)).Draw(t, "passed"))
	})
}

func TestCompileIsBounded(t *testing.T) {
	many := make([]string, MaxStrings+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		stops []string
		want  error
	}{
		"empty": {[]string{"a", ""}, ErrEmpty},
		"many":  {many, ErrMany},
		"long":  {[]string{strings.Repeat("a", MaxBytes), "b"}, ErrLong},
		"most":  {many[:MaxStrings], nil},
		"full":  {[]string{strings.Repeat("a", MaxBytes)}, nil},
	} {
		if _, err := Compile(c.stops); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

// words decodes ids as words; the last one of them holds a character back.
type words struct {
	list []string
	rest string
}

func (w *words) Next(id int32) string {
	if int(id) >= len(w.list) {
		w.rest = "\ufffd"
		return ""
	}
	return w.list[id]
}

func (w *words) Flush() string { return w.rest }

func TestText(t *testing.T) {
	list := []string{"Hello", ", ", "wor", "ld", "\nUs", "er", ":", " hi"}
	for _, c := range []struct {
		name      string
		stops     []string
		o         Options
		minTokens int
		ids       []int32
		want      []string // of each token, and of the end
		found     string
	}{
		{"across tokens", []string{"\nUser:"}, Options{}, 0, []int32{0, 1, 2, 3, 4, 5, 6}, []string{"Hello", ", ", "wor", "ld", "", "", "", ""}, "\nUser:"},
		{"kept", []string{"\nUser:"}, Options{Keep: true}, 0, []int32{3, 4, 5, 6}, []string{"ld", "\nUs", "er", ":", ""}, "\nUser:"},
		{"within a token", []string{"ell"}, Options{}, 0, []int32{0}, []string{"H", ""}, "ell"},
		{"not complete", []string{"\nUser:"}, Options{}, 0, []int32{3, 4, 5}, []string{"ld", "", "", "\nUser"}, ""},
		{"too early", []string{"or"}, Options{}, 3, []int32{0, 1, 2, 3, 2}, []string{"Hell", "o, ", "wor", "ld", "w", ""}, "or"},
		{"begins too early", []string{"world"}, Options{}, 3, []int32{0, 1, 2, 3}, []string{"Hello", ", ", "", "", ""}, "world"},
		{"an incomplete character", []string{"x"}, Options{}, 0, []int32{0, 99}, []string{"Hello", "", "\ufffd"}, ""},
		{"no stop strings", nil, Options{}, 0, []int32{0, 1}, []string{"Hello", ", ", ""}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := Compile(c.stops)
			if err != nil {
				t.Fatal(err)
			}
			text, until := set.NewText(&words{list: list}, c.o, c.minTokens), set.NewText(&words{list: list}, c.o, c.minTokens)
			var got []string
			for i, id := range c.ids {
				part, stopped := text.Next(id)
				got = append(got, part)
				if last := c.found != "" && i == len(c.ids)-1; stopped != last || until.Until(id) != last {
					t.Errorf("token %d: stopped is %t", i, stopped)
				}
			}
			if diff := cmp.Diff(c.want, append(got, text.Close())); diff != "" || text.Found() != c.found {
				t.Errorf("found %q, want %q; text (-want +got):\n%s", text.Found(), c.found, diff)
			}
		})
	}
}

// FuzzParts: the definition holds for any strings and any cut.
func FuzzParts(f *testing.F) {
	f.Add("one\n\ntwo", "\n\n", "two", uint8(3), uint8(1), false)
	f.Add("aaaaab", "aab", "ab", uint8(1), uint8(4), true)
	f.Fuzz(func(t *testing.T, text, a, b string, step, passed uint8, keep bool) {
		if len(text) > 200 || a == "" || b == "" || len(a)+len(b) > 100 {
			t.Skip()
		}
		n := int(step%16) + 1
		parts := []string{""}
		for i := 0; i < len(text); i += n {
			parts = append(parts, text[i:min(i+n, len(text))])
		}
		check(t, []string{a, b}, keep, parts, min(int(passed), len(parts)))
	})
}

// BenchmarkCompile makes the largest set.
func BenchmarkCompile(b *testing.B) {
	strs := make([]string, 64)
	for i := range strs {
		strs[i] = strings.Repeat(string(rune('a'+i%20)), MaxBytes/len(strs)-1) + fmt.Sprint(i%10)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(strs); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite reads ordinary text and text made to be slow, token by token: the time of a byte should not depend on the length of the
// strings.
func BenchmarkWrite(b *testing.B) {
	hostile := func(n int) []string { return []string{strings.Repeat("a", n) + "b", strings.Repeat("a", n/2) + "c"} }
	prose := strings.Repeat("A sentence of some words, as models write them.\n", 1000)
	for _, c := range []struct {
		name  string
		stops []string
		text  string
	}{
		{"prose", []string{"\n\n", "<|user|>", "User:", "###"}, prose},
		{"hostile 16", hostile(16), strings.Repeat("a", 1<<16)},
		{"hostile 8192", hostile(8192), strings.Repeat("a", 1<<16)},
		{"hostile, falls", hostile(1000), strings.Repeat(strings.Repeat("a", 999)+"x", 60)},
	} {
		b.Run(c.name, func(b *testing.B) {
			set, err := Compile(c.stops)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				m := set.Matcher(Options{})
				for i := 0; i < len(c.text); i += 4 {
					m.Write(c.text[i:min(i+4, len(c.text))])
				}
			}
		})
	}
}
