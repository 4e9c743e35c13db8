package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// Scale says which steps, and on what, the predictions in a plan's remarks are about.
type Scale struct {
	target string
	tokens map[steps]int
}

// steps are those of one phase of an entry, or of its program for some buckets.
type steps struct{ entry, buckets, phase string }

// NewScale reads a plan's step sizes.
func NewScale(p *plan.Plan) *Scale {
	s := &Scale{target: p.Target, tokens: map[steps]int{}}
	for _, prog := range p.Programs {
		g := prog.Graph
		for _, b := range g.Buckets {
			for _, buckets := range []string{"", ir.BucketNames(g.Buckets)} {
				k := steps{g.Name, buckets, b.Phase}
				s.tokens[k] = max(s.tokens[k], b.Max.Tokens)
			}
		}
	}
	return s
}

// Predicted says what a rewrite saves of the largest step of each phase, "3.1 µs of decode 256, 40.0 µs of prefill
// 16384 predicted on h200", with a sign where it costs; "" where nothing was predicted.
func (s *Scale) Predicted(r plan.Remark) string {
	var parts []string
	for _, x := range []struct {
		phase string
		saves time.Duration
	}{{ir.Decode, r.SavesDecode}, {ir.Prefill, r.SavesPrefill}} {
		if tokens := s.tokens[steps{r.Entry, r.Buckets, x.phase}]; x.saves != 0 && tokens > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s %d", signed(x.saves), x.phase, tokens))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s predicted on %s", strings.Join(parts, ", "), s.target)
}

func signed(d time.Duration) string {
	if d < 0 {
		return "-" + Duration(Microseconds(-d))
	}
	return Duration(Microseconds(d))
}

// savings joins what a remark counts and what it predicts.
func (s *Scale) savings(r plan.Remark) string {
	counted, predicted := Savings(r.SavesLaunches, r.SavesBytes), s.Predicted(r)
	if counted != "" && predicted != "" {
		return counted + "; " + predicted
	}
	return counted + predicted
}
