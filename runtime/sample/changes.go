package sample

import "math"

// changes are the tokens of a sequence whose logits are not taken as the model gives them: those that have a bias, and those that were seen and
// are to be penalised.
type changes struct {
	params *Params
	tokens []changing
	place  map[int32]int32 // of a token in tokens
	set    []uint64        // the same tokens, as a mask
}

// changing is one such token.
type changing struct {
	id    int32
	bias  float32
	count float32 // how often the output holds it
	seen  bool    // in the prompt or the output
}

func (c *changes) start(p *Params, prompt []int32) {
	c.params = p
	for id, bias := range p.Bias {
		c.token(id).bias = bias
	}
	if p.repeats() {
		for _, id := range prompt {
			c.token(id).seen = true
		}
	}
}

// output counts a token of the output.
func (c *changes) output(id int32) {
	t := c.token(id)
	t.seen = true
	t.count++
}

// token returns a token's entry, a new one where it has none.
func (c *changes) token(id int32) *changing {
	if i, ok := c.place[id]; ok {
		return &c.tokens[i]
	}
	if c.place == nil {
		c.place = map[int32]int32{}
	}
	c.place[id] = int32(len(c.tokens))
	c.tokens = append(c.tokens, changing{id: id})
	c.mark(id)
	return &c.tokens[len(c.tokens)-1]
}

// mark puts a token into the mask, which is as long as the rows that were seen.
func (c *changes) mark(id int32) {
	if word := int(id) / blockSize; word < len(c.set) {
		c.set[word] |= 1 << (id % blockSize)
	}
}

// apply puts the changed logits into a row.
func (c *changes) apply(r *row) {
	if len(c.tokens) == 0 {
		return
	}
	if len(r.change) < len(r.logits) {
		r.change = make([]float32, len(r.logits))
	}
	if len(c.set) < r.blocks() {
		c.set = make([]uint64, r.blocks())
		for i := range c.tokens {
			c.mark(c.tokens[i].id)
		}
	}
	r.changed = c.set
	frequency, presence, repetition := float32(c.params.Frequency), float32(c.params.Presence), float32(c.params.Repetition)
	repeats := c.params.repeats()
	for i := range c.tokens {
		t := &c.tokens[i]
		if int(t.id) >= len(r.logits) {
			continue
		}
		v := r.logits[t.id]
		if v-v != 0 {
			r.change[t.id] = negInf
			continue
		}
		v += t.bias
		if repeats && t.seen {
			if v > 0 {
				v /= repetition
			} else {
				v *= repetition
			}
		}
		if t.count > 0 {
			v -= float32(frequency * t.count) // rounded, so that all processors do the same
			v -= presence
		}
		r.change[t.id] = min(max(v, -math.MaxFloat32), math.MaxFloat32)
	}
}
