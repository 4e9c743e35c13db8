package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/runtime/kv"
)

// drawOffers draws what could be guessed for some sequences: probabilities that go down.
func drawOffers(t *rapid.T, sequences, depth int) []offer {
	path := func(name string, most int) (list []float64) {
		p := 1.0
		for range rapid.IntRange(0, most).Draw(t, name) {
			p *= rapid.Float64Range(0, 1).Draw(t, "odds")
			list = append(list, p)
		}
		return list
	}
	offers := make([]offer, sequences)
	for i := range offers {
		offers[i] = offer{suffix: path("suffix draft", 16), layer: path("layer's draft", depth)}
	}
	return offers
}

// TestMarketIsNeverBelowNone: whatever steps cost and whatever is offered, the expected tokens a second are no less than without drafts,
// they are what the choice comes to, and no draft that is taken is a token too many.
func TestMarketIsNeverBelowNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cost := func(name string) float64 { return rapid.Float64Range(1e-6, 1e-2).Draw(t, name) }
		m := market{sequences: rapid.IntRange(1, 12).Draw(t, "sequences"), plain: cost("plain"), row: cost("row"),
			over: cost("over"), first: cost("first"), pass: cost("pass"), token: cost("token")}
		m.base = m.plain * rapid.Float64Range(1, 3).Draw(t, "other kernels")
		depth := rapid.IntRange(0, 5).Draw(t, "depth")
		offers := drawOffers(t, m.sequences, depth)
		rate := m.plan(offers, depth)
		none := float64(m.sequences) / (m.plain + m.over)
		if rate < none*(1-1e-9) {
			t.Fatalf("%g tokens/s with drafts, %g without", rate, none)
		}
		if got := m.rate(offers); math.Abs(got-rate) > 1e-6*rate {
			t.Fatalf("the plan says %g tokens/s, its choice comes to %g", rate, got)
		}
		for i := range offers { // one token less of a suffix draft is no better
			o := &offers[i]
			if o.n == 0 || o.useLayer {
				continue
			}
			o.n--
			if less := m.rate(offers); less > rate*(1+1e-6) && m.taken(offers) > 0 {
				t.Fatalf("%g tokens/s, and %g with a token less of offer %d", rate, less, i)
			}
			o.n++
		}
	})
}

func (m *market) taken(offers []offer) (n int) {
	for i := range offers {
		n += offers[i].n
	}
	return n
}

// rate is the expected tokens a second of a choice, from what the fields of a market mean.
func (m *market) rate(offers []offer) float64 {
	tokens, time, passes := float64(m.sequences), m.plain+m.over, 0
	if m.taken(offers) > 0 {
		time = m.base + m.over
	}
	for i := range offers {
		o := &offers[i]
		for _, p := range o.taken() {
			tokens += p
		}
		time += m.row * float64(o.n)
		if o.useLayer {
			time += m.first + m.token*float64(o.n-1)
			passes = max(passes, o.n-1)
		}
	}
	return tokens / (time + m.pass*float64(passes))
}

// TestTakeIsWorthMost: at a price, no other choice for one of the sequences is worth more beyond its price than what is taken.
func TestTakeIsWorthMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cost := func(name string) float64 { return rapid.Float64Range(1e-6, 1e-2).Draw(t, name) }
		m := market{sequences: rapid.IntRange(1, 6).Draw(t, "sequences"), plain: 1, base: 1, row: cost("row"), first: cost("first"), pass: cost("pass"), token: cost("token")}
		depth := rapid.IntRange(0, 4).Draw(t, "depth")
		offers := drawOffers(t, m.sequences, depth)
		price := rapid.Float64Range(1, 1e4).Draw(t, "price")
		value := func() float64 { // of a second, the market's rate knows what all take
			if m.taken(offers) == 0 {
				return float64(m.sequences) - price*m.plain
			}
			tokens := float64(m.sequences)
			for i := range offers {
				for _, p := range offers[i].taken() {
					tokens += p
				}
			}
			return tokens - price*tokens/m.rate(offers)
		}
		m.take(offers, price, depth)
		most := value()
		for i := range offers {
			o := &offers[i]
			was := *o
			for n := range len(o.suffix) + 1 {
				if o.useLayer, o.n = false, n; value() > most+1e-6 {
					t.Fatalf("%d suffix tokens for %d are worth %g, more than %g", n, i, value(), most)
				}
			}
			for n := range len(o.layer) + 1 {
				if o.useLayer, o.n = n > 0, n; value() > most+1e-6 {
					t.Fatalf("%d of the layer's tokens for %d are worth %g, more than %g", n, i, value(), most)
				}
			}
			*o = was
		}
	})
}

