package service_test

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/modeltest"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// TestTextOfTokens: whatever a request asks for, its text is that of its tokens up to where it has to end, its log probabilities are
// there for all of them, and what is counted are they.
func TestTextOfTokens(t *testing.T) {
	tok, err := tokenizer.Load("../../models/tiny/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	stops := []int32{4064, 4071, 4073}
	s, end, err := modeltest.New(modeltest.Options{Files: os.DirFS("../../models/tiny"), Stop: stops, Pages: 40, Engine: engine.Options{MaxRunning: 3}})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	words := []string{"one ", "two ", "é", "中", "😀", "\n", "<think>", "</think>", "ab", "abc ", "  ", "."}
	rapid.Check(t, func(t *rapid.T) {
		say := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 20).Draw(t, "say"), "")
		text := modeltest.Say(say)
		r := service.Request{Text: &text, Logprobs: true, Choices: rapid.IntRange(1, 3).Draw(t, "choices"),
			IgnoreEOS: rapid.Bool().Draw(t, "ignore the end"), IncludeStop: rapid.Bool().Draw(t, "include"), KeepSpecial: rapid.Bool().Draw(t, "special"),
			Stop: rapid.SliceOfN(rapid.SampledFrom([]string{"one t", "é", "ab", "bc", "\n", " "}), 0, 3).Draw(t, "stop")}
		most := rapid.IntRange(1, 40).Draw(t, "most")
		r.MaxTokens, r.MinTokens = &most, rapid.IntRange(0, min(most, 12)).Draw(t, "least")
		seed := rapid.Uint64().Draw(t, "seed")
		temperature := rapid.SampledFrom([]float64{0, 1, 100}).Draw(t, "temperature")
		r.Sampling = service.Sampling{Temperature: &temperature, Seed: &seed}
		if rapid.Bool().Draw(t, "a stop token") {
			r.StopIDs = tok.Encode(" two")[:1]
		}
		texts, finishes, found, ids := make([]string, r.Choices), make([]service.Finish, r.Choices), make([]string, r.Choices), make([][]int32, r.Choices)
		g, err := s.Start(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		for {
			e, err := g.Next(context.Background())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			texts[e.Choice] += e.Text
			for _, l := range e.Logprobs {
				ids[e.Choice] = append(ids[e.Choice], l.ID)
			}
			if e.Kind == service.Done {
				finishes[e.Choice], found[e.Choice] = e.Finish, e.StopString
			}
		}
		output := 0
		for i := range texts {
			output += len(ids[i])
			want, finish, stop := expected(tok, &r, stops, ids[i])
			if texts[i] != want || finishes[i] != finish || found[i] != stop {
				t.Fatalf("choice %d, tokens %v: %q, %s, %q; want %q, %s, %q", i, ids[i], texts[i], finishes[i], found[i], want, finish, stop)
			}
		}
		if u := g.Usage(); u.Output != output || u.Cached >= u.Prompt {
			t.Fatalf("%d tokens, and usage is %+v", output, u)
		}
	})
}

// expected is what a request's tokens come to, token by token.
func expected(tok *tokenizer.Tokenizer, r *service.Request, stops, ids []int32) (text string, finish service.Finish, found string) {
	ends := slices.Clone(r.StopIDs)
	if !r.IgnoreEOS {
		ends = append(ends, stops...)
	}
	stream := tok.NewStream(!r.KeepSpecial)
	for i, id := range ids {
		last := i == len(ids)-1
		if i >= r.MinTokens && slices.Contains(ends, id) {
			if !last {
				return "tokens behind a stop token", "", ""
			}
			return text + stream.Flush(), service.FinishStop, ""
		}
		piece := stream.Next(id)
		for at := 1; at <= len(piece); at++ {
			for _, stop := range r.Stop {
				if i >= r.MinTokens && strings.HasSuffix(text+piece[:at], stop) {
					if !last {
						return "tokens behind a stop string", "", ""
					}
					// Of several that end here, the one named first.
					text += piece[:at]
					if !r.IncludeStop {
						text = strings.TrimSuffix(text, stop)
					}
					return text, service.FinishStop, stop
				}
			}
		}
		text += piece
	}
	if len(ids) < *r.MaxTokens {
		return "too few tokens", "", ""
	}
	return text + stream.Flush(), service.FinishLength, ""
}
