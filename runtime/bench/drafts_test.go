package bench_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/glmc/glmc/runtime/bench"
)

// rates makes kinds of drafts with groups of 100 tokens, of which each took so many milliseconds.
func rates(groups int, took map[string]func(group int) float64) (list []bench.DraftRates) {
	for _, kind := range []string{"none", "mtp", "suffix", "hybrid"} {
		r := bench.DraftRates{Kind: kind}
		for g := range groups {
			ms := took[kind](g)
			s := bench.Span{Tokens: 100, Took: time.Duration(ms * float64(time.Millisecond))}
			r.Groups = append(r.Groups, bench.DraftSpans{Answers: s, All: bench.Span{Tokens: 100, Took: 2 * s.Took}})
		}
		list = append(list, r)
	}
	return list
}

func always(ms float64) func(int) float64 { return func(int) float64 { return ms } }

func answers(s *bench.DraftSpans) bench.Span { return s.Answers }

// TestLeadsOfWhatIsKnown: without noise the ratio to the fastest of the others is exact, whichever that is.
func TestLeadsOfWhatIsKnown(t *testing.T) {
	list := rates(10, map[string]func(int) float64{"none": always(40), "mtp": always(30), "suffix": always(20), "hybrid": always(16)})
	for kind, want := range []bench.Lead{{Over: "hybrid", Ratio: 0.4}, {Over: "hybrid", Ratio: 16. / 30}, {Over: "hybrid", Ratio: 0.8}, {Over: "suffix", Ratio: 1.25}} {
		got := bench.Leads(list, kind, answers)
		if got.Over != want.Over || math.Abs(got.Ratio-want.Ratio) > 1e-6 || math.Abs(got.Low-want.Ratio) > 1e-6 || math.Abs(got.High-want.Ratio) > 1e-6 {
			t.Errorf("%s: %+v, want %+v without a range", list[kind].Kind, got, want)
		}
	}
	if got := list[3].Against(&list[0]); math.Abs(got-2.5) > 1e-6 {
		t.Errorf("hybrid is %v times as fast as none, want 2.5", got)
	}
}

// TestLeadsKnowDoubt: the range gets narrower with more groups, holds the truth, and holds 1 where two kinds are alike.
func TestLeadsKnowDoubt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noisy := func(ms float64) func(int) float64 {
		return func(int) float64 { return ms * (0.8 + 0.4*r.Float64()) }
	}
	few := bench.Leads(rates(10, map[string]func(int) float64{"none": noisy(40), "mtp": noisy(30), "suffix": noisy(20), "hybrid": noisy(16)}), 3, answers)
	many := bench.Leads(rates(1000, map[string]func(int) float64{"none": noisy(40), "mtp": noisy(30), "suffix": noisy(20), "hybrid": noisy(16)}), 3, answers)
	if many.High-many.Low > (few.High-few.Low)/2 {
		t.Errorf("%+v of 1000 groups, %+v of 10", many, few)
	}
	for _, l := range []bench.Lead{few, many} {
		if l.Low > 1.25 || l.High < 1.25 || l.Ratio < l.Low || l.Ratio > l.High {
			t.Errorf("%+v: want 1.25 in the range", l)
		}
	}
	alike := bench.Leads(rates(100, map[string]func(int) float64{"none": noisy(40), "mtp": noisy(30), "suffix": noisy(20), "hybrid": noisy(20)}), 3, answers)
	if alike.Low > 1 || alike.High < 1 {
		t.Errorf("%+v of two that are alike", alike)
	}
}
