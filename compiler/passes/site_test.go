package passes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/kernels/dtype"
)

// gated runs the table on the small model, split over two ranks and in fp8, with the sites that only allows.
func gated(t *testing.T, only func(Site) bool) (string, []Result) {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.Small, Activation: dtype.F32}).Module
	o := &Options{TensorParallel: 2, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3, Only: only}
	results, err := Run(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return m.String(), results
}

// TestEveryPassAsksForItsSites: without a yes no pass changes anything, and it says so at every site.
func TestEveryPassAsksForItsSites(t *testing.T) {
	asked := map[string]int{}
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.Small, Activation: dtype.F32}).Module
	m.SweepWeights()
	before := m.String()
	after, results := gated(t, func(s Site) bool {
		if s.Ordinal != asked[s.Pass] {
			t.Errorf("%s asks for site %d as its number %d", s.Pass, s.Ordinal, asked[s.Pass])
		}
		asked[s.Pass]++
		if whole := s.Pass == shardTensorParallel.Name; (s.Entry == "") != whole || (s.Source == "") != whole {
			t.Errorf("%+v: a site without its place", s)
		}
		return false
	})
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("something was rewritten:\n%s", diff)
	}
	for _, r := range results {
		n := 0
		for _, k := range r.Remarks {
			if strings.HasSuffix(k.ID, ".gated") {
				n++
			}
		}
		if r.Applied != 0 || n != asked[r.Pass.Name] {
			t.Errorf("pass %s asked %d times, applied %d sites and left %d alone", r.Pass.Name, asked[r.Pass.Name], r.Applied, n)
		}
		// A graph without buckets has nothing to split, and these look for what a pass before them makes.
		later := []*Pass{bucketGraphs, quantiseRows, fuseAllReduceAddNorm, fuseQuantise}
		if n == 0 && !slices.Contains(later, r.Pass) {
			t.Errorf("pass %s found no site", r.Pass.Name)
		}
	}
}

// TestFirstSites: allowing the first n sites of a pass rewrites those as it does when all are allowed.
func TestFirstSites(t *testing.T) {
	_, all := gated(t, nil)
	for i, r := range all {
		if r.Pass == quantise || r.Pass == shardTensorParallel {
			continue // a site of theirs has several remarks
		}
		for n := range r.Applied + 1 {
			_, results := gated(t, func(s Site) bool { return s.Pass != r.Pass.Name || s.Ordinal < n })
			var want, got []string
			for _, k := range r.Remarks {
				if k.Applied {
					want = append(want, place(k))
				}
			}
			for _, k := range results[i].Remarks {
				if k.Applied {
					got = append(got, place(k))
				}
			}
			if diff := cmp.Diff(want[:n], got); n > 0 && diff != "" || len(got) != n {
				t.Errorf("pass %s, %d sites: %s", r.Pass.Name, n, diff)
			}
		}
	}
}

func place(k Remark) string { return fmt.Sprintf("%s %s %d %s", k.ID, k.Entry, k.Layer, k.Source) }

// TestAWeightThatIsReadTwiceIsGatedForBoth: quantise cannot give one weight two dtypes. The two experts operators
// of the case share their gates, and so each has the dtypes of the other.
func TestAWeightThatIsReadTwiceIsGatedForBoth(t *testing.T) {
	m, err := ir.Parse(readCase(t, "testdata/quantise/kept_through_a_shared_weight.txtar").before)
	if err != nil {
		t.Fatal(err)
	}
	r, err := runOne(quantise, nil, m, &Options{Weights: dtype.F8E4M3, Only: func(s Site) bool { return !strings.HasPrefix(s.Source, "m.glm:5:") }})
	if err != nil {
		t.Fatal(err)
	}
	want := `missed quantise.gated, forward, layer -1, m.glm:5:1: this site was left alone on request
missed quantise.weights_kept, forward, layer -1, m.glm:2:1: router.weight is computed in f32
applied quantise.weights, forward, layer -1, m.glm:3:1: proj.weight is stored in fp8_e4m3, 96 bytes instead of 128
missed quantise.weights_kept, forward, layer -1, m.glm:4:1: another reader of the weight was left alone on request
`
	if diff := cmp.Diff(want, remarkLines(r.Remarks)); diff != "" {
		t.Error(diff)
	}
}

// TestTableOfOnesOwn: the table can be another one, in an order that its constraints allow.
func TestTableOfOnesOwn(t *testing.T) {
	ran := 0
	own := &Pass{Name: "count_nodes", Numeric: Exact, Run: func(*Context) error { ran++; return nil }}
	m := small(t)
	results, err := Run(m, &Options{Table: []*Pass{removeIdentities, own}, Disabled: []string{"remove_identities"}, StopAfter: "count_nodes"})
	if err != nil || ran != 1 || len(results) != 2 {
		t.Errorf("ran %d times, %d results, error %v", ran, len(results), err)
	}
	_, err = Run(m, &Options{Table: []*Pass{foldSharedExpert, removeIdentities}})
	want := "the order of the passes: fold_shared_expert must run after remove_identities: a scaling by one between the routed sum and the add would hide the pattern"
	if fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	_, err = Run(m, &Options{Table: []*Pass{own}, Disabled: []string{"quantise"}})
	if want := `there is no pass "quantise": the passes are [count_nodes]`; fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
