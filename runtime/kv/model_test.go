package kv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyInterleaving runs random sequences of everything that an engine does with a pool, next to a model of it that is obviously
// right: maps of token lists. The memory behind the pages is there too, so that a page in the wrong place, shared too
// early, freed too early or never written shows as a token that reads another prefix than its own.
func TestAnyInterleaving(t *testing.T) { rapid.Check(t, anyInterleaving) }

func FuzzAnyInterleaving(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(anyInterleaving))
}

func anyInterleaving(t *rapid.T) {
	w := newWorld(t)
	actions := map[string]func(*rapid.T){
		"":        w.check,
		"arrive":  w.arrive,
		"twins":   w.twins,
		"match":   w.match,
		"step":    func(t *rapid.T) { w.step(t, rapid.IntRange(0, 2).Draw(t, "commit") > 0) },
		"step ":   func(t *rapid.T) { w.step(t, true) }, // the usual one: more often
		"fail":    w.fail,
		"grow":    w.grow,
		"commit":  w.commit,
		"release": w.release,
		"discard": w.discard,
		"preempt": w.preempt,
		"lose":    w.lose,
		"flush":   func(*rapid.T) { w.pool.Flush(); w.forget(len(w.tree)) },
		"lookup":  w.lookup,
	}
	for range 5 { // rapid's own number of steps is made for slower actions
		t.Repeat(actions)
	}
	for _, r := range w.requests {
		w.let(r)
	}
	w.requests = nil
	w.check(t)
	if w.pool.Free()+w.pool.Cached() != w.pool.Size() {
		t.Fatalf("%d pages free and %d cached of %d, and nobody holds one", w.pool.Free(), w.pool.Cached(), w.pool.Size())
	}
	w.pool.Flush()
	if w.pool.Free() != w.pool.Size() || len(w.pool.tree.bySalt) != 0 {
		t.Fatalf("%d pages free of %d after Flush, %d namespaces", w.pool.Free(), w.pool.Size(), len(w.pool.tree.bySalt))
	}
}

// mostRequests bounds the requests that are there side by side.
const mostRequests = 6

// world is a pool, its model, and the memory behind its pages.
type world struct {
	pool     *Pool
	memory   []string         // by slot: the salt and tokens up to the one whose keys and values are there
	states   []string         // by slot: the same with the state, where there is one
	tree     map[string]*node // by salt, states and tokens, of whole pages
	requests []*request
	clock    int
	evicted  int64
}

// node is a page of the tree. released is when it was last let go of.
type node struct {
	holders, released int
}

// request is a sequence as the model has it.
type request struct {
	seq      *Sequence
	name     Namespace
	state    string   // of the pages that it computes
	private  bool     // never in a namespace
	joined   bool     // in its namespace
	tokens   []int32  // known ones: the prompt, and what was generated
	computed int      // keys and values of so many are in memory
	path     []string // keys of the pages in the tree
	pages    int
}

func newWorld(t *rapid.T) *world {
	pages, pageSize := rapid.IntRange(1, 12).Draw(t, "pages"), rapid.IntRange(1, 4).Draw(t, "page size")
	return &world{pool: NewPool(pages, pageSize), memory: make([]string, pages*pageSize), states: make([]string, pages*pageSize), tree: map[string]*node{}}
}

// prefix spells a salt and tokens.
func (r *request) prefix(tokens int) string {
	return fmt.Sprintf("%q/%v:%s", r.name.Salt, r.private, spell(r.tokens[:tokens]))
}

func spell(tokens []int32) string {
	var b strings.Builder
	for _, id := range tokens {
		fmt.Fprintf(&b, "%d ", id)
	}
	return b.String()
}

// key is that in the tree of a request's page with a state, behind the pages that it has there.
func (w *world) key(r *request, before []string, state string) string {
	size, page := w.pool.PageSize(), len(before)
	key := fmt.Sprintf("%q", r.name.Salt)
	if page > 0 {
		key = before[page-1]
	}
	return key + fmt.Sprintf("/%q:%s", state, spell(r.tokens[page*size:(page+1)*size]))
}