// TestDearRowsEndDrafts: the dearer a row beside a step, the fewer drafts are checked, and none where a row takes a sequence's share.
func TestDearRowsEndDrafts(t *testing.T) {
	before := math.MaxInt
	for _, row := range []float64{0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1} {
		m := market{sequences: 8, plain: 8, base: 8, row: row}
		offers := make([]offer, 8)
		for i := range offers {
			for j := range 16 {
				offers[i].suffix = append(offers[i].suffix, math.Pow(0.8, float64(j+1)))
			}
		}
		m.plan(offers, 0)
		n := m.taken(offers)
		if n > before {
			t.Errorf("%d drafts where a row takes %g, more than where it takes less", n, row)
		}
		before = n
	}
	if before != 0 {
		t.Errorf("%d drafts where a row costs what a sequence does", before)
	}
}

// TestCostsAreFound: times that depend on rows and sequences as costs think, with noise, and with a machine that gets twice as slow,
// give the ratios of costs back.
func TestCostsAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var c costs
	for i := range 4000 {
		n, drafts := 1+r.IntN(8), 0
		if r.IntN(2) == 0 {
			drafts = 1 + r.IntN(10)
		}
		us := 500 + 100*float64(n+drafts) + 30*float64(n)
		us *= 0.9 + 0.2*r.Float64()
		if i/1000%2 == 1 {
			us *= 2
		}
		if r.IntN(50) == 0 { // somebody else held it up
			us *= 20
		}
		c.took(n, drafts, time.Duration(us*1e3))
	}
	for _, n := range []int{1, 4, 8} {
		m := c.market(n)
		want := 100 / (500 + 130*float64(n))
		if got := m.row / m.plain; got < 0.8*want || got > 1.25*want {
			t.Errorf("%d sequences: a draft costs %.3f of a step, want %.3f", n, got, want)
		}
	}
}

// TestCostsBesidePromptsAreFound: of steps with prompts in them, too, it is found out what a draft takes. The price of a second is that of steps without
// prompts where there are few with some, and what a sequence takes beside prompts where all have some.
func TestCostsBesidePromptsAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var c costs
	mixed := func() {
		n, prompt, drafts := 1+r.IntN(8), 1+r.IntN(64), r.IntN(10)
		us := 300 + 30*float64(prompt) + 100*float64(n) + 40*float64(drafts)
		c.tookMixed(prompt, n, drafts, time.Duration(us*(0.9+0.2*r.Float64())*1e3))
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if got < 0.8*want || got > 1.25*want {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	for range 400 {
		mixed()
	}
	row, price := c.besidePrompts(10e-6, 2000)
	near("a draft", row, 40e-6)
	near("the price where all steps have prompts", price, 1/100e-6)
	for range 4000 {
		c.took(4, 0, time.Millisecond)
	}
	_, price = c.besidePrompts(10e-6, 2000)
	near("the price where few have", price, 2000)
}

// TestLayerDoesNotOscillate: what is decided about the layer changes only when it pays clearly more or less, not with noise around nothing.
func TestLayerDoesNotOscillate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		gain    float64
		changes int
		on      bool
	}{{0, 1, false}, {-0.1, 0, false}, {0.1, 1, true}} {
		var s scouting
		changes := 0
		for range 5000 {
			was := s.on
			if s.judge(c.gain + 0.1*(r.Float64()-0.5)); s.on != was {
				changes++
			}
		}
		if changes > c.changes || c.gain != 0 && s.on != c.on {
			t.Errorf("gain %v: changed %d times, on %v", c.gain, changes, s.on)
		}
	}
}

