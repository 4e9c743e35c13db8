package passes

import (
	"fmt"
	"path/filepath"
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
	m := lowerForPrefill(t)
	o := &Options{TensorParallel: 2, Weights: dtype.F8E4M3, Activations: dtype.F8E4M3, Only: only,
		Transfer: Transfer{Enabled: true, Async: true, Per: PerLayer}}
	results, err := Run(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return m.String(), results
}

// siteless passes find nothing in the small model when no other pass has rewritten it: it has no buckets, nothing dead
// and nothing twice, its SiLUs and products are not fused, its sums not reduced, and its rows not quantised.
var siteless = []*Pass{bucketGraphs, removeDead, shareCommon, mergeGateUp, quantiseRows, fuseAllReduceAddNorm, fuseQuantise}

// lowerForPrefill is the small model for steps of prefill, which send pages.
func lowerForPrefill(t *testing.T) *ir.Module {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Set: lowertest.Small, Activation: dtype.F32}).Module
	for _, g := range m.Graphs {
		g.Buckets = []ir.Bucket{{Phase: ir.Prefill, Max: ir.Sizes{Tokens: 64, Seqs: 4, Rows: 4}}}
	}
	return m
}

// TestEveryPassAsksForItsSites: without a yes no pass changes anything, and it says so at every site.
func TestEveryPassAsksForItsSites(t *testing.T) {
	asked := map[string]int{}
	m := lowerForPrefill(t)
	m.SweepWeights()
	before := m.String()
	after, results := gated(t, func(s Site) bool {
		if s.Ordinal != asked[s.Pass] {
			t.Errorf("%s asks for site %d as its number %d", s.Pass, s.Ordinal, asked[s.Pass])
		}
		asked[s.Pass]++
		if whole := s.Pass == shardTensorParallel.Name; (s.Entry == "") != whole || whole != (s.Source == "") && s.Pass != bucketGraphs.Name {
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
		if n == 0 && !slices.Contains(siteless, r.Pass) {
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

// TestFirstSitesOfCases: whatever a case is about, allowing the first sites of the pass only leaves a module that is
// valid, and no more is rewritten than was allowed.
func TestFirstSitesOfCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		p := Table[slices.Index(Names(), filepath.Base(filepath.Dir(file)))]
		c := readCase(t, file)
		for n, asked := 0, 1; n <= asked; n++ {
			m, err := ir.Parse(c.before)
			if err != nil {
				t.Fatal(err)
			}
			o := parseOptions(t, c.comment)
			asked = 0
			o.Only = func(s Site) bool { asked++; return s.Ordinal < n }
			m.SweepWeights()
			r, err := runOne(p, nil, m, o)
			if err != nil {
				t.Errorf("%s, %d sites: %v", file, n, err)
			}
			if p != quantise && p != shardTensorParallel && r.Applied > n {
				t.Errorf("%s: %d sites of %d allowed were rewritten", file, r.Applied, n)
			}
		}
	}
}

// TestMergedWeightsAreGatedForAllEntries: where the projections of one entry are left alone, those of another that has
// the same weights would hold them a second time.
func TestMergedWeightsAreGatedForAllEntries(t *testing.T) {
	m, err := ir.Parse(readCase(t, "testdata/merge_qkv/merges_in_two_entries.txtar").before)
	if err != nil {
		t.Fatal(err)
	}
	before := m.String()
	r, err := runOne(mergeQKV, nil, m, &Options{Only: func(s Site) bool { return s.Entry != "draft" }})
	if err != nil {
		t.Fatal(err)
	}
	want := `missed merge_qkv.gated, draft, layer 0, m.glm:1:1: this site was left alone on request
missed merge_qkv.other_reader, forward, layer 0, m.glm:1:1: q is read by something else too and would be held twice
`
	if diff := cmp.Diff(want, remarkLines(r.Remarks)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, m.String()); diff != "" {
		t.Error(diff)
	}
}

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
	_, err = Run(m, &Options{Table: []*Pass{removeDead, foldSharedExpert, removeIdentities}})
	want := "the order of the passes: fold_shared_expert must run after remove_identities: a scaling by one between the routed sum and the add would hide the pattern"
	if fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	_, err = Run(m, &Options{Table: []*Pass{own}, Disabled: []string{"quantise"}})
	if want := `there is no pass "quantise": the passes are [count_nodes]`; fmt.Sprint(err) != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
