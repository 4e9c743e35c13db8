package grammar

import (
	"errors"
	"fmt"
)

// maxHistory is how many tokens a State can take back at least.
const maxHistory = 128

// State is one request's way through a grammar. It is an engine's constraint. It is not safe for concurrent use; States of the same
// grammar may be used at the same time.
type State struct {
	g       *Grammar
	at      *place
	ended   bool
	history []step // places before the last tokens
}

type step struct {
	at    *place
	ended bool
}

// Start begins a text.
func (g *Grammar) Start() *State {
	g.machine.mu.Lock()
	defer g.machine.mu.Unlock()
	return &State{g: g, at: g.machine.start}
}

// Mask gives the tokens that may come next: bit id of word id/64. It is shared, and not to be changed. Stop tokens are in it where
// the text may end; behind a stop token nothing else is.
func (s *State) Mask() []uint64 {
	if s.ended {
		return s.g.vocabulary.stopped
	}
	return s.g.mask(s.at)
}

// ErrRefused is wrapped by errors of Accept for tokens that the mask does not have.
var ErrRefused = errors.New("the token does not fit the form of the text")

// Accept goes on with a token. An error leaves the State as it is.
func (s *State) Accept(id int32) error {
	at, ended, ok := s.after(id)
	if !ok {
		return fmt.Errorf("token %d: %w", id, ErrRefused)
	}
	if len(s.history) == 2*maxHistory {
		s.history = s.history[:copy(s.history, s.history[maxHistory:])]
	}
	s.history = append(s.history, step{s.at, s.ended})
	s.at, s.ended = at, ended
	return nil
}

func (s *State) after(id int32) (at *place, ended, ok bool) {
	v := s.g.vocabulary
	for _, stop := range v.stops {
		if id == stop {
			return s.at, true, s.ended || s.at.end
		}
	}
	if s.ended || id < 0 || int(id) >= len(v.tokens) || len(v.tokens[id]) == 0 {
		return nil, false, false
	}
	m := s.g.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	at = m.renew(s.at)
	for _, b := range v.tokens[id] {
		if at = m.step(at, b); at == nowhere {
			return nil, false, false
		}
	}
	return at, false, true
}

// Rollback takes back the last n tokens that were accepted. It can take back the last 128, and panics beyond.
func (s *State) Rollback(n int) {
	if n < 0 || n > len(s.history) {
		panic(fmt.Sprintf("grammar: rollback of %d tokens, but only %d are known", n, len(s.history)))
	}
	if n == 0 {
		return
	}
	back := s.history[len(s.history)-n]
	s.history = s.history[:len(s.history)-n]
	s.at, s.ended = back.at, back.ended
}

// Done says whether the text has the form as it is: a stop token came or may come.
func (s *State) Done() bool { return s.ended || s.at.end }
