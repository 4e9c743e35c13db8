package engine

// CheckPages returns an error where the pages of the KV cache are not as they must be.
func (e *Engine) CheckPages() error { return e.pool.Check() }

// StepDrafts is how many drafts the step has that runs.
func (e *Engine) StepDrafts() int { return e.step.drafts }

// Drafts are those that the next step checks, as far as it has room.
func (q *Sequence) Drafts() []int32 { return q.drafts }

// Unlead has the draft layer not follow a sequence, or no longer.
func (q *Sequence) Unlead() {
	if q.hopes.led = false; q.kv == nil {
		q.state = ""
	}
}

// Parents are those of Drafts where they are a tree.
func (q *Sequence) Parents() []int32 { return q.parents }

// Begin has what the draft layer guesses for a sequence begin with some tokens, from the next step on.
func (q *Sequence) Begin(tokens ...int32) { q.begin = append(q.begin[:0], tokens...) }
