package format

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/dsl/syntax"
)

// TestRandomPrograms formats random programs that use the whole grammar, laid out at random, with comments between
// any two tokens.
func TestRandomPrograms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &generator{t: t}
		g.file()
		src := []byte(g.source())
		if _, diags := syntax.Parse("random.glm", src); diags.HasErrors() {
			t.Fatalf("the generator is wrong: %v\n%s", diags.Err(), src)
		}
		formatted(t, src)
	})
}

// generator writes the tokens of a random program.
type generator struct {
	t     *rapid.T
	words []word
	depth int
}

// word is a token, and which line it has to stand on.
type word struct {
	text  string
	place place
}

type place int

const (
	anywhere place = iota
	sameLine       // as the token before
	newLine
)

func (g *generator) add(words ...string) {
	for _, w := range words {
		g.words = append(g.words, word{w, anywhere})
	}
}

func (g *generator) addAt(p place, text string) { g.words = append(g.words, word{text, p}) }

func (g *generator) pick(n int) int           { return rapid.IntRange(0, n-1).Draw(g.t, "pick") }
func (g *generator) maybe() bool              { return g.pick(2) == 0 }
func (g *generator) of(list ...string) string { return list[g.pick(len(list))] }

// list adds 1 to n elements with commas between them.
func (g *generator) list(n int, element func()) {
	for i := range 1 + g.pick(n) {
		if i > 0 {
			g.add(",")
		}
		element()
	}
}

// name is one that can stand everywhere: words of declarations and clauses are names too.
func (g *generator) name() string {
	return g.of("x", "y", "T", "hidden_size", "model", "config", "when", "from", "optional", "let", "block", "_",
		"a_name_that_is_rather_long_but_not_unheard_of", "n_"+strings.Repeat("m", 30+10*g.pick(8)))
}

func (g *generator) str() string {
	return g.of(`""`, `"a"`, `"experts.{e}"`, `"say \"x\" \\ \u00e9"`, `"zwölf // no comment /* either */"`,
		`"model.layers.{n}.mlp.experts.{e}.gate_proj.weight"`, `"`+strings.Repeat("long ", 5*g.pick(7))+`"`)
}

func (g *generator) typeName() string { return g.of("int", "float", "bool", "string", "ints") }

func (g *generator) file() {
	for range 1 + g.pick(4) {
		switch g.pick(4) {
		case 0:
			g.add("import")
			g.list(3, func() {
				if g.add(g.name()); g.maybe() {
					g.add("as", g.name())
				}
			})
			g.add("from", g.str())
		case 1:
			g.block()
		case 2:
			g.model()
		case 3:
			g.pipeline()
		}
	}
}

func (g *generator) strings() {
	g.add(g.str())
	for range g.pick(3) {
		g.add("or", g.str())
	}
}

func (g *generator) model() {
	g.add("model", g.name())
	if g.maybe() {
		g.add("for")
		g.strings()
	}
	g.add("{")
	for range g.pick(5) {
		switch g.pick(6) {
		case 0:
			g.config()
		case 1:
			g.add("let", g.name(), "=")
			g.expr()
		case 2:
			g.add("assert")
			g.expr()
			g.add(",", g.str())
		case 3:
			g.block()
		case 4:
			g.entry()
		case 5:
			g.checkpoint()
		}
	}
	g.add("}")
}

func (g *generator) config() {
	g.add("config", "{")
	for range g.pick(5) {
		if g.add(g.name(), g.typeName()); g.maybe() {
			g.add("=")
			g.expr()
		}
		if g.maybe() {
			g.add("else")
			g.expr()
		}
		if g.maybe() {
			g.add("optional")
		}
		if g.maybe() {
			g.add("from")
			g.strings()
			if g.maybe() {
				g.add("optional")
			}
		}
	}
	g.add("}")
}

func (g *generator) block() {
	if g.add("block", g.name()); g.maybe() {
		g.add("[")
		g.list(2, func() { g.add(g.name()) })
		g.add("]")
	}
	g.signature()
	g.body()
}

func (g *generator) entry() {
	g.add("entry", g.name())
	if g.signature(); g.maybe() {
		g.add("when")
		g.expr()
	}
	g.body()
}

func (g *generator) signature() {
	if g.add("("); g.maybe() {
		g.list(3, func() {
			g.add(g.name(), ":")
			g.typ()
		})
	}
	if g.add(")"); g.maybe() {
		g.add("->")
		g.list(2, g.typ)
	}
}

func (g *generator) typ() {
	if g.maybe() {
		g.add(g.typeName())
		return
	}
	if g.maybe() {
		g.add(g.of("i32", "f32"))
	}
	g.add("[")
	g.list(3, g.expr)
	g.add("]")
}

func (g *generator) body() {
	g.depth++
	g.add("{")
	for range g.pick(3) {
		g.stmt()
	}
	g.add("}")
	g.depth--
}

