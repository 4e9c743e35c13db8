package engine

import (
	"math"
	"time"
)

// record is how often what was guessed came, by some trait of the guesses.
type record struct {
	told, came [recordClasses]float64
}

const (
	recordClasses = 8
	recordKeeps   = 1 - 1.0/1024 // of the engine's record; a request's counts all it has
	recordPrior   = 8            // guesses that the engine's record is worth beside a request's own
	recordStart   = 0.8          // of what guesses say, until there is something to go by
)

// add counts a guess that was thought to come with some probability, and was checked.
func (r *record) add(class int, odds float64, came bool, keeps float64) {
	r.told[class] *= keeps
	r.came[class] *= keeps
	r.told[class] += odds
	if came {
		r.came[class]++
	}
}

// ratio is how often guesses of a class came, for once that they should have, with a prior.
func (r *record) ratio(class int, prior float64) float64 {
	return (r.came[class] + recordPrior*prior) / (r.told[class] + recordPrior)
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
	over       plane   // of the draft layer going over what the model did: 1, tokens, guesses that it begins
	layer      plane   // of a step in which it guesses on: 1, guesses
	prompts    float64 // seconds that the draft layer went over prompts,
	answers    float64 // and the tokens that were generated of sequences that it follows; both of late
	fast, slow float64 // of late, and all the time: how many times slower steps were than steps says
	compared   float64 // steps that these are of
}

const (
	levelMost = 3 // of a single step
	levelFast = 1.0 / 16
	levelSlow = 1.0 / 4096
)

// stepPoint is what the time of a step depends on: rows, sequences, and whether there is more than one row, for which kernels
// may be others.
func stepPoint(sequences, drafts int) point {
	x := point{1, 0, float64(sequences + drafts), float64(sequences)}
	if sequences+drafts > 1 {
		x[1] = 1
	}
	return x
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
	c.steps.add(x, y/c.level())
	if !c.steps.known() {
		return
	}
	slopes := c.steps.fit()
	slower := min(y/max(x.dot(&slopes), 1e-9), levelMost)
	c.compared++
	c.fast += (slower - c.fast) * max(levelFast, 1/c.compared)
	c.slow += (slower - c.slow) * max(levelSlow, 1/c.compared)
}

// tookLayer takes the time of a step of the draft layer.
func (c *costs) tookLayer(p *plane, tokens, rows int, t time.Duration) {
	p.add(point{1, float64(tokens), float64(rows)}, max(t.Seconds(), 1e-9)/c.level())
}

// tookPrompts takes the time that the draft layer went over prompts.
func (c *costs) tookPrompts(t time.Duration) { c.prompts += t.Seconds() / c.level() }

// answersKeep is what remains of the sums for prompts for each token that is generated.
const answersKeep = 1 - 1.0/8192

// answered takes tokens of a sequence that the layer follows.
func (c *costs) answered(tokens int) {
	for range tokens {
		c.prompts *= answersKeep
		c.answers = c.answers*answersKeep + 1
	}
}

// perAnswer is what the layer takes for prompts, in seconds for each token of the answers.
func (c *costs) perAnswer() float64 { return c.prompts / max(c.answers, 1) }

// least is the least share of a step's time for each of its rows that a row more is thought to take.
const least = 1.0 / 32

// market gives what the next step would cost.
func (c *costs) market(sequences int) market {
	m := market{sequences: sequences}
	slopes := c.steps.fit()
	plain, some := stepPoint(sequences, 0), stepPoint(sequences, 1)
	m.plain = max(plain.dot(&slopes), 1e-9)
	m.row = max(slopes[2], m.plain*least/float64(sequences))
	m.base = max(some.dot(&slopes)-m.row, m.plain)
	over := c.over.fit()
	m.over = max(0, over[0]+over[1]*float64(sequences))
	m.first = max(0, over[2])
	further := c.layer.fit()
	m.pass = max(0, further[0])
	m.token = max(0, further[1]+further[2])
	return m
}

// offer is what could be guessed for a sequence: by how probable it is that each token, and all before it, comes.
type offer struct {
	seq    *Sequence
	suffix []float64
	layer  []float64

	useLayer bool // what is taken:
	n        int  // the first tokens, of one of them
}

// market decides what is checked in a step. A step gives a token for each sequence, and one more for each draft that comes.
// To check a draft is worth its time if more tokens come in that time than in the rest of the step: so what is taken makes the step's
// tokens a second as many as they can be.
type market struct {
	plain       float64 // seconds of a step without drafts
	base, row   float64 // of one with some, and of each of them
	over, first float64 // of the draft layer going over the tokens of the step, and of each guess that it begins there
	pass, token float64 // of a step in which it guesses on, and of each token of it
	sequences   int
}

// plan chooses from the offers and gives the tokens a second that may be expected. The layer guesses up to depth tokens.
//
// It maximises a ratio, of tokens by seconds. At the right price of a second, in tokens, no choice is worth more than its price, and the best
// is worth exactly that; each round gives a better price than the one before (Dinkelbach, On nonlinear fractional programming, 1967).
func (m *market) plan(offers []offer, depth int) (rate float64) {
	over := 0.0
	if depth >= 0 {
		over = m.over
	}
	plain := float64(m.sequences) / (m.plain + over)
	rate = plain
	for range 8 {
		before := rate
		best := math.Inf(-1)
		passes := 0
		for d := 0; d <= depth || d == 0; d++ {
			value := -rate * m.pass * float64(max(0, d-1))
			for i := range offers {
				v, _, _ := m.choose(&offers[i], rate, d)
				value += v
			}
			if value > best {
				best, passes = value, d
			}
		}
		tokens, time := float64(m.sequences), m.base+over+m.pass*float64(max(0, passes-1))
		for i := range offers {
			o := &offers[i]
			_, o.useLayer, o.n = m.choose(o, rate, passes)
			for _, p := range o.taken() {
				tokens += p
			}
			time += m.row * float64(o.n)
			if o.useLayer {
				time += m.first + m.token*float64(o.n-1)
			}
		}
		if rate = tokens / time; rate <= before*(1+1e-9) {
			break
		}
	}
	if rate > plain {
		return rate
	}
	for i := range offers { // a few drafts would not pay for the step's being another
		offers[i].useLayer, offers[i].n = false, 0
	}
	return plain
}

// taken are the probabilities of what is taken.
func (o *offer) taken() []float64 {
	if o.useLayer {
		return o.layer[:o.n]
	}
	return o.suffix[:o.n]
}

// choose takes what is worth most of an offer at a price, in tokens a second, with at most depth tokens of the layer.
func (m *market) choose(o *offer, price float64, depth int) (value float64, useLayer bool, n int) {
	value, n = worth(o.suffix, price*m.row, price*m.row)
	if v, k := worth(o.layer[:min(len(o.layer), depth)], price*(m.row+m.first), price*(m.row+m.token)); v > value {
		return v, true, k
	}
	return value, false, n
}

// worth is what the first tokens of a draft are worth beyond their price, that of the first and that of each further one. Each is less
// probable than the one before.
func worth(odds []float64, first, further float64) (value float64, n int) {
	sum, price := 0.0, first
	for i, p := range odds {
		if sum += p - price; sum > value {
			value, n = sum, i+1
		}
		price = further
	}
	return value, n
}
