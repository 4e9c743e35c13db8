package load

import (
	"math/rand/v2"
	"strings"
)

// Random says what prompts without meaning look like.
type Random struct {
	Count         int
	Input, Output int // most tokens of a prompt and of a reply
	// Ratio is the least share of them: 0 draws lengths evenly from 1 to the most, 1 makes all the same. It is SGLang's
	// --random-range-ratio.
	Ratio float64
	// Vocab is one more than the largest id of a prompt. Ids are drawn evenly.
	Vocab int
	Seed  uint64
}

// Sessions draws prompts: token ids, or as text of as many short words for interfaces that take no ids. The same seed gives the
// same ones. The ids of one prompt have nothing to do with those of another, so that no prefix cache helps.
func (r *Random) Sessions(asText bool) []Session {
	draw := rand.New(rand.NewPCG(r.Seed, 0x6c656e67746873))
	inputs, outputs := make([]int, r.Count), make([]int, r.Count)
	for _, x := range []struct {
		lengths []int
		most    int
	}{{inputs, r.Input}, {outputs, r.Output}} {
		least := max(int(float64(x.most)*r.Ratio), 1)
		for i := range x.lengths {
			x.lengths[i] = least + draw.IntN(x.most-least+1)
		}
	}
	sessions := make([]Session, r.Count)
	for i := range sessions {
		t := Turn{Output: outputs[i]}
		if asText {
			t.Text = words(draw, inputs[i])
		} else {
			t.Input = inputs[i]
			t.Tokens = make([]int32, inputs[i])
			for j := range t.Tokens {
				t.Tokens[j] = draw.Int32N(int32(r.Vocab))
			}
		}
		sessions[i].Turns = []Turn{t}
	}
	return sessions
}

// common are words that are one token each, with the space before them, in vocabularies of natural language.
var common = strings.Fields("the of and to in is that it was for on are as with his they at be this from have or by one had not but what " +
	"all were when we there can an your which their said if do will each about how up out them then she many some so these would " +
	"other into has more her two like him see time could no make than first been its who now people my made over did down only way " +
	"find use may water long little very after words called just where most know")

func words(draw *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(common[draw.IntN(len(common))])
	}
	return b.String()
}
