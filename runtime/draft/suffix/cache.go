package suffix

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/glmc/glmc/runtime/draft"
)

// Config says how large a cache may get, and how it drafts. Zero values stand for the defaults that the fields name.
type Config struct {
	Depth       int     // of the trees, 2 to MaxDepth; 0: MaxDepth
	MaxRequests int     // finished requests whose responses are kept; 0: 10,000
	MaxBytes    int64   // of the tree of responses; 0: 1 GiB. One response may be over it for the time of its insertion
	LocalTokens int     // of a prompt, its last ones, in a request's tree; 0: 131,072
	Waiting     int     // tokens of finished responses that wait to be learnt; more are dropped. 0: 1,048,576
	Options     Options // of drafts; the zero value: Defaults
}

func (c *Config) fill() error {
	for _, x := range []struct {
		value *int
		other int
	}{{&c.Depth, MaxDepth}, {&c.MaxRequests, 10_000}, {&c.LocalTokens, 128 << 10}, {&c.Waiting, 1 << 20}} {
		if *x.value == 0 {
			*x.value = x.other
		}
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 1 << 30
	}
	if c.Options == (Options{}) {
		c.Options = Defaults
	}
	switch o := c.Options; {
	case c.Depth < 2 || c.Depth > MaxDepth:
		return fmt.Errorf("suffix: depth %d: wants 2 to %d", c.Depth, MaxDepth)
	case c.MaxRequests < 0 || c.LocalTokens < 0 || c.Waiting < 0 || c.MaxBytes < 0 || c.MaxBytes > maxBytes:
		return fmt.Errorf("suffix: bounds below zero, or more than %d bytes: %+v", int64(maxBytes), *c)
	case !(o.Factor >= 0 && o.Factor <= 1e6) || !(o.Offset >= -1e6 && o.Offset <= 1e6) || !(o.MinProb >= 0 && o.MinProb <= 1) || o.MaxTokens < 0:
		return fmt.Errorf("suffix: options out of range: %+v", o)
	}
	return nil
}

// maxBytes keeps the numbers of nodes and positions of tokens far from their limits.
const maxBytes = 64 << 30

// slice is how many tokens are added or removed at a time while requests wait for the tree of responses.
const slice = 64

// Cache drafts for many requests from what they were given and have said, and from what others said before. It is a [draft.Drafter].
//
// A request's own tree is built by a goroutine of the cache; until it is ready the request drafts from the others' responses. The
// tree of responses is written by a second goroutine, some tokens at a time. Requests read it without ever waiting: one that meets
// a write drafts from its own tree. So what is drafted depends on timing; what the model says does not.
type Cache struct {
	config Config

	mu   sync.RWMutex // guards tree
	tree *Tree        // of responses

	builds  *queue[*Request]
	lessons *queue[[]int32]
	closed  atomic.Bool
	waiting atomic.Int64 // tokens in lessons
	done    sync.WaitGroup

	learnt, evicted, dropped, active atomic.Int64
}

// Stats are the sizes and sums of a cache.
type Stats struct {
	Active    int   // requests
	Responses int   // in the tree
	Tokens    int   // of them
	Nodes     int   // of the tree
	Bytes     int   // that it takes
	Learnt    int64 // responses since the start
	Evicted   int64 // of those, gone again
	Dropped   int64 // never learnt: too many waited, or too long
}

// NewCache makes a cache and starts its two goroutines, which Close ends.
func NewCache(config Config) (*Cache, error) {
	if err := config.fill(); err != nil {
		return nil, err
	}
	c := &Cache{config: config, tree: New(config.Depth), builds: newQueue[*Request](), lessons: newQueue[[]int32]()}
	c.done.Go(c.build)
	c.done.Go(c.learn)
	return c, nil
}

// Close ends the goroutines. What waits to be learnt is dropped; see [Cache.Flush].
func (c *Cache) Close() error {
	c.closed.Store(true)
	for _, r := range c.builds.close() {
		close(r.built)
	}
	c.lessons.close()
	c.done.Wait()
	return nil
}

// Flush waits until all that was said in requests that ended is learnt.
func (c *Cache) Flush() { c.lessons.drain() }

// Stats gives the sizes as they are.
func (c *Cache) Stats() Stats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return Stats{
		Active: int(c.active.Load()), Responses: c.tree.Sequences(), Tokens: c.tree.Tokens(), Nodes: c.tree.Nodes(), Bytes: c.tree.Bytes(),
		Learnt: c.learnt.Load(), Evicted: c.evicted.Load(), Dropped: c.dropped.Load(),
	}
}

// Start is [Cache.Request] for whoever knows drafters only.
func (c *Cache) Start(prompt []int32) draft.Sequence { return c.Request(prompt) }

// build makes the trees of requests, in the order in which they began.
func (c *Cache) build() {
	for {
		r, ok := c.builds.take()
		if !ok {
			return
		}
		r.build()
	}
}

// learn adds responses to the tree, in the order in which requests ended.
func (c *Cache) learn() {
	for {
		tokens, ok := c.lessons.take()
		if !ok {
			return
		}
		c.waiting.Add(-int64(len(tokens)))
		c.add(tokens)
	}
}

// add learns a response, and lets the oldest go. Between parts of either requests may read. A cache that closes forgets no more.
func (c *Cache) add(tokens []int32) {
	for part := range slices.Chunk(tokens, slice) {
		c.mu.Lock()
		for _, token := range part {
			c.tree.Append(token)
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	c.tree.Seal()
	over := c.over()
	c.mu.Unlock()
	c.learnt.Add(1)
	for over && !c.closed.Load() {
		c.mu.Lock()
		id, ok := c.tree.Oldest()
		more := ok && c.tree.removeSome(id, slice)
		if ok && !more {
			c.evicted.Add(1)
		}
		over = ok && (more || c.over())
		c.mu.Unlock()
	}
}

// over reports whether the oldest response has to go.
func (c *Cache) over() bool {
	return c.tree.Sequences() > c.config.MaxRequests || int64(c.tree.Used()) > c.config.MaxBytes
}

// lesson hands over what a request said.
func (c *Cache) lesson(tokens []int32) {
	n := int64(len(tokens))
	if n == 0 {
		return
	}
	if c.waiting.Add(n) > int64(c.config.Waiting) || n*tokenBytes > c.config.MaxBytes || !c.lessons.put(tokens) {
		c.waiting.Add(-n)
		c.dropped.Add(1)
	}
}

// tokenBytes is what a token takes that occurs nowhere else, roughly.
const tokenBytes = 40
