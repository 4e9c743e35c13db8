package report

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want string
	}{
		{0, "0 B"},
		{1, "1 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{1<<20 - 1, "1.0 MiB"}, // not 1024.0 KiB
		{1 << 20, "1.0 MiB"},
		{62963712, "60.0 MiB"},
		{48606478336, "45.3 GiB"},
		{1 << 40, "1.0 TiB"},
		{math.MaxInt64, "8388608.0 TiB"},
	} {
		if got := Bytes(c.n); got != c.want {
			t.Errorf("Bytes(%d) = %q, want %q", c.n, got, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		us   float64
		want string
	}{
		{0, "0.0 µs"},
		{131.74, "131.7 µs"},
		{999.94, "999.9 µs"},
		{999.96, "1.00 ms"}, // not 1000.0 µs
		{1000, "1.00 ms"},
		{5598.4, "5.60 ms"},
		{999996, "1.00 s"}, // not 1000.00 ms
		{2830804321, "2830.80 s"},
	} {
		if got := Duration(c.us); got != c.want {
			t.Errorf("Duration(%v) = %q, want %q", c.us, got, c.want)
		}
	}
}

// passTable has rows of every kind: one that changed the graph, one that did not, one that did not run.
var passTable = []plan.Pass{
	{Name: "fold_shared_expert", Doc: "folds", Numeric: "reassociates", Applied: 90, NodesBefore: 3051, NodesAfter: 2601},
	{Name: "quantise", Doc: "quantises", Numeric: "changes dtype", Applied: 3, Missed: 92, NodesBefore: 2601, NodesAfter: 2601},
	{Name: "shard", Doc: "shards", Numeric: "exact", Disabled: true, NodesBefore: 2601, NodesAfter: 2601},
}

func TestPasses(t *testing.T) {
	const want = `
PASS                NUMERIC        APPLIED   MISSED  NODES
fold_shared_expert  reassociates   90        0       3051 -> 2601
quantise            changes dtype  3         92      2601
shard               exact          disabled          2601
`
	var b strings.Builder
	if err := Passes(&b, &plan.Plan{Passes: passTable}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, "\n"+b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWriteErrorsAreReturned(t *testing.T) {
	p := &plan.Plan{Passes: passTable}
	if err := Passes(fullDisk{}, p); !errors.Is(err, errFull) {
		t.Errorf("Passes: %v", err)
	}
	if err := Remarks(fullDisk{}, testPlan(), []plan.Remark{{Pass: "p", ID: "p.x"}}); !errors.Is(err, errFull) {
		t.Errorf("Remarks: %v", err)
	}
}

var errFull = errors.New("full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestMeasureMemory(t *testing.T) {
	m := &ir.Module{
		Weights: []*ir.Weight{
			{Name: "a", Shape: []int{4, 8}, DType: dtype.BF16},   // 64 bytes
			{Name: "b", Shape: []int{4, 8}, DType: dtype.F8E4M3}, // 32, and a scale of 4 for each of 4 rows
		},
		Caches: []*ir.Cache{{Name: "x", Heads: 2, HeadDim: 16}, {Name: "y", Heads: 1, HeadDim: 24, ValueDim: 8}},
	}
	p := &plan.Plan{Module: m, Cache: plan.CacheFormat{DType: dtype.BF16}, Programs: []*plan.Program{chain(t, 64), chain(t, 16)}}
	want := Memory{
		Weights:         64 + 48,
		CachePerToken:   2 * (2 + 1) * 16 * 2, // keys and values
		Arena:           32 * 64 * 4,          // three results in a row of [32, 64] f32 take each other's place
		ArenaLowerBound: 32 * 64 * 4,
	}
	if diff := cmp.Diff(want, MeasureMemory(p)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// chain is a program with a view and three results of [T, width] f32, laid out for 4 and 32 tokens.
func chain(t *testing.T, width int) *plan.Program {
	t.Helper()
	g := ir.NewGraph("chain")
	b := &ir.Builder{Graph: g}
	x := g.Input("x", ir.Type{DType: dtype.F32, Shape: ir.Shape{{Sym: ir.T, Mul: 1}, ir.Fixed(width)}})
	for range 3 {
		x = b.One("act.silu", []*ir.Value{x})
	}
	x = b.One("reshape", []*ir.Value{x}, ir.Attr{Key: "shape", Value: ir.Shape{{Sym: ir.T, Mul: 1}, ir.Fixed(2), ir.Fixed(width / 2)}})
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Nodes, g.Outputs = b.Nodes, []*ir.Value{x}
	if n := Launches(g); n != 3 {
		t.Errorf("%d launches, want 3: the view costs none", n)
	}
	p := plan.NewProgram(g)
	for _, tokens := range []int{4, 32} {
		if err := p.AddLayout("decode", ir.Sizes{Tokens: tokens, Seqs: tokens, Rows: tokens}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
