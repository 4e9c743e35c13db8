package engine

// offer is what could be guessed for a sequence: by how probable it is that each token, and all before it, comes. Each is less probable than
// the one before.
type offer struct {
	seq    *Sequence
	suffix []float64
	layer  []float64

	useLayer bool // what is taken:
	n        int  // the first tokens, of one of them

	value float64 // of the suffix draft at the price of the round, and how many of its tokens
	cut   int
}

// any reports whether anything is offered.
func (o offer) any() bool { return len(o.suffix)+len(o.layer) > 0 }

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

// plan chooses from the offers and gives the tokens a second that may be expected. The layer guesses up to depth tokens; below 0 it is not there.
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
		passes := m.passes(offers, rate, depth)
		tokens, time := float64(m.sequences), m.base+over+m.pass*float64(max(0, passes-1))
		for i := range offers {
			o := &offers[i]
			m.choose(o, rate, passes)
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

// take chooses what is worth its price, in tokens a second.
func (m *market) take(offers []offer, price float64, depth int) {
	passes := m.passes(offers, price, depth)
	for i := range offers {
		m.choose(&offers[i], price, passes)
	}
}

// passes is how many tokens the layer should guess at most at a price, in tokens a second: each further one is a step of it that all sequences share.
// It leaves in the offers what their suffix drafts are worth.
func (m *market) passes(offers []offer, price float64, depth int) (best int) {
	var values [MostDrafts + 1]float64 // by tokens: of all offers
	for i := range offers {
		o := &offers[i]
		o.value, o.cut = worth(o.suffix, price*m.row, price*m.row)
		values[0] += o.value
		most, sum, cost := o.value, 0.0, price*(m.row+m.first)
		for d := 1; d <= depth; d++ {
			if d <= len(o.layer) {
				sum += o.layer[d-1] - cost
				most = max(most, sum)
				cost = price * (m.row + m.token)
			}
			values[d] += most
		}
	}
	for d := 1; d <= depth; d++ {
		if values[d] -= price * m.pass * float64(d-1); values[d] > values[best] {
			best = d
		}
	}
	return best
}

// choose takes what is worth most of an offer at a price, with at most depth tokens of the layer.
func (m *market) choose(o *offer, price float64, depth int) {
	o.useLayer, o.n = false, o.cut
	if depth == 0 || len(o.layer) == 0 {
		return
	}
	if v, n := worth(o.layer[:min(len(o.layer), depth)], price*(m.row+m.first), price*(m.row+m.token)); v > o.value {
		o.useLayer, o.n = true, n
	}
}

// taken are the probabilities of what is taken.
func (o *offer) taken() []float64 {
	if o.useLayer {
		return o.layer[:o.n]
	}
	return o.suffix[:o.n]
}

// worth is what the first tokens of a draft are worth beyond their price, that of the first and that of each further one.
func worth(odds []float64, first, further float64) (value float64, n int) {
	sum, price := 0.0, first
	for i, p := range odds {
		if i > 0 && p <= further { // and so are those behind it
			break
		}
		if sum += p - price; sum > value {
			value, n = sum, i+1
		}
		price = further
	}
	return value, n
}
