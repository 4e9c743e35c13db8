package suffix

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/draft"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRequestDrafts: a request repeats its own prompt, what others said, and the longer of the two.
func TestRequestDrafts(t *testing.T) {
	c := newTestCache(t, Config{Options: Options{Factor: 2, MinProb: 0.1}})
	say(c, []int32{90}, []int32{1, 2, 3, 4, 5, 6, 7, 8})
	for _, x := range []struct {
		name         string
		prompt, said []int32
		limit        int
		tokens       []int32
		match        int
		local        bool
	}{
		{name: "nothing", prompt: []int32{50, 51}},
		{name: "the prompt", prompt: []int32{50, 51, 52, 53, 54, 50, 51}, tokens: []int32{52, 53, 54, 50}, match: 2, local: true},
		{name: "others", prompt: []int32{50}, said: []int32{2, 3}, tokens: []int32{4, 5, 6, 7}, match: 2},
		{name: "others, over the border", prompt: []int32{2}, said: []int32{3}, tokens: []int32{4, 5, 6, 7}, match: 2},
		{name: "a limit", prompt: []int32{2}, said: []int32{3}, limit: 3, tokens: []int32{4, 5, 6}, match: 2},
		{name: "others know more", prompt: []int32{3, 9, 3, 9, 8, 1, 2, 3}, tokens: []int32{4, 5, 6, 7, 8}, match: 3},
	} {
		r := c.Request(x.prompt)
		<-r.Built()
		r.Append(x.said...)
		var d draft.Draft
		r.Draft(x.limit, &d)
		if !slices.Equal(d.Tokens, x.tokens) || d.Match != x.match || d.Local != x.local {
			t.Errorf("%s: %+v", x.name, d)
		}
		r.End(false)
	}
	if n := c.Stats(); n.Responses != 1 || n.Active != 0 {
		t.Errorf("%+v", n)
	}
}

// TestCacheIsTwoTrees: whatever requests do side by side, each drafts what two trees with the same tokens draft.
func TestCacheIsTwoTrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := Config{Depth: rapid.SampledFrom([]int{4, 64}).Draw(rt, "depth"), MaxRequests: rapid.IntRange(1, 4).Draw(rt, "requests")}
		c, err := NewCache(config)
		if err != nil {
			rt.Fatal(err)
		}
		defer c.Close()
		type one struct {
			request *Request
			all     []int32
			said    []int32
			own     *Tree
		}
		var active []*one
		var past [][]int32
		tokens := rapid.SliceOfN(rapid.Int32Range(0, 3), 0, 90)
		rt.Repeat(map[string]func(*rapid.T){
			"start": func(rt *rapid.T) {
				prompt := tokens.Draw(rt, "prompt")
				a := &one{request: c.Request(prompt), all: slices.Clone(prompt), own: New(c.config.Depth)}
				for _, token := range prompt {
					a.own.Append(token)
				}
				active = append(active, a)
			},
			"append": func(rt *rapid.T) {
				if len(active) == 0 {
					rt.Skip()
				}
				a := rapid.SampledFrom(active).Draw(rt, "who")
				news := tokens.Draw(rt, "tokens")
				a.request.Append(news...)
				a.all, a.said = append(a.all, news...), append(a.said, news...)
				for _, token := range news {
					a.own.Append(token)
				}
			},
			"end": func(rt *rapid.T) {
				if len(active) == 0 {
					rt.Skip()
				}
				i := rapid.IntRange(0, len(active)-1).Draw(rt, "who")
				keep := rapid.Bool().Draw(rt, "keep")
				active[i].request.End(keep)
				if keep && len(active[i].said) > 0 {
					past = append(past, active[i].said)
				}
				active = slices.Delete(active, i, i+1)
			},
			"draft": func(rt *rapid.T) {
				if len(active) == 0 {
					rt.Skip()
				}
				a := rapid.SampledFrom(active).Draw(rt, "who")
				<-a.request.Built()
				c.Flush()
				o := drawOptions(rt)
				others := New(c.config.Depth)
				for _, said := range past {
					for _, token := range said {
						others.Append(token)
					}
					others.Seal()
					if id, _ := others.Oldest(); others.Sequences() > config.MaxRequests {
						others.Remove(id)
					}
				}
				var want, got draft.Draft
				a.own.Continue(o, &want)
				want.Local = want.Score > 0
				var other draft.Draft
				if others.Speculate(a.all, o, &other); other.Score > want.Score {
					want, other = other, want
				}
				want.Kinds = kindsOf(&want, &other)
				a.request.Speculate(o, &got)
				if d := cmp.Diff(want, got, emptyIsNil); d != "" {
					rt.Fatalf("after %v (-want +got):\n%s", a.all, d)
				}
			},
		})
	})
}