// longest is the longest path of a request in the tree, up to most pages, beginning as it has one: over pages with its state or, where it has none, over
// as many with one as can be, and then others without.
func (w *world) longest(r *request, most int) (best []string) {
	for stateful := range most + 1 {
		path := slices.Clone(r.path)
		for len(path) < most {
			state := r.state
			if len(path) < stateful {
				state = "b"
			}
			key := w.key(r, path, state)
			if w.tree[key] == nil {
				break
			}
			path = append(path, key)
		}
		if len(path) >= len(best) {
			best = path
		}
	}
	return best
}

func (w *world) held() int {
	held := 0
	for _, r := range w.requests {
		held += r.pages - len(r.path)
	}
	for _, n := range w.tree {
		if n.holders > 0 {
			held++
		}
	}
	return held
}

// forget evicts as many pages as the tree has to lose: each time that leaf which nobody holds and that was let go of longest ago.
func (w *world) forget(most int) (evicted int) {
	for ; evicted < most; evicted++ {
		oldest := ""
		for path, n := range w.tree {
			leaf := n.holders == 0
			for other := range w.tree {
				leaf = leaf && (other == path || !strings.HasPrefix(other, path))
			}
			if leaf && (oldest == "" || n.released < w.tree[oldest].released) {
				oldest = path
			}
		}
		if oldest == "" {
			return evicted
		}
		delete(w.tree, oldest)
	}
	return evicted
}

// pick draws a request. Where there is none, one arrives.
func (w *world) pick(t *rapid.T) *request {
	if len(w.requests) == 0 {
		w.arrive(t)
	}
	return w.requests[rapid.IntRange(0, len(w.requests)-1).Draw(t, "request")]
}

// arrive adds a request, which often begins as another one.
func (w *world) arrive(t *rapid.T) {
	if len(w.requests) >= mostRequests {
		return
	}
	r := &request{seq: w.pool.NewSequence()}
	if r.private = rapid.IntRange(0, 7).Draw(t, "private") == 0; !r.private {
		r.name = rapid.SampledFrom([]Namespace{{}, {}, {Salt: "b"}, {State: "b"}, {State: "b"}}).Draw(t, "namespace")
		r.state = r.name.State
	}
	if len(w.requests) > 0 && rapid.IntRange(0, 2).Draw(t, "like another") > 0 {
		other := w.pick(t)
		r.tokens = slices.Clone(other.tokens[:len(other.tokens)-rapid.IntRange(0, len(other.tokens)).Draw(t, "tokens that differ")])
	}
	r.tokens = append(r.tokens, rapid.SliceOfN(rapid.Int32Range(0, 1), 1, 8).Draw(t, "tokens")...)
	w.requests = append(w.requests, r)
	if rapid.Bool().Draw(t, "match") {
		w.attach(t, r)
	}
}

// twins computes a prompt twice at the same time.
func (w *world) twins(t *rapid.T) {
	if len(w.requests) >= mostRequests {
		return
	}
	r := w.pick(t)
	twin := &request{seq: w.pool.NewSequence(), name: r.name, state: r.state, private: r.private, tokens: slices.Clone(r.tokens)}
	w.requests = append(w.requests, twin)
	if !twin.private {
		twin.seq.Join(twin.name)
		twin.joined = true
	}
	for _, r := range []*request{r, twin} {
		if n := len(r.tokens); r.computed < n && w.room(t, r, n) {
			w.compute(r, n-r.computed)
		}
	}
	w.enter(twin, twin.computed)
	if rapid.Bool().Draw(t, "both") {
		w.enter(r, r.computed)
	}
}

func (w *world) match(t *rapid.T) { w.attach(t, w.pick(t)) }

