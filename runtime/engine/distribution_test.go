package engine_test

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/draft"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

// symbols is how many tokens a chain has.
const symbols = 6

// chainLogits are those behind each token.
var chainLogits = [symbols][symbols]float32{
	{1.5, 1.0, 0.25, 0.0, -0.5, -1.0},
	{0.0, 0.5, 1.75, -0.75, 1.0, -0.25},
	{-1.5, 0.75, 0.0, 2.0, 0.5, 1.25},
	{0.4, -0.3, 1.1, 0.2, -0.9, 0.8},
	{2.2, 0.1, -0.6, 0.9, 0.3, -1.3},
	{0.7, 1.3, 0.9, -0.2, 0.0, 0.45},
}

// chain is a model whose next token depends on the last one alone. Its draft layer guesses the most probable token behind some, and the second
// behind others.
type chain struct {
	*enginetest.Executor
	late bool // a fault: the rows behind drafts are those of the token before

	logits, states []float32
	out            [2]kernels.Tensor
}

func newChain() *chain {
	return &chain{Executor: enginetest.New(enginetest.Options{Vocab: symbols, Draft: true, PageSize: 32, Pages: 2000, Sequences: 16, Rows: 160, Chunk: 160})}
}

// chainState is how many numbers a state of enginetest's model has.
const chainState = 4

func (c *chain) Step(_ context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	tokens, rows := in["tokens"].I32, in["rows"].I32
	c.logits = c.logits[:0]
	for _, r := range rows {
		if c.late && entry == "forward" && r > 0 && in["pos"].I32[r] == in["pos"].I32[r-1]+1 {
			r--
		}
		row := chainLogits[tokens[r]]
		if entry == "draft" && tokens[r]%2 == 1 {
			row[sample.Argmax(row[:])] = -9
		}
		c.logits = append(c.logits, row[:]...)
	}
	c.states = append(c.states[:0], make([]float32, len(tokens)*chainState)...)
	c.out[0] = kernels.FromF32(c.logits, len(rows), symbols)
	c.out[1] = kernels.FromF32(c.states, len(tokens), chainState)
	return c.out[:], nil
}

// law is the distribution of a token.
type law [symbols]float64

// option is a way to sample.
type option struct {
	name     string
	sampling sample.Params
	prompt   []int32
	tokens   int                                 // of an output
	allowed  func(output []int32, id int32) bool // nil: every token
	stop     []int32                             // ends an output,
	least    int                                 // which has so many tokens
	seed     func(request uint64) uint64         // nil: the request's number
}

// law computes the distribution behind an output from the definitions of the options, in the order that package sample documents.
func (o *option) law(output []int32) law {
	if len(output) == 0 {
		return o.lawBehind(nil, o.prompt[len(o.prompt)-1])
	}
	return o.lawBehind(output, output[len(output)-1])
}

// lawBehind takes the output and the token that the model's logits are of.
func (o *option) lawBehind(output []int32, last int32) law {
	p := o.sampling
	var logit [symbols]float64
	for id := range int32(symbols) {
		v := float64(chainLogits[last][id]) + float64(p.Bias[id])
		times := 0
		for _, said := range output {
			if said == id {
				times++
			}
		}
		if p.Repetition != 0 && (times > 0 || slices.Contains(o.prompt, id)) {
			if v > 0 {
				v /= p.Repetition
			} else {
				v *= p.Repetition
			}
		}
		if times > 0 {
			v -= p.Presence + p.Frequency*float64(times)
		}
		if o.allowed != nil && !o.allowed(output, id) || len(output) < o.least && slices.Contains(o.stop, id) {
			v = math.Inf(-1)
		}
		logit[id] = v / p.Temperature
	}
	var weight law
	for id, v := range logit {
		weight[id] = math.Exp(v - slices.Max(logit[:]))
	}
	weight.keep(func(order []int) int { // min_p: those at least so probable beside the first
		n := 0
		for n < len(order) && weight[order[n]] >= p.MinP*weight[order[0]] {
			n++
		}
		return n
	})
	if p.TopK > 0 {
		weight.keep(func(order []int) int { return min(p.TopK, len(order)) })
	}
	if p.TopP > 0 {
		all := weight.sum()
		weight.keep(func(order []int) int { // the fewest that have so much
			sum := 0.0
			for n, id := range order {
				if sum += weight[id]; sum >= p.TopP*all {
					return n + 1
				}
			}
			return len(order)
		})
	}
	all := weight.sum()
	for id := range weight {
		weight[id] /= all
	}
	return weight
}

