package page

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/profile"
)

// measured brings the profile to the operators of the track.
func (t *trackBuilder) measured() error {
	p := t.in.Profile
	if p == nil {
		return nil
	}
	if p.Model != t.data.Model || p.Target != t.data.Target || p.Ranks != t.data.Ranks {
		return fmt.Errorf("the profile is of %s for %s on %d ranks, the plan of %s for %s on %d", p.Model, p.Target, p.Ranks,
			t.data.Model, t.data.Target, t.data.Ranks)
	}
	if t.data.Profile == nil {
		t.data.Profile = &Measured{Device: p.Device, Threads: p.Threads, Tracks: []MeasuredTrack{}}
	}
	m := MeasuredTrack{Steps: make([]int, len(t.track.Layouts)), Micros: [][][]float64{}}
	for _, part := range t.track.Stages[len(t.track.Stages)-1].Parts {
		rows := make([][]float64, len(part))
		for i := range rows {
			rows[i] = make([]float64, len(t.track.Layouts))
		}
		m.Micros = append(m.Micros, rows)
	}
	for _, x := range p.Measured {
		if x.Entry != t.track.Entry {
			continue
		}
		at := slices.IndexFunc(t.prog.Layouts, func(l plan.Layout) bool { return l.Phase == x.Phase && l.Max.Tokens == x.Tokens })
		if at < 0 {
			continue // another variant of the entry has it
		}
		if err := t.spread(&m, x, at); err != nil {
			return err
		}
		m.Steps[at] = x.Steps
	}
	t.data.Profile.Tracks = append(t.data.Profile.Tracks, m)
	return nil
}

// spread adds the means of one layout, each divided by the layers that its section stands for.
func (t *trackBuilder) spread(m *MeasuredTrack, x profile.Measure, layout int) error {
	at := map[int]int{}
	for i, n := range t.prog.Graph.Nodes {
		at[n.ID] = i
	}
	for _, o := range x.Operators {
		i, ok := at[o.Node]
		if !ok || t.prog.Graph.Nodes[i].Op.Name != o.Op {
			return fmt.Errorf("the profile has operator %d (%s) of %s, which the plan has not: measure again with this plan", o.Node, o.Op, x.Entry)
		}
		p := t.places[i]
		m.Micros[p.section][p.index][layout] += o.Mean() / float64(t.track.Sections[p.section].Count)
	}
	for _, rows := range m.Micros {
		for _, row := range rows {
			row[layout] = rounded(row[layout])
		}
	}
	return nil
}
