package kv

import (
	"fmt"
	"slices"
)

// Sequence is the page table of one sequence. Its first pages are in the prefix tree, and others may hold them too; behind them
// come pages of its own, among them always the last one where that is not full.
type Sequence struct {
	pool   *Pool
	pages  []int32
	shared int   // pages in the tree
	root   int32 // node of its salt; none: it shares nothing
	state  int32 // of the pages that it puts into the tree
	at     int   // in pool.live; none: it is not there

	replaced int // pages that it had and that others took the place of
}

// NewSequence returns an empty sequence.
func (p *Pool) NewSequence() *Sequence { return &Sequence{pool: p, root: none, at: none} }

// Join says in which namespace the sequence shares pages, without looking for any. A sequence that is in none shares nothing. It
// stays there until Release.
func (s *Sequence) Join(name Namespace) {
	if s.root != none {
		if now := (Namespace{s.pool.tree.roots[-2-s.root].salt, s.pool.tree.states[s.state]}); now != name {
			panic(fmt.Sprintf("kv: a sequence in namespace %q joins %q: release it first", now, name))
		}
		return
	}
	s.root, s.state = s.pool.tree.enter(name.Salt), s.pool.tree.state(name.State)
	s.enlist()
}

// Match joins a namespace and attaches the longest run of whole pages in it that begin as tokens do, but never the last
// token, which has to be computed. It returns the number of tokens in all attached and committed pages.
//
// A sequence that has pages already may match again, when another one has gone further in the meantime: pages of the tree then
// take the place of its own, which are free. What it computed itself stays, so that the larger of both numbers counts.
//
// No step may be running that reads or writes the sequence's pages.
func (s *Sequence) Match(name Namespace, tokens []int32) int {
	s.Join(name)
	p := s.pool
	if len(s.pages) == 0 {
		p.counts.Queried += int64(len(tokens))
	}
	if most := p.most(tokens); most > s.shared {
		path := p.longest(s.last(), tokens[s.shared*p.pageSize:], most-s.shared, s.state)
		for _, n := range path {
			s.attach(n)
		}
		p.counts.Hit += int64(len(path) * p.pageSize)
	}
	return s.shared * p.pageSize
}

// Stateless says that the pages which the sequence computes from now on hold the model's own keys and values and nothing else. Those
// that are in the tree stay as they are.
func (s *Sequence) Stateless() { s.state = 0 }

// Commit says that the keys and values of these tokens, the first of the sequence, are computed. Whole pages of them go into the
// tree and are not written any more. Where the tree has such a page already, because another sequence computed the same tokens at
// the same time, the sequence adopts it and its own becomes free: then one page is held instead of two, and what comes
// behind it can go into the tree as well.
//
// A sequence in no namespace keeps its pages to itself. No step may be running that reads or writes the sequence's pages. Tokens
// that a failed step wrote must not be committed.
func (s *Sequence) Commit(tokens []int32) {
	p := s.pool
	whole := len(tokens) / p.pageSize
	if whole > len(s.pages) {
		panic(fmt.Sprintf("kv: %d tokens are committed, and there are %d pages of %d", len(tokens), len(s.pages), p.pageSize))
	}
	if s.root == none {
		return
	}
	for s.shared < whole {
		run := tokens[s.shared*p.pageSize : (s.shared+1)*p.pageSize]
		if n := p.usable(s.last(), run, s.state); n != none {
			s.attach(n)
			p.counts.Adopted++
			continue
		}
		p.insert(s.last(), s.pages[s.shared], run, s.state)
		s.shared++
	}
}

// last is the node of the last page in the tree, or of the root.
func (s *Sequence) last() int32 {
	if s.shared == 0 {
		return s.root
	}
	return s.pages[s.shared-1]
}

// attach makes a page of the tree the next one, in the place of the sequence's own if it has one.
func (s *Sequence) attach(n int32) {
	s.pool.hold(n)
	if s.shared < len(s.pages) {
		s.pool.drop(s.pages[s.shared])
		s.pages[s.shared] = n
		s.replaced++
	} else {
		s.pages = append(s.pages, n)
	}
	s.shared++
}

// Grow makes room for tokens tokens in all, and evicts cached pages where free ones do not suffice. On ErrFull the sequence keeps
// what it had, and nothing is evicted.
func (s *Sequence) Grow(tokens int) error {
	p := s.pool
	want := tokens / p.pageSize
	if tokens%p.pageSize > 0 {
		want++
	}
	missing := want - len(s.pages)
	if missing <= 0 {
		return nil
	}
	if missing > p.Free()+p.Cached() {
		return fmt.Errorf("%w: %d tokens want %d more pages, %d are free", ErrFull, tokens, missing, p.Free()+p.Cached())
	}
	for p.Free() < missing {
		p.evict()
		p.counts.Evicted++
	}
	s.enlist()
	for range missing {
		s.pages = append(s.pages, p.take())
	}
	return nil
}

// Pages is the page table: the pages that hold tokens 0, pageSize, 2*pageSize, ... It is valid until the next call of Match,
// Commit, Grow or Release.
func (s *Sequence) Pages() []int32 { return s.pages }

// Replaced is how many pages the sequence had and others, which the tree had already, took the place of. While it stays the same, a
// copy of Pages lacks only what came behind it.
func (s *Sequence) Replaced() int { return s.replaced }

// Shared is the number of tokens in pages that are in the tree. Steps write behind them only.
func (s *Sequence) Shared() int { return s.shared * s.pool.pageSize }

// Slot is the KV slot of the token at a position that Grow has made room for.
func (s *Sequence) Slot(pos int) int32 {
	return s.pages[pos/s.pool.pageSize]*int32(s.pool.pageSize) + int32(pos%s.pool.pageSize)
}

// Release gives the pages back, and leaves the namespace. Those in the tree stay cached. Nothing may read or write them for this
// sequence any longer. Releasing twice is allowed, and the sequence may begin again.
func (s *Sequence) Release() {
	// From the end: then children are let go of before their parents, and the first pages are the first to be taken again.
	for i := len(s.pages) - 1; i >= 0; i-- {
		s.pool.drop(s.pages[i])
	}
	s.pages, s.shared = s.pages[:0], 0
	if s.root != none {
		s.pool.tree.leave(s.root)
		s.root = none
	}
	s.delist()
}

// Discard is Release of a sequence whose pages may hold nonsense, keys and values that are not finite: those that nobody else holds leave
// the tree, with all that stands behind them, so that no other sequence finds them. Where others hold one, it stays with them until
// they are done with it.
func (s *Sequence) Discard() {
	p := s.pool
	bad, gone := make(map[int32]bool, s.shared), map[int32]bool{}
	for _, n := range s.pages[:s.shared] {
		bad[n] = true
	}
	s.Release()
	// Parents stand behind their children in the list of cached pages, and a cached page has no children that are held.
	var out []int32
	for n := p.idle.newest; n != none; n = p.pages[n].older {
		if bad[n] || gone[p.pages[n].parent] {
			gone[n] = true
			out = append(out, n)
		}
	}
	for _, n := range slices.Backward(out) {
		p.forget(n)
	}
}

// enlist and delist keep the pool's list of sequences, by which Check counts holders.
func (s *Sequence) enlist() {
	if s.at == none {
		s.at = len(s.pool.live)
		s.pool.live = append(s.pool.live, s)
	}
}

func (s *Sequence) delist() {
	if s.at == none {
		return
	}
	live := s.pool.live
	last := live[len(live)-1]
	live[s.at], last.at = last, s.at
	live[len(live)-1] = nil
	s.pool.live = live[:len(live)-1]
	s.at = none
}
