package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
)

// TestShares: what may be computed in place, and each thing that may not.
func TestShares(t *testing.T) {
	const head = "module \"m\" ranks=1\ngraph g(%1 x: f32[T, 4], %2 p: i32[T]) {\n"
	for _, c := range []struct {
		name, nodes string
		want        []memory.Share
	}{
		{"a chain, by another name too", `  %3: f32[T, 4] = act.silu[11](%1) "" "" -1
  %4: f32[T, 4] = act.silu[12](%3) "" "" -1
  %5: f32[T, 2, 2] = reshape[13](%4) {shape: [T, 2, 2]} "" "" -1
  %6: f32[T, 2, 2] = rope.apply[14](%5, %2) {dims: 2, theta: 10000.0} "" "" -1
  return %6
`, []memory.Share{{From: 0, Into: 1}, {From: 1, Into: 2}}},
		{"inputs", "  %3: f32[T, 4] = add[11](%1, %1) \"\" \"\" -1\n  return %3\n", nil},
		{"a later reader", `  %3: f32[T, 4] = act.silu[11](%1) "" "" -1
  %4: f32[T, 4] = act.silu[12](%3) "" "" -1
  %5: f32[T, 4] = add[13](%4, %3) "" "" -1
  return %5
`, []memory.Share{{From: 1, Into: 2}, {From: 0, Into: 2}}},
		{"a later reader of another name", `  %3: f32[T, 4] = act.silu[11](%1) "" "" -1
  %4: f32[T, 2, 2] = reshape[12](%3) {shape: [T, 2, 2]} "" "" -1
  %5: f32[T, 4] = act.silu[13](%3) "" "" -1
  %6: f32[T, 2, 2] = act.silu[14](%4) "" "" -1
  return %5, %6
`, []memory.Share{{From: 0, Into: 2}}},
		{"outputs", "  %3: f32[T, 4] = act.silu[11](%1) \"\" \"\" -1\n  %4: f32[T, 4] = act.silu[12](%3) \"\" \"\" -1\n  return %4, %3\n", nil},
		{"one operand twice", "  %3: f32[T, 4] = act.silu[11](%1) \"\" \"\" -1\n  %4: f32[T, 4] = mul[12](%3, %3) \"\" \"\" -1\n  return %4\n", nil},
		{"another type", `  %3: f32[T, 4] = act.silu[11](%1) "" "" -1
  %4: f32[T, 1] = reduce.sum[12](%3) "" "" -1
  %5: f32[T, 4] = mul[13](%1, %4) "" "" -1
  return %5
`, nil},
		{"an operator that does not", "  %3: f32[T, 4] = act.silu[11](%1) \"\" \"\" -1\n  %4: f32[T, 4] = slice[12](%3) {from: 0, to: 4} \"\" \"\" -1\n  return %4\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ir.Parse(head + c.nodes + "}\n")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, plan.NewProgram(m.Graphs[0]).Shares()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDamagedLayouts plants a fault for every pair of results that are alive together and may not share: the one is
// put where the other lies. The checker finds each.
func TestDamagedLayouts(t *testing.T) {
	for name, p := range map[string]*plan.Plan{
		"small":   small(t),
		"unfused": compile(t, lowertest.Setup{Set: lowertest.Small}, &passes.Options{Disabled: passes.Names()}, 16, 2),
	} {
		planted, inPlace := 0, 0
		for _, q := range p.Programs {
			for _, l := range q.Layouts {
				buffers, err := q.Buffers(l.Max)
				if err != nil {
					t.Fatal(err)
				}
				shares := q.Shares()
				for i, a := range buffers {
					for j, b := range buffers[:i] {
						if a.Last < b.First || b.Last < a.First || slices.Contains(shares, memory.Share{From: j, Into: i}) {
							continue
						}
						for _, x := range [][2]int{{i, j}, {j, i}} {
							damaged := l
							damaged.Offsets = slices.Clone(l.Offsets)
							damaged.Offsets[x[0]] = l.Offsets[x[1]]
							damaged.Arena = 1 << 40
							if err := q.Check(&damaged); err == nil {
								t.Errorf("%s, %s: results %d and %d, %+v and %+v, lie in one place and nobody minds", name, q.Graph.Name, j, i, b, a)
							}
							planted++
						}
					}
				}
				for _, s := range shares {
					if l.Offsets[s.From] == l.Offsets[s.Into] {
						inPlace++
					}
				}
			}
		}
		if planted < 100 || inPlace < 10 {
			t.Errorf("%s: only %d faults were planted, %d results are in place", name, planted, inPlace)
		}
		t.Logf("%s: %d faults, %d results in place", name, planted, inPlace)
	}
}

// TestReaderTooLate: a layout that is right becomes wrong when somebody reads an operand whose bytes were taken over.
func TestReaderTooLate(t *testing.T) {
	p := small(t)
	q := p.Programs[0]
	late := 0
	for _, s := range q.Shares() {
		if l := q.Layouts[0]; l.Offsets[s.From] != l.Offsets[s.Into] {
			continue
		}
		g := *q.Graph
		g.Outputs = append(slices.Clone(g.Outputs), q.Result(s.From))
		again := plan.NewProgram(&g)
		if err := again.Check(&q.Layouts[0]); err == nil {
			t.Errorf("result %%%d is returned though another was written over it", q.Result(s.From).ID)
		}
		late++
	}
	if late == 0 {
		t.Error("nothing is in place")
	}
}