func (g *generator) stmt() {
	switch kind := g.pick(4); {
	case kind == 0 && g.depth < 4:
		g.ifs()
	case kind == 1 && g.depth < 4:
		g.add("for", g.name(), "in")
		g.expr()
		g.add("..")
		g.expr()
		g.body()
	case kind == 2:
		g.add("return")
		g.list(2, g.expr)
	default:
		g.list(2, func() { g.add(g.name()) })
		g.add("=")
		g.expr()
	}
}

func (g *generator) ifs() {
	g.add("if")
	g.expr()
	g.body()
	for g.maybe() {
		g.add("else", "if")
		g.expr()
		g.body()
	}
	if g.maybe() {
		g.add("else")
		g.body()
	}
}

func (g *generator) checkpoint() {
	g.add("checkpoint", "{")
	for range g.pick(5) {
		if g.maybe() {
			g.add("ignore", g.str(), "because", g.str())
		} else if g.add("alias", g.str(), "=", g.str()); g.maybe() {
			g.add("[")
			g.list(2, func() {
				if g.expr(); g.maybe() {
					g.add("..")
					g.expr()
				}
			})
			g.add("]")
		}
		if g.maybe() {
			g.add("when")
			g.expr()
		}
	}
	g.add("}")
}

func (g *generator) pipeline() {
	g.add("pipeline", g.name(), "for", g.name(), "{")
	for range g.pick(6) {
		g.addAt(newLine, g.of("target", "draft", "draft", "require", g.name()))
		if g.maybe() {
			for i := range 1 + g.pick(3) {
				if i == 0 {
					g.addAt(sameLine, g.name())
				} else {
					g.add(",", g.name())
				}
			}
		}
		if g.maybe() {
			g.add("{")
			if g.maybe() {
				g.list(3, func() {
					if g.add(g.name()); g.maybe() {
						g.add("=")
						g.expr()
					}
				})
			}
			g.add("}")
		}
	}
	g.add("}")
}

func (g *generator) exprs(open, shut string) {
	if g.add(open); g.maybe() {
		if g.list(4, g.expr); g.maybe() {
			g.add(",")
		}
	}
	g.add(shut)
}

func (g *generator) expr() {
	if g.depth++; g.depth > 7 {
		g.add(g.of("x", "1", "-1"))
		g.depth--
		return
	}
	switch g.pick(13) {
	case 0:
		g.add(g.of("0", "128", "1e-5", "0.5", "2.5e+3"))
	case 1:
		g.add(g.str())
	case 2:
		g.add(g.of("true", "false"))
	case 3:
		g.exprs("[", "]")
	case 4, 5:
		g.path()
	case 6, 7:
		if g.path(); g.maybe() {
			g.add("(")
			g.list(4, func() { g.add(g.name(), "="); g.expr() })
			g.add(")")
		} else {
			g.exprs("(", ")")
		}
	case 8:
		g.add(g.of("-", "not"))
		g.expr()
	case 9, 10:
		g.expr()
		g.add(g.of("or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "^"))
		g.expr()
	case 11:
		g.add("if")
		g.expr()
		g.add("then")
		g.expr()
		g.add("else")
		g.expr()
	case 12:
		g.add("(")
		g.expr()
		if g.add(")"); g.maybe() {
			g.add("at", g.str())
		} else {
			g.add("as")
			g.exprs("[", "]")
		}
	}
	g.depth--
}

func (g *generator) path() {
	g.add(g.name())
	for range g.pick(3) - 1 {
		g.add(".", g.of("norm", "in", "0", "12"))
	}
}

// source puts white space and comments between the words.
func (g *generator) source() string {
	comments := []string{" /* c */ ", " /**/", " // c \n", " //\n", "\n  // own line\n", "\n/* two\n     lines */\n", "\n\n/* a */ /* b */\t"}
	breaks := []string{"\n", "\n\n\n", "\r\n", "\n      ", " \n\t"}
	rare := rapid.SampledFrom([]int{2, 6, 40}).Draw(g.t, "words between breaks")
	var out strings.Builder
	for i, w := range g.words {
		space := " "
		if i > 0 && (joins(w.text) || joins(g.words[i-1].text)) {
			space = g.of("", " ", "  ")
		}
		switch g.pick(rare) {
		case 0:
			space = g.of(comments...)
		case 1:
			space = g.of(breaks...)
		}
		if strings.Contains(space, "\n") && w.place == sameLine {
			space = "\t/* here */"
		}
		if !strings.Contains(space, "\n") && w.place == newLine {
			space += "\n"
		}
		out.WriteString(space)
		out.WriteString(w.text)
	}
	out.WriteString(g.of("", "\n", "\n\n", " // end", "\r\n// end\r\n", "/* end */"))
	return out.String()
}

// joins reports whether a token needs no space around it.
func joins(text string) bool {
	return slices.Contains([]string{"(", ")", "[", "]", "{", "}", ","}, text)
}
