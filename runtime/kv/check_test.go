package kv

import (
	"strings"
	"testing"
)

// TestCheckFindsPlantedFaults: each fault is put into a pool that has everything, and Check names it.
func TestCheckFindsPlantedFaults(t *testing.T) {
	// Pages 0 to 2 are held by both sequences, 3 and 4 by one each, 5 and 6 are cached behind the root, 7 and 8 are free.
	var held, other *Sequence
	for _, tc := range []struct {
		fault string
		plant func(p *Pool)
		want  string
	}{
		{"a page is lost", func(p *Pool) { p.free = p.free[1:] }, "is lost"},
		{"a page is free twice", func(p *Pool) { p.free = append(p.free, p.free[0]) }, "page 8 is free and free"},
		{"a held page is free", func(p *Pool) { p.free[0] = 3 }, "page 3 is held and free"},
		{"a cached page is free", func(p *Pool) { p.free[0] = 6 }, "page 6 is free, and in the tree"},
		{"a page does not exist", func(p *Pool) { p.free[0] = 9 }, "page 9 is free, and does not exist"},
		{"a holder too many", func(p *Pool) { p.pages[1].holders++ }, "page 1 has 2 holders, and counts 3"},
		{"a holder too few", func(p *Pool) { p.pages[1].holders-- }, "page 1 has 2 holders, and counts 1"},
		{"a free page is held", func(p *Pool) { p.pages[7].holders++ }, "page 7 has 0 holders, and counts 1"},
		{"a page of its own that another holds", func(p *Pool) { other.pages[3], p.pages[3].holders = 3, 2 }, "page 3 is sequence 0's own, and has 2 holders"},
		{"a shared page in another place", func(p *Pool) { held.pages[0], held.pages[1] = held.pages[1], held.pages[0] }, "has parent 0, wants -2"},
		{"a page of its own is in the tree", func(p *Pool) { p.pages[3].parent = 2 }, "number 3 of sequence 0, has parent 2, wants -1"},
		{"a sequence shares more than it has", func(p *Pool) { held.shared = 9 }, "shares 9 of 4 pages"},
		{"a sequence shares without a namespace", func(p *Pool) { held.root = none }, "root -1"},
		{"a sequence holds what does not exist", func(p *Pool) { held.pages[3] = 99 }, "page 99, which does not exist"},
		{"a sequence is not listed", func(p *Pool) { p.live = p.live[:1] }, "page 0 has 1 holders, and counts 2"},
		{"a sequence is listed in the wrong place", func(p *Pool) { p.live[0], p.live[1] = p.live[1], p.live[0] }, "believes to be number"},
		{"a parent before its child", func(p *Pool) {
			p.idle.remove(p.pages, 5)
			first := p.idle.oldest
			p.idle = list{oldest: none, newest: none}
			p.idle.push(p.pages, 5)
			p.idle.push(p.pages, first)
		}, "page 6 would be evicted after its parent, page 5"},
		{"a cached page is not in the list", func(p *Pool) { p.idle.remove(p.pages, 6) }, "page 6 is lost"},
		{"a link back is wrong", func(p *Pool) { p.pages[p.idle.newest].older = 2 }, "page 5 is behind page 6 in the list of cached ones, and has 2"},
		{"the list has another end", func(p *Pool) { p.idle.newest = p.idle.oldest }, "the list of cached pages has 2 up to page 5"},
		{"the list has another length", func(p *Pool) { p.idle.length++ }, "says 3 up to page 5"},
		{"a cached page is out of the tree", func(p *Pool) { p.pages[6].parent = none }, "page 6 is cached, and has parent -1"},
		{"a parent is out of the tree", func(p *Pool) { p.pages[6].parent = 7 }, "page 6 is behind page 7, which is not in the tree"},
		{"a root that does not exist", func(p *Pool) { p.pages[5].parent = -20 }, "root 18 is used"},
		{"a root has a use too many", func(p *Pool) { p.tree.roots[0].uses++ }, "counts 5"},
		{"a root is not found", func(p *Pool) { delete(p.tree.bySalt, "s") }, "is used, and not found"},
		{"a root is kept", func(p *Pool) { p.tree.roots = append(p.tree.roots, root{}) }, "of 2 roots 1 have salts and 0 are unused"},
		{"other tokens than when it was inserted", func(p *Pool) {
			for p.tree.bucket(5, p.run(6)) == p.tree.bucket(5, counting(20, 2)) { // until they are in another bucket
				p.run(6)[0]++
			}
		}, "page 6, parent 5, stands in bucket"},
		{"a page twice", func(p *Pool) {
			at := p.tree.bucket(5, p.run(6))
			p.pages[6].chain = *at
		}, "a chain without end"},
		{"a page is in no bucket", func(p *Pool) { *p.tree.bucket(5, p.run(6)) = none }, "the table has"},
		{"two pages with the same tokens", func(p *Pool) {
			p.pages[3].parent, held.shared = 2, 4
			p.pages[4].parent, other.shared = 2, 4
			for _, n := range []int32{3, 4} {
				copy(p.run(n), []int32{50, 51})
				at := p.tree.bucket(2, p.run(n))
				p.pages[n].chain, *at = *at, n
			}
		}, "pages 4 and 3 have the same parent, tokens and state"},
		{"a state behind a page without", func(p *Pool) { p.pages[6].state = 1 }, "page 6 has state 1, and its parent, page 5, has 0"},
	} {
		p := NewPool(9, 2)
		name := Namespace{Salt: "s"}
		held, other = computed(t, p, name, counting(0, 7)), computed(t, p, name, counting(0, 7))
		computed(t, p, name, counting(18, 4)).Release()
		if p.Free() != 2 || p.Cached() != 2 || p.pages[6].parent != 5 || p.pages[1].holders != 2 {
			t.Fatalf("the pool is not as the faults want it: %+v", p.pages)
		}
		tc.plant(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Check says %v, want %q in it", tc.fault, err, tc.want)
		}
	}
}

func TestReleasingAFreePagePanics(t *testing.T) {
	p := NewPool(2, 2)
	s := p.NewSequence()
	if err := s.Grow(2); err != nil {
		t.Fatal(err)
	}
	p.pages[0].holders = 0
	defer func() {
		if recover() == nil {
			t.Error("a page that nobody holds was released")
		}
	}()
	s.Release()
}