// attach matches, in the pool and in the model.
func (w *world) attach(t *rapid.T, r *request) {
	if r.private {
		return
	}
	before := len(r.path)
	r.joined = true
	if most := (len(r.tokens) - 1) / w.pool.PageSize(); most > before {
		r.path = w.longest(r, most)
	}
	for _, key := range r.path[before:] {
		w.tree[key].holders++
	}
	r.pages = max(r.pages, len(r.path))
	r.computed = max(r.computed, len(r.path)*w.pool.PageSize())
	hit := w.pool.Counts().Hit
	if got := r.seq.Match(Namespace{r.name.Salt, r.state}, r.tokens); got != len(r.path)*w.pool.PageSize() {
		t.Fatalf("%s: %d tokens matched, want %d pages of %d", spell(r.tokens), got, len(r.path), w.pool.PageSize())
	}
	if hit = w.pool.Counts().Hit - hit; hit != int64((len(r.path)-before)*w.pool.PageSize()) {
		t.Fatalf("%d tokens counted as hit, want those of %d pages", hit, len(r.path)-before)
	}
}

// room grows a sequence, in the pool and in the model, and reports whether there was room.
func (w *world) room(t *rapid.T, r *request, tokens int) bool {
	size := w.pool.PageSize()
	missing := (tokens+size-1)/size - r.pages
	before := slices.Clone(r.seq.Pages())
	err := r.seq.Grow(tokens)
	if missing > w.pool.Size()-w.held() {
		if !errors.Is(err, ErrFull) || !slices.Equal(before, r.seq.Pages()) {
			t.Fatalf("%d pages more, and %d of %d are held: %v, pages %v, before %v", missing, w.held(), w.pool.Size(), err, r.seq.Pages(), before)
		}
		return false
	}
	if err != nil {
		t.Fatalf("%d pages more, and %d of %d are held: %v", missing, w.held(), w.pool.Size(), err)
	}
	if missing > 0 {
		w.evicted += int64(w.forget(missing - (w.pool.Size() - w.held() - w.cached())))
		r.pages += missing
	}
	return true
}

func (w *world) cached() int {
	cached := 0
	for _, n := range w.tree {
		if n.holders == 0 {
			cached++
		}
	}
	return cached
}

// step computes tokens of a request: the next ones of its prompt, or one that it generates.
func (w *world) step(t *rapid.T, commit bool) {
	r := w.pick(t)
	if r.computed == len(r.tokens) {
		r.tokens = append(r.tokens, rapid.Int32Range(0, 1).Draw(t, "generated"))
	}
	n := rapid.IntRange(1, len(r.tokens)-r.computed).Draw(t, "chunk")
	if !w.room(t, r, r.computed+n) {
		return
	}
	w.compute(r, n)
	if commit {
		w.enter(r, r.computed)
	}
}

// compute writes tokens into memory.
func (w *world) compute(r *request, n int) {
	for range n {
		slot := r.seq.Slot(r.computed)
		w.memory[slot], w.states[slot] = r.prefix(r.computed+1), r.state+r.prefix(r.computed+1)
		r.computed++
	}
}

// fail is a step that fails when it has written something.
func (w *world) fail(t *rapid.T) {
	r := w.pick(t)
	n := rapid.IntRange(1, 6).Draw(t, "chunk")
	if !w.room(t, r, r.computed+n) {
		return
	}
	for pos := range rapid.IntRange(0, n).Draw(t, "written") {
		w.memory[r.seq.Slot(r.computed+pos)] = "written by a step that failed"
	}
	if rapid.Bool().Draw(t, "ends") {
		w.end(r)
	}
}

func (w *world) grow(t *rapid.T) {
	w.room(t, w.pick(t), rapid.IntRange(-1, w.pool.PageSize()*(w.pool.Size()+1)).Draw(t, "tokens"))
}

// commit says of some of the computed tokens that they are, perhaps again.
func (w *world) commit(t *rapid.T) {
	r := w.pick(t)
	w.enter(r, rapid.IntRange(0, r.computed).Draw(t, "committed"))
}

// enter commits, in the pool and in the model.
func (w *world) enter(r *request, tokens int) {
	r.seq.Commit(r.tokens[:tokens])
	for r.joined && len(r.path) < tokens/w.pool.PageSize() {
		key := w.key(r, r.path, r.state)
		if other := w.key(r, r.path, "b"); r.state == "" && w.tree[key] == nil && w.tree[other] != nil {
			key = other
		}
		if w.tree[key] == nil {
			w.tree[key] = &node{}
		}
		w.tree[key].holders++
		r.path = append(r.path, key)
	}
}

