package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// folded is what fold_shared_expert says of a layer.
func folded(entry string, layer int) plan.Remark {
	return plan.Remark{Pass: "fold", ID: "fold.folded", Applied: true, Entry: entry, Layer: layer, Source: "m.glm:65:14", End: "66:69",
		Reason: "1 shared expert of width 1536 became expert 160 of 161", SavesLaunches: 5, SavesBytes: 65536}
}

// quantised is what quantise says of a weight of a layer.
func quantised(layer int, id, reason string) plan.Remark {
	return plan.Remark{Pass: "quantise", ID: "quantise." + id, Applied: true, Entry: "forward", Layer: layer, Source: "m.glm:41:9",
		Reason: fmt.Sprintf(reason, layer)}
}

func TestRemarks(t *testing.T) {
	var remarks []plan.Remark
	for layer := 3; layer <= 91; layer++ {
		remarks = append(remarks, folded("forward", layer))
	}
	remarks = append(remarks, folded("draft", 92))
	for _, layer := range []int{0, 1, 5} {
		remarks = append(remarks,
			quantised(layer, "weights", "model.layers.%d.self_attn.q_proj.weight is held in fp8_e4m3, 62963712 bytes instead of 125829120"),
			quantised(layer, "activations", "the rows that go into model.layers.%d.self_attn.q_proj.weight are quantised to fp8_e4m3"))
	}
	remarks = append(remarks,
		quantised(5, "weights", "model.layers.%d.q.weight takes 2048 bytes"),
		plan.Remark{Pass: "quantise", ID: "quantise.weights_kept", Entry: "forward", Layer: -1, Source: "m.glm:95:16",
			Reason: "lm_head.weight is on the pipeline's skip list", SavesLaunches: 1, SavesPrefill: 2100})

	const want = `
fold
  forward, layers 3..91, 89 x  m.glm:65:14
    applied  fold.folded: 1 shared expert of width 1536 became expert 160 of 161
             saves 5 launches, 64.0 KiB of activations a token
  draft, layer 92  m.glm:65:14
    applied  fold.folded: 1 shared expert of width 1536 became expert 160 of 161
             saves 5 launches, 64.0 KiB of activations a token

quantise
  forward, layers 0..1, 5, 3 x  m.glm:41:9
    applied  quantise.weights: model.layers.{n}.self_attn.q_proj.weight is held in fp8_e4m3, 60.0 MiB instead of 120.0 MiB
    applied  quantise.activations: the rows that go into model.layers.{n}.self_attn.q_proj.weight are quantised to fp8_e4m3
  forward, layer 5  m.glm:41:9
    applied  quantise.weights: model.layers.{n}.q.weight takes 2.0 KiB
  forward  m.glm:95:16
    missed   quantise.weights_kept: lm_head.weight is on the pipeline's skip list
             saves 1 launch; 2.1 µs of prefill 16384 predicted on h200
`
	if diff := cmp.Diff(want, remarksText(t, remarks)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRemarksThatDifferStayApart: a line stands for remarks that are alike in everything but the layer.
func TestRemarksThatDifferStayApart(t *testing.T) {
	first := folded("forward", 1)
	for name, change := range map[string]func(*plan.Remark){
		"pass":     func(r *plan.Remark) { r.Pass = "other" },
		"id":       func(r *plan.Remark) { r.ID = "fold.other" },
		"entry":    func(r *plan.Remark) { r.Entry = "draft" },
		"source":   func(r *plan.Remark) { r.Source = "m.glm:66:1" },
		"end":      func(r *plan.Remark) { r.End = "67:1" },
		"reason":   func(r *plan.Remark) { r.Reason = "another reason" },
		"status":   func(r *plan.Remark) { r.Applied = false },
		"launches": func(r *plan.Remark) { r.SavesLaunches = 6 },
		"bytes":    func(r *plan.Remark) { r.SavesBytes = 1024 },
		"decode":   func(r *plan.Remark) { r.SavesDecode = time.Millisecond },
	} {
		second := folded("forward", 2)
		if text := remarksText(t, []plan.Remark{first, second}); strings.Count(text, "expert 160") != 1 {
			t.Fatalf("remarks that are alike are not joined:\n%s", text)
		}
		change(&second)
		text := remarksText(t, []plan.Remark{first, second})
		if strings.Contains(text, "1..2") || !strings.Contains(text, "layer 1") || !strings.Contains(text, "layer 2") {
			t.Errorf("remarks with another %s are joined:\n%s", name, text)
		}
	}
}

func TestLongReasonsAreWrapped(t *testing.T) {
	long := strings.Repeat("word ", 60) + strings.Repeat("x", 200) + " end"
	text := remarksText(t, []plan.Remark{{Pass: "p", ID: "p.i", Entry: "forward", Layer: -1, Source: "m.glm:1:1", Reason: long}})
	var words []string
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if len(line) > lineWidth && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d bytes in a line of several words: %s", len(line), line)
		}
		if i > 2 && !strings.HasPrefix(line, "             ") {
			t.Errorf("not indented: %s", line)
		}
		if i > 1 {
			words = append(words, strings.Fields(line)...)
		}
	}
	want := append([]string{"missed", "p.i:"}, strings.Fields(long)...)
	if diff := cmp.Diff(want, words); diff != "" {
		t.Errorf("words -want +got:\n%s", diff)
	}
}

