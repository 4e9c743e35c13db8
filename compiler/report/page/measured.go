package page

import (
	"fmt"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
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
	m := MeasuredTrack{Steps: make([]int, len(t.track.Buckets)), Micros: [][][]float64{}}
	l := t.stages[len(t.stages)-1]
	for _, sec := range t.sections {
		rows := make([][]float64, len(l.nodes[sec.shown]))
		for i := range rows {
			rows[i] = make([]float64, len(t.track.Buckets))
		}
		m.Micros = append(m.Micros, rows)
	}
	for _, x := range p.Measured {
		if x.Entry != t.track.Entry {
			continue
		}
		at := slices.IndexFunc(t.track.Buckets, func(b Bucket) bool { return b.Phase == x.Phase && b.Tokens == x.Tokens })
		if at < 0 {
			continue // another variant of the entry has it
		}
		if err := t.spread(&m, l, x, at); err != nil {
			return err
		}
		m.Steps[at] = x.Steps
	}
	t.data.Profile.Tracks = append(t.data.Profile.Tracks, m)
	return nil
}

// spread adds the means of one bucket, each divided by the layers that its section stands for.
func (t *trackBuilder) spread(m *MeasuredTrack, l *layering, x profile.Measure, bucket int) error {
	nodes := map[int]*ir.Node{}
	for _, n := range t.prog.Graph.Nodes {
		nodes[n.ID] = n
	}
	for _, o := range x.Operators {
		n := nodes[o.Node]
		if n == nil || n.Op.Name != o.Op {
			return fmt.Errorf("the profile has operator %d (%s) of %s, which the plan has not: measure again with this plan", o.Node, o.Op, x.Entry)
		}
		sec := t.of[l.of[n]]
		m.Micros[sec][l.index[n]][bucket] += o.Mean() / float64(len(t.sections[sec].layers))
	}
	for _, rows := range m.Micros {
		for _, row := range rows {
			row[bucket] = rounded(row[bucket])
		}
	}
	return nil
}
