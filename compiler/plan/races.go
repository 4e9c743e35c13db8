package plan

import (
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/memory"
	"github.com/glmc/glmc/compiler/race"
)

// checkRaces proves that nodes of different streams touch the same memory in one order only, and that every node
// finds its operands as they were written. The offsets are those of the program's storages.
func (p *Program) checkRaces(l *Layout) error {
	if p.races == nil {
		c := race.New(p.Graph)
		if err := c.Shared(); err != nil {
			return err
		}
		p.races = c
	}
	var failed error
	err := p.races.Arena(func(v *ir.Value) (race.Extent, bool) {
		s, ok := p.storage[v]
		if !ok {
			return race.Extent{}, false
		}
		n, err := memory.Bytes(v.Type, l.Max)
		if err != nil {
			failed = err
		}
		return race.Extent{Offset: l.Offsets[s], Bytes: n}, true
	})
	if failed != nil {
		return failed
	}
	return err
}
