// Package profile holds measured times of a plan's operators: what `glmc run --profile` writes and
// `glmc inspect --profile` shows beside predictions.
package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/glmc/glmc/compiler/ir"
)

// Format is the version of the file's form. A file of another one is refused.
const Format = 1

// MaxFileSize bounds a profile: a hundred layers at every bucket take less than a megabyte.
const MaxFileSize = 64 << 20

// Profile is one run.
type Profile struct {
	Format   int       `json:"format"`
	Model    string    `json:"model"`
	Target   string    `json:"target"` // that the plan was compiled for
	Ranks    int       `json:"ranks"`
	Device   string    `json:"device"` // that ran it
	Threads  int       `json:"threads,omitempty"`
	Measured []Measure `json:"measured"`
}

// Measure is the steps that ran with one layout of an entry.
type Measure struct {
	Entry     string     `json:"entry"`
	Phase     string     `json:"phase"`
	Tokens    int        `json:"tokens"` // that the layout has room for
	Steps     int        `json:"steps"`
	Operators []Operator `json:"operators"` // by node
}

// Operator is the time of one operator, added up over all steps and ranks.
type Operator struct {
	Node   int     `json:"node"` // its ID in the graph
	Op     string  `json:"op"`
	Count  int     `json:"count"` // of executions
	Micros float64 `json:"us"`
}

// Mean is the time of one execution in microseconds.
func (o Operator) Mean() float64 { return o.Micros / float64(o.Count) }

// Parse reads a profile. Nothing in it is trusted: numbers that no run can have are refused.
func Parse(data []byte) (*Profile, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	var p Profile
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("no profile: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("no profile: something stands behind the JSON document")
	}
	if p.Format != Format {
		return nil, fmt.Errorf("profile of format %d, this glmc reads %d: measure again with glmc run --profile", p.Format, Format)
	}
	for _, m := range p.Measured {
		if m.Steps < 1 {
			return nil, fmt.Errorf("profile of %s with %d steps", m.Entry, m.Steps)
		}
		for _, o := range m.Operators {
			if o.Count < 1 || !(o.Micros >= 0) || o.Micros > math.MaxInt32*1e6 {
				return nil, fmt.Errorf("operator %d (%s) of %s took %g µs in %d executions", o.Node, o.Op, m.Entry, o.Micros, o.Count)
			}
		}
	}
	return &p, nil
}

// Recorder adds up times. Several ranks may record at the same time.
type Recorder struct {
	mu    sync.Mutex
	ranks int
	sums  map[key]map[int]*Operator
}

type key struct {
	entry  string
	bucket ir.Bucket
}

// NewRecorder returns an empty recorder for a plan on so many ranks.
func NewRecorder(ranks int) *Recorder {
	return &Recorder{ranks: ranks, sums: map[key]map[int]*Operator{}}
}

// Add records one execution of an operator, in a step of an entry with the layout of that bucket.
func (r *Recorder) Add(entry string, b ir.Bucket, n *ir.Node, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := key{entry, b}
	s := r.sums[k]
	if s == nil {
		s = map[int]*Operator{}
		r.sums[k] = s
	}
	o := s[n.ID]
	if o == nil {
		o = &Operator{Node: n.ID, Op: n.Op.Name}
		s[n.ID] = o
	}
	o.Count++
	o.Micros += float64(took.Nanoseconds()) / 1e3
}

// Measured returns what was recorded, by entry, phase and tokens.
func (r *Recorder) Measured() []Measure {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []Measure{}
	for k, s := range r.sums {
		m := Measure{Entry: k.entry, Phase: k.bucket.Phase, Tokens: k.bucket.Max.Tokens}
		for _, o := range s {
			m.Steps = max(m.Steps, (o.Count+r.ranks-1)/r.ranks)
			m.Operators = append(m.Operators, Operator{o.Node, o.Op, o.Count, math.Round(o.Micros*1e3) / 1e3})
		}
		slices.SortFunc(m.Operators, func(a, b Operator) int { return cmp.Compare(a.Node, b.Node) })
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Measure) int {
		return cmp.Or(cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Tokens, b.Tokens))
	})
	return out
}
