package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/glmc/glmc/dsl/diag"
)

// The grammar in docs/language.md is what people read, the parser is what runs. The tests in this file hold one
// against the other: the parser takes what the grammar generates, and both agree on programs in which tokens were
// changed at random.

const languagePage = "../../docs/language.md"

// term is a node of a production. Op is one of: "" (a terminal or a production, by name), "|", " " (a sequence), "*",
// "?".
type term struct {
	op       string
	name     string
	literal  bool
	operands []*term
}

type ebnf map[string]*term

var ebnfFence = regexp.MustCompile("(?ms)^```ebnf\n(.*?)^```$")

func readEBNF(t testing.TB) ebnf {
	t.Helper()
	page, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	g := ebnf{}
	for _, m := range ebnfFence.FindAllSubmatch(page, -1) {
		r := &ebnfReader{t: t, words: ebnfWord.FindAllString(string(m[1]), -1)}
		for len(r.words) > 0 {
			name := r.next()
			r.want("=")
			if g[name] != nil {
				t.Fatalf("two productions of %s", name)
			}
			g[name] = r.alternatives()
			r.want(".")
		}
	}
	for name, p := range g {
		g.known(t, name, p)
	}
	return g
}

var ebnfWord = regexp.MustCompile(`"[^"]*"|[A-Za-z]+|[=().|*?]`)

type ebnfReader struct {
	t     testing.TB
	words []string
}

func (r *ebnfReader) peek() string {
	if len(r.words) == 0 {
		return ""
	}
	return r.words[0]
}

func (r *ebnfReader) next() string {
	w := r.peek()
	r.words = r.words[min(1, len(r.words)):]
	return w
}

func (r *ebnfReader) want(w string) {
	if got := r.next(); got != w {
		r.t.Fatalf("the grammar has %q where %q is wanted, before %v", got, w, r.words[:min(10, len(r.words))])
	}
}

func (r *ebnfReader) alternatives() *term {
	alt := &term{op: "|", operands: []*term{r.sequence()}}
	for r.peek() == "|" {
		r.next()
		alt.operands = append(alt.operands, r.sequence())
	}
	return alt
}

func (r *ebnfReader) sequence() *term {
	seq := &term{op: " "}
	for {
		var x *term
		switch w := r.peek(); {
		case w == "(":
			r.next()
			x = r.alternatives()
			r.want(")")
		case strings.HasPrefix(w, `"`):
			x = &term{name: strings.Trim(r.next(), `"`), literal: true}
		case w != "" && (w[0]|0x20) >= 'a' && (w[0]|0x20) <= 'z':
			x = &term{name: r.next()}
		default:
			return seq
		}
		for r.peek() == "*" || r.peek() == "?" {
			x = &term{op: r.next(), operands: []*term{x}}
		}
		seq.operands = append(seq.operands, x)
	}
}

// terminals are the words that are no productions, with the types of the tokens.
var terminals = map[string]lexer.TokenType{
	"Name": tokIdent, "Int": tokInt, "Float": tokFloat, "String": tokString, "Reserved": tokKeyword,
}

// Conditions on what follows, which match nothing themselves.
const (
	sameLine = "Sameline"
	lineEnd  = "Lineend"
)

func (g ebnf) known(t testing.TB, in string, x *term) {
	t.Helper()
	if x.op == "" && !x.literal && g[x.name] == nil && x.name != sameLine && x.name != lineEnd {
		if _, ok := terminals[x.name]; !ok {
			t.Errorf("%s has %s, which is neither a production nor a terminal", in, x.name)
		}
	}
	for _, o := range x.operands {
		g.known(t, in, o)
	}
}

// recogniser says whether tokens are a sentence of the grammar. It tries every way and remembers which places each
// term can lead to.
type recogniser struct {
	g      ebnf
	tokens []lexer.Token
	memo   map[visit]map[int]bool
}

type visit struct {
	x  *term
	at int
}

func (g ebnf) accepts(tokens []lexer.Token) bool {
	r := &recogniser{g: g, tokens: tokens, memo: map[visit]map[int]bool{}}
	return r.ends(g["File"], 0)[len(tokens)]
}

