package grammar

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestCompilesFewAtATime: many requests at once take no more memory than a few, and what many ask for is made by a few of them.
func TestCompilesFewAtATime(t *testing.T) {
	v := NewVocabulary([][]byte{[]byte("a")}, nil)
	var running, most, made atomic.Int32
	build := func() (*node, error) {
		made.Add(1)
		if n := running.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return literal("a"), nil
	}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			if _, err := v.compile(fmt.Sprint(i%4), build); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() > maxCompiling || made.Load() > 4*maxCompiling {
		t.Errorf("%d grammars were made, %d at a time", made.Load(), most.Load())
	}
}
