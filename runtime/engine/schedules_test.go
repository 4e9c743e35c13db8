package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
)

// TestAnySchedule runs 10,000 requests in random schedules: with random bounds of steps, on a cache so small that sequences are
// preempted and pages evicted all the time, with aborts, with steps that fail before, in and after their work. Whatever happens
// to others, a request is answered as if it had been alone; and when all have ended, no page is missing.
func TestAnySchedule(t *testing.T) {
	t.Parallel()
	var sum sums
	anySchedule(t, &sum, requests(10_000), false)
	sum.check(t)
}

// TestAnyScheduleAdapting is the same for 3,000 requests with drafts that adapt to what steps take, which differs each time.
func TestAnyScheduleAdapting(t *testing.T) {
	t.Parallel()
	var sum sums
	anySchedule(t, &sum, requests(3_000), true)
	t.Logf("%+v", sum)
	// Whether the layer guesses at all depends on what steps take here.
	if d := sum.drafts; !t.Failed() && !testing.Short() && d[engine.FromMTP].Accepted+d[engine.FromDrafter].Accepted == 0 {
		t.Errorf("no drafts came out: %+v", d)
	}
}

func anySchedule(t *testing.T, sum *sums, want int, adapt bool) {
	for sum.requests < want && !t.Failed() {
		rapid.Check(t, func(t *rapid.T) {
			if sum.requests >= want {
				return
			}
			o := enginetest.Options{Vocab: rapid.SampledFrom([]int{16, 64, 70}).Draw(t, "vocabulary"), PageSize: rapid.IntRange(1, 5).Draw(t, "page size"), Pages: 100}
			o.Sequences = rapid.SampledFrom([]int{1, 2, 4, 6, 8, 8, 8, 12}).Draw(t, "sequences of a step")
			o.Chunk = rapid.IntRange(1, 24).Draw(t, "chunk of the plan")
			if o.Rows = o.Sequences; seldom(t, 4, "fewer rows") {
				o.Rows = rapid.IntRange(1, o.Sequences).Draw(t, "rows of a step")
			}
			large := enginetest.Options{Vocab: o.Vocab, PageSize: o.PageSize, Pages: o.Pages, Chunk: 64, Rows: 64}
			w := &world{t: t, poison: none(t, o.Vocab), sums: sum, adapt: adapt,
				alone: func() engine.Executor { return enginetest.New(large) }}
			o.Draft = rapid.Bool().Draw(t, "a draft layer")
			o.Paths = seldom(t, 8, "paths alone")
			x := enginetest.New(o)
			w.run(captures(t, x), o.Vocab, o.PageSize, 8)
			if p := x.Problems(); len(p) > 0 {
				w.fatalf("wrong steps: %s", strings.Join(p, "\n"))
			}
		})
	}
}

// captures gives a plan several layouts, as the compiler does: for chunks of prompts beside a few sequences, and for a token of each of
// some more.
func captures(t *rapid.T, x *enginetest.Executor) engine.Executor {
	if rapid.Bool().Draw(t, "one layout") {
		return x
	}
	all, _ := x.Max("forward")
	chunk := ir.Sizes{Tokens: all.Tokens, Seqs: rapid.IntRange(1, all.Seqs).Draw(t, "sequences beside a prompt")}
	chunk.Rows = rapid.IntRange(1, all.Rows).Draw(t, "rows beside a prompt")
	captured := []int{all.Rows, rapid.IntRange(1, all.Rows).Draw(t, "captured")}
	for _, p := range x.Plan().Programs {
		for _, n := range captured {
			p.Layouts = append(p.Layouts, plan.Layout{Bucket: ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: n, Seqs: n, Rows: n}}})
		}
	}
	return layered{x, chunk}
}

// layered is an executor whose largest step of a prompt is not its largest in sequences and rows.
type layered struct {
	engine.Executor
	chunk ir.Sizes
}

func (c layered) Move(from, to []int32) error { return c.Executor.(engine.Mover).Move(from, to) }

