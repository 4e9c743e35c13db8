// Package draft is what speculative decoding asks for guesses. A drafter says which tokens are likely to come next in a sequence; the
// model then checks all of them in one step and keeps those that it would have said itself. So a drafter decides how fast
// tokens come, and never which ones.
//
// [Drafter] is what the drafters share, whatever they guess from: package suffix repeats what was said before.
package draft

// Kinds is how many kinds of evidence a drafter can tell apart.
const Kinds = 256

// Draft is what may come next: a path, or a tree of alternatives. Its slices are used again by whoever is given it a second time, so
// that a step makes no garbage.
type Draft struct {
	Tokens  []int32
	Parents []int32   // of each token, the index of the one before it; -1: it follows the sequence. A parent stands before its children
	Probs   []float32 // of each token, the estimated probability that it and all before it come
	Kinds   []uint8   // of each token, a kind of evidence: those of a kind come as often, and who checks drafts can find out how often that is
	Score   float64   // sum of Probs: how many tokens are expected to be accepted
	Match   int       // tokens at the end of the sequence that the guess rests on
	Local   bool      // the guess comes from the sequence itself, not from others
}

// Reset empties a draft and keeps its memory.
func (d *Draft) Reset() {
	*d = Draft{Tokens: d.Tokens[:0], Parents: d.Parents[:0], Probs: d.Probs[:0], Kinds: d.Kinds[:0]}
}

// Drafter makes guesses for many sequences.
type Drafter interface {
	// Start begins a sequence. The prompt is read until the sequence ends, and nobody may write to it.
	Start(prompt []int32) Sequence
	// Close ends the drafter's goroutines, after those of its sequences.
	Close() error
}

// Sequence is one sequence of a drafter. Its methods are called from one goroutine at a time and never wait.
type Sequence interface {
	// Append tells which tokens came, after the prompt and those of earlier calls.
	Append(tokens ...int32)
	// Draft guesses at most limit tokens that come next. None are a guess too.
	Draft(limit int, into *Draft)
	// End ends the sequence. With keep, others may learn from what was said in it.
	End(keep bool)
}

// Accept gives how many tokens of a draft the truth begins with: it goes down from the root as long as a child is the next token.
func (d *Draft) Accept(truth []int32) int {
	n, at := 0, int32(-1)
	for i, token := range d.Tokens {
		if n < len(truth) && d.Parents[i] == at && token == truth[n] {
			n, at = n+1, int32(i)
		}
	}
	return n
}
