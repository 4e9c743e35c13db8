package openai

import (
	"container/list"
	"encoding/json"
	"sync"
)

// KeptBytes is how much of responses is kept in memory where Options say nothing.
const KeptBytes = 64 << 20

// kept are responses that later requests may refer to. They are in memory, and each belongs to the key by which it was made. When
// there is no room, the key that holds most of it gives way, with what it has not used for the longest time: so a key alone may have all
// the room, and none can push out what others have, as long as that is less than its own.
type kept struct {
	most int64 // bytes

	mu    sync.Mutex
	bytes int64
	byKey map[string]*share
	byID  map[owned]*list.Element
	items map[owned]json.RawMessage // of outputs, by their own ids
}

// share is what a key holds.
type share struct {
	bytes int64
	order list.List // of *keptResponse, last used first
}

// owned is an id, and whose.
type owned struct{ tenant, id string }

// keptResponse is a response with what it answered. Nothing in it is a part of a request's body, which would stay whole with it.
type keptResponse struct {
	owned
	previous string            // id of the response that it follows; "": none
	input    []json.RawMessage // items, without those of the ones before
	output   []json.RawMessage
	outputID []string
	whole    json.RawMessage
}

func (r *keptResponse) size() int64 {
	n := len(r.whole)
	for _, item := range r.input {
		n += len(item)
	}
	for _, item := range r.output {
		n += len(item)
	}
	return int64(n) + 1024 // what keeping it takes besides
}

func newKept(most int64) *kept {
	return &kept{most: most, byKey: map[string]*share{}, byID: map[owned]*list.Element{}, items: map[owned]json.RawMessage{}}
}

// put keeps a response, unless it alone is too large.
func (k *kept) put(r *keptResponse) {
	size := r.size()
	k.mu.Lock()
	defer k.mu.Unlock()
	if size > k.most {
		return
	}
	own := k.byKey[r.tenant]
	if own == nil {
		own = &share{}
		k.byKey[r.tenant] = own
	}
	own.bytes += size
	k.bytes += size
	k.byID[r.owned] = own.order.PushFront(r)
	for i, id := range r.outputID {
		k.items[owned{r.tenant, id}] = r.output[i]
	}
	for k.bytes > k.most {
		k.drop(k.largest().order.Back())
	}
}

// largest is the share that is the largest; of equal ones the first by the key's name. The lock is the caller's.
func (k *kept) largest() *share {
	var most *share
	key := ""
	for name, s := range k.byKey {
		if most == nil || s.bytes > most.bytes || s.bytes == most.bytes && name < key {
			most, key = s, name
		}
	}
	return most
}

// drop forgets a response. The lock is the caller's.
func (k *kept) drop(e *list.Element) {
	r := e.Value.(*keptResponse)
	own := k.byKey[r.tenant]
	own.order.Remove(e)
	if own.order.Len() == 0 {
		delete(k.byKey, r.tenant)
	}
	own.bytes -= r.size()
	k.bytes -= r.size()
	delete(k.byID, r.owned)
	for _, id := range r.outputID {
		delete(k.items, owned{r.tenant, id})
	}
}

// get is a response that is kept.
func (k *kept) get(tenant, id string) (*keptResponse, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.byID[owned{tenant, id}]
	if !ok {
		return nil, false
	}
	k.byKey[tenant].order.MoveToFront(e)
	return e.Value.(*keptResponse), true
}

// remove forgets a response, and reports whether it was there.
func (k *kept) remove(tenant, id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.byID[owned{tenant, id}]
	if ok {
		k.drop(e)
	}
	return ok
}

// item is an item of the output of a response that is kept.
func (k *kept) item(tenant, id string) (json.RawMessage, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	raw, ok := k.items[owned{tenant, id}]
	return raw, ok
}

// conversation are the items of a response and of all before it, in their order, most at most. It is not there where one of them
// was forgotten.
func (k *kept) conversation(tenant, id string, most int) (items []json.RawMessage, ok bool) {
	var turns []*keptResponse
	n := 0
	for id != "" && n <= most {
		r, ok := k.get(tenant, id)
		if !ok {
			return nil, false
		}
		turns = append(turns, r)
		n += len(r.input) + len(r.output)
		id = r.previous
	}
	for i := len(turns) - 1; i >= 0; i-- {
		items = append(append(items, turns[i].input...), turns[i].output...)
	}
	return items, true
}
