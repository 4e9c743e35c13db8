package engine

import (
	"context"
	"io"
	"sync"

	"github.com/glmc/glmc/runtime/sample"
)

// Stream is a request in a loop, as its reader sees it. Next and Result are for one goroutine; Cancel may be called from any.
type Stream struct {
	loop   *Loop
	seq    *Sequence
	detach func() bool   // ends the watch over the request's context
	more   chan struct{} // holds one: there are tokens, or the end

	mu     sync.Mutex
	tokens []sample.Token // that were not read yet, MaxTokens at most
	ended  bool
	result Result
	cause  error // why the request was given up

	read []sample.Token // what the reader has
}

// Next waits for tokens, and returns all that came since the last call, valid until the next. After the last of them the
// error is io.EOF, or that of Result. It is that of ctx where this was done first.
func (s *Stream) Next(ctx context.Context) ([]sample.Token, error) {
	for {
		s.mu.Lock()
		if len(s.tokens) > 0 {
			s.tokens, s.read = s.read[:0], s.tokens
			s.mu.Unlock()
			return s.read, nil
		}
		ended, err := s.ended, s.result.Err
		s.mu.Unlock()
		if ended {
			if err == nil {
				err = io.EOF
			}
			return nil, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Result is what the request has come to. It is complete after Next has returned io.EOF or the request's error; after the first
// tokens it says already how many of the prompt's were cached.
func (s *Stream) Result() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result
}

// Prompt are the prompt's tokens with their log probabilities, of Request.PromptLogprobs, once Next has returned. The first has none.
func (s *Stream) Prompt() []sample.Token { return s.seq.prompt }

// Cancel ends the request with context.Canceled, within a step. The tokens until then can still be read. It may be called at any time.
func (s *Stream) Cancel() { s.leave(context.Canceled) }

// leave gives the request up.
func (s *Stream) leave(cause error) {
	s.mu.Lock()
	first := s.cause == nil && !s.ended
	if first {
		s.cause = cause
	}
	s.mu.Unlock()
	if !first {
		return
	}
	l := s.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving = append(l.leaving, s)
	l.poke()
}

func (s *Stream) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// push adds what is new of the sequence, and says whether it has ended.
func (s *Stream) push(q *Sequence) bool {
	s.mu.Lock()
	s.tokens = append(s.tokens, q.news...)
	s.ended, s.result = q.ended, q.Result()
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	if q.ended {
		s.detach()
	}
	return q.ended
}
