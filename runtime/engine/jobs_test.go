package engine_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/sample"
)

// job is a request of a random schedule, as data that can be printed and run more than once.
type job struct {
	Like      int     // which job before it the prompt begins as, modulo their number; the first begins as none
	Begins    begins  // how it begins as that one
	Keep      int     // tokens of that beginning, with 0 for all, 1 for all but one, ...
	Tokens    []int32 // behind the beginning
	MaxTokens int
	MinTokens int
	Stop      []int32
	Until     int // tokens behind which Until says so; 0: never
	Breaks    int // tokens behind which OnToken fails; 0: never
	Every     int // the constraint: token i of the output is i modulo Every; 0: there is none
	Logits    bool
	Priority  int
	Salt      string
	Sampling  sample.Params

	prompt []int32
}

type begins uint8

const (
	anew       begins = iota
	likePrompt        // as the prompt of another job
	goesOn            // as the prompt of another job and what it was answered: the next turn of a conversation
)

var (
	errBreaks   = errors.New("nobody listens any more")
	errAborted  = errors.New("aborted by the test")
	errSabotage = errors.New("the step was made to fail")
	errPoison   = errors.New("the step has a token that makes it fail")
)

// mostPrompt is the longest prompt of a job.
const mostPrompt = 30

func jobs(vocab int) *rapid.Generator[job] {
	ids := rapid.Int32Range(0, int32(vocab)-1)
	rare := func(t *rapid.T, name string, most int) int { // mostly 0
		if !seldom(t, 10, name) {
			return 0
		}
		return rapid.IntRange(1, most).Draw(t, name)
	}
	return rapid.Custom(func(t *rapid.T) job {
		j := job{
			Like:      rapid.IntRange(0, 9).Draw(t, "like"),
			Begins:    begins(rapid.IntRange(0, 2).Draw(t, "begins")),
			Keep:      rapid.IntRange(0, 6).Draw(t, "keep"),
			Tokens:    rapid.SliceOfN(ids, 0, 12).Draw(t, "tokens"),
			MaxTokens: rapid.IntRange(0, 40).Draw(t, "max tokens"),
			MinTokens: rare(t, "min tokens", 3),
			Stop:      rapid.SliceOfN(ids, 0, rapid.IntRange(0, 2).Draw(t, "stops")).Draw(t, "stop"),
			Until:     rare(t, "until", 6),
			Breaks:    rare(t, "breaks", 9),
			Every:     rapid.SampledFrom([]int{0, 0, 0, 0, 2, 3}).Draw(t, "every"),
			Logits:    seldom(t, 10, "logits"),
			Priority:  rapid.SampledFrom([]int{0, 0, 1, -1}).Draw(t, "priority"),
			Salt:      rapid.SampledFrom([]string{"", "", "", "b"}).Draw(t, "salt"),
		}
		if rapid.Bool().Draw(t, "sampled") {
			j.Sampling = sample.Params{Temperature: 0.8, Seed: rapid.Uint64Range(0, 3).Draw(t, "seed"),
				TopP: rapid.SampledFrom([]float64{0, 0.9}).Draw(t, "top p"), TopK: rapid.SampledFrom([]int{0, 7}).Draw(t, "top k"),
				Frequency: rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "frequency"), Repetition: rapid.SampledFrom([]float64{0, 1.2}).Draw(t, "repetition")}
		}
		if seldom(t, 4, "logprobs") {
			j.Sampling.Logprobs, j.Sampling.Alternatives = true, 2
		}
		return j
	})
}

// seldom is true about once in n times.
func seldom(t *rapid.T, n int, what string) bool { return rapid.IntRange(1, n).Draw(t, what) == n }

// begin makes the prompt, once the jobs before it have answers.
func (j *job) begin(before []*job, answers []*answer) {
	if n := len(before); n > 0 && j.Begins != anew {
		other := before[j.Like%n]
		j.prompt = slices.Clone(other.prompt)
		if j.Begins == goesOn {
			j.prompt = append(j.prompt, answers[j.Like%n].ids()...)
		}
		j.prompt = j.prompt[:max(0, len(j.prompt)-j.Keep)]
	}
	j.prompt = append(j.prompt, j.Tokens...)
	j.prompt = j.prompt[:min(len(j.prompt), mostPrompt)]
	if len(j.prompt) == 0 {
		j.prompt = []int32{0}
	}
}

func (j *job) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "prompt %v, max %d", j.prompt, j.MaxTokens)
	for _, part := range []struct {
		name string
		is   any
		show bool
	}{
		{"min", j.MinTokens, j.MinTokens > 0}, {"stop", j.Stop, len(j.Stop) > 0}, {"until", j.Until, j.Until > 0}, {"breaks", j.Breaks, j.Breaks > 0},
		{"every", j.Every, j.Every > 0}, {"priority", j.Priority, j.Priority != 0}, {"salt", j.Salt, j.Salt != ""}, {"logits", j.Logits, j.Logits},
		{"sampling", fmt.Sprintf("%+v", j.Sampling), j.Sampling.Temperature > 0 || j.Sampling.Logprobs},
	} {
		if part.show {
			fmt.Fprintf(&b, ", %s %v", part.name, part.is)
		}
	}
	return b.String()
}

// answer is what became of a job: all that a request is told.
type answer struct {
	Tokens []sample.Token
	Told   []int32 // by OnToken
	Logits []string
	Finish string
	Err    error
}

func (a *answer) ids() []int32 {
	var ids []int32
	for _, t := range a.Tokens {
		ids = append(ids, t.ID)
	}
	return ids
}

// request makes the request of a job, which writes into an answer.
func (j *job) request(id string, a *answer, vocab int) engine.Request {
	r := engine.Request{ID: id, Prompt: slices.Clone(j.prompt), MaxTokens: j.MaxTokens, MinTokens: j.MinTokens, Stop: j.Stop,
		Sampling: j.Sampling, Priority: j.Priority, Salt: j.Salt}
	r.OnToken = func(id int32) error {
		if a.Told = append(a.Told, id); len(a.Told) == j.Breaks {
			return errBreaks
		}
		return nil
	}
	if j.Until > 0 {
		r.Until = func(int32) bool { return len(a.Told) >= j.Until }
	}
	if j.Every > 0 {
		r.Constraint = &every{n: j.Every, mask: make([]uint64, (vocab+63)/64)}
	}
	if j.Logits {
		r.OnPromptLogits = func(pos int, logits []float32) error {
			h := fnv.New64a()
			for _, v := range logits {
				b := math.Float32bits(v)
				h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
			}
			a.Logits = append(a.Logits, fmt.Sprintf("%d: %x", pos, h.Sum64()))
			return nil
		}
	}
	return r
}

// every allows ids that are the number of tokens so far modulo n, modulo n.
type every struct {
	n, accepted int
	mask        []uint64
}

func (c *every) Mask() []uint64 {
	clear(c.mask)
	for id := c.accepted % c.n; id < 64*len(c.mask); id += c.n {
		c.mask[id/64] |= 1 << (id % 64)
	}
	return c.mask
}

func (c *every) Accept(id int32) error {
	if int(id)%c.n != c.accepted%c.n {
		return fmt.Errorf("token %d was picked behind %d others and not allowed", id, c.accepted)
	}
	c.accepted++
	return nil
}

func (c *every) Rollback(n int) { c.accepted -= n }
