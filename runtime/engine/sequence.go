package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/glmc/glmc/runtime/draft"
	"github.com/glmc/glmc/runtime/kv"
	"github.com/glmc/glmc/runtime/sample"
)

// Sequence is a request that an engine has taken, and what has become of it.
type Sequence struct {
	request Request
	rank    rank
	sampler *sample.Sampler

	// tokens are the prompt and the output. The first computed of them have keys and values in kv's pages; those behind have
	// to be run: one when the sequence generates, more while its prompt is new, and all again after a preemption.
	tokens   []int32
	computed int
	vocab    int          // logits of a row
	kv       *kv.Sequence // nil while the sequence waits

	state   string // what its pages hold beside the model's keys and values
	private bool   // neither takes pages from the prefix cache nor leaves any
	held    bool   // runs its prompt and does not generate yet
	trial   bool   // nobody asked for it: it shows whether the engine works
	suspect bool   // a step of several failed, and this one was in it: it runs alone

	drafts  []int32        // tokens that may come behind the last; the next step checks them
	parents []int32        // of each, the one before it; empty: they are a path
	path    []int32        // drafts of the last step that were accepted
	lost    bool           // some of these have no keys and values
	origin  Origin         // of drafts
	guesses draft.Sequence // of Options.Drafter, from the first step on; nil: none
	told    int            // tokens that guesses has
	drafted int            // tokens that have keys and values of the MTP layer
	hopes   propensity     // where the engine adapts
	wanted  int            // tokens that the MTP layer is to guess,
	begin   []int32        // of which these come first, whatever it would guess

	ahead   *Sequence // computes a prefix that this one waits for:
	until   int       // so many tokens
	refused int       // pages that it lacked when it was last looked at,
	there   int       // with so many free or cached;
	retry   uint64    // it is looked at again when there are more, and at this step
	logged  int       // prompt positions whose logits were asked for and given
	trouble error     // of the constraint, while a step runs

	mask  []uint64 // tokens that may come next; nil: any
	early []uint64 // mask's memory before MinTokens

	prompt []sample.Token // of Request.PromptLogprobs; complete when the first token of the output comes
	news   []sample.Token // that came since the owner took the last ones
	fresh  bool           // there is something to tell of it
	result Result
	ended  bool
	stream *Stream // whose request it is; nil: of whoever called Add
}

// Result is what a request came to.
type Result struct {
	ID     string
	Finish string // a finish reason; empty where Err is not nil
	Err    error  // nil: the request ended as it should

	Prompt    int // tokens
	Cached    int // of them: found in the prefix cache when it first ran
	Output    int // tokens
	Drafted   int // tokens that were guessed and checked
	Accepted  int // of them: those that came out
	Verified  int // steps that checked drafts
	Preempted int // how often it lost its pages to others
	Priority  int

	Arrived   time.Time
	Scheduled time.Time // when its first step began; zero: never
	First     time.Time // when its first token came; zero: none came
	Ended     time.Time
}

// rank is an order among sequences that never changes, so that the first of it always gets on: by the step before which a
// sequence arrived, Patience steps more for each level of priority, and then by arrival.
type rank struct {
	due   int64
	order uint64
}

func (r rank) compare(s rank) int {
	if c := cmp.Compare(r.due, s.due); c != 0 {
		return c
	}
	return cmp.Compare(r.order, s.order)
}

// mostLevels bounds priorities, so that levels of them times steps can be added to steps.
const mostLevels = 1 << 20

// newSequence makes a sequence of a request that is right. It reads nothing that steps change.
func (e *Engine) newSequence(r Request) (*Sequence, error) {
	if err := e.check(&r); err != nil {
		return nil, err
	}
	const reserved = 1024 // tokens; more come as they are needed
	q := &Sequence{request: r, vocab: e.vocab, state: e.state(), sampler: sample.New(r.Sampling, r.Prompt)}
	q.tokens = append(make([]int32, 0, len(r.Prompt)+min(r.MaxTokens, reserved)), r.Prompt...)
	q.request.Prompt = q.tokens[:len(r.Prompt):len(r.Prompt)] // whoever asked may do with theirs what they like
	q.result = Result{ID: r.ID, Prompt: len(r.Prompt), Priority: r.Priority, Arrived: time.Now()}
	if r.PromptLogprobs {
		q.prompt = make([]sample.Token, len(r.Prompt))
		q.prompt[0].ID = r.Prompt[0]
	}
	q.news = make([]sample.Token, 0, 1+e.mostDrafts())
	q.drafts = make([]int32, 0, e.mostDrafts())
	q.path = make([]int32, 0, e.mostDrafts())
	if e.options.Drafter != nil {
		q.parents = make([]int32, 0, e.mostDrafts())
	}
	return q, nil
}

