package suffix

import "sync"

// queue hands work to one goroutine, in order.
type queue[T any] struct {
	mu     sync.Mutex
	change sync.Cond
	items  []T
	busy   bool // what was taken last is not done
	closed bool
}

func newQueue[T any]() *queue[T] {
	q := &queue[T]{}
	q.change.L = &q.mu
	return q
}

// put adds an item, and reports whether the queue takes any.
func (q *queue[T]) put(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.items = append(q.items, item)
	q.change.Broadcast()
	return true
}

// take says that the last item is done, and waits for the next one. Not ok: the queue is closed.
func (q *queue[T]) take() (item T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	q.change.Broadcast()
	for len(q.items) == 0 && !q.closed {
		q.change.Wait()
	}
	if q.closed {
		return item, false
	}
	item, q.items = q.items[0], q.items[1:]
	q.busy = true
	return item, true
}

// drain waits until all is done or the queue is closed.
func (q *queue[T]) drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for (q.busy || len(q.items) > 0) && !q.closed {
		q.change.Wait()
	}
}

// close drops what is left, and gives it.
func (q *queue[T]) close() (left []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left, q.items, q.closed = q.items, nil, true
	q.change.Broadcast()
	return left
}
