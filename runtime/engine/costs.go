package engine

import (
	"time"
)

// tally is how often guesses came that should have.
type tally struct {
	told float64 // sum of what was said of each: its probability
	came float64 // and how many came
}

// record are tallies by some trait of guesses.
type record [recordClasses]tally

const (
	recordClasses = 8
	recordKeeps   = 1 - 1.0/1024 // of the engine's tallies; a request's counts all it has
	recordPrior   = 8            // guesses that what is known beside a tally is worth
	recordStart   = 0.8          // of what guesses say, until there is something to go by
)

// add counts a guess that was thought to come with some probability, and was checked.
func (t *tally) add(odds float64, came bool, keeps float64) {
	t.told = t.told*keeps + odds
	t.came *= keeps
	if came {
		t.came++
	}
}

// ratio is how often guesses came, for once that they should have, with a prior.
func (t *tally) ratio(prior float64) float64 {
	return (t.came + recordPrior*prior) / (t.told + recordPrior)
}

// matchClass is the class of a suffix draft's token: how many tokens before it are known to match.
func matchClass(match, place int) int {
	class := 0
	for n := match + place; n > 1 && class < recordClasses-1; n >>= 1 {
		class++
	}
	return class
}

// placeClass is the class of a token of the model's own layer: its place in the draft.
func placeClass(place int) int { return min(place, recordClasses-1) }

// costs are what steps take, as measured: in seconds, if the machine were always as fast as usual. It is not, as others use it too, and
// contexts get longer: how much slower it is of late is told apart, so that what steps say that come seldom stays right. Only what costs are
// to each other matters for what is decided.
type costs struct {
	steps      plane   // of the model, see stepPoint
	bend       bend    // by how much they differ from it, by sequences
	mixed      plane   // of the model over parts of prompts beside sequences that generate: 1, prompt tokens, sequences, drafts
	over       plane   // of the draft layer going over what the model did: 1, tokens, guesses that it begins
	layer      plane   // of a step in which it guesses on: 1, guesses
	prompts    mean    // of the model over a token of a prompt
	led        mean    // of the draft layer
	alone      float64 // sequences of steps without prompts,
	beside     float64 // and with them; both of late
	ran        float64 // tokens of prompts that were run,
	answers    float64 // and tokens that were generated; both of late
	fast, slow float64 // of late, and all the time: how many times slower steps were than steps says
	compared   float64 // steps that these are of
}

const (
	levelMost = 3 // of a single step
	levelFast = 1.0 / 16
	levelSlow = 1.0 / 4096
)

// stepPoint is what the time of a step depends on: rows, sequences, and whether there are drafts, with which kernels may be others.
func stepPoint(sequences, drafts int) point {
	x := point{1, 0, float64(sequences + drafts), float64(sequences)}
	if drafts > 0 {
		x[1] = 1
	}
	return x
}

// bend is how far steps of so many sequences, with drafts and without, are from what steps says of all: kernels take rows in blocks, so
// that one row more may take as much as the next seven together, and where that is depends on the sequences.
type bend [2][bendSequences]tally

const (
	bendSequences = 65
	bendKeeps     = 1 - 1.0/512
	bendPrior     = 64 // steps that it is worth that there is no bend
)

// of gives the tally of such steps: how many there were, and how much longer than expected they took together.
func (b *bend) of(sequences, drafts int) *tally {
	return &b[min(drafts, 1)][min(sequences, bendSequences-1)]
}

// add takes a step that took so many times what was expected.
func (b *bend) add(sequences, drafts int, times float64) {
	t := b.of(sequences, drafts)
	t.told = t.told*bendKeeps + 1
	t.came = t.came*bendKeeps + times
}

// ratio is how many times longer such steps take.
func (b *bend) ratio(sequences, drafts int) float64 {
	t := b.of(sequences, drafts)
	return (t.came + bendPrior) / (t.told + bendPrior)
}

// level is how many times slower steps are of late than usual.
func (c *costs) level() float64 {
	if c.slow == 0 {
		return 1
	}
	return min(max(c.fast/c.slow, 0.1), 10)
}

