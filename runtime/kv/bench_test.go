package kv

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

const benchPage = 16

// prompts draws prompts of n tokens that have nothing in common.
func prompts(count, n int) [][]int32 {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]int32, count)
	for i := range out {
		out[i] = make([]int32, n)
		for j := range out[i] {
			out[i][j] = r.Int32N(150_000)
		}
	}
	return out
}

// fill commits prompts to a pool, which keeps them cached.
func fill(b *testing.B, p *Pool, prompts [][]int32) {
	b.Helper()
	for _, prompt := range prompts {
		s := p.NewSequence()
		s.Match(Namespace{}, prompt)
		if err := s.Grow(len(prompt)); err != nil {
			b.Fatal(err)
		}
		s.Commit(prompt)
		s.Release()
	}
}

// BenchmarkMatch attaches a cached prompt and lets go of it. The pages of a prompt lie in a row, or anywhere.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{4 << 10, 128 << 10} {
		for _, scattered := range []bool{false, true} {
			b.Run(fmt.Sprintf("tokens=%dk/scattered=%v", n>>10, scattered), func(b *testing.B) {
				p := NewPool((1<<20)/benchPage, benchPage) // a million tokens
				if scattered {
					rand.New(rand.NewPCG(3, 4)).Shuffle(len(p.free), func(i, j int) { p.free[i], p.free[j] = p.free[j], p.free[i] })
				}
				all := prompts(7, n)
				fill(b, p, all)
				s := p.NewSequence()
				i := 0
				for b.Loop() {
					if s.Match(Namespace{}, all[i%7]) < n-benchPage {
						b.Fatal("the prompt is not cached")
					}
					s.Release()
					i++
				}
			})
		}
	}
}

// BenchmarkLookup asks for a prompt without attaching it, where 4,000 cached ones branch behind its first page.
func BenchmarkLookup(b *testing.B) {
	p := NewPool((1<<20)/benchPage, benchPage)
	all := prompts(4000, 256)
	for _, prompt := range all {
		copy(prompt, all[0][:benchPage])
	}
	fill(b, p, all)
	i := 0
	for b.Loop() {
		if n, _ := p.Lookup(Namespace{}, all[i%len(all)]); n < 256-benchPage {
			b.Fatal("the prompt is not cached")
		}
		i++
	}
}

// BenchmarkCommit commits a new prompt to a full pool: every page is taken from an older prompt, and goes into the tree.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{4 << 10, 128 << 10} {
		b.Run(fmt.Sprintf("tokens=%dk", n>>10), func(b *testing.B) {
			all := prompts(8, n)
			p := NewPool(7*n/benchPage, benchPage)
			fill(b, p, all)
			s := p.NewSequence()
			i := 0
			for b.Loop() {
				prompt := all[i%8] // it was evicted by the seven behind it
				if s.Match(Namespace{}, prompt) != 0 {
					b.Fatal("the prompt is cached")
				}
				if err := s.Grow(n); err != nil {
					b.Fatal(err)
				}
				s.Commit(prompt)
				s.Release()
				i++
			}
		})
	}
}

// BenchmarkEvict takes one cached page of a million tokens.
func BenchmarkEvict(b *testing.B) {
	all := prompts(8, 128<<10)
	p := NewPool((1<<20)/benchPage, benchPage)
	fill(b, p, all)
	for b.Loop() {
		if p.Cached() == 0 {
			b.StopTimer()
			fill(b, p, all)
			b.StartTimer()
		}
		p.evict()
	}
}

// BenchmarkToken is a step of generation for 256 sequences: each grows and commits a token.
func BenchmarkToken(b *testing.B) {
	const sequences, most = 256, 4096
	p := NewPool(sequences*most/benchPage, benchPage)
	all := prompts(sequences, most)
	seqs := make([]*Sequence, sequences)
	for i := range seqs {
		seqs[i] = p.NewSequence()
	}
	at := most
	b.ReportAllocs()
	for b.Loop() {
		if at == most { // they begin again, in other namespaces, so that nothing is found
			b.StopTimer()
			p.Flush()
			for i, s := range seqs {
				s.Release()
				s.Join(Namespace{Salt: fmt.Sprint(i)})
			}
			p.Flush()
			at = 0
			b.StartTimer()
		}
		at++
		for i, s := range seqs {
			if err := s.Grow(at); err != nil {
				b.Fatal(err)
			}
			s.Commit(all[i][:at])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sequences, "ns/token")
}

// TestTokensCostNoAllocation: sequences that had their pages before generate without making garbage, whether their pages are free
// or have to be evicted, and find what they find.
func TestTokensCostNoAllocation(t *testing.T) {
	p := NewPool(40, 4)
	s := p.NewSequence()
	name := Namespace{}
	all := prompts(2, 100)
	round := 0
	run := func() {
		tokens := all[round%2]
		round++
		if s.Match(name, tokens) == 100 {
			t.Fatal("the last token was attached")
		}
		for n := max(1, s.Shared()); n <= len(tokens); n++ {
			if err := s.Grow(n); err != nil {
				t.Fatal(err)
			}
			s.Commit(tokens[:n])
		}
		s.Release()
	}
	for range 4 {
		run()
	}
	if got := testing.AllocsPerRun(20, run); got != 0 {
		t.Errorf("a round of 100 tokens allocates %g times", got)
	}
	if c := p.Counts(); c.Evicted == 0 || c.Hit == 0 {
		t.Errorf("nothing was evicted or found: %+v", c)
	}
}
