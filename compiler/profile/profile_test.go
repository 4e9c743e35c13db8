package profile_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecorder(t *testing.T) {
	linear, norm := &ir.Node{ID: 9, Op: ir.Lookup("linear")}, &ir.Node{ID: 4, Op: ir.Lookup("norm.rms")}
	decode := ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: 4}}
	prefill := ir.Bucket{Phase: ir.Prefill, Max: ir.Sizes{Tokens: 64}}
	r := profile.NewRecorder(2)
	var ranks sync.WaitGroup
	for range 2 {
		ranks.Go(func() {
			for range 3 {
				r.Add("forward", decode, linear, 2*time.Microsecond)
				r.Add("forward", decode, norm, 500*time.Nanosecond)
			}
			r.Add("forward", prefill, linear, time.Millisecond)
		})
	}
	ranks.Wait()
	want := []profile.Measure{
		{Entry: "forward", Phase: "decode", Tokens: 4, Steps: 3, Operators: []profile.Operator{
			{Node: 4, Op: "norm.rms", Count: 6, Micros: 3}, {Node: 9, Op: "linear", Count: 6, Micros: 12}}},
		{Entry: "forward", Phase: "prefill", Tokens: 64, Steps: 1, Operators: []profile.Operator{{Node: 9, Op: "linear", Count: 2, Micros: 2000}}},
	}
	got := r.Measured()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	p := profile.Profile{Format: profile.Format, Model: "m", Target: "cpu", Ranks: 2, Device: "cpu", Measured: got}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := profile.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&p, back); diff != "" {
		t.Errorf("read back, -want +got:\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "no profile",
		"[]":                      "no profile",
		`{"format":1} {}`:         "behind the JSON document",
		`{"format":2}`:            "profile of format 2, this glmc reads 1",
		`{"measured":[]}`:         "profile of format 0",
		measured(`"steps":0`, ``): "with 0 steps",
		measured(`"steps":1`, `{"node":1,"op":"add","count":0,"us":1}`):    "in 0 executions",
		measured(`"steps":1`, `{"node":1,"op":"add","count":1,"us":-1}`):   "took -1 µs",
		measured(`"steps":1`, `{"node":1,"op":"add","count":1,"us":1e99}`): "took 1e+99 µs",
	} {
		if _, err := profile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, wants an error with %q", text, err, want)
		}
	}
}

func measured(steps, operators string) string {
	return `{"format":1,"measured":[{"entry":"forward",` + steps + `,"operators":[` + operators + `]}]}`
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(measured(`"steps":1`, `{"node":1,"op":"add","count":2,"us":3.5}`)))
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := profile.Parse(data)
		if err != nil {
			return
		}
		for _, m := range p.Measured {
			for _, o := range m.Operators {
				if mean := o.Mean(); !(mean >= 0) {
					t.Errorf("operator %d took %g µs", o.Node, mean)
				}
			}
		}
	})
}
