package suffix

import (
	"sync"
	"sync/atomic"

	"github.com/glmc/glmc/runtime/draft"
)

// Request is a sequence that a cache drafts for: a prompt, and what was said. Its methods are called from one goroutine.
type Request struct {
	cache  *Cache
	prompt []int32
	said   []int32

	local *Tree         // of prompt and said; the builder's until ready
	ready atomic.Bool   // local is the request's own
	built chan struct{} // closed when the builder is through with it
	gone  atomic.Bool   // the request ended: no need to go on building

	mu      sync.Mutex
	pending []int32 // said since the builder began; nil once it is ready

	others   reader // places in the tree of responses
	seen     int    // tokens of said that others has read
	frontier frontier
	second   draft.Draft // of the tree that gives no draft
	views    views
}

// Request begins a request. The prompt must not change until it ends.
func (c *Cache) Request(prompt []int32) *Request {
	r := &Request{cache: c, prompt: prompt, built: make(chan struct{})}
	c.active.Add(1)
	if !c.builds.put(r) {
		close(r.built)
	}
	return r
}

// Built is closed when the request's own tree is ready, or never will be.
func (r *Request) Built() <-chan struct{} { return r.built }

// build makes the tree, in the builder's goroutine, with all that is said meanwhile.
func (r *Request) build() {
	defer close(r.built)
	tree := New(r.cache.config.Depth)
	part := r.prompt[max(0, len(r.prompt)-r.cache.config.LocalTokens):]
	for {
		for i, token := range part {
			if i%slice == 0 && (r.gone.Load() || r.cache.closed.Load()) {
				return
			}
			tree.Append(token)
		}
		r.mu.Lock()
		part, r.pending = r.pending, nil
		if len(part) == 0 {
			r.local = tree
			r.ready.Store(true)
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
	}
}

// Append tells what was said.
func (r *Request) Append(tokens ...int32) {
	r.said = append(r.said, tokens...)
	if !r.ready.Load() && r.postpone(tokens) {
		return
	}
	for _, token := range tokens {
		r.local.Append(token)
	}
}

// postpone leaves tokens to the builder, and reports whether it is still at work.
func (r *Request) postpone(tokens []int32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready.Load() {
		return false
	}
	r.pending = append(r.pending, tokens...)
	return true
}

// Draft guesses at most limit tokens with the cache's options; limit 0 leaves it to them.
func (r *Request) Draft(limit int, into *draft.Draft) {
	o := r.cache.config.Options
	if limit > 0 && (o.MaxTokens == 0 || limit < o.MaxTokens) {
		o.MaxTokens = limit
	}
	r.Speculate(o, into)
}

// Speculate guesses with other options: the best draft of the request's own tree, or of the others' responses if that scores higher. What the
// other tree guesses tells how sure the draft is.
func (r *Request) Speculate(o Options, into *draft.Draft) {
	least := o.least()
	var own, others guess
	if r.ready.Load() {
		own = r.local.best(&r.local.open, &o, least, &r.frontier)
	}
	second := &r.second
	second.Reset()
	local := true
	if r.cache.mu.TryRLock() {
		t := r.cache.tree
		r.catchUp(t)
		others = t.best(&r.others.window, &o, least, &r.frontier)
		theirs := second
		if local = others.score <= own.score; !local {
			theirs = into
		}
		t.tell(&others, &o, least, &r.frontier, theirs)
		r.cache.mu.RUnlock()
	}
	switch {
	case local:
		into.Reset()
		if own.score > 0 {
			r.local.tell(&own, &o, least, &r.frontier, into)
			into.Local = true
		}
	case own.score > 0:
		r.local.tell(&own, &o, least, &r.frontier, second)
	}
	r.views.classify(into, second)
}

// catchUp finds the places in the tree of responses: from those of the last time, where the tree is the same.
func (r *Request) catchUp(t *Tree) {
	tail := int(t.depth) - 1
	news := r.said[r.seen:]
	r.seen = len(r.said)
	if r.others.changes == t.changes && len(news) < tail {
		for _, token := range news {
			t.read(&r.others.window, token)
		}
		return
	}
	said := r.said[max(0, len(r.said)-tail):]
	t.reread(&r.others, r.prompt[max(0, len(r.prompt)-(tail-len(said))):], said)
}

// End ends the request, and the memory of its tree is free as soon as nobody holds the request. With keep, what was said goes into the tree of responses.
func (r *Request) End(keep bool) {
	if r.gone.Swap(true) {
		return
	}
	r.cache.active.Add(-1)
	if keep {
		r.cache.lesson(r.said)
	}
	r.said = nil // the cache's now
}

// Size gives the tokens of the request's own tree and the bytes that it takes; zeros until it is built.
func (r *Request) Size() (tokens, bytes int) {
	if !r.ready.Load() {
		return 0, 0
	}
	return r.local.Tokens(), r.local.Bytes()
}