// TestEviction: both bounds hold, and the oldest responses go.
func TestEviction(t *testing.T) {
	c := newTestCache(t, Config{MaxRequests: 3})
	for i := range int32(10) {
		say(c, nil, []int32{i, i + 1, i + 2})
	}
	if d := cmp.Diff([][]int32{{7, 8, 9}, {8, 9, 10}, {9, 10, 11}}, c.responses()); d != "" {
		t.Error(d)
	}
	c = newTestCache(t, Config{MaxBytes: 100_000})
	next := int32(0)
	for range 100 {
		var said []int32
		for range 200 {
			next = (next*7919 + 13) % 5003
			said = append(said, next)
		}
		say(c, nil, said)
		if used := c.tree.Used(); used > 100_000 {
			t.Fatalf("%d bytes are used", used)
		}
	}
	s := c.Stats()
	if s.Learnt != 100 || s.Evicted == 0 || s.Responses != 100-int(s.Evicted) || s.Bytes > 200_000 {
		t.Errorf("%+v", s)
	}
	say(c, nil, make([]int32, 100_000))
	if s := c.Stats(); s.Dropped != 1 {
		t.Errorf("a response larger than the cache: %+v", s)
	}
	if err := c.tree.Check(); err != nil {
		t.Error(err)
	}
}

// TestManyRequests: requests in goroutines of their own, while responses come and go, and the cache closes under them.
func TestManyRequests(t *testing.T) {
	c, err := NewCache(Config{MaxRequests: 5})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range int32(4) {
		all.Go(func() {
			var d draft.Draft
			for i := range int32(50) {
				var s draft.Sequence = c.Start([]int32{1, 2, 3, g, i, 1, 2, 3})
				for k := range int32(20) {
					s.Draft(8, &d)
					s.Append(k%3, g, i)
				}
				s.End(i%4 != 0)
				_ = c.Stats()
			}
		})
	}
	all.Wait()
	c.Flush()
	if err := c.tree.Check(); err != nil {
		t.Error(err)
	}
	r := c.Request(make([]int32, 1<<16))
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	<-r.Built()
	r.End(true)
	late := c.Request([]int32{1})
	<-late.Built()
	late.Append(2)
	var d draft.Draft
	late.Draft(0, &d)
	late.End(true)
	late.End(true)
}

// TestNoGarbage: a step allocates nothing, but for what memory grows by.
func TestNoGarbage(t *testing.T) {
	for _, tree := range []bool{false, true} {
		c := newTestCache(t, Config{Options: Options{Factor: 1, MinProb: 0.1, Tree: tree}})
		text := func(n int) (tokens []int32) {
			x := uint32(1)
			for range n {
				x = x*1664525 + 1013904223
				tokens = append(tokens, int32(x>>24)%7)
			}
			return tokens
		}
		say(c, nil, text(2000))
		r := c.Request(text(3000))
		<-r.Built()
		r.said = make([]int32, 0, 1<<16)
		var d draft.Draft
		next := text(2000)
		step := func() {
			r.Draft(0, &d)
			r.Append(next[0])
			next = next[1:]
		}
		for range 500 {
			step()
		}
		if n := testing.AllocsPerRun(1000, step); n > 0 {
			t.Errorf("tree %v: %v allocations a step", tree, n)
		}
		r.End(false)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []Config{{Depth: 1}, {Depth: 65}, {MaxRequests: -1}, {MaxBytes: -1}, {MaxBytes: 1 << 50}, {Options: Options{Factor: -1}}, {Options: Options{MinProb: 2}}} {
		if cache, err := NewCache(c); err == nil {
			cache.Close()
			t.Errorf("%+v is taken", c)
		}
	}
}

// TestCheck: what Check is there to find.
func TestCheck(t *testing.T) {
	for name, damage := range map[string]func(*Tree){
		"count":  func(t *Tree) { t.at(t.child(root, 1)).count++ },
		"tag":    func(t *Tree) { t.at(t.child(root, 1)).tag++ },
		"label":  func(t *Tree) { t.at(t.child(root, 2)).ref = 1 << 20 },
		"length": func(t *Tree) { t.at(t.child(root, 1)).length = 0 },
		"kids":   func(t *Tree) { t.at(t.child(root, 1)).kids++ },
		"best": func(t *Tree) {
			p := t.at(t.child(root, 1))
			for id := range t.children(p) {
				if id != t.bestOf(p) {
					t.at(id).count += 5
				}
			}
		},
		"live":    func(t *Tree) { t.live++ },
		"free":    func(t *Tree) { t.used++ },
		"resting": func(t *Tree) { t.at(t.child(root, 2)).resting++ },
		"tables":  func(t *Tree) { t.tables++ },
	} {
		tree := New(8)
		for _, token := range []int32{1, 2, 1, 3, 1, 2, 4, 1, 2} {
			tree.Append(token)
		}
		if err := tree.Check(); err != nil {
			t.Fatal(err)
		}
		if damage(tree); tree.Check() == nil {
			t.Errorf("%s: not found", name)
		}
	}
}

func benchmarkText(n int) []int32 {
	tokens := make([]int32, n)
	x := uint64(1)
	for i := range tokens {
		x = x*6364136223846793005 + 1442695040888963407
		if tokens[i] = int32(x>>50) % 4096; i > 400 && x>>40&7 != 0 {
			tokens[i] = tokens[i-int(x>>56)-100] // repeats, with mistakes
		}
	}
	return tokens
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1 << 12, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := benchmarkText(n)
			for i := 0; i < b.N; {
				t := New(MaxDepth)
				for _, token := range text[:min(n, b.N-i)] {
					t.Append(token)
				}
				i += n
			}
		})
	}
}
