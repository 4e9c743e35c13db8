package openai

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/glmc/glmc/runtime/sample"
)

// chatLogprobs is logprobs of a chat completion.
type chatLogprobs struct {
	Content []tokenLogprob `json:"content"`
	Refusal *string        `json:"refusal"`
}

type tokenLogprob struct {
	Token   string       `json:"token"`
	Logprob float32      `json:"logprob"`
	Bytes   []int        `json:"bytes"`
	Top     []topLogprob `json:"top_logprobs"`
}

type topLogprob struct {
	Token   string  `json:"token"`
	Logprob float32 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

// chatLogprobs are the log probabilities of tokens, with so many alternatives as were asked for.
func (a *api) chatLogprobs(tokens []sample.Token, top int) *chatLogprobs {
	out := &chatLogprobs{Content: []tokenLogprob{}}
	for _, t := range tokens {
		text, bytes := a.token(t.ID)
		line := tokenLogprob{Token: text, Logprob: finite(t.Logprob), Bytes: bytes, Top: []topLogprob{}}
		for _, other := range t.Top[:min(top, len(t.Top))] {
			text, bytes := a.token(other.ID)
			line.Top = append(line.Top, topLogprob{text, finite(other.Logprob), bytes})
		}
		out.Content = append(out.Content, line)
	}
	return out
}

// token is a token as text, in which parts of characters are U+FFFD, and as numbers of its bytes.
func (a *api) token(id int32) (string, []int) {
	raw := a.backend.Token(id)
	bytes := make([]int, len(raw))
	for i, b := range raw {
		bytes[i] = int(b)
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD"), bytes
}

// finite is a log probability that JSON can write. OpenAI writes -9999 for tokens that cannot be.
func finite(logprob float32) float32 {
	if math.IsNaN(float64(logprob)) || logprob < -9999 {
		return -9999
	}
	return logprob
}

// promptLogprob is vLLM's form for tokens of a prompt.
type promptLogprob struct {
	Logprob float32 `json:"logprob"`
	Rank    int     `json:"rank"` // from 1
	Token   string  `json:"decoded_token"`
}

// promptLogprobs are the log probabilities of a prompt, by id, in vLLM's form. The first token has none.
func (a *api) promptLogprobs(tokens []sample.Token, top int) []map[string]promptLogprob {
	out := make([]map[string]promptLogprob, len(tokens))
	for i, t := range tokens {
		if i == 0 {
			continue
		}
		text, _ := a.token(t.ID)
		line := map[string]promptLogprob{}
		own := promptLogprob{finite(t.Logprob), int(t.Rank), text}
		for j, other := range t.Top {
			if other.ID == t.ID {
				own.Rank = j + 1 // of equal ones too, each has a place
			} else if j < top {
				text, _ := a.token(other.ID)
				line[strconv.Itoa(int(other.ID))] = promptLogprob{finite(other.Logprob), j + 1, text}
			}
		}
		line[strconv.Itoa(int(t.ID))] = own
		out[i] = line
	}
	return out
}

// tokenIDs are the ids of tokens.
func tokenIDs(tokens []sample.Token) []int32 {
	ids := make([]int32, len(tokens))
	for i, t := range tokens {
		ids[i] = t.ID
	}
	return ids
}

// textLogprobs is logprobs of a text completion: lists of the same length, of what is known of each token.
type textLogprobs struct {
	Tokens  []string             `json:"tokens"`
	Own     []*float32           `json:"token_logprobs"` // the first token of a prompt has none
	Top     []map[string]float32 `json:"top_logprobs"`
	Offsets []int                `json:"text_offset"` // in characters
}

// addTextLogprobs adds tokens; those of a prompt begin with one that has no probability. The token itself is always among the top
// ones, as OpenAI has it.
func (a *api) addTextLogprobs(out *textLogprobs, tokens []sample.Token, prompt bool, top int, offset *int) {
	if out.Tokens == nil {
		out.Tokens, out.Own, out.Top, out.Offsets = []string{}, []*float32{}, []map[string]float32{}, []int{}
	}
	for i, t := range tokens {
		text, _ := a.token(t.ID)
		out.Tokens = append(out.Tokens, text)
		out.Offsets = append(out.Offsets, *offset)
		*offset += utf8.RuneCountInString(text)
		if prompt && i == 0 {
			out.Own, out.Top = append(out.Own, nil), append(out.Top, nil)
			continue
		}
		own := finite(t.Logprob)
		line := map[string]float32{}
		for _, other := range t.Top[:min(top, len(t.Top))] {
			name, _ := a.token(other.ID)
			line[name] = finite(other.Logprob)
		}
		line[text] = own
		out.Own, out.Top = append(out.Own, &own), append(out.Top, line)
	}
}
