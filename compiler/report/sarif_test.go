package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
)

// TestSARIF: remarks that are alike are one result, and their rule is the pass's own word.
func TestSARIF(t *testing.T) {
	p := &plan.Plan{}
	for _, layer := range []int{3, 4, 5} {
		r := folded("forward", layer)
		r.Pass, r.ID = "fold_shared_expert", "fold_shared_expert.folded"
		p.Remarks = append(p.Remarks, r)
	}
	p.Remarks = append(p.Remarks, plan.Remark{Pass: "quantise", ID: "quantise.weights_kept", Entry: "forward", Buckets: "decode 1..64", Layer: -1,
		Source: "m.glm:95:16", Reason: "kept"})
	var b bytes.Buffer
	if err := SARIF(&b, p, Filter{}, diag.SARIFRun{Dir: "/"}); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct {
						ID   string
						Text struct{ Text string } `json:"shortDescription"`
					}
				}
			}
			Results []struct {
				RuleID, Kind, Level string
				Message             struct{ Text string }
				Properties          map[string]any
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range log.Runs[0].Results {
		bag, err := json.Marshal(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.RuleID+", "+r.Kind+", "+r.Level, r.Message.Text, string(bag))
	}
	want := []string{
		"fold_shared_expert.folded, informational, none",
		"forward, layers 3..5, 3 x: 1 shared expert of width 1536 became expert 160 of 161; saves 5 launches, 64.0 KiB of activations a token",
		`{"entry":"forward","layers":[3,4,5],"pass":"fold_shared_expert","saves":"5 launches, 64.0 KiB of activations a token"}`,
		"quantise.weights_kept, , note",
		"forward, decode 1..64: kept",
		`{"buckets":"decode 1..64","entry":"forward","layers":[],"pass":"quantise"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, r := range log.Runs[0].Tool.Driver.Rules {
		if r.Text.Text == "" {
			t.Errorf("rule %s has no description", r.ID)
		}
	}
}
