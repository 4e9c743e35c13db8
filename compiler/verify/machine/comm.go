package machine

import (
	"errors"
	"sync"
)

// meeting is where ranks exchange values: all bring theirs, and then all take.
type meeting struct {
	mu      sync.Mutex
	changed sync.Cond
	size    int
	here    int
	round   int
	gone    bool
	parts   [][]float32 // of this round, as far as ranks have come
	last    [][]float32 // of the last round: nobody overwrites it before all ranks have come again
}

func newMeeting(ranks int) *meeting {
	m := &meeting{size: ranks, parts: make([][]float32, ranks)}
	m.changed.L = &m.mu
	return m
}

// comm is one rank's end of a meeting.
type comm struct {
	*meeting
	rank int
}

func (c *comm) Rank() int { return c.rank }
func (c *comm) Size() int { return c.size }

var errGone = errors.New("another rank gave up")

// leave says that this rank will come to no more meetings.
func (c *comm) leave() {
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	c.changed.Broadcast()
}

// exchange brings a copy of x and returns every rank's.
func (c *comm) exchange(x []float32) ([][]float32, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts[c.rank] = append([]float32(nil), x...)
	round := c.round
	if c.here++; c.here == c.size {
		c.here, c.round = 0, c.round+1
		c.last = append([][]float32(nil), c.parts...)
		c.changed.Broadcast()
	}
	for c.round == round && !c.gone {
		c.changed.Wait()
	}
	if c.round == round {
		return nil, errGone
	}
	return c.last, nil
}

func (c *comm) AllReduce(x []float32) error {
	parts, err := c.exchange(x)
	if err != nil {
		return err
	}
	copy(x, parts[0])
	for _, p := range parts[1:] {
		for i, v := range p {
			x[i] += v
		}
	}
	return nil
}

func (c *comm) AllGather(dst, src []float32, rows, cols int) error {
	parts, err := c.exchange(src)
	if err != nil {
		return err
	}
	for r := range rows {
		for i, p := range parts {
			copy(dst[(r*c.size+i)*cols:], p[r*cols:(r+1)*cols])
		}
	}
	return nil
}
