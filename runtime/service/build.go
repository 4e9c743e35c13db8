package service

import (
	"errors"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/grammar"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/reply"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// Options are what a service is made of.
type Options struct {
	Name         string // of the model, as requests give it
	Created      time.Time
	MaxPositions int // prompt and output together, in tokens: what the model has, or the KV cache holds
	VocabSize    int
	Tokenizer    *tokenizer.Tokenizer // nil: token ids only
	Template     *chat.Template       // nil: no conversations
	Format       reply.Format         // how replies of conversations are written
	Stop         []int32              // ids that end every reply
	Defaults     Sampling
}

// Service is a model that an engine runs. It is safe for concurrent use.
type Service struct {
	loop      *engine.Loop
	model     Model
	tokenizer *tokenizer.Tokenizer
	template  *chat.Template
	format    reply.Format
	stop      []int32
	encodings encodings
	// vocabulary is the tokenizer's for grammars, made when the first request wants one; nil without a tokenizer.
	vocabulary func() *grammar.Vocabulary
}

// New returns a service over a loop, which has to outlive it.
func New(loop *engine.Loop, o Options) (*Service, error) {
	switch {
	case o.VocabSize < 1:
		return nil, errors.New("the plan does not say how large the vocabulary is, without which requests cannot be checked")
	case o.MaxPositions < 1:
		return nil, errors.New("the plan does not say how many positions the model has, without which requests cannot be checked")
	}
	if o.Created.IsZero() {
		o.Created = time.Now()
	}
	s := &Service{loop: loop, tokenizer: o.Tokenizer, template: o.Template, format: o.Format, stop: o.Stop, encodings: newEncodings()}
	s.model = Model{Name: o.Name, Created: o.Created, MaxPositions: o.MaxPositions, VocabSize: o.VocabSize, Chat: o.Template != nil && o.Tokenizer != nil,
		Thinks: o.Format.Thinks, Defaults: o.Defaults}
	if t := o.Tokenizer; t != nil {
		s.vocabulary = sync.OnceValue(func() *grammar.Vocabulary { return vocabulary(t, o.VocabSize, o.Stop) })
	}
	return s, nil
}

// Model describes the model that is served.
func (s *Service) Model() Model { return s.model }
