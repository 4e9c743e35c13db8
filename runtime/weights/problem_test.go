package weights

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// sameVerdict wants Compare to find something exactly where the loader did.
func sameVerdict(t testing.TB, p *plan.Plan, ckpt *safetensors.Checkpoint, loading error) {
	t.Helper()
	problems, err := Compare(p, ckpt)
	if found := err != nil || len(problems) > 0; found != (loading != nil) {
		t.Errorf("comparing finds %v (%v), loading %v", problems, err, loading)
	}
}

func TestCompare(t *testing.T) {
	p := planOf(t, 1,
		weight(t, "norm", dtype.F32, ir.Stored("norm", 4)),
		weight(t, "experts", dtype.F32, ir.Each("layers.1.experts.{e}.up", 3, 2, 4)),
		weight(t, "head", dtype.F32, ir.Stored("head", 2, 2)),
		weight(t, "ids", dtype.F32, ir.Stored("ids", 2)),
		weight(t, "eight", dtype.F32, ir.Stored("eight", 2, 2)),
		weight(t, "part", dtype.F32, ir.Stored("part", 2, 2)))
	p.Aliases = []plan.Alias{{Name: "head", Target: "embed"}, {Name: "part", Target: "all", Index: []plan.Index{{Range: true, To: 2}}}}
	p.Ignores = []plan.Ignore{{Name: "{x}.inv_freq", Reason: "computed"}}
	ckpt := open(t, counted("norm", dtype.F32, 0, 5), counted("layers.1.experts.1.up", dtype.F32, 0, 2, 4), counted("layers.1.experts.2.up", dtype.F32, 0, 4, 2),
		counted("layers.1.experts.3.up", dtype.F32, 0, 2, 4), fileTensor{"ids", "I64", []int{2}, make([]byte, 16)},
		counted("eight", dtype.F8E4M3, 0, 2, 2), counted("all", dtype.F32, 0, 3, 2), counted("rotary.inv_freq", dtype.F32, 0, 4))
	problems, err := Compare(p, ckpt)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d %s %s: %s %v", p.Kind, p.Weight, p.Name, p.Says, p.Tried))
	}
	want := []string{
		fmt.Sprint(int(WrongShape), " norm norm: has shape [5], the model wants [4] []"),
		fmt.Sprint(int(Missing), " experts layers.1.experts.0.up:  []"),
		fmt.Sprint(int(WrongShape), " experts layers.1.experts.2.up: has shape [4, 2], the model wants [2, 4] []"),
		fmt.Sprint(int(Missing), " head head:  [embed]"),
		fmt.Sprint(int(WrongDType), " ids ids: is stored as I64: weights are F32, BF16, F16, F8_E4M3 or I8, or packed I32 []"),
		fmt.Sprint(int(WrongDType), " eight eight: is F8_E4M3, but its scales are missing from the checkpoint []"),
		fmt.Sprint(int(WrongShape), "  all: has shape [3, 2], and the model uses 4 values of 6 []"),
		fmt.Sprint(int(Unused), "  layers.1.experts.3.up: F32 [2, 4] []"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if _, err := NewLoader(p, ckpt); err == nil || !strings.Contains(err.Error(), problems[0].Error()) {
		t.Errorf("the loader does not name the first problem: %v", err)
	}
	p.Aliases[0].Name = "{"
	if _, err := Compare(p, ckpt); err == nil {
		t.Error("an alias that is no pattern is compared with")
	}
}

// TestCompareAgreesWithTheLoader changes checkpoints at random.
func TestCompareAgreesWithTheLoader(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := planOf(t, 1, weight(t, "a", dtype.F32, ir.Each("a.{e}", 3, 2, 2)), weight(t, "b", dtype.F32, ir.Stored("b", 2, 2)))
		p.Aliases = []plan.Alias{{Name: "b", Target: "a.0"}, {Name: "a.{n}", Target: "stack", Index: []plan.Index{{Hole: "n"}}}}
		p.Ignores = []plan.Ignore{{Name: "d", Reason: "not needed"}}
		var tensors []fileTensor
		for _, name := range []string{"a.0", "a.1", "a.2", "b", "c", "d", "stack"} {
			shape := []int{2, 2}
			if name == "stack" {
				shape = []int{3, 2, 2}
			}
			switch rapid.IntRange(0, 5).Draw(r, name) {
			case 0:
				tensors = append(tensors, counted(name, dtype.F32, 0, append(shape, 1)...))
			case 1, 2:
				tensors = append(tensors, counted(name, dtype.F32, 0, shape...))
			case 3:
				tensors = append(tensors, counted(name, dtype.F8E4M3, 0, shape...))
			}
		}
		ckpt := open(t, tensors...)
		_, err := NewLoader(p, ckpt)
		sameVerdict(t, p, ckpt, err)
	})
}

func TestAlike(t *testing.T) {
	expand := func(format string, from, to int) []string {
		var list []string
		for i := from; i <= to; i++ {
			list = append(list, fmt.Sprintf(format, i))
		}
		return list
	}
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"lm_head.weight"}, "lm_head.weight"},
		{[]string{"layers.7.norm"}, "layers.7.norm"},
		{expand("layers.%d.norm", 3, 91), "layers.3..91.norm"},
		{slices.Concat(expand("l.3.e.%d.up", 0, 4), expand("l.4.e.%d.up", 0, 4)), "l.3..4.e.0..4.up"},
		{[]string{"l.9.x", "l.1.x", "l.3.x"}, "l.{1,3,9}.x"},
		{[]string{"l.9.x", "l.1.x", "l.3.x", "l.5.x", "l.70.x"}, "l.{1,3,...,70}.x"},
		{[]string{"a1.007.x"}, "a1.007.x"},
	} {
		if got := Alike(tt.names); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.names, got, tt.want)
		}
	}
}

// TestFlesh: a name is its skeleton with its numbers.
func TestFlesh(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9.]{1,20}`).Draw(r, "name")
		got, ok := Flesh(Skeleton(name), Numbers(name))
		if !ok || got != name {
			r.Fatalf("%q became %q (%v)", name, got, ok)
		}
	})
	for _, numbers := range [][]int{nil, {1, 2}} {
		if got, ok := Flesh("l.#.x", numbers); ok {
			t.Errorf("%v fit into l.#.x: %s", numbers, got)
		}
	}
}
