package engine

import (
	"math"
	"time"
)

// line is a straight line through measured points, the older of which count for less and less.
type line struct{ w, x, y, xx, xy float64 }

const (
	lineKeeps  = 1 - 1.0/128 // of the weight of a point, for each that comes after it
	lineKnown  = 4           // points from which on a line says something
	lineSpread = 0.02        // variance of their places: one in fifty is one away
	outlier    = 3           // times what the line says: a step that somebody else held up counts for no more
)

// add takes a point.
func (l *line) add(x float64, took time.Duration) {
	y := took.Seconds()
	if l.w >= lineKnown {
		base, slope := l.fit()
		y = min(y, outlier*(base+slope*x))
	}
	l.w = l.w*lineKeeps + 1
	l.x = l.x*lineKeeps + x
	l.y = l.y*lineKeeps + y
	l.xx = l.xx*lineKeeps + x*x
	l.xy = l.xy*lineKeeps + x*y
}

// fit gives the time at 0 and what each 1 adds, neither of them below 0.
func (l *line) fit() (base, slope float64) {
	if l.w == 0 {
		return 0, 0
	}
	x, y := l.x/l.w, l.y/l.w
	if spread := l.xx/l.w - x*x; spread > 1e-9 {
		slope = max(0, (l.xy/l.w-x*y)/spread)
	}
	if base = y - slope*x; base < y/8 { // more than it can be: nothing is free
		base = y / 8
		slope = (y - base) / x
	}
	return base, slope
}

// known reports whether there are points, and at more than one place.
func (l *line) known() bool {
	return l.w >= lineKnown && l.xx/l.w-(l.x/l.w)*(l.x/l.w) > lineSpread
}

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

// costs are what steps take, as measured: time goes in as a step's, in seconds.
type costs struct {
	steps [costClasses]line // by sequences that generate: time of a step by drafts in it
	over  [costClasses]line // of the draft layer going over what the model did: time by guesses that it begins
	layer line              // of a step in which it guesses on: time by tokens
}

// Steps of up to this many sequences are told apart; those of more by quarters of their size.
const (
	costExact   = 16
	costClasses = 64
)

func costClass(sequences int) int {
	if sequences <= costExact {
		return max(sequences, 1) - 1
	}
	return min(costExact+int(4*math.Log2(float64(sequences)/costExact)), costClasses-1)
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
	base, row   float64 // seconds of a step without drafts, and of each draft
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
	rate = float64(m.sequences) / (m.base + over)
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
	return rate
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
