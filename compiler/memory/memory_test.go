package memory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawBuffers draws buffers whose sizes and lives collide often.
func drawBuffers(t *rapid.T, most int) []Buffer {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Buffer {
		first := rapid.IntRange(0, 8).Draw(t, "first")
		return Buffer{
			Bytes: int64(rapid.SampledFrom([]int{0, 1, 64, 65, 128, 200, 256, 640}).Draw(t, "bytes")),
			First: first, Last: first + rapid.IntRange(0, 5).Draw(t, "length"),
		}
	}), 0, most).Draw(t, "buffers")
}

// sharing returns two buffers that share a byte at a step, found byte by byte and step by step.
func sharing(buffers []Buffer, offsets []int64) string {
	type cell struct {
		step int
		at   int64
	}
	owner := map[cell]int{}
	for i, b := range buffers {
		for step := b.First; step <= b.Last; step++ {
			for at := offsets[i]; at < offsets[i]+b.Bytes; at++ {
				if j, ok := owner[cell{step, at}]; ok {
					return fmt.Sprintf("%d and %d at byte %d in step %d", j, i, at, step)
				}
				owner[cell{step, at}] = i
			}
		}
	}
	return ""
}

// TestPlanIsValid: against brute force, and against Check, which are to agree.
func TestPlanIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		buffers := drawBuffers(t, 12)
		offsets, arena := Plan(buffers)
		if err := Check(buffers, offsets, arena); err != nil {
			t.Fatal(err)
		}
		if who := sharing(buffers, offsets); who != "" {
			t.Fatalf("buffers share memory: %s", who)
		}
		for i, b := range buffers {
			if offsets[i]%Align != 0 || offsets[i]+b.Bytes > arena {
				t.Fatalf("buffer %d lies at %d in an arena of %d bytes", i, offsets[i], arena)
			}
		}
		if bound := LowerBound(buffers); arena < bound {
			t.Fatalf("the arena has %d bytes, which is less than the %d that are alive at once", arena, bound)
		}
		again, same := Plan(slices.Clone(buffers))
		if !slices.Equal(again, offsets) || same != arena {
			t.Fatal("the same buffers get another layout the second time")
		}
	})
}

// TestCheckAgreesWithBruteForce: on layouts that nobody planned.
func TestCheckAgreesWithBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		buffers := drawBuffers(t, 6)
		offsets, arena := make([]int64, len(buffers)), int64(0)
		for i, b := range buffers {
			offsets[i] = Align * int64(rapid.IntRange(0, 30).Draw(t, "offset"))
			arena = max(arena, offsets[i]+b.Bytes)
		}
		err, who := Check(buffers, offsets, arena), sharing(buffers, offsets)
		if (err != nil) != (who != "") {
			t.Fatalf("Check says %v, brute force finds %q", err, who)
		}
	})
}

// smallest is the least arena: any layout is that of placing the buffers in the order of their offsets, each
// as low as it goes, so that trying all orders finds it.
func smallest(buffers []Buffer) int64 {
	best := int64(1) << 62
	offsets := make([]int64, len(buffers))
	var place func(placed []int, arena int64)
	place = func(placed []int, arena int64) {
		if arena >= best {
			return
		}
		if len(placed) == len(buffers) {
			best = arena
			return
		}
		for i, b := range buffers {
			if slices.Contains(placed, i) {
				continue
			}
			at := int64(0)
			for _, p := range placed { // in ascending order of offsets
				if overlap(buffers[p], b) && at < offsets[p]+aligned(buffers[p].Bytes) && offsets[p] < at+aligned(b.Bytes) {
					at = offsets[p] + aligned(buffers[p].Bytes)
				}
			}
			offsets[i] = at
			next := append(slices.Clone(placed), i)
			slices.SortFunc(next, func(x, y int) int { return int(offsets[x] - offsets[y]) })
			place(next, max(arena, at+aligned(b.Bytes)))
		}
	}
	place(nil, 0)
	return best
}

