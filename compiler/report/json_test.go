package report

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/plan"
)

// TestJSON fixes the form that the command-line contract promises.
func TestJSON(t *testing.T) {
	layer := 3
	missed := plan.Remark{Pass: "quantise", ID: "quantise.weights_kept", Entry: "draft", Layer: -1, Source: "m.glm:95:16", Reason: "kept"}
	p := &plan.Plan{Passes: passTable, Remarks: []plan.Remark{folded("forward", 3), missed}}
	p.Remarks[0].Pass, p.Remarks[0].SavesDecode, p.Remarks[0].SavesPrefill = "fold_shared_expert", 3100, -40

	const fold = `{"name":"fold_shared_expert","doc":"folds","numeric":"reassociates","applied":90,"missed":0,"sites":[` +
		`{"status":"applied","id":"fold.folded","entry":"forward","layer":3,"rank":null,"source":"m.glm:65:14",` +
		`"file":"m.glm","line":65,"column":14,"end_line":66,"end_column":69,` +
		`"reason":"1 shared expert of width 1536 became expert 160 of 161","saves":{"bytes_per_token":65536,"decode_us":3.1,"launches":5,"prefill_us":-0.04}}]}`
	const quantise = `{"name":"quantise","doc":"quantises","numeric":"changes dtype","applied":3,"missed":92,"sites":[` +
		`{"status":"missed","id":"quantise.weights_kept","entry":"draft","layer":-1,"rank":null,"source":"m.glm:95:16",` +
		`"file":"m.glm","line":95,"column":16,"end_line":0,"end_column":0,"reason":"kept","saves":{}}]}`
	const quantiseNone = `{"name":"quantise","doc":"quantises","numeric":"changes dtype","applied":3,"missed":92,"sites":[]}`
	const shard = `{"name":"shard","doc":"shards","numeric":"exact","disabled":true,"applied":0,"missed":0,"sites":[]}`
	for _, c := range []struct {
		name   string
		filter Filter
		want   string
	}{
		{"all", Filter{}, `{"precision":"exact","passes":[` + fold + `,` + quantise + `,` + shard + `]}`},
		{"pass", Filter{Pass: "quantise"}, `{"precision":"exact","passes":[` + quantise + `]}`},
		{"layer", Filter{Layer: &layer}, `{"precision":"exact","passes":[` + fold + `,` + quantiseNone + `,` + shard + `]}`},
		{"no such pass", Filter{Pass: "other"}, `{"precision":"exact","passes":[]}`},
	} {
		got, err := json.Marshal(NewJSON(p, c.filter))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(got)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}