func (c layered) Max(string) (ir.Sizes, error) { return c.chunk, nil }

// errLayout is a fault of the engine.
var errLayout = errors.New("the step fits no layout")

func (c layered) Step(ctx context.Context, entry string, in exec.Inputs) ([]kernels.Tensor, error) {
	step := ir.Sizes{Tokens: len(in["tokens"].I32), Seqs: len(in["seq_start"].I32) - 1, Rows: len(in["rows"].I32)}
	fits := func(l ir.Sizes) bool { return step.Tokens <= l.Tokens && step.Seqs <= l.Seqs && step.Rows <= l.Rows }
	if !fits(c.chunk) && !slices.ContainsFunc(c.Plan().Programs[0].Layouts, func(l plan.Layout) bool { return fits(l.Max) }) {
		return nil, fmt.Errorf("%w: %+v", errLayout, step)
	}
	return c.Executor.Step(ctx, entry, in)
}

// none draws a token that makes each step fail that it is in: mostly one that there is not.
func none(t *rapid.T, vocab int) int32 {
	if !seldom(t, 8, "poisoned") {
		return -1
	}
	return rapid.Int32Range(0, int32(vocab)-1).Draw(t, "poison")
}

// requests is how many of a number of requests a test runs.
func requests(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// sums are what happened in all schedules: they show that the test tests something.
type sums struct {
	requests, ended, aborted, broken, failedSteps int
	steps, preempted, tokens, runs                uint64
	hits, evicted                                 int64
	moves                                         int // tokens of accepted branches
	drafts                                        [engine.Origins]engine.DraftStats
}

func (s *sums) check(t *testing.T) {
	t.Logf("%+v", *s)
	if t.Failed() || s.requests < 10_000 {
		return // too few schedules, of which one differs from another, to hold them to numbers
	}
	few := uint64(s.requests / 100)
	if s.preempted < few || s.hits < int64(few) || s.evicted < int64(few) || s.aborted == 0 || s.broken == 0 || s.failedSteps == 0 {
		t.Errorf("too little happened: %+v", *s)
	}
	for _, d := range s.drafts {
		if d.Accepted < 3*few || d.Checked < d.Accepted+3*few || d.Proposed < d.Checked {
			t.Errorf("too few drafts: %+v", s.drafts)
		}
	}
}

// world is a schedule that is under way.
type world struct {
	t      *rapid.T
	alone  func() engine.Executor // one with room for everything
	poison int32                  // token; -1: none
	sums   *sums
	vocab  int

	jobs          []*job
	want, answers []*answer
	live          []*engine.Sequence // by job; nil: it has not arrived or has ended
	saboteur      *saboteur
	drafter       *drafter // nil: none
	adapt         bool     // drafts do
	engine        *engine.Engine
	options       engine.Options
	troubles      int
	log           []string
}

func (w *world) logf(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nwhat happened:\n%s", fmt.Sprintf(format, args...), strings.Join(w.log, "\n"))
}

// run draws jobs, runs each alone, and then all in a random schedule. There are some five jobs for each of the lists.
func (w *world) run(x engine.Executor, vocab, pageSize, lists int) {
	t := w.t
	w.vocab = vocab
	positions := 0
	for range lists { // several short lists: rapid makes no long ones that it can shorten
		for _, j := range rapid.SliceOfN(jobs(vocab), 0, 20).Draw(t, "jobs") {
			j.begin(w.jobs, w.want)
			w.jobs = append(w.jobs, &j)
			w.want = append(w.want, w.runAlone(&j, vocab))
			positions = max(positions, len(j.prompt)+max(j.MaxTokens-1, 0))
			w.logf("job %d: %s: alone %v", len(w.jobs)-1, &j, w.want[len(w.want)-1].ids())
		}
	}
	if len(w.jobs) == 0 {
		return
	}
	w.live, w.answers = make([]*engine.Sequence, len(w.jobs)), make([]*answer, len(w.jobs))
	pages := (positions+pageSize-1)/pageSize + rapid.IntRange(0, 12).Draw(t, "pages more than the largest needs")
	w.saboteur = &saboteur{Executor: x, pages: pages, poison: w.poison}
	w.start()
	w.logf("pages: %d of %d", pages, pageSize)

	limit := 1000
	for i := range w.jobs {
		limit += 20 * (len(w.jobs[i].prompt) + w.jobs[i].MaxTokens)
	}
	for arrived, steps := 0, 0; ; steps++ {
		for arrived < len(w.jobs) && rapid.IntRange(0, 3).Draw(t, "arrives") < 2 {
			w.arrive(arrived, vocab)
			arrived++
		}
		if w.turn(); arrived == len(w.jobs) && !slices.ContainsFunc(w.live, func(q *engine.Sequence) bool { return q != nil }) {
			break
		}
		if steps > limit {
			w.fatalf("there is no end to it")
		}
	}
	w.end()
}

// runAlone runs a job on an engine of its own.
func (w *world) runAlone(j *job, vocab int) *answer {
	e, err := engine.New(&saboteur{Executor: w.alone(), poison: w.poison}, engine.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	a := &answer{}
	q, err := e.Add(j.request("alone", a, vocab))
	if err != nil {
		w.t.Fatal(err)
	}
	for !q.Ended() {
		if _, err := e.Step(context.Background()); err != nil {
			w.t.Fatal(err)
		}
		a.take(q)
	}
	a.end(q)
	return a
}

// take notes what the last step gave.
func (a *answer) take(q *engine.Sequence) {
	for _, token := range q.Tokens() {
		token.Top = slices.Clone(token.Top)
		a.Tokens = append(a.Tokens, token)
	}
}

func (a *answer) end(q *engine.Sequence) { a.Finish, a.Err = q.Result().Finish, q.Result().Err }

// start makes the engine, with random bounds of its steps.
func (w *world) start() {
	t := w.t
	most, err := w.saboteur.Max("forward")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range w.saboteur.Plan().Program("forward").Layouts {
		most.Tokens, most.Seqs, most.Rows = max(most.Tokens, l.Max.Tokens), max(most.Seqs, l.Max.Seqs), max(most.Rows, l.Max.Rows)
	}
	bound := func(name string, most int) int { // 0: the engine's own, which is the largest
		if rapid.Bool().Draw(t, "bound "+name) {
			return rapid.IntRange(1, most).Draw(t, name)
		}
		return 0
	}
	o := engine.Options{Chunk: bound("the chunk", min(most.Tokens, 64)), Patience: rapid.SampledFrom([]int{0, 1, 10, 40}).Draw(t, "patience")}
	if o.Chunk > 0 {
		o.MixedChunk = bound("the chunk beside others", o.Chunk)
	}
	o.StepTokens = bound("the tokens of a step", min(most.Tokens, 64))
	o.MaxRunning = bound("the sequences side by side", w.side())
	if o.StepTokens > 0 {
		o.MaxRunning = min(o.MaxRunning, o.StepTokens)
	}
	w.logf("options: %+v", o)
	w.draft(&o)
	w.options = o
	if w.engine, err = engine.New(w.saboteur, o); err != nil {
		t.Fatal(err)
	}
	w.saboteur.drafts = w.engine.StepDrafts
}

// draft draws who guesses: the model's layer, a drafter that knows what was said to a job alone, both or nobody.
func (w *world) draft(o *engine.Options) {
	t := w.t
	if w.saboteur.Plan().Program("draft") != nil && seldom(t, 2, "drafts by the layer") {
		o.MTP = rapid.IntRange(1, 5).Draw(t, "drafts of the layer")
	}
	if seldom(t, 2, "a drafter") {
		kind := kindOfDrafter(rapid.IntRange(0, int(whatever)).Draw(t, "kind of drafter"))
		w.drafter = newDrafter(kind, w.vocab, rapid.Uint64().Draw(t, "drafter's seed"))
		w.drafter.truth = func(prompt, output []int32) []int32 {
			for i, j := range w.jobs {
				if all := w.want[i].ids(); slices.Equal(j.prompt, prompt) && len(all) >= len(output) && slices.Equal(all[:len(output)], output) {
					return all[len(output):]
				}
			}
			return nil
		}
		o.Drafter, o.DraftTokens = w.drafter, rapid.IntRange(0, 9).Draw(t, "drafts of the drafter")
	}
	o.Adapt = w.adapt
	w.logf("drafts: MTP %d, drafter %+v", o.MTP, w.drafter)
}

// side is how many sequences have a layout to generate side by side.
func (w *world) side() int {
	most, _ := w.saboteur.Max("forward")
	n := min(most.Tokens, most.Seqs, most.Rows)
	for _, l := range w.saboteur.Plan().Program("forward").Layouts {
		n = max(n, min(l.Max.Tokens, l.Max.Seqs, l.Max.Rows))
	}
	return n
}

func (w *world) arrive(i, vocab int) {
	a := &answer{}
	q, err := w.engine.Add(w.jobs[i].request(fmt.Sprint(i), a, vocab))
	if err != nil {
		w.fatalf("job %d is refused: %v", i, err)
	}
	w.logf("job %d arrives", i)
	w.live[i], w.answers[i] = q, a
}

// turn is a step, of one kind or another, or an abort.
func (w *world) turn() {
	ctx, what := context.Background(), "step"
	// There is an end to trouble, so that nothing which waits for ever is saved by an abort.
	if w.troubles < len(w.jobs)/2+2 && seldom(w.t, 16, "trouble") {
		w.troubles++
		what = rapid.SampledFrom([]string{"abort", "abort", "abort", "cancelled", "refuse", "garble", "panic", "lose", "not finite", "no drafts", "wrong drafts", "drafts panic", "no moves", "no moves"}).Draw(w.t, "of which kind")
	}
	switch what {
	case "abort":
		i := rapid.IntRange(0, len(w.live)-1).Draw(w.t, "job")
		if q := w.live[i]; q != nil {
			w.logf("job %d is aborted", i)
			w.engine.Abort(q, errAborted)
			w.ended(i)
			w.check()
		}
		return
	case "cancelled":
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel()
	case "not finite": // nothing could be compared of those who want the logits themselves
		for i, q := range w.live {
			if q != nil && w.jobs[i].Logits {
				what = "step"
			}
		}
	}
	w.begin()
	w.saboteur.what, w.saboteur.did = what, ""
	steps := w.saboteur.steps
	_, err := w.engine.Step(ctx)
	if w.saboteur.did == "" {
		w.saboteur.did = "nothing is run"
	}
	if did := w.saboteur.did; did != w.log[len(w.log)-1] {
		w.logf("%s", did)
	}
	if (err != nil) != (what == "cancelled" && w.saboteur.steps > steps) {
		w.fatalf("%s: error %v", what, err)
	}
	for i := range w.live {
		w.gather(i)
	}
	w.check()
}

// begin has the draft layer begin with some tokens, where its drafts do not adapt: then it is asked to by whoever decides.
func (w *world) begin() {
	if w.adapt || w.options.MTP == 0 || !seldom(w.t, 4, "drafts are begun") {
		return
	}
	for _, q := range w.live {
		if q != nil {
			q.Begin(rapid.SliceOfN(rapid.Int32Range(-1, int32(w.vocab)), 0, 3).Draw(w.t, "begun")...)
		}
	}
}

// gather takes what a job was told by the last step.
func (w *world) gather(i int) {
	if q := w.live[i]; q != nil {
		w.answers[i].take(q)
		w.ended(i)
	}
}

// ended takes a job that has ended out of those that live.
func (w *world) ended(i int) {
	if q := w.live[i]; q.Ended() {
		w.answers[i].end(q)
		w.logf("job %d ends: %v, %s %v", i, w.answers[i].ids(), w.answers[i].Finish, w.answers[i].Err)
		w.live[i] = nil
		w.sums.preempted += uint64(q.Result().Preempted)
	}
}

func (w *world) check() {
	if len(w.saboteur.faults) > 0 {
		w.fatalf("%v", w.saboteur.faults[0])
	}
	if err := w.engine.CheckPages(); err != nil {
		w.fatalf("%v", err)
	}
}

// end compares all answers, and looks for pages.
func (w *world) end() {
	failed, notFinite := 0, 0
	for i, got := range w.answers {
		want := *w.want[i]
		w.sums.ended++
		if errors.Is(want.Err, errPoison) { // how far it came before depends on the chunk
			want.Logits, got.Logits = nil, nil
		}
		switch {
		case errors.Is(got.Err, errAborted):
			w.sums.aborted++
		case errors.Is(got.Err, errSabotage), got.Err != nil && strings.Contains(got.Err.Error(), panics):
			failed++
		case errors.Is(got.Err, sample.ErrNotFinite):
			notFinite++
		default:
			w.compare(i, &want, got)
			continue
		}
		// It was ended early: what it was told is the beginning of what it would have been.
		w.sums.broken++
		want.Tokens, want.Told = cut(want.Tokens, len(got.Tokens)), cut(want.Told, len(got.Told))
		want.Logits, want.Finish, want.Err = cut(want.Logits, len(got.Logits)), got.Finish, got.Err
		w.compare(i, &want, got)
	}
	if failed != w.saboteur.blamed || notFinite != w.saboteur.notFinite {
		w.fatalf("%d requests ended with a step that failed and %d with logits that are not finite, want %d and %d", failed, notFinite,
			w.saboteur.blamed, w.saboteur.notFinite)
	}
	s := w.engine.Stats()
	if s.FreePages+s.CachedPages != s.Pages || s.Pages != w.saboteur.pages || s.Running+s.Waiting != 0 {
		w.fatalf("all have ended, and the engine has %+v", s)
	}
	if w.drafter != nil && w.drafter.open.Load() != 0 {
		w.fatalf("all have ended, and the drafter has %d sequences", w.drafter.open.Load())
	}
	for i := range s.Drafts {
		w.sums.drafts[i].Steps += s.Drafts[i].Steps
		w.sums.drafts[i].Proposed += s.Drafts[i].Proposed
		w.sums.drafts[i].Checked += s.Drafts[i].Checked
		w.sums.drafts[i].Accepted += s.Drafts[i].Accepted
	}
	w.sums.requests += len(w.jobs)
	w.sums.failedSteps += w.saboteur.failed
	w.sums.steps += s.Steps
	w.sums.tokens += s.OutputTokens
	w.sums.hits += s.HitTokens
	w.sums.evicted += s.EvictedPages
	w.sums.runs++
	w.sums.moves += w.saboteur.moves
}

// cut is the beginning of a list, nil where that is empty.
func cut[T any](list []T, n int) []T {
	if n == 0 {
		return nil
	}
	return list[:min(n, len(list))]
}

// compare asks for the same answer. Errors speak of the step that failed, which differs.
func (w *world) compare(i int, want, got *answer) {
	a, b := *want, *got
	a.Err, b.Err = nil, nil
	for _, kind := range []error{errBreaks, errPoison} {
		if errors.Is(want.Err, kind) != errors.Is(got.Err, kind) {
			w.fatalf("job %d: error %v, alone %v", i, got.Err, want.Err)
		}
	}
	if (want.Err == nil) != (got.Err == nil) {
		w.fatalf("job %d: error %v, alone %v", i, got.Err, want.Err)
	}
	if diff := cmp.Diff(a, b, cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })); diff != "" {
		w.fatalf("job %d (-alone +among others):\n%s", i, diff)
	}
}