// keep sets all weights to 0 but the largest ones, as many as count says.
func (w *law) keep(count func(order []int) int) {
	order := []int{0, 1, 2, 3, 4, 5}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(w[b], w[a]) })
	for _, id := range order[count(order):] {
		w[id] = 0
	}
}

func (w *law) sum() (s float64) {
	for _, v := range w {
		s += v
	}
	return s
}

// history is an output as far as it came, in a tree of all that came. Those that are followed alike have one law.
type history struct {
	law  *law
	next [symbols]*history
}

// histories are the outputs of an option.
type histories struct {
	option *option
	root   *history
	laws   map[law]*law
}

func (o *option) histories() *histories {
	h := &histories{option: o, laws: map[law]*law{}}
	h.root = h.add(nil)
	return h
}

func (h *histories) add(output []int32) *history {
	l := h.option.law(output)
	if h.laws[l] == nil {
		h.laws[l] = &l
	}
	return &history{law: h.laws[l]}
}

// next is an output with one token more, of which only the last counts where an option looks at no other.
func (h *histories) next(at *history, output []int32) *history {
	id := output[len(output)-1]
	if p := &h.option.sampling; h.option.allowed == nil && h.option.least == 0 && p.Presence == 0 && p.Frequency == 0 && p.Repetition == 0 {
		at, output = h.root, output[len(output)-1:]
	}
	if at.next[id] == nil {
		at.next[id] = h.add(output)
	}
	return at.next[id]
}

// chainDrafter guesses for a chain.
type chainDrafter struct {
	kind   string
	rand   *rand.Rand
	truths [][]int32 // of nearlyRight: the outputs of requests that have not begun
}

func (d *chainDrafter) Start(prompt []int32) draft.Sequence {
	g := &chainGuesses{drafter: d, last: prompt[len(prompt)-1]}
	if d.kind == nearlyRight {
		g.truth, d.truths = d.truths[0], d.truths[1:]
	}
	return g
}

func (d *chainDrafter) Close() error { return nil }

type chainGuesses struct {
	drafter *chainDrafter
	last    int32
	truth   []int32 // that is left
}

func (g *chainGuesses) End(bool) {}

func (g *chainGuesses) Append(tokens ...int32) {
	g.last = tokens[len(tokens)-1]
	if g.drafter.kind == nearlyRight {
		g.truth = g.truth[len(tokens):]
	}
}

func (g *chainGuesses) Draft(limit int, into *draft.Draft) {
	into.Reset()
	r, last := g.drafter.rand, g.last
	n := min(limit, 1+r.IntN(5))
	if g.drafter.kind == nearlyRight {
		n = min(n, len(g.truth))
	}
	wrong := r.IntN(n)
	for i := range n {
		switch g.drafter.kind {
		case mostly:
			last = sample.Argmax(chainLogits[last][:])
		case nearlyRight:
			if last = g.truth[i]; i == wrong {
				last = (last + 1 + r.Int32N(symbols-1)) % symbols
			}
		default:
			last = r.Int32N(symbols)
		}
		into.Tokens = append(into.Tokens, last)
		parent := int32(i) - 1
		if g.drafter.kind == byTree {
			parent = r.Int32N(int32(i)+1) - 1
		}
		into.Parents = append(into.Parents, parent)
		into.Probs = append(into.Probs, r.Float32())
	}
}

// walk is the constraint of an option.
type walk struct {
	option *option
	output []int32
	mask   [1]uint64
}

