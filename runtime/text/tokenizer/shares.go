package tokenizer

// shares say for every byte what part of an id it is at least, in units of 1/whole: one by the length
// of the longest token that holds such a byte. The shares of a token's bytes add
// up to one at most, so that those of a text's bytes are no more than its ids,
// whatever the model makes of it.
type shares [256]uint64

const whole = 1 << 32

// sharesOf are those of a model, whose tokens are those of bytes, what merges
// make and whole words.
func sharesOf(t *Tokenizer) shares {
	var longest [256]int
	see := func(token string) {
		for i := range len(token) {
			longest[token[i]] = max(longest[token[i]], len(token))
		}
	}
	for b := range longest {
		longest[b] = 1
	}
	for _, m := range t.model.merges {
		see(t.tokens[m.id].bytes)
	}
	for word := range t.model.words {
		see(word)
	}
	var out shares
	for b, n := range longest {
		out[b] = whole / uint64(n)
	}
	return out
}

// atLeast is a number of ids that s has at least, at the price of a look at each of its bytes.
func (t *Tokenizer) atLeast(s string) int {
	sum := uint64(0)
	for i := range len(s) {
		sum += t.shares[s[i]]
	}
	return int(sum / whole)
}