// TestPlanOfResidualsAndNorms: the MTP layer of GLM-4.7, in units of a row of its hidden state. The concatenation
// and the row in f32 take two units in one piece each, between residuals that are alive with their norms.
func TestPlanOfResidualsAndNorms(t *testing.T) {
	const unit = Align
	buffers := []Buffer{
		{unit, 0, 1}, {unit, 1, 3}, {unit, 2, 3}, {2 * unit, 3, 4}, {unit, 4, 9}, {unit, 5, 6}, {unit, 7, 8}, {unit, 8, 9},
		{unit, 9, 15}, {unit, 9, 13}, {2 * unit, 10, 11}, {unit, 13, 14}, {unit, 14, 15}, {unit, 15, 15}, {unit, 15, 16},
	}
	if _, arena := Plan(buffers); arena != LowerBound(buffers) || arena != 4*unit {
		t.Errorf("the plan takes %d units, at least %d are needed", arena/unit, LowerBound(buffers)/unit)
	}
}

// TestPlanIsNearTheBest compares with exhaustive search on a fixed set of small instances. Trying a few
// orders has no good bound in the worst case; what it does in ordinary ones is recorded here.
func TestPlanIsNearTheBest(t *testing.T) {
	const instances, limit = 400, 1.2
	rng := rand.New(rand.NewPCG(1, 2))
	worst, sum, exact, bound := 0.0, 0.0, 0, 0
	for seed := range instances {
		buffers := make([]Buffer, 5+seed%3)
		for i := range buffers {
			first := rng.IntN(7)
			buffers[i] = Buffer{Bytes: int64(1 + rng.IntN(10*Align)), First: first, Last: first + rng.IntN(4)}
		}
		_, arena := Plan(buffers)
		best := smallest(buffers)
		if low := LowerBound(buffers); best < low {
			t.Fatalf("seed %d: the best layout takes %d bytes, the lower bound is %d", seed, best, low)
		} else if best == low {
			bound++
		}
		ratio := float64(arena) / float64(best)
		if ratio > limit {
			t.Errorf("seed %d: the plan takes %d bytes, the best %d: %v", seed, arena, best, buffers)
		}
		if ratio == 1 {
			exact++
		}
		worst, sum = max(worst, ratio), sum+ratio
	}
	t.Logf("%d instances: the plan is the best in %d; on average %.4f of it, at worst %.3f; the lower bound is reached in %d",
		instances, exact, sum/instances, worst, bound)
}

func TestLowerBound(t *testing.T) {
	for _, c := range []struct {
		buffers []Buffer
		want    int64
	}{
		{nil, 0},
		{[]Buffer{{64, 0, 0}}, 64},
		{[]Buffer{{1, 0, 3}, {1, 3, 3}}, 128},
		{[]Buffer{{64, 0, 1}, {128, 2, 3}}, 128},
		{[]Buffer{{64, 0, 1}, {128, 1, 3}, {64, 3, 4}}, 192},
	} {
		if got := LowerBound(c.buffers); got != c.want {
			t.Errorf("%v: got %d, want %d", c.buffers, got, c.want)
		}
	}
}

