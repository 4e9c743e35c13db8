package diag

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// sarifValidator checks logs against the OASIS schema; testdata/README.md says where it is from.
func sarifValidator(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat() // URIs too
	if err := c.AddResource(sarifSchema, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(sarifSchema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// sarifOf writes a log and validates it.
func sarifOf(t rapid.TB, schema *jsonschema.Schema, list *List, run SARIFRun) sarifLog {
	t.Helper()
	var b bytes.Buffer
	if err := SARIF(&b, list, run); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	return log
}

// place is the span of some text in a source.
func place(file, src, text string) Span {
	pos := func(offset int) Pos {
		before := src[:offset]
		return Pos{offset, strings.Count(before, "\n") + 1, offset - strings.LastIndexByte(before, '\n')}
	}
	from := strings.Index(src, text)
	return Span{file, pos(from), pos(from + len(text))}
}

func TestSARIF(t *testing.T) {
	list := &List{}
	list.Errorf(place("a b/m.glm", source, "wdth"), "unknown-name", "unknown name %q", "wdth").
		Note(place("a b/m.glm", source, "漢字"), "a {hole} and a [link](target)").
		Note(Span{File: "config.json"}, "in this file").
		Note(Span{}, "and nowhere").
		DidYouMean("wdth", []string{"width"})
	list.Warnf(place("a b/m.glm", source, "= \"漢字\" + y\n}"), "unused-name", "over two lines")
	list.Errorf(place("a b/m.glm", source, `"漢字"`), "unknown-name", "in quotes").DidYouMean("漢字", []string{"漢子漢子漢字"}).Fix = Fix{"漢字", "漢"}
	list.Errorf(place("a b/m.glm", source, "model"), "no-such-id", "an ID that no page lists").Fix = Fix{"other", "text"}
	list.Errorf(span("unread.glm", 7, 2, 5), "bad-shape", "without its text")
	list.Errorf(Span{}, "bad-config-flag", "--set x=y")
	text := func(file string) []byte {
		if file == "a b/m.glm" {
			return []byte(source)
		}
		return nil
	}
	log := sarifOf(t, sarifValidator(t), list, SARIFRun{Version: "1.2", Dir: "/w", Sources: text, Failed: []string{"open x.glm: no such file"}})
	run := log.Runs[0]

	var rules []string
	for _, r := range run.Tool.Driver.Rules {
		rules = append(rules, r.ID)
	}
	if diff := cmp.Diff([]string{"unknown-name", "unused-name", "no-such-id", "bad-shape", "bad-config-flag"}, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := run.Tool.Driver.Rules[0].ShortDescription; got == nil || got.Text != "nothing has this name; also: it is declared further below" {
		t.Errorf("unknown-name is described as %v", got)
	}
	if run.Tool.Driver.Rules[2].ShortDescription != nil {
		t.Error("an unknown ID has a description")
	}
	wantInvocation := sarifInvocation{Notifications: []sarifNotification{{"error", sarifMessage{"open x.glm: no such file"}}}}
	if diff := cmp.Diff([]sarifInvocation{wantInvocation}, run.Invocations); diff != "" {
		t.Errorf("invocation (-want +got):\n%s", diff)
	}

	file := sarifArtifact{"a%20b/m.glm", "%SRCROOT%"}
	physical := func(l1, c1, l2, c2 int) *sarifPhysical {
		return &sarifPhysical{file, &sarifRegion{l1, c1, l2, c2}}
	}
	n := func(i int) *int { return &i }
	want := []sarifResult{
		{RuleID: "unknown-name", Level: "error", Message: sarifMessage{"unknown name \"wdth\"\ndid you mean \"width\"?"},
			Locations: []sarifLocation{{Physical: physical(2, 14, 2, 18)}}, // ö and ß are one unit, two bytes each
			Related: []sarifLocation{
				{ID: n(0), Physical: physical(3, 8, 3, 10), Message: &sarifMessage{`a {{hole}} and a \[link\](target)`}},
				{ID: n(1), Physical: &sarifPhysical{Artifact: sarifArtifact{"config.json", "%SRCROOT%"}}, Message: &sarifMessage{"in this file"}},
				{ID: n(2), Message: &sarifMessage{"and nowhere"}},
			},
			Fixes: []sarifFix{{sarifMessage{`did you mean "width"?`}, []sarifChange{{file, []sarifReplacement{{sarifRegion{2, 14, 2, 18}, sarifContent{"width"}}}}}}}},
		{RuleID: "unused-name", RuleIndex: 1, Level: "warning", Message: sarifMessage{"over two lines"}, Locations: []sarifLocation{{Physical: physical(3, 5, 4, 2)}}},
		{RuleID: "unknown-name", Level: "error", Message: sarifMessage{"in quotes"}, Locations: []sarifLocation{{Physical: physical(3, 7, 3, 11)}},
			Fixes: []sarifFix{{sarifMessage{}, []sarifChange{{file, []sarifReplacement{{sarifRegion{3, 7, 3, 11}, sarifContent{`"漢"`}}}}}}}},
		{RuleID: "no-such-id", RuleIndex: 2, Level: "error", Message: sarifMessage{"an ID that no page lists"}, Locations: []sarifLocation{{Physical: physical(1, 1, 1, 6)}}},
		{RuleID: "bad-shape", RuleIndex: 3, Level: "error", Message: sarifMessage{"without its text"},
			Locations: []sarifLocation{{Physical: &sarifPhysical{sarifArtifact{"unread.glm", "%SRCROOT%"}, &sarifRegion{StartLine: 7}}}}},
		{RuleID: "bad-config-flag", RuleIndex: 4, Level: "error", Message: sarifMessage{"--set x=y"}},
	}
	if diff := cmp.Diff(want, run.Results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func TestSARIFPaths(t *testing.T) {
	dir := t.TempDir()
	s := &sarifWriter{SARIFRun: SARIFRun{Dir: dir}}
	outside := "file://" + filepath.ToSlash(filepath.Join(filepath.Dir(dir), "m.glm"))
	if filepath.Separator == '\\' {
		outside = strings.Replace(outside, "file://", "file:///", 1)
	}
	for _, tt := range []struct{ file, want, base string }{
		{"m.glm", "m.glm", "%SRCROOT%"},
		{"./x/../m 100%.glm", "m%20100%25.glm", "%SRCROOT%"},
		{"a:b.glm", "./a:b.glm", "%SRCROOT%"},
		{"ü?#.glm", "%C3%BC%3F%23.glm", "%SRCROOT%"},
		{filepath.Join(dir, "sub", "m.glm"), "sub/m.glm", "%SRCROOT%"},
		{"../m.glm", outside, ""},
		{"glmc:glm4moe/model.glm", "glmc:glm4moe/model.glm", ""},
		{"glmc:a b.glm", "glmc:a%20b.glm", ""},
	} {
		if tt.file == "a:b.glm" && filepath.Separator == '\\' {
			continue // no name of a file there
		}
		if got := s.artifact(tt.file); got != (sarifArtifact{tt.want, tt.base}) {
			t.Errorf("%s is %+v, want %s", tt.file, got, tt.want)
		}
	}
}

// TestSARIFIsValid writes arbitrary diagnostics. All of them give a valid log, and columns are those of UTF-16.
func TestSARIFIsValid(t *testing.T) {
	schema := sarifValidator(t)
	names := []string{"m.glm", "", "a b\n%.glm", "/x/\xff.glm", "glmc:x/model.glm", "../up.glm", "a:b"}
	rapid.Check(t, func(r *rapid.T) {
		src := rapid.String().Draw(r, "source")
		at := func(label string) Span {
			if src == "" || rapid.IntRange(0, 3).Draw(r, label) == 0 {
				return Span{File: rapid.SampledFrom(names).Draw(r, label), Start: Pos{rapid.Int().Draw(r, label), rapid.Int().Draw(r, label), rapid.Int().Draw(r, label)}}
			}
			from := rapid.IntRange(0, len(src)-1).Draw(r, label)
			s := place("m.glm", src, src[from:])
			s.File = rapid.SampledFrom(names).Draw(r, label)
			return s
		}
		list := &List{}
		for range rapid.IntRange(0, 5).Draw(r, "diagnostics") {
			d := list.Errorf(at("place"), rapid.SampledFrom([]string{"unknown-name", "x"}).Draw(r, "ID"), "%s", rapid.String().Draw(r, "message"))
			d.Note(at("note"), "%s", rapid.String().Draw(r, "note"))
			d.Fix = Fix{rapid.SampledFrom([]string{"", src}).Draw(r, "old"), rapid.String().Draw(r, "new")}
		}
		log := sarifOf(r, schema, list, SARIFRun{Dir: "/w", Sources: func(string) []byte { return []byte(src) }})
		for i, d := range list.All() {
			res := log.Runs[0].Results[i]
			if d.File == "" || d.Start.Offset < 0 || d.Start.Offset > len(src) || place(d.File, src, src[d.Start.Offset:]).Start != d.Start {
				continue
			}
			line := src[:d.Start.Offset]
			line = line[strings.LastIndexByte(line, '\n')+1:]
			if want := len(utf16.Encode([]rune(line))) + 1; res.Locations[0].Physical.Region.StartColumn != want {
				r.Fatalf("column %d, want %d behind %q", res.Locations[0].Physical.Region.StartColumn, want, line)
			}
		}
	})
}

// TestSARIFDropped: what a list does not keep is told.
func TestSARIFDropped(t *testing.T) {
	list := &List{}
	for i := range maxKept + 3 {
		list.Errorf(span("m.glm", i+1, 1, 2), "unknown-name", "x")
	}
	log := sarifOf(t, sarifValidator(t), list, SARIFRun{Dir: "/w"})
	want := []sarifInvocation{{Successful: true, Notifications: []sarifNotification{{"note", sarifMessage{"3 more diagnostics not shown"}}}}}
	if diff := cmp.Diff(want, log.Runs[0].Invocations); diff != "" || len(log.Runs[0].Results) != maxKept {
		t.Errorf("%d results (-want +got):\n%s", len(log.Runs[0].Results), diff)
	}
}

var (
	ruleRow = regexp.MustCompile("(?m)^\\| ((?:`[a-z0-9-]+`(?:, )?)+) \\| (.*) \\|$")
	ruleID  = regexp.MustCompile("`([^`]+)`")
)

// TestRules holds the table against the language page.
func TestRules(t *testing.T) {
	page, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := bytes.Cut(page, []byte("\n## Diagnostics\n"))
	if !ok {
		t.Fatal("the page has no section of diagnostics")
	}
	var want []Rule
	for _, m := range ruleRow.FindAllSubmatch(section, -1) {
		r := Rule{What: string(m[2])}
		for _, id := range ruleID.FindAllSubmatch(m[1], -1) {
			r.IDs = append(r.IDs, string(id[1]))
		}
		want = append(want, r)
	}
	if diff := cmp.Diff(want, Rules); diff != "" {
		t.Errorf("Rules is not what docs/language.md says (-page +table):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, r := range Rules {
		for _, id := range r.IDs {
			if seen[id] || Describe(id) == "" || strings.Contains(Describe(id), "`") {
				t.Errorf("%s is there twice or has no description: %q", id, Describe(id))
			}
			seen[id] = true
		}
	}
}

// TestSARIFRemarks: what was missed is a note, what was done is no result with a level.
func TestSARIFRemarks(t *testing.T) {
	remarks := []SARIFRemark{
		{ID: "p.fused", Rule: "a {rule}", Span: place("m.glm", source, "wdth"), Message: "forward, layers 3..91", Properties: map[string]any{"layers": []int{3, 91}}},
		{ID: "p.other", Missed: true, Message: "nowhere"},
		{ID: "p.fused", Span: Span{File: "glmc:m.glm", Start: Pos{Line: 3, Column: 4}}, Message: "no text of it"},
	}
	var b bytes.Buffer
	if err := SARIFRemarks(&b, remarks, SARIFRun{Sources: func(string) []byte { return []byte(source) }, Dir: "/work"}); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifValidator(t).Validate(doc); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range log.Runs[0].Results {
		got = append(got, strings.TrimSpace(r.RuleID+" "+r.Kind+" "+r.Level))
	}
	if diff := cmp.Diff([]string{"p.fused informational none", "p.other  note", "p.fused informational none"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if rules := log.Runs[0].Tool.Driver.Rules; len(rules) != 2 || rules[0].ShortDescription.Text != "a {{rule}}" || rules[1].ShortDescription != nil {
		t.Errorf("rules: %+v", rules)
	}
}