// took takes the time of a step of the model.
func (c *costs) took(sequences, drafts int, t time.Duration) {
	x, y := stepPoint(sequences, drafts), max(t.Seconds(), 1e-9)
	c.generated(float64(sequences), 0)
	c.steps.add(x, y/c.level())
	if !c.steps.known() {
		return
	}
	slopes := c.steps.fit()
	slower := min(y/max(x.dot(&slopes), 1e-9), levelMost)
	c.bend.add(sequences, drafts, slower/c.level())
	c.compared++
	c.fast += (slower - c.fast) * max(levelFast, 1/c.compared)
	c.slow += (slower - c.slow) * max(levelSlow, 1/c.compared)
}

// tookMixed takes the time of a step of the model over parts of prompts, and over sequences that generate.
func (c *costs) tookMixed(prompt, sequences, drafts int, t time.Duration) {
	c.mixed.add(point{1, float64(prompt), float64(sequences), float64(drafts)}, max(t.Seconds(), 1e-9)/c.level())
	c.generated(0, float64(sequences))
}

func (c *costs) generated(alone, beside float64) {
	const keeps = 1 - 1.0/512
	c.alone = c.alone*keeps + alone
	c.beside = c.beside*keeps + beside
}

// tookLayer takes the time of a step of the draft layer.
func (c *costs) tookLayer(p *plane, tokens, rows int, t time.Duration) {
	p.add(point{1, float64(tokens), float64(rows)}, max(t.Seconds(), 1e-9)/c.level())
}

// mean is a time for each of some tokens, of late.
type mean struct{ seconds, tokens float64 }

func (m *mean) add(tokens int, seconds float64) {
	const keeps = 1 - 1.0/256
	m.seconds = m.seconds*keeps + seconds
	m.tokens = m.tokens*keeps + float64(tokens)
}

func (m *mean) each() float64 { return m.seconds / max(m.tokens, 1) }

// tookPrompts takes the time of a step of the model over parts of prompts.
func (c *costs) tookPrompts(tokens int, t time.Duration) {
	c.prompts.add(tokens, t.Seconds()/c.level())
}

// tookLayerPrompts takes the time that the draft layer went over parts of prompts.
func (c *costs) tookLayerPrompts(tokens int, t time.Duration) {
	c.led.add(tokens, t.Seconds()/c.level())
}

// perPrompt is what a token of a prompt takes, in seconds, if the draft layer goes over it too.
func (c *costs) perPrompt() float64 { return c.prompts.each() + c.led.each() }

// answered takes the tokens of prompts that were run in a step, and those that came of it.
func (c *costs) answered(prompt, tokens int) {
	const keeps = 1 - 1.0/4096
	c.ran = c.ran*keeps + float64(prompt)
	c.answers = c.answers*keeps + float64(tokens)
}

// perAnswer is what the layer would take for prompts if it followed all sequences, in seconds for each token of the answers.
func (c *costs) perAnswer() float64 { return c.led.each() * c.ran / max(c.answers, 1) }

// least is the least share of a step's time for each of its rows that a row more is thought to take.
const least = 1.0 / 32

// market gives what the next step would cost.
func (c *costs) market(sequences int) market {
	m := market{sequences: sequences}
	slopes := c.steps.fit()
	plain, some := stepPoint(sequences, 0), stepPoint(sequences, 1)
	with := c.bend.ratio(sequences, 1)
	m.plain = max(plain.dot(&slopes)*c.bend.ratio(sequences, 0), 1e-9)
	m.row = max(slopes[2]*with, m.plain*least/float64(sequences))
	m.base = max(some.dot(&slopes)*with-m.row, m.plain)
	over := c.over.fit()
	m.over = max(0, over[0]+over[1]*float64(sequences))
	m.first = max(0, over[2])
	further := c.layer.fit()
	m.pass = max(0, further[0])
	m.token = max(0, further[1]+further[2])
	return m
}

// besidePrompts gives what a draft takes in a step that runs parts of prompts, too, and the price of a second, in tokens. Such a step is there for the
// prompts, whatever is drafted. A token more in it is one less later, in a step like those of late: in one without prompts it takes its share of all,
// as rate says; beside prompts, no more than a sequence adds.
//
// Such steps differ most by their prompts: what a draft adds is known badly at times, and is thought to be no less than a quarter of what it is elsewhere.
func (c *costs) besidePrompts(elsewhere, rate float64) (row, price float64) {
	slopes := c.mixed.fit()
	row = max(slopes[3], elsewhere/4)
	share := c.beside / max(c.beside+c.alone, 1e-9)
	return row, 1 / max(share*max(slopes[2], 0)+(1-share)/rate, 1e-9)
}