func TestCheckErrors(t *testing.T) {
	two := []Buffer{{100, 0, 2}, {100, 2, 3}}
	for _, c := range []struct {
		name    string
		buffers []Buffer
		offsets []int64
		arena   int64
		want    string
	}{
		{"valid", two, []int64{0, 128}, 228, ""},
		{"valid in one place", []Buffer{{100, 0, 1}, {100, 2, 3}}, []int64{0, 0}, 100, ""},
		{"valid without bytes", []Buffer{{100, 0, 1}, {0, 0, 1}}, []int64{0, 64}, 100, ""},
		{"no buffers", nil, nil, 0, ""},
		{"missing offset", two, []int64{0}, 300, "1 offsets for 2 buffers"},
		{"overlap", two, []int64{0, 64}, 300, "buffers 0 and 1 are alive together at step 2 and share bytes: [0, 100) and [64, 164)"},
		{"overlap from below", two, []int64{64, 0}, 300, "buffers 0 and 1 are alive together at step 2 and share bytes: [64, 164) and [0, 100)"},
		{"same place", two, []int64{64, 64}, 300, "buffers 0 and 1 are alive together at step 2 and share bytes: [64, 164) and [64, 164)"},
		{"inside of another", []Buffer{{1000, 0, 9}, {1, 5, 5}}, []int64{0, 448}, 1000, "buffers 0 and 1 are alive together at step 5 and share bytes: [0, 1000) and [448, 449)"},
		{"with a dead one between", []Buffer{{1000, 0, 9}, {1, 0, 2}, {1, 5, 5}}, []int64{64, 0, 128}, 1064, "buffers 0 and 2 are alive together at step 5 and share bytes: [64, 1064) and [128, 129)"},
		{"not aligned", two, []int64{0, 132}, 300, "buffer 1 of 100 bytes at offset 132 is not inside of the arena of 300 bytes, or not aligned to 64"},
		{"negative", two, []int64{-64, 128}, 300, "buffer 0 of 100 bytes at offset -64 is not inside of the arena of 300 bytes, or not aligned to 64"},
		{"out of the arena", two, []int64{0, 128}, 227, "buffer 1 of 100 bytes at offset 128 is not inside of the arena of 227 bytes, or not aligned to 64"},
		{"far out of the arena", two, []int64{0, 1<<63 - 64}, 300, "buffer 1 of 100 bytes at offset 9223372036854775744 is not inside of the arena of 300 bytes, or not aligned to 64"},
		{"negative size", []Buffer{{-64, 0, 1}}, []int64{0}, 300, "buffer 0 of -64 bytes at offset 0 is not inside of the arena of 300 bytes, or not aligned to 64"},
		{"dead before it lives", []Buffer{{64, 3, 2}}, []int64{0}, 300, "buffer 0 lives from step 3 to 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Check(c.buffers, c.offsets, c.arena); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOrderedSet compares with a plain list.
func TestOrderedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 63, 64, 65, 4096, 4097, 300000}).Draw(t, "bound")
		s, members := newOrderedSet(n), []int{}
		near := rapid.OneOf(rapid.IntRange(0, n-1), rapid.IntRange(max(0, n-130), n-1), rapid.IntRange(0, min(n-1, 130)))
		for range 40 {
			i := near.Draw(t, "i")
			at, found := slices.BinarySearch(members, i)
			switch {
			case !found && rapid.Bool().Draw(t, "add"):
				s.add(i)
				members = slices.Insert(members, at, i)
			case found && rapid.Bool().Draw(t, "remove"):
				s.remove(i)
				members = slices.Delete(members, at, at+1)
			case !found:
				s.remove(i) // which changes nothing
			}
			i = near.Draw(t, "asked")
			at, found = slices.BinarySearch(members, i)
			before, after := -1, -1
			if at > 0 {
				before = members[at-1]
			}
			if found {
				at++
			}
			if at < len(members) {
				after = members[at]
			}
			if s.before(i) != before || s.after(i) != after {
				t.Fatalf("neighbours of %d in %v: got %d and %d", i, members, s.before(i), s.after(i))
			}
		}
	})
}

// TestCheckOfManyBuffers: a quarter of a million results that are alive at the same time are no reason to compare
// each with each.
func TestCheckOfManyBuffers(t *testing.T) {
	const n = 1 << 18
	buffers, offsets := make([]Buffer, n), make([]int64, n)
	for i := range buffers {
		buffers[i] = Buffer{Bytes: 64, First: i, Last: n}
		offsets[i] = int64((i*7919)%n) * Align
	}
	if err := Check(buffers, offsets, n*Align); err != nil {
		t.Fatal(err)
	}
	offsets[n-1] = offsets[12345]
	if err := Check(buffers, offsets, n*Align); err == nil || !strings.HasPrefix(err.Error(), "buffers 12345 and 262143 are alive together") {
		t.Errorf("got error %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	var buffers []Buffer
	for i := range 3000 {
		buffers = append(buffers, Buffer{Bytes: int64(64 * (1 + i*37%50)), First: i, Last: i + 1 + i%5})
	}
	offsets, arena := Plan(buffers)
	for b.Loop() {
		if err := Check(buffers, offsets, arena); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	var buffers []Buffer
	for i := range 3000 {
		buffers = append(buffers, Buffer{Bytes: int64(64 * (1 + i*37%50)), First: i, Last: i + 1 + i%5})
	}
	for b.Loop() {
		Plan(buffers)
	}
}