func TestNoRemarksNoText(t *testing.T) {
	if text := remarksText(t, nil); strings.TrimSpace(text) != "" {
		t.Errorf("got %q", text)
	}
}

func TestReadable(t *testing.T) {
	for _, c := range []struct{ reason, want string }{
		{"model.layers.12.mlp + model.layers.12.x", "model.layers.{n}.mlp + model.layers.{n}.x"},
		{"8 bytes instead of 2048", "8 B instead of 2.0 KiB"},
		{"2048 bytes and 3 tokens", "2.0 KiB and 3 tokens"},
		{"kilobytes of 4096", "kilobytes of 4096"},
		{"99999999999999999999 bytes", "99999999999999999999 bytes"},
		{"1 bytes instead of 99999999999999999999", "1 bytes instead of 99999999999999999999"},
	} {
		if got := Readable(c.reason); got != c.want {
			t.Errorf("Readable(%q) = %q, want %q", c.reason, got, c.want)
		}
	}
}

// testPlan has an entry whose programs are for these steps, in two variants.
func testPlan() *plan.Plan {
	bucket := func(phase string, tokens int) ir.Bucket {
		return ir.Bucket{Phase: phase, Max: ir.Sizes{Tokens: tokens, Seqs: 1, Rows: 1}}
	}
	return &plan.Plan{Target: "h200", Programs: []*plan.Program{
		{Graph: &ir.Graph{Name: "forward", Buckets: []ir.Bucket{bucket(ir.Decode, 1), bucket(ir.Decode, 64)}}},
		{Graph: &ir.Graph{Name: "forward", Buckets: []ir.Bucket{bucket(ir.Decode, 256), bucket(ir.Prefill, 16384)}}},
	}}
}

// TestPredicted: remarks are about the largest steps of their entry, or of the buckets that they name.
func TestPredicted(t *testing.T) {
	saves := plan.Remark{Entry: "forward", SavesDecode: 3140, SavesPrefill: 40 * time.Microsecond}
	small, only := saves, saves
	small.Buckets, only.SavesDecode, only.SavesPrefill = "decode 1..64", -1500, 0
	for _, c := range []struct {
		r    plan.Remark
		want string
	}{
		{saves, "3.1 µs of decode 256, 40.0 µs of prefill 16384 predicted on h200"},
		{small, "3.1 µs of decode 64 predicted on h200"},
		{only, "-1.5 µs of decode 256 predicted on h200"},
		{plan.Remark{Entry: "draft", SavesDecode: 1}, ""},
		{plan.Remark{Entry: "forward"}, ""},
	} {
		if diff := cmp.Diff(c.want, NewScale(testPlan()).Predicted(c.r)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.r, diff)
		}
	}
}

func remarksText(t *testing.T, remarks []plan.Remark) string {
	t.Helper()
	var b strings.Builder
	if err := Remarks(&b, testPlan(), remarks); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSelect(t *testing.T) {
	layer := 3
	p := &plan.Plan{Remarks: []plan.Remark{folded("forward", 3), folded("forward", 4), quantised(3, "weights", "%d"), quantised(4, "weights", "%d")}}
	for _, c := range []struct {
		name   string
		filter Filter
		want   []plan.Remark
	}{
		{"all", Filter{}, p.Remarks},
		{"pass", Filter{Pass: "fold"}, p.Remarks[:2]},
		{"layer", Filter{Layer: &layer}, []plan.Remark{p.Remarks[0], p.Remarks[2]}},
		{"both", Filter{Pass: "quantise", Layer: &layer}, p.Remarks[2:3]},
		{"none", Filter{Pass: "other"}, nil},
	} {
		if diff := cmp.Diff(c.want, Select(p, c.filter)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

// TestRemarksOfAHostilePlan: names in a plan cannot steer a terminal.
func TestRemarksOfAHostilePlan(t *testing.T) {
	var b strings.Builder
	r := plan.Remark{Pass: "p\x1b[2J", ID: "p.x\a", Entry: "e\r", Layer: 1, Source: "m\u202e.glm:1:1", Reason: "\x1b]0;title\a"}
	if err := Remarks(&b, testPlan(), []plan.Remark{r}); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(b.String(), func(c rune) bool { return c != '\n' && (c < ' ' || c == '\u202e' || c >= 0x7f && c < 0xa0) }); i >= 0 {
		t.Errorf("the text has %q", b.String()[i:])
	}
}