func (w *walk) Mask() []uint64 {
	w.mask[0] = 0
	for id := range int32(symbols) {
		if w.option.allowed(w.output, id) {
			w.mask[0] |= 1 << id
		}
	}
	return w.mask[:]
}

func (w *walk) Accept(id int32) error {
	w.output = append(w.output, id)
	return nil
}

func (w *walk) Rollback(n int) { w.output = w.output[:len(w.output)-n] }

// request is one of many.
func (o *option) request(number uint64) engine.Request {
	r := engine.Request{Prompt: o.prompt, MaxTokens: o.tokens, MinTokens: o.least, Stop: o.stop, Sampling: o.sampling}
	if r.Sampling.Seed = number; o.seed != nil {
		r.Sampling.Seed = o.seed(number)
	}
	if o.allowed != nil {
		r.Constraint = &walk{option: o}
	}
	return r
}

// truth is what a request is answered, by a sampler without an engine.
func (o *option) truth(t *testing.T, r engine.Request) (output []int32) {
	s := sample.New(r.Sampling, r.Prompt)
	last := r.Prompt[len(r.Prompt)-1]
	for len(output) < o.tokens {
		w := walk{option: &option{allowed: func(output []int32, id int32) bool {
			return (o.allowed == nil || o.allowed(output, id)) && (len(output) >= o.least || !slices.Contains(o.stop, id))
		}}, output: output}
		token, err := s.Pick(chainLogits[last][:], w.Mask())
		if err != nil {
			t.Fatal(err)
		}
		last = token.ID
		s.Accept(last)
		if output = append(output, last); slices.Contains(o.stop, last) {
			break
		}
	}
	return output
}

// generate has an engine generate so many tokens, in requests from a number on, and counts them. It returns the number of the next request.
func (f *frequencies) generate(t *testing.T, c *chain, kind string, tokens int, number uint64) uint64 {
	t.Helper()
	d := &chainDrafter{kind: kind, rand: rand.New(rand.NewPCG(number, 3))}
	o := engine.Options{DraftTokens: 5}
	if kind == byLayer || kind == byBoth {
		o.MTP = 4
	}
	if kind != byLayer {
		o.Drafter = d
	}
	e, err := engine.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	type running struct {
		*followed
		seq     *engine.Sequence
		drafts  []int32
		parents []int32
		checked int // before
		truth   []int32
	}
	var live []*running
	for want := f.tokens + tokens; f.tokens < want || len(live) > 0; {
		for len(live) < 16 && f.tokens < want {
			request := f.option.request(number)
			number++
			r := &running{followed: f.follow(kind)}
			if kind == nearlyRight {
				r.truth = f.option.truth(t, request)
				d.truths = append(d.truths, r.truth)
			}
			if r.seq, err = e.Add(request); err != nil {
				t.Fatal(err)
			}
			live = append(live, r)
		}
		if _, err := e.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, r := range live {
			var said [8]int32
			tokens := said[:0]
			for _, token := range r.seq.Tokens() {
				tokens = append(tokens, token.ID)
			}
			result := r.seq.Result()
			r.step(tokens, r.drafts[:result.Drafted-r.checked], r.parents)
			r.checked = result.Drafted
			r.drafts = append(r.drafts[:0], r.seq.Drafts()...)
			r.parents = append(r.parents[:0], r.seq.Parents()...)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			if r.seq.Ended() && kind == nearlyRight && !slices.Equal(r.truth, r.output) {
				t.Fatalf("%s: output %v, %v by the sampler alone", f.option.name, r.output, r.truth)
			}
		}
		live = slices.DeleteFunc(live, func(r *running) bool { return r.seq.Ended() })
	}
	return number
}

// leastP is what the p of each statistic has to reach. All seeds are fixed: were others drawn, and all right, one of the statistics
// of the test would be below this in less than one of a hundred draws.
const leastP = 1e-4