// TestLayerThatDisappointsHasToPromiseMore: a layer that pays when nobody uses it, and does not when all do, is used less and less.
func TestLayerThatDisappointsHasToPromiseMore(t *testing.T) {
	var s scouting
	on := [2]int{} // of the first half of the steps, of the second
	for i := range 20000 {
		gain := 0.07
		if s.on {
			gain = -0.08
			on[i/10000]++
		}
		s.judge(gain)
	}
	if on[0] == 0 || on[1]*10 > on[0] {
		t.Errorf("on in %d of the first steps, and in %d of the others", on[0], on[1])
	}
}

// TestScoutsCostNothingInTheLongRun: the first sequence is a scout, then one at a time, and their share of the time falls.
func TestScoutsCostNothingInTheLongRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s scouting
		cost := rapid.Float64Range(1e-6, 10).Draw(t, "seconds of a scout")
		work := cost * rapid.Float64Range(0.01, 1).Draw(t, "of a sequence")
		if !s.sends(0) || s.sends(0) {
			t.Fatal("wants the first to be a scout, and no second one beside it")
		}
		s.scouts--
		for range 20000 {
			s.worked += work
			if s.sends(cost) {
				s.scouts--
			}
			if s.spent > s.worked*scoutPart {
				t.Fatalf("scouts cost %g of %g s", s.spent, s.worked)
			}
		}
		if s.spent*float64(s.sent) > s.worked*scoutPart {
			t.Fatalf("%d scouts cost %g of %g s: no less than fewer would", s.sent, s.spent, s.worked)
		}
	})
}

// TestScoutsAreSentAfterTheLayerAsBefore: what the layer took while it paid is no cost of scouts.
func TestScoutsAreSentAfterTheLayerAsBefore(t *testing.T) {
	sent := func(s *scouting) (n int) {
		for range 1000 {
			if s.worked++; s.sends(1) {
				s.scouts--
				n++
			}
		}
		return n
	}
	var fresh, s scouting
	want := sent(&fresh)
	for !s.on {
		s.judge(0.1)
	}
	s.spent, s.worked = 5000, 20_000 // of the steps in which it paid
	for s.on {
		s.judge(-0.1)
	}
	if got := sent(&s); got != want || want < 2 {
		t.Errorf("%d scouts are sent when the layer was given up, want %d as at the beginning", got, want)
	}
}

// TestALayerThatIsGivenUpFollowsNobody, whether they run or wait.
func TestALayerThatIsGivenUpFollowsNobody(t *testing.T) {
	e := &Engine{mtp: &mtp{}, adapt: &adapting{}, options: Options{MTP: 1}}
	e.running, e.waiting = []*Sequence{{state: draftState}}, []*Sequence{{state: draftState}}
	for _, q := range slices.Concat(e.running, e.waiting) {
		q.hopes.led = true
	}
	a := e.adapt
	a.scouting.on, a.costs.answers, a.costs.over.w = true, leastAnswers, planeKnown
	m := market{plain: 1, base: 1, row: 1, over: 1, sequences: 1}
	for a.scouting.on {
		a.all = []offer{{seq: e.running[0]}}
		e.weigh(&m)
	}
	if q := e.running[0]; q.hopes.led {
		t.Error("it follows a sequence that runs")
	}
	if q := e.waiting[0]; q.hopes.led || q.state != "" {
		t.Errorf("it follows a sequence that waits, whose pages have to have %q", q.state)
	}
}

