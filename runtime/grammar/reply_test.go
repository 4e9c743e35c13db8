package grammar

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/text/reply"
)

// readCalls has the parser of replies read a text.
func readCalls(text string, form reply.Calls, tool string) (names, arguments []string, rest string) {
	p := reply.New(reply.Options{Format: reply.Format{Calls: form}, Start: reply.StartAnswer, Tools: []json.RawMessage{[]byte(tool)}})
	events := append([]reply.Event{}, p.Write(text)...)
	events = append(events, p.Close(true)...)
	var args strings.Builder
	for _, e := range events {
		switch e.Kind {
		case reply.CallStart:
			names = append(names, e.Name)
			args.Reset()
		case reply.CallArgs:
			args.WriteString(e.Text)
		case reply.CallEnd:
			arguments = append(arguments, args.String())
		default:
			rest += e.Text
		}
	}
	return names, arguments, rest
}

// The parser of replies finds in calls that are written by random tokens arguments that satisfy the tool's schema.
func TestWrittenCallsSatisfyTheSchema(t *testing.T) {
	forms := map[Dialect]reply.Calls{GLM45: reply.GLM45, GLM47: reply.GLM47, Hermes: reply.Hermes}
	small, _ := smallVocabulary()
	rapid.Check(t, func(t *rapid.T) {
		d := drawObject(t, 2)
		if strings.Contains(d.schema, `"":`) {
			t.Skip("a name that no call can be written with")
		}
		check, err := validator(d.schema)
		if err != nil {
			t.Fatal(err)
		}
		v := rapid.SampledFrom([]*Vocabulary{byteVocabulary(), small}).Draw(t, "vocabulary")
		dialect := rapid.SampledFrom([]Dialect{GLM45, GLM47, Hermes}).Draw(t, "dialect")
		g, err := Calls(v, []Tool{{Name: "f", Parameters: []byte(d.schema), Strict: true}}, CallOptions{Dialect: dialect})
		if err != nil {
			t.Fatalf("%s: %v", d.schema, err)
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		text := write(t, g, random, random.IntN(150))
		names, arguments, rest := readCalls(text, forms[dialect], `{"name":"f","parameters":`+d.schema+`}`)
		if strings.TrimSpace(rest) != "" || len(names) == 0 || len(names) != len(arguments) {
			t.Fatalf("%q: %d calls, of which %d ended, and %q", text, len(names), len(arguments), rest)
		}
		for i := range names {
			if err := valid(check, arguments[i]); err != nil || names[i] != "f" {
				t.Errorf("%s\nwrote %q\nwhich is %s %s\n%v", d.schema, text, names[i], arguments[i], err)
			}
		}
	})
}
