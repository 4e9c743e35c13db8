package kv

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tokens of a prompt: so many from first on.
func counting(first, n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(first + i)
	}
	return out
}

// computed makes a sequence whose tokens are computed and committed.
func computed(t *testing.T, p *Pool, name Namespace, tokens []int32) *Sequence {
	t.Helper()
	s := p.NewSequence()
	s.Match(name, tokens)
	if err := s.Grow(len(tokens)); err != nil {
		t.Fatal(err)
	}
	s.Commit(tokens)
	checked(t, p)
	return s
}

func checked(t *testing.T, p *Pool) {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestMatchAttachesWholePagesButTheLastToken(t *testing.T) {
	p := NewPool(16, 4)
	first := computed(t, p, Namespace{}, counting(0, 14))
	for _, tc := range []struct {
		about  string
		name   Namespace
		prompt []int32
		want   int
	}{
		{"the same", Namespace{}, counting(0, 14), 12},
		{"three whole pages: the last token is to be computed", Namespace{}, counting(0, 12), 8},
		{"one token more", Namespace{}, counting(0, 13), 12},
		{"longer", Namespace{}, counting(0, 40), 12},
		{"another token in the third page", Namespace{}, append(counting(0, 11), 7, 7, 7), 8},
		{"another first token", Namespace{}, counting(1, 14), 0},
		{"a page in another place", Namespace{}, counting(4, 14), 0},
		{"one token", Namespace{}, counting(0, 1), 0},
		{"none", Namespace{}, nil, 0},
		{"another salt", Namespace{Salt: "b"}, counting(0, 14), 0},
		{"with a draft's state", Namespace{State: "draft"}, counting(0, 14), 0},
	} {
		if attached, cached := p.Lookup(tc.name, tc.prompt); attached != tc.want || cached != 0 {
			t.Errorf("%s: Lookup says %d tokens, %d pages cached, want %d and 0", tc.about, attached, cached, tc.want)
		}
		s := p.NewSequence()
		if got := s.Match(tc.name, tc.prompt); got != tc.want || s.Shared() != tc.want {
			t.Errorf("%s: %d tokens attached, %d shared, want %d", tc.about, got, s.Shared(), tc.want)
		}
		if diff := cmp.Diff(first.Pages()[:tc.want/4], s.Pages()); tc.want > 0 && diff != "" {
			t.Errorf("%s: pages (-want +got):\n%s", tc.about, diff)
		}
		checked(t, p)
		s.Release()
		checked(t, p)
	}
	want := Counts{Queried: 14}
	for _, n := range []int{14, 12, 13, 40, 14, 14, 14, 1, 0, 14, 14} {
		want.Queried += int64(n)
	}
	for _, n := range []int{12, 8, 12, 12, 8} {
		want.Hit += int64(n)
	}
	if diff := cmp.Diff(want, p.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestReleasedPagesStayCachedUntilTheyAreNeeded(t *testing.T) {
	p := NewPool(6, 2)
	s := computed(t, p, Namespace{}, counting(0, 7))
	s.Release()
	checked(t, p)
	if p.Free() != 3 || p.Cached() != 3 || p.Usage() != 0 {
		t.Fatalf("%d pages free and %d cached, usage %g, want 3, 3 and 0", p.Free(), p.Cached(), p.Usage())
	}
	if attached, cached := p.Lookup(Namespace{}, counting(0, 7)); attached != 6 || cached != 3 {
		t.Errorf("Lookup says %d tokens and %d pages cached, want 6 and 3", attached, cached)
	}
	other := p.NewSequence()
	if err := other.Grow(8); err != nil { // four pages: one of the cached is evicted, the last
		t.Fatal(err)
	}
	checked(t, p)
	if attached, _ := p.Lookup(Namespace{}, counting(0, 7)); attached != 4 || p.Counts().Evicted != 1 {
		t.Errorf("%d tokens are left and %d pages evicted, want 4 and 1", attached, p.Counts().Evicted)
	}
	again := p.NewSequence()
	if n := again.Match(Namespace{}, counting(0, 7)); n != 4 {
		t.Errorf("%d tokens attached, want 4", n)
	}
	if err := again.Grow(5); !errors.Is(err, ErrFull) {
		t.Errorf("what is held was evicted: %v", err)
	}
	checked(t, p)
	other.Release()
	again.Release()
	p.Flush()
	checked(t, p)
	if p.Free() != 6 {
		t.Errorf("%d pages free after Flush, want 6", p.Free())
	}
}

func TestTheLeastRecentlyHeldPathIsEvictedFirst(t *testing.T) {
	p := NewPool(8, 1)
	a, b := computed(t, p, Namespace{}, counting(0, 3)), computed(t, p, Namespace{}, counting(10, 3))
	a.Release()
	b.Release()
	a.Match(Namespace{}, counting(0, 4)) // used again: now b is older
	a.Release()
	c := p.NewSequence()
	if err := c.Grow(4); err != nil {
		t.Fatal(err)
	}
	checked(t, p)
	left := func(first int) int { n, _ := p.Lookup(Namespace{}, counting(first, 4)); return n }
	if left(0) != 3 || left(10) != 1 {
		t.Errorf("%d and %d tokens are left, want 3 and 1", left(0), left(10))
	}
}

// Two sequences that compute the same tokens at the same time end up with the same pages.
func TestCommitAdoptsWhatAnotherCommitted(t *testing.T) {
	p := NewPool(10, 2)
	a, b := p.NewSequence(), p.NewSequence()
	for _, s := range []*Sequence{a, b} {
		s.Match(Namespace{}, counting(0, 5))
		if err := s.Grow(5); err != nil {
			t.Fatal(err)
		}
	}
	own := b.Pages()[2]
	a.Commit(counting(0, 5))
	b.Commit(counting(0, 5))
	checked(t, p)
	if diff := cmp.Diff(a.Pages()[:2], b.Pages()[:2]); diff != "" {
		t.Errorf("pages differ:\n%s", diff)
	}
	if b.Pages()[2] != own || p.Free() != 6 || p.Counts().Adopted != 2 {
		t.Errorf("pages %v, %d free, counts %+v: want the last page kept and two given back", b.Pages(), p.Free(), p.Counts())
	}
	if a.Replaced() != 0 || b.Replaced() != 2 {
		t.Errorf("%d and %d pages were replaced, want none and 2", a.Replaced(), b.Replaced())
	}
	if err := b.Grow(6); err != nil {
		t.Fatal(err)
	}
	b.Commit(append(counting(0, 5), 77)) // its own way from here
	checked(t, p)
	if n, _ := p.Lookup(Namespace{}, append(counting(0, 5), 77, 0)); n != 6 {
		t.Errorf("%d tokens are in the tree, want 6", n)
	}
}

// A sequence in the middle of its prompt takes over what another one computed in the meantime.
func TestMatchAgain(t *testing.T) {
	p := NewPool(10, 2)
	prompt := counting(0, 9)
	slow, fast := p.NewSequence(), p.NewSequence()
	slow.Match(Namespace{}, prompt)
	if err := slow.Grow(9); err != nil {
		t.Fatal(err)
	}
	slow.Commit(prompt[:3])
	last := slices.Clone(slow.Pages()[3:])
	fast.Match(Namespace{}, prompt)
	if err := fast.Grow(6); err != nil {
		t.Fatal(err)
	}
	fast.Commit(prompt[:6])
	checked(t, p)
	if n := slow.Match(Namespace{}, prompt); n != 6 {
		t.Errorf("%d tokens attached, want 6", n)
	}
	checked(t, p)
	if diff := cmp.Diff(slices.Concat(fast.Pages(), last), slow.Pages()); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if p.Free() != 5 {
		t.Errorf("%d pages free, want 5", p.Free())
	}
}

func TestSequencesInNoNamespaceShareNothing(t *testing.T) {
	p := NewPool(4, 2)
	s := p.NewSequence()
	if err := s.Grow(4); err != nil {
		t.Fatal(err)
	}
	s.Commit(counting(0, 4))
	checked(t, p)
	if n, _ := p.Lookup(Namespace{}, counting(0, 5)); n != 0 || s.Shared() != 0 {
		t.Errorf("%d tokens can be matched, %d are shared, want none", n, s.Shared())
	}
	s.Release()
	if p.Free() != 4 {
		t.Errorf("%d pages free, want 4", p.Free())
	}
}

// Salts that come once leave nothing behind.
func TestNamespacesGoWithTheirPages(t *testing.T) {
	p := NewPool(8, 2)
	for i := range 1000 {
		computed(t, p, Namespace{Salt: string(rune(i))}, counting(0, 5)).Release()
	}
	if n := len(p.tree.roots); n > 8+1 {
		t.Errorf("%d roots are kept for %d pages", n, p.Size())
	}
	p.Flush()
	checked(t, p)
	if n := len(p.tree.bySalt); n != 0 {
		t.Errorf("%d namespaces are left of an empty pool", n)
	}
}

func TestJoiningTwoNamespacesPanics(t *testing.T) {
	s := NewPool(1, 1).NewSequence()
	s.Join(Namespace{Salt: "a"})
	s.Join(Namespace{Salt: "a"})
	defer func() {
		if recover() == nil {
			t.Error("a sequence is in two namespaces")
		}
	}()
	s.Join(Namespace{Salt: "b"})
}

func TestCommitBeyondThePagesPanics(t *testing.T) {
	s := NewPool(2, 2).NewSequence()
	defer func() {
		if recover() == nil {
			t.Error("tokens without pages were committed")
		}
	}()
	s.Commit(counting(0, 2))
}