// enqueue lets a new sequence wait.
func (e *Engine) enqueue(q *Sequence) {
	e.arrived++
	level := int64(min(max(q.request.Priority, -mostLevels), mostLevels))
	q.rank = rank{int64(e.stats.Steps) + level*int64(e.options.Patience), e.arrived}
	e.waiting = insert(e.waiting, q)
	e.lead(q)
}

// insert puts a sequence into a list by rank.
func insert(list []*Sequence, q *Sequence) []*Sequence {
	i, _ := find(list, q)
	return slices.Insert(list, i, q)
}

// remove takes a sequence out of a list by rank.
func remove(list []*Sequence, q *Sequence) ([]*Sequence, bool) {
	i, ok := find(list, q)
	if !ok {
		return list, false
	}
	return slices.Delete(list, i, i+1), true
}

func find(list []*Sequence, q *Sequence) (int, bool) {
	return slices.BinarySearchFunc(list, q, func(a, b *Sequence) int { return a.rank.compare(b.rank) })
}

// left is how many tokens have to be run before the next one can be picked.
func (q *Sequence) left() int { return len(q.tokens) - q.computed }

// generates reports whether the prompt is done: what is left is of the output.
func (q *Sequence) generates() bool { return q.computed >= len(q.request.Prompt) }

// picks reports whether a token is picked once nothing is left.
func (q *Sequence) picks() bool { return len(q.Output()) < q.request.MaxTokens }

// Output is what was generated so far. It is valid until the next step.
func (q *Sequence) Output() []int32 { return q.tokens[len(q.request.Prompt):] }

// Tokens are those that the last step gave: one at most, and as many more as drafts were right. They are valid until the next step.
func (q *Sequence) Tokens() []sample.Token { return q.news }

// Prompt are the prompt's tokens with their log probabilities, of Request.PromptLogprobs. The first has none. They are complete
// when the first token of the output has come, or the sequence ended well.
func (q *Sequence) Prompt() []sample.Token { return q.prompt }

// Ended reports whether the sequence is done, well or not.
func (q *Sequence) Ended() bool { return q.ended }

// Result is what the sequence came to. It is complete when the sequence has ended.
func (q *Sequence) Result() Result {
	r := q.result
	r.Output = len(q.Output())
	return r
}

// end ends a sequence wherever it stands, and gives its pages back. It must not be in a step that runs.
func (e *Engine) end(q *Sequence, finish string, err error) {
	var ok bool
	if e.running, ok = remove(e.running, q); ok {
		if errors.Is(err, sample.ErrNotFinite) { // whoever found its keys in the cache would fail as well
			q.kv.Discard()
		}
		if err == nil && e.leaves(q) {
			e.leaving = append(e.leaving, q)
		} else {
			e.vacate(q)
		}
	} else {
		e.waiting, _ = remove(e.waiting, q)
	}
	e.unguess(q, err == nil)
	e.adapt.back(q)
	q.ended, q.ahead = true, nil
	q.result.Finish, q.result.Err, q.result.Ended = finish, err, time.Now()
	if q.trial {
		return
	}
	e.freshen(q)
	e.stats.ended(q)
	if e.options.Observe != nil {
		e.options.Observe.Ended(q.Result())
	}
}

// preempt takes a running sequence's pages away. It waits and computes them again; those that stay in the prefix cache it finds
// there.
func (e *Engine) preempt(q *Sequence) {
	e.running, _ = remove(e.running, q)
	e.vacate(q)
	q.result.Preempted++
	e.stats.Preemptions++
	e.step.stats.Preempted++
	e.waiting = insert(e.waiting, q)
}

// vacate gives the pages of a sequence back that no longer runs.
func (e *Engine) vacate(q *Sequence) {
	q.kv.Release()
	q.kv, q.computed, q.refused = nil, 0, 0
	q.undraft()
	q.drafted = 0
	if q.suspect {
		q.suspect = false
		e.suspects--
	}
}

// freshen remembers that there is something to tell of a sequence.
func (e *Engine) freshen(q *Sequence) {
	if !q.fresh {
		q.fresh = true
		e.fresh = append(e.fresh, q)
	}
}

// String is how errors speak of a part of a step.
func (p *part) String() string {
	if p.from >= len(p.seq.request.Prompt) {
		return fmt.Sprintf("token %d of the output", len(p.seq.Output()))
	}
	return fmt.Sprintf("prompt tokens %d to %d", p.from, p.from+p.tokens)
}
