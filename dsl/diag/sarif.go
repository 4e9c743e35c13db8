package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SARIFRun is what a SARIF log says beside its results.
type SARIFRun struct {
	Version string                   // of this program
	Dir     string                   // absolute; paths in it are written relative to it
	Sources func(file string) []byte // a file's text, or nil: its regions have lines only; may be nil itself
	Failed  []string                 // why files could not be checked
}

// SARIF writes the diagnostics as a log in the Static Analysis Results Interchange Format, version 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code hosts and editors. Columns count UTF-16 code units.
// Notes are related locations. A suggestion of a name that stands at the diagnostic's place is a fix too.
func SARIF(w io.Writer, list *List, run SARIFRun) error {
	s := newSARIFWriter(run)
	results := []sarifResult{}
	for _, d := range list.All() {
		results = append(results, s.result(d))
	}
	return s.write(w, results, list.Dropped())
}

// SARIFRemark is a result that is no diagnostic: something that was done, or could not be.
type SARIFRemark struct {
	ID   string
	Rule string // what the ID means; "": nothing is said about it
	// Missed says that something could not be done: a result of level note. What was done is informational, which the
	// format tells apart from results of every level.
	Missed     bool
	Span       Span
	Message    string
	Properties map[string]any // for programs; keys are the writer's own
}

// SARIFRemarks writes remarks as such a log.
func SARIFRemarks(w io.Writer, remarks []SARIFRemark, run SARIFRun) error {
	s := newSARIFWriter(run)
	results := []sarifResult{}
	for i := range remarks {
		results = append(results, s.remark(&remarks[i]))
	}
	return s.write(w, results, 0)
}

func newSARIFWriter(run SARIFRun) *sarifWriter {
	return &sarifWriter{SARIFRun: run, index: map[string]int{}, lines: map[string][][]byte{}}
}