// TestALayerIsWeighedWhereNobodyGuesses: where nothing can be guessed for hundreds of steps, whether the layer would pay is asked as often as before.
func TestALayerIsWeighedWhereNobodyGuesses(t *testing.T) {
	pool := kv.NewPool(4, 4)
	q := &Sequence{request: Request{Prompt: []int32{1}, MaxTokens: 9}, tokens: []int32{1, 2}, computed: 1, kv: pool.NewSequence()}
	e := &Engine{mtp: &mtp{}, adapt: &adapting{}, pool: pool, options: Options{MTP: 2, MaxRunning: 1}, running: []*Sequence{q}}
	e.step.parts = []part{{seq: q, tokens: 1, rows: 1}}
	a := e.adapt
	a.costs.answers, a.costs.over.w = leastAnswers, planeKnown
	a.scouting.bar = 1 // it does not begin, whatever is said
	for range 2 * planeKnown {
		a.costs.took(1, 0, time.Millisecond)
	}
	const steps = 10 * tryEvery
	for range steps {
		e.decide()
	}
	if want := steps / weighEvery; a.scouting.held != want {
		t.Errorf("it was asked %d times in %d steps, want %d", a.scouting.held, steps, want)
	}
}

// TestTheLayerGoesOnBehindASuffixDraft where that promises more than its own guesses, and there is something to guess behind it.
func TestTheLayerGoesOnBehindASuffixDraft(t *testing.T) {
	a := &adapting{}
	own := []float64{recordStart, recordStart * recordStart, recordStart * recordStart * recordStart}
	for _, c := range []struct {
		name   string
		chance []float64
		begun  int
		want   []float64
	}{
		{"nothing said before", nil, 0, own},
		{"a sure token", []float64{0.95}, 1, []float64{0.95, 0.95 * recordStart, 0.95 * recordStart * recordStart}},
		{"two", []float64{0.9, 0.85}, 2, []float64{0.9, 0.85, 0.85 * recordStart}},
		{"a doubtful one", []float64{0.3}, 0, own},
		{"as many as it guesses", []float64{1, 1, 1}, 0, own},
	} {
		q := &Sequence{drafts: make([]int32, len(c.chance))}
		q.hopes.chance = c.chance
		a.layerChances(q, 3)
		if diff := cmp.Diff(c.want, q.hopes.layer, cmpopts.EquateApprox(1e-12, 0)); q.hopes.begun != c.begun || diff != "" {
			t.Errorf("%s: begun with %d tokens, want %d; chances (-want +got):\n%s", c.name, q.hopes.begun, c.begun, diff)
		}
	}
}

// TestWhatComesOfABegunDraft is told of whose tokens they were.
func TestWhatComesOfABegunDraft(t *testing.T) {
	a := &adapting{}
	q := &Sequence{origin: FromMTP}
	q.hopes = propensity{odds: []float64{0.9}, likely: []float64{0.8}, match: 1, begun: 1, dry: 7}
	a.came(q, 3, 2)
	suffix, layer := a.records[FromDrafter][matchClass(1, 0)], a.records[FromMTP]
	if suffix.told != 0.9 || suffix.came != 1 || layer[0].told != 0 || layer[1].came != 1 || layer[2].told != 1 || layer[2].came != 0 || q.hopes.dry != 0 {
		t.Errorf("suffix %+v, layer %+v, %d steps since anything came", suffix, layer[:3], q.hopes.dry)
	}
}

// TestRecordsFollowWhatCame: a ratio begins with the prior and goes to what came.
func TestRecordsFollowWhatCame(t *testing.T) {
	var r record
	if got := r[3].ratio(0.7); math.Abs(got-0.7) > 1e-9 {
		t.Errorf("without guesses: %v", got)
	}
	for i := range 1000 {
		r[3].add(0.5, i%4 == 0, 1)
	}
	if got := r[3].ratio(0.7); math.Abs(got-0.5) > 0.01 { // a quarter came of guesses that said half
		t.Errorf("ratio %v, want 0.5", got)
	}
	if got := r[2].ratio(0.7); math.Abs(got-0.7) > 1e-9 {
		t.Errorf("another class: %v", got)
	}
}
