package diag

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// span is a stretch of one line; columns count bytes from 1.
func span(file string, line, from, to int) Span {
	return Span{file, Pos{Offset: line*1000 + from, Line: line, Column: from}, Pos{Offset: line*1000 + to, Line: line, Column: to}}
}

const source = "model m {\n\tlet größe = wdth + 1\n  x = \"漢字\" + y\n}\r\n" + "\x1b[2J evil\n"

func sources(file string) []byte {
	if file == "m.glm" {
		return []byte(source)
	}
	return nil
}

func TestRender(t *testing.T) {
	l := &List{}
	l.Errorf(span("m.glm", 2, 16, 20), "unknown-name", "unknown name %q", "wdth").
		Note(span("m.glm", 1, 7, 8), "in this model").
		Note(Span{File: "config.json"}, "it is not in this file").
		Note(Span{}, "and nowhere else").
		Suggest("did you mean %q?", "width")
	l.Warnf(span("m.glm", 3, 16, 17), "unused-name", "behind wide characters")
	l.Errorf(span("m.glm", 3, 7, 15), "wide", "wide characters")
	l.Errorf(Span{"m.glm", Pos{Line: 1, Column: 9}, Pos{Line: 4, Column: 2}}, "lines", "over several lines")
	l.Errorf(span("m.glm", 4, 2, 2), "end", "at the end of a line")
	l.Errorf(span("m.glm", 5, 1, 2), "escape", "an escape \x1b[2J sequence")
	l.Errorf(span("m.glm", 99, 1, 2), "gone", "no such line")
	l.Errorf(span("other.glm", 1, 1, 2), "no-source", "no such file")
	l.Errorf(Span{}, "flag", "--set x=y: no place")
	var out bytes.Buffer
	if err := Render(&out, l, sources, false); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`m.glm:2:16: error: unknown name "wdth" [unknown-name]`,
		"     2 | \tlet größe = wdth + 1",
		"       | \t            ^^^^",
		"  note: m.glm:1:7: in this model",
		"     1 | model m {",
		"       |       ^",
		"  note: config.json: it is not in this file",
		"  note: and nowhere else",
		`  help: did you mean "width"?`,
		"m.glm:3:16: warning: behind wide characters [unused-name]",
		`     3 |   x = "漢字" + y`,
		"       |              ^",
		"m.glm:3:7: error: wide characters [wide]",
		`     3 |   x = "漢字" + y`,
		"       |       ^^^^^^",
		"m.glm:1:9: error: over several lines [lines]",
		"     1 | model m {",
		"       |         ^",
		"m.glm:4:2: error: at the end of a line [end]",
		"     4 | }",
		"       |  ^",
		"m.glm:5:1: error: an escape \uFFFD[2J sequence [escape]",
		"     5 | \uFFFD[2J evil",
		"       | ^",
		"m.glm:99:1: error: no such line [gone]",
		"other.glm:1:1: error: no such file [no-source]",
		"error: --set x=y: no place [flag]",
		"",
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("rendered (-want +got):\n%s", diff)
	}
}