// ends are the places behind what x can match from a place on.
func (r *recogniser) ends(x *term, at int) map[int]bool {
	key := visit{x, at}
	if known, ok := r.memo[key]; ok {
		return known
	}
	out := map[int]bool{}
	r.memo[key] = out // nothing in the grammar begins with itself
	switch x.op {
	case "|":
		for _, o := range x.operands {
			for end := range r.ends(o, at) {
				out[end] = true
			}
		}
	case " ":
		from := map[int]bool{at: true}
		for _, o := range x.operands {
			to := map[int]bool{}
			for place := range from {
				for end := range r.ends(o, place) {
					to[end] = true
				}
			}
			from = to
		}
		for end := range from {
			out[end] = true
		}
	case "?":
		out[at] = true
		for end := range r.ends(x.operands[0], at) {
			out[end] = true
		}
	case "*":
		todo := []int{at}
		for len(todo) > 0 {
			place := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if out[place] {
				continue
			}
			out[place] = true
			for end := range r.ends(x.operands[0], place) {
				todo = append(todo, end)
			}
		}
	default:
		r.terminal(x, at, out)
	}
	return out
}

func (r *recogniser) terminal(x *term, at int, out map[int]bool) {
	switch {
	case !x.literal && r.g[x.name] != nil:
		for end := range r.ends(r.g[x.name], at) {
			out[end] = true
		}
	case x.name == sameLine && !x.literal:
		if r.sameLine(at) {
			out[at] = true
		}
	case x.name == lineEnd && !x.literal:
		if !r.sameLine(at) || r.tokens[at].Type != tokIdent {
			out[at] = true
		}
	case at == len(r.tokens):
	case x.literal:
		if t := r.tokens[at]; t.Value == x.name && t.Type != tokString {
			out[at+1] = true
		}
	case r.tokens[at].Type == terminals[x.name]:
		out[at+1] = true
	}
}

func (r *recogniser) sameLine(at int) bool {
	return at > 0 && at < len(r.tokens) && tokenEnd(&r.tokens[at-1]).Line == r.tokens[at].Pos.Line
}

// solid are a program's tokens without white space and comments.
func solid(src string) []lexer.Token {
	var out []lexer.Token
	for _, t := range scan("m.glm", src, &diag.List{}) {
		if t.Type != tokSpace && t.Type != tokComment && !t.EOF() {
			out = append(out, t)
		}
	}
	return out
}

// sentence writes a random sentence. Choose returns a number below n.
func (g ebnf) sentence(b *strings.Builder, x *term, depth int, choose func(n int) int) {
	switch x.op {
	case "|":
		g.sentence(b, x.operands[choose(len(x.operands))], depth, choose)
	case " ":
		for _, o := range x.operands {
			g.sentence(b, o, depth, choose)
		}
	case "?", "*":
		n := choose(2)
		if x.op == "*" {
			n = choose(4)
		}
		if depth <= 0 {
			n = 0
		}
		for range n {
			g.sentence(b, x.operands[0], depth-1, choose)
		}
	default:
		g.word(b, x, depth, choose)
	}
}

// sampleNames are words of the grammar too: they are reserved nowhere. Those of types are not among them: no key can be
// called so, which the grammar does not say.
var sampleNames = []string{"x", "model", "config", "let", "from", "optional", "alias", "when", "import", "block", "for_", "require", "T"}

func (g ebnf) word(b *strings.Builder, x *term, depth int, choose func(n int) int) {
	word := x.name
	switch {
	case x.literal:
	case x.name == sameLine:
		return
	case x.name == lineEnd:
		word = "\n"
	case x.name == "Primary" && depth <= 0:
		word = sampleNames[0]
	case x.name == "Operand" && depth <= 0:
		word = "1"
	case x.name == "Stmt" && depth <= 0:
		word = "return x"
	case g[x.name] != nil:
		g.sentence(b, g[x.name], depth-1, choose)
		return
	case x.name == "Name":
		word = sampleNames[choose(len(sampleNames))]
	case x.name == "Int":
		word = strconv.Itoa(choose(100))
	case x.name == "Float":
		word = "2.5e3"
	case x.name == "String":
		word = `"a.{b}"`
	case x.name == "Reserved":
		word = []string{"if", "in", "not"}[choose(3)]
	}
	b.WriteString(word + " ")
}

