package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// crowd is the clients, and what they saw.
type crowd struct {
	server *server
	seed   uint64

	mu     sync.Mutex
	counts map[string]int // by what a client did and how it ended
	n      int
	wrong  []string
}

// mostFaults is how many faults are told.
const mostFaults = 20

// count notes how a request of a kind ended.
func (c *crowd) count(kind, end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[kind+"\t"+end]++
	c.n++
}

// fault notes what must not be.
func (c *crowd) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < mostFaults {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *crowd) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// run has clients come and go until ctx is done; those that are there then finish.
func (c *crowd) run(ctx context.Context, clients int) {
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { c.client(ctx, rand.New(rand.NewPCG(c.seed, uint64(i)))) })
	}
	all.Wait()
}

// client behaves in one way after the other.
func (c *crowd) client(ctx context.Context, random *rand.Rand) {
	// The server closes a connection that is idle for 10 s; a request that is sent right then gets no answer, and nobody's to blame.
	transport := &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: 5 * time.Second}
	defer transport.CloseIdleConnections()
	v := &visitor{crowd: c, random: random, http: &http.Client{Transport: transport}}
	total := 0
	for _, h := range habits {
		total += h.weight
	}
	for ctx.Err() == nil {
		at := random.IntN(total)
		for _, h := range habits {
			if at -= h.weight; at < 0 {
				v.kind = h.name
				h.do(v)
				break
			}
		}
		if random.IntN(4) == 0 {
			_ = sleep(ctx, time.Duration(random.IntN(200))*time.Millisecond) // then the loop ends
		}
	}
}

// print lists what happened.
func (c *crowd) print(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(out, "%d requests:\n", c.n)
	for _, k := range slices.Sorted(maps.Keys(c.counts)) {
		fmt.Fprintf(out, "%8d  %s\n", c.counts[k], k)
	}
}