func options() []option {
	plain := sample.Params{Temperature: 1}
	with := func(change func(*sample.Params)) sample.Params {
		p := plain
		change(&p)
		return p
	}
	list := []option{
		{name: "temperature 1", sampling: plain},
		{name: "temperature 0.6", sampling: sample.Params{Temperature: 0.6}},
		{name: "temperature 3", sampling: sample.Params{Temperature: 3}},
		{name: "top_k", sampling: with(func(p *sample.Params) { p.TopK = 3 })},
		{name: "top_p", sampling: with(func(p *sample.Params) { p.TopP = 0.75 })},
		{name: "min_p", sampling: with(func(p *sample.Params) { p.MinP = 0.25 })},
		{name: "min_p, top_k and top_p, hot", sampling: sample.Params{Temperature: 1.5, MinP: 0.1, TopK: 5, TopP: 0.9}},
		{name: "presence", sampling: with(func(p *sample.Params) { p.Presence = 1.2 })},
		{name: "frequency", sampling: with(func(p *sample.Params) { p.Frequency = 0.7 })},
		{name: "repetition", sampling: with(func(p *sample.Params) { p.Repetition = 1.6 })},
		{name: "penalties that reward", sampling: with(func(p *sample.Params) { p.Presence, p.Frequency, p.Repetition = -0.4, -0.3, 0.8 })},
		{name: "logit bias", sampling: with(func(p *sample.Params) { p.Bias = map[int32]float32{0: -1.5, 3: 1, 5: -100} })},
		{name: "mask", sampling: plain, allowed: alternating},
		{name: "min tokens and stop", sampling: plain, stop: []int32{2}, least: 3},
		{name: "seeds far apart", sampling: plain, seed: func(n uint64) uint64 { return n * 0x9e3779b97f4a7c15 }},
		{name: "few seeds, long outputs", sampling: plain, tokens: 800, seed: func(n uint64) uint64 { return n << 32 }},
		{name: "everything", sampling: sample.Params{Temperature: 0.9, TopK: 5, TopP: 0.95, MinP: 0.02, Presence: 0.3, Frequency: 0.2, Repetition: 1.2,
			Bias: map[int32]float32{1: 0.5}}, allowed: alternating, stop: []int32{4}, least: 2},
	}
	for i := range list {
		list[i].prompt = []int32{int32(i % symbols), int32(i * 5 % symbols)}
		if list[i].tokens == 0 {
			list[i].tokens = 7
		}
	}
	return list
}

// alternating allows no token twice in a row, and some only behind an even number of tokens.
func alternating(output []int32, id int32) bool {
	return (len(output) == 0 || output[len(output)-1] != id) && (id > 1 || len(output)%2 == 0)
}

// TestSampledWithDraftsFollowsTheLaw: with drafts of all kinds, tokens come as often as the options' definitions say, computed here in float64: the first ones
// of steps, those behind drafts that were right, those behind drafts that were wrong and those in their place, and pairs of tokens.
func TestSampledWithDraftsFollowsTheLaw(t *testing.T) {
	tokens := 200_000
	if testing.Short() {
		tokens = 20_000
	}
	t.Parallel()
	kinds := []string{atRandom, mostly, nearlyRight, byLayer, byBoth, byTree}
	for _, o := range options() {
		t.Run(o.name, func(t *testing.T) {
			f := newFrequencies(&o)
			number := uint64(0)
			for _, kind := range kinds {
				number = f.generate(t, newChain(), kind, tokens/len(kinds)+1, number)
			}
			t.Logf("%d tokens: %d first of a step, %d behind right drafts, %d behind wrong ones, %d in their place", f.tokens, f.at[first], f.at[behindRight],
				f.at[behindWrong], f.replaced)
			if f.tokens < tokens || f.at[behindRight] < tokens/20 || f.at[behindWrong] < tokens/20 || f.replaced < tokens/20 {
				t.Error("too few")
			}
			for name, r := range f.results() {
				t.Logf("%s: chi-squared %.1f for %d degrees of freedom, %d draws: p = %.4f", name, r.chi, r.freedom, r.draws, r.p())
				if r.p() < leastP || r.freedom < symbols/2 {
					t.Errorf("%s: p = %.3g, want %g", name, r.p(), leastP)
				}
			}
		})
	}
}