func (s *sarifWriter) write(w io.Writer, results []sarifResult, dropped int) error {
	out := sarifRun{ColumnKind: "utf16CodeUnits", Results: results}
	out.Tool.Driver = sarifDriver{Name: "glmc", Version: s.Version, InformationURI: "https://github.com/glmc/glmc", Rules: s.rules}
	out.Invocations = []sarifInvocation{s.invocation(dropped)}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{out}})
}

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// The objects of the format, as far as they are written. Section numbers are those of the specification.
type (
	sarifLog struct { // 3.13
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct { // 3.14
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifDriver struct { // 3.19
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules,omitempty"`
	}
	sarifRule struct { // 3.49
		ID               string        `json:"id"`
		ShortDescription *sarifMessage `json:"shortDescription,omitempty"`
	}
	sarifInvocation struct { // 3.20
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct { // 3.58
		Level   string       `json:"level"`
		Message sarifMessage `json:"message"`
	}
	sarifMessage struct { // 3.11
		Text string `json:"text"`
	}
	sarifResult struct { // 3.27
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Kind      string          `json:"kind,omitempty"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
		Bag       map[string]any  `json:"properties,omitempty"`
	}
	sarifLocation struct { // 3.28
		ID       *int           `json:"id,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Message  *sarifMessage  `json:"message,omitempty"`
	}
	sarifPhysical struct { // 3.29
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct { // 3.4
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct { // 3.30
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifFix struct { // 3.55
		Description sarifMessage  `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct { // 3.56
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct { // 3.57
		Deleted  sarifRegion  `json:"deletedRegion"`
		Inserted sarifContent `json:"insertedContent"`
	}
	sarifContent struct { // 3.3
		Text string `json:"text"`
	}
)

// sarifWriter makes the objects of one run.
type sarifWriter struct {
	SARIFRun
	rules []sarifRule
	index map[string]int      // of the rules
	lines map[string][][]byte // of files
}

// message escapes what the format gives a meaning in texts: braces are placeholders, "[a](b)" is a link.
func message(s string) sarifMessage {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.NewReplacer("{", "{{", "}", "}}").Replace(s)
	if strings.Contains(s, "](") {
		s = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(s)
	}
	return sarifMessage{s}
}

func (s *sarifWriter) invocation(dropped int) sarifInvocation {
	out := sarifInvocation{Successful: len(s.Failed) == 0}
	for _, why := range s.Failed {
		out.Notifications = append(out.Notifications, sarifNotification{"error", message(why)})
	}
	if dropped > 0 {
		out.Notifications = append(out.Notifications, sarifNotification{"note", message(fmt.Sprintf("%d more %s not shown", dropped, plural("diagnostic", dropped)))})
	}
	return out
}

// rule returns the place of an ID in the list of rules, which has those that were seen.
func (s *sarifWriter) rule(id, what string) int {
	i, known := s.index[id]
	if !known {
		i = len(s.rules)
		s.index[id] = i
		r := sarifRule{ID: id}
		if what != "" {
			m := message(what)
			r.ShortDescription = &m
		}
		s.rules = append(s.rules, r)
	}
	return i
}

func (s *sarifWriter) result(d *Diagnostic) sarifResult {
	text := d.Message
	if d.Suggestion != "" {
		text += "\n" + d.Suggestion
	}
	r := sarifResult{RuleID: d.ID, RuleIndex: s.rule(d.ID, Describe(d.ID)), Level: d.Severity.String(), Message: message(text)}
	if p := s.physical(d.Span); p != nil {
		r.Locations = []sarifLocation{{Physical: p}}
	}
	for i, n := range d.Notes {
		id, m := i, message(n.Message)
		r.Related = append(r.Related, sarifLocation{ID: &id, Physical: s.physical(n.Span), Message: &m})
	}
	if region, text, ok := s.fix(d); ok {
		r.Fixes = []sarifFix{{message(d.Suggestion), []sarifChange{{s.artifact(d.File), []sarifReplacement{{region, sarifContent{text}}}}}}}
	}
	return r
}

func (s *sarifWriter) remark(x *SARIFRemark) sarifResult {
	r := sarifResult{RuleID: x.ID, RuleIndex: s.rule(x.ID, x.Rule), Level: "note", Message: message(x.Message), Bag: x.Properties}
	if !x.Missed { // 3.27.10: what is no failure has no level
		r.Kind, r.Level = "informational", "none"
	}
	if p := s.physical(x.Span); p != nil {
		r.Locations = []sarifLocation{{Physical: p}}
	}
	return r
}

// fix returns the edit of a diagnostic's fix, if its place has what the fix replaces.
func (s *sarifWriter) fix(d *Diagnostic) (sarifRegion, string, bool) {
	src := s.source(d.File)
	from, to := d.Start.Offset, d.End.Offset
	if d.Fix.Old == "" || from < 0 || from > to || to > len(src) || d.Start.Line == 0 {
		return sarifRegion{}, "", false
	}
	region := s.region(d.Span)
	switch there := string(src[from:to]); {
	case region.StartColumn == 0 || region.EndColumn == 0:
		return region, "", false
	case there == d.Fix.Old:
		return region, d.Fix.New, true
	case there == strconv.Quote(d.Fix.Old):
		return region, strconv.Quote(d.Fix.New), true
	}
	return region, "", false
}

func (s *sarifWriter) source(file string) []byte {
	if s.Sources == nil {
		return nil
	}
	return s.Sources(file)
}

// physical is nil for what stands in no file.
func (s *sarifWriter) physical(at Span) *sarifPhysical {
	if at.File == "" {
		return nil
	}
	p := &sarifPhysical{Artifact: s.artifact(at.File)}
	if at.Start.Line > 0 {
		r := s.region(at)
		p.Region = &r
	}
	return p
}

// region converts a span that has lines. Without the text there are no columns: those of a span count bytes.
func (s *sarifWriter) region(at Span) sarifRegion {
	r := sarifRegion{StartLine: at.Start.Line}
	lines, known := s.lines[at.File]
	if !known {
		if src := s.source(at.File); src != nil {
			lines = bytes.Split(src, []byte("\n"))
		}
		s.lines[at.File] = lines
	}
	column, ok := utf16Column(lines, at.Start)
	if !ok {
		return r
	}
	r.StartColumn = column
	if end, ok := utf16Column(lines, at.End); ok && (at.End.Line > at.Start.Line || at.End.Line == at.Start.Line && end >= column) {
		r.EndLine, r.EndColumn = at.End.Line, end
	}
	return r
}

// utf16Column converts the column of a place from bytes to UTF-16 code units. A byte that is no UTF-8 counts as the
// character that stands in for it.
func utf16Column(lines [][]byte, p Pos) (int, bool) {
	if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column-1 > len(lines[p.Line-1]) {
		return 0, false
	}
	column := 1
	for before := lines[p.Line-1][:p.Column-1]; len(before) > 0; {
		r, n := utf8.DecodeRune(before)
		before = before[n:]
		column++
		if r > 0xFFFF { // a pair of surrogates
			column++
		}
	}
	return column, true
}

// artifact is the URI of a file: relative to the working directory inside of it, else absolute. What the binary
// carries has a scheme of its own already, as in "glmc:glm4moe/model.glm".
func (s *sarifWriter) artifact(file string) sarifArtifact {
	if inside, ok := strings.CutPrefix(file, "glmc:"); ok {
		return sarifArtifact{URI: (&url.URL{Scheme: "glmc", Opaque: (&url.URL{Path: inside}).EscapedPath()}).String()}
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	if relative, err := filepath.Rel(s.Dir, path); err == nil && filepath.IsLocal(relative) {
		return sarifArtifact{(&url.URL{Path: filepath.ToSlash(relative)}).String(), "%SRCROOT%"}
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") { // C:/...
		slashed = "/" + slashed
	}
	return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: slashed}).String()}
}