func (w *world) release(t *rapid.T) { w.end(w.pick(t)) }

func (w *world) end(r *request) {
	w.let(r)
	w.requests = slices.DeleteFunc(w.requests, func(other *request) bool { return other == r })
}

// let releases a request's pages, in the pool and in the model.
func (w *world) let(r *request) {
	w.clock++
	for _, key := range r.path {
		n := w.tree[key]
		n.holders--
		n.released = w.clock
	}
	r.path, r.pages, r.computed, r.joined = nil, 0, 0, false
	r.seq.Release()
}

// discard ends a request of which nobody may find anything any more, but who has it.
func (w *world) discard(t *rapid.T) {
	r := w.pick(t)
	paths := r.path
	r.seq.Discard()
	w.end(r) // which releases nothing more
	for _, path := range paths {
		if n := w.tree[path]; n == nil || n.holders > 0 {
			continue
		}
		for other := range w.tree {
			if strings.HasPrefix(other, path) {
				delete(w.tree, other)
			}
		}
	}
}

// preempt releases a request's pages, and perhaps lets it begin again at once.
func (w *world) preempt(t *rapid.T) {
	r := w.pick(t)
	w.let(r)
	if rapid.Bool().Draw(t, "again") {
		w.attach(t, r)
	}
}

// lose has a request go on without its state.
func (w *world) lose(t *rapid.T) {
	r := w.pick(t)
	r.state, r.name.State = "", ""
	r.seq.Stateless()
}

// lookup asks for tokens that a request has, or might have.
func (w *world) lookup(t *rapid.T) {
	r := *w.pick(t)
	r.tokens = append(slices.Clone(r.tokens), rapid.SliceOfN(rapid.Int32Range(0, 1), 0, 4).Draw(t, "more")...)
	r.tokens = r.tokens[:rapid.IntRange(0, len(r.tokens)).Draw(t, "of them")]
	attached, cached := w.pool.Lookup(r.name, r.tokens)
	r.path, r.state = nil, r.name.State
	path, idle := w.longest(&r, max(len(r.tokens)-1, 0)/w.pool.PageSize()), 0
	for _, key := range path {
		if w.tree[key].holders == 0 {
			idle++
		}
	}
	if !r.private && (attached != len(path)*w.pool.PageSize() || cached != idle) {
		t.Fatalf("%s: Lookup says %d tokens and %d pages cached, want %d pages and %d", spell(r.tokens), attached, cached, len(path), idle)
	}
}

// check holds the pool against the model, and against the memory.
func (w *world) check(t *rapid.T) {
	if err := w.pool.Check(); err != nil {
		t.Fatal(err)
	}
	held, cached := w.held(), w.cached()
	if w.pool.Cached() != cached || w.pool.Free() != w.pool.Size()-held-cached || w.pool.Counts().Evicted != w.evicted {
		t.Fatalf("%d pages cached, %d free, %d evicted, want %d, %d, %d", w.pool.Cached(), w.pool.Free(), w.pool.Counts().Evicted,
			cached, w.pool.Size()-held-cached, w.evicted)
	}
	nodes := 0
	for i := range w.pool.pages {
		if w.pool.pages[i].parent != none {
			nodes++
		}
	}
	if nodes != len(w.tree) {
		t.Fatalf("%d pages are in the tree, want %d", nodes, len(w.tree))
	}
	for i, r := range w.requests {
		if r.seq.Shared() != len(r.path)*w.pool.PageSize() || len(r.seq.Pages()) != r.pages {
			t.Fatalf("request %d shares %d tokens and has %d pages, want %d pages and %d", i, r.seq.Shared(), len(r.seq.Pages()), len(r.path), r.pages)
		}
		for pos := range r.computed {
			if got := w.memory[r.seq.Slot(pos)]; got != r.prefix(pos+1) {
				t.Fatalf("request %d reads %s at position %d, wants %s", i, got, pos, r.prefix(pos+1))
			}
			if got, want := w.states[r.seq.Slot(pos)], r.state+r.prefix(pos+1); r.state != "" && got != want {
				t.Fatalf("request %d reads state %s at position %d, wants %s", i, got, pos, want)
			}
		}
	}
}