func TestRenderLongLine(t *testing.T) {
	l := &List{}
	l.Errorf(span("f", 1, 2001, 2004), "x", "far out")
	line := strings.Repeat("é", 1000) + "abc" + strings.Repeat("z", 1000)
	var out bytes.Buffer
	if err := Render(&out, l, func(string) []byte { return []byte(line) }, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len([]rune(lines[1])) > 250 {
		t.Errorf("a line of %d characters is shown", len([]rune(lines[1])))
	}
	at := strings.Index(lines[2], "^^^")
	if at < 0 || string([]rune(lines[1])[at:at+3]) != "abc" {
		t.Errorf("the carets are not under abc:\n%s\n%s", lines[1], lines[2])
	}
}

func TestRenderColor(t *testing.T) {
	l := &List{}
	l.Warnf(span("m.glm", 1, 1, 6), "x", "a warning")
	var out bytes.Buffer
	if err := Render(&out, l, sources, true); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1mm.glm:1:1:\x1b[0m \x1b[1;33mwarning:\x1b[0m a warning [x]\n     1 | model m {\n       | \x1b[1;33m^^^^^\x1b[0m\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("coloured (-want +got):\n%s", diff)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestRenderReturnsWriteErrors(t *testing.T) {
	l := &List{}
	l.Errorf(Span{}, "x", "y")
	if err := Render(brokenWriter{}, l, nil, false); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func TestJSON(t *testing.T) {
	l := &List{}
	l.Errorf(span("m.glm", 2, 3, 5), "some-id", "a < b").Note(span("n.glm", 1, 2, 3), "a note").Suggest("a suggestion")
	l.Warnf(Span{}, "other", "no place")
	tests := []struct {
		list *List
		want string
	}{
		{&List{}, `{"diagnostics":[]}`},
		{l, `{"diagnostics":[` +
			`{"id":"some-id","severity":"error","file":"m.glm","line":2,"column":3,"end_line":2,"end_column":5,"message":"a < b",` +
			`"notes":[{"file":"n.glm","line":1,"column":2,"end_line":1,"end_column":3,"message":"a note"}],"suggestion":"a suggestion"},` +
			`{"id":"other","severity":"warning","file":"","line":0,"column":0,"end_line":0,"end_column":0,"message":"no place","notes":[]}]}`},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := JSON(&out, tt.list); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want+"\n", out.String()); diff != "" {
			t.Errorf("JSON (-want +got):\n%s", diff)
		}
	}
}

func TestList(t *testing.T) {
	l := &List{}
	if l.HasErrors() || l.Err() != nil || l.Len() != 0 {
		t.Error("an empty list is not empty")
	}
	l.Warnf(span("b", 1, 1, 2), "w", "a warning")
	if l.HasErrors() || l.Err() != nil {
		t.Error("a warning counts as an error")
	}
	l.Errorf(span("a", 2, 5, 6), "e2", "second")
	l.Errorf(span("a", 2, 1, 2), "e1", "first").Suggest("do this")
	l.Errorf(span("b", 3, 1, 2), "e3", "third")
	l.Sort()
	var ids []string
	for _, d := range l.All() {
		ids = append(ids, d.ID)
	}
	if diff := cmp.Diff([]string{"w", "e3", "e1", "e2"}, ids); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	want := "b:3:1: error: third [e3]\na:2:1: error: first [e1]; do this\na:2:5: error: second [e2]"
	if diff := cmp.Diff(want, l.Err().Error()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestListIsBounded(t *testing.T) {
	l := &List{}
	for i := range 250 {
		l.Warnf(span("f", i+1, 1, 2), "w", "warning %d", i)
	}
	if l.HasErrors() || l.Full() || l.Len() != 100 || l.Dropped() != 150 {
		t.Errorf("%d kept, %d dropped", l.Len(), l.Dropped())
	}
	for i := range 103 {
		l.Errorf(span("f", i+1, 1, 2), "e", "error %d", i).Note(Span{}, "notes of what is dropped do no harm")
	}
	if !l.Full() || l.Len() != 200 || l.Dropped() != 153 {
		t.Errorf("%d kept, %d dropped", l.Len(), l.Dropped())
	}
	if text := l.Err().Error(); !strings.HasSuffix(text, "\nand 98 more errors") || strings.Count(text, "\n") != 5 {
		t.Errorf("text: %s", text)
	}
	var out bytes.Buffer
	if err := Render(&out, l, nil, false); err != nil || !strings.HasSuffix(out.String(), "153 more diagnostics not shown\n") {
		t.Errorf("%v: %s", err, out.String())
	}

	other := &List{}
	other.Append(l)
	other.Append(l) // says nothing new
	other.Append(nil)
	if other.Len() != 200 || !strings.Contains(other.Err().Error(), "more errors") {
		t.Errorf("appended: %d kept, %d dropped", other.Len(), other.Dropped())
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"hidden_size", "head_dim", "heads", "width", "n", "on", "rope_theta"}
	tests := []struct{ name, want string }{
		{"hiden_size", "hidden_size"},
		{"hidden_sizes", "hidden_size"},
		{"Hidden_Size", "hidden_size"},
		{"haed_dim", "head_dim"},
		{"widht", "width"},
		{"head", "heads"},
		{"theta_rope", ""},
		{"no", "on"},
		{"m", ""},
		{"hidden", "hidden_size"}, // something was left out
		{"theta", "rope_theta"},
		{"dim", ""},   // too short to say
		{"width", ""}, // it is there: no suggestion
		{"", ""},
		{strings.Repeat("width", 100), ""},
	}
	for _, tt := range tests {
		if got := Nearest(tt.name, candidates); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := Nearest("x1", []string{"x2", "x3"}); got != "x2" {
		t.Errorf("of equally near ones, the first is wanted, got %q", got)
	}
}

// TestNearestShort: half of a short name is not a slip of the pen.
func TestNearestShort(t *testing.T) {
	if got := Nearest("gelu", []string{"silu"}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		start, end string
		want       Span
	}{
		{"m.glm:2:3", "4:5", Span{File: "m.glm", Start: Pos{0, 2, 3}, End: Pos{0, 4, 5}}},
		{"m.glm:2:3", "", Span{File: "m.glm", Start: Pos{0, 2, 3}, End: Pos{0, 2, 4}}},
		{"m.glm:2:3", "x:5", Span{File: "m.glm", Start: Pos{0, 2, 3}, End: Pos{0, 2, 4}}},
		{"m.glm", "4:5", Span{File: "m.glm"}},
		{"", "", Span{}},
	} {
		if got := ParseRange(c.start, c.end); got != c.want {
			t.Errorf("ParseRange(%q, %q) = %+v, want %+v", c.start, c.end, got, c.want)
		}
	}
}

func TestParseSpan(t *testing.T) {
	src := func(string) []byte { return []byte("ab\ncdé\nf") }
	for text, want := range map[string]Span{
		"m.glm:2:3":        {File: "m.glm", Start: Pos{5, 2, 3}, End: Pos{6, 2, 4}},
		"glmc:a/m.glm:1:1": {File: "glmc:a/m.glm", Start: Pos{0, 1, 1}, End: Pos{1, 1, 2}},
		"m.glm":            {File: "m.glm"},
		"m.glm:x:1":        {File: "m.glm:x:1"},
		"m.glm:0:1":        {File: "m.glm:0:1"},
		"":                 {},
	} {
		got := ParseSpan(text, src)
		if got != want {
			t.Errorf("ParseSpan(%q) = %+v, want %+v", text, got, want)
		}
		if got.String() != text {
			t.Errorf("%q comes back as %q", text, got.String())
		}
	}
}