// takes reports whether the parser takes a program. It takes any name for the type of a configuration key: the
// checker has something better to say to it.
func takes(src string) (bool, error) {
	f, diags := Parse("m.glm", []byte(src))
	for _, m := range f.Models {
		for _, field := range m.Fields() {
			if !slices.Contains([]string{"int", "float", "bool", "string", "ints"}, field.Type.Name) {
				return false, diags.Err()
			}
		}
	}
	return !diags.HasErrors(), diags.Err()
}

func TestGrammarTakesItsSentences(t *testing.T) {
	g := readEBNF(t)
	random := newRandom(1)
	for i := range 3000 {
		var b strings.Builder
		g.sentence(&b, g["File"], 4+i%10, random)
		src := b.String()
		if !g.accepts(solid(src)) {
			t.Fatalf("the recogniser is wrong: it does not take\n%s", src)
		}
		if ok, err := takes(src); !ok {
			t.Fatalf("the grammar of %s has this program, and the parser does not take it: %v\n%s", languagePage, err, src)
		}
	}
}

// TestGrammarAndParserAgree changes tokens of programs. Some changes leave a program that both take, most one that
// neither does.
func TestGrammarAndParserAgree(t *testing.T) {
	g := readEBNF(t)
	random := newRandom(2)
	replacements := strings.Fields(`if then else for in return as at and or not true false { } ( ) [ ] , : = == - -> .. . * x 1 2.5 "s" optional from when`)
	both := 0
	for i := range 6000 {
		var b strings.Builder
		g.sentence(&b, g["File"], 4+i%8, random)
		tokens := strings.Fields(b.String())
		if len(tokens) == 0 || len(tokens) > 300 {
			continue
		}
		for range 1 + random(2) {
			at := random(len(tokens))
			switch random(4) {
			case 0:
				tokens = append(tokens[:at:at], tokens[at+1:]...)
			case 1:
				tokens = append(tokens[:at:at], append([]string{replacements[random(len(replacements))]}, tokens[at:]...)...)
			case 2:
				tokens = append(tokens[:at:at], append([]string{replacements[random(len(replacements))]}, tokens[at+1:]...)...)
			case 3:
				other := random(len(tokens))
				tokens[at], tokens[other] = tokens[other], tokens[at]
			}
			if len(tokens) == 0 {
				break
			}
		}
		src := join(tokens, random)
		ok, err := takes(src)
		if want := g.accepts(solid(src)); ok != want {
			t.Fatalf("the grammar of %s says %t, the parser %t (%v):\n%s", languagePage, want, ok, err, src)
		}
		if ok {
			both++
		}
	}
	if both < 100 {
		t.Errorf("only %d of the changed programs are right: the test sees too little", both)
	}
}

// join puts tokens on lines.
func join(tokens []string, random func(int) int) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t)
		b.WriteString([]string{" ", " ", " ", "\n"}[random(4)])
	}
	return b.String()
}

// newRandom is a small generator (xorshift), so that a failure is the same on every machine and day.
func newRandom(seed uint64) func(n int) int {
	state := seed*0x9e3779b97f4a7c15 + 1
	return func(n int) int {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return int(state % uint64(n))
	}
}

// TestGrammarTakesTheFiles: whatever .glm files of the repository parse are sentences of the grammar.
func TestGrammarTakesTheFiles(t *testing.T) {
	g := readEBNF(t)
	for _, name := range repositoryFiles(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lexical := &diag.List{}
		if scan(name, string(src), lexical); lexical.HasErrors() {
			continue
		}
		ok, parseErr := takes(string(src))
		if want := g.accepts(solid(string(src))); ok != want {
			t.Errorf("%s: the grammar says %t, the parser %t (%v)", name, want, ok, parseErr)
		}
	}
}

func repositoryFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, dir := range []string{"../../models/*/*.glm", "../check/testdata/*.glm", "../pipeline/testdata/*.glm", "testdata/*.glm"} {
		found, err := filepath.Glob(dir)
		if err != nil || len(found) == 0 {
			t.Fatal(fmt.Errorf("no files in %s (%w)", dir, err))
		}
		files = append(files, found...)
	}
	return files
}
