package service

import (
	"errors"

	"github.com/glmc/glmc/runtime/grammar"
	"github.com/glmc/glmc/runtime/text/reply"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// markup are the tags that replies have beside text. Tokenizers have a token for each, which is not special.
var markup = []string{"<think>", "</think>", "<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"}

// vocabulary is the tokenizer's, for grammars.
func vocabulary(t *tokenizer.Tokenizer, size int, stops []int32) *grammar.Vocabulary {
	tokens := make([][]byte, min(size, t.VocabSize()))
	for id := range tokens {
		if !t.Special(int32(id)) {
			tokens[id] = []byte(t.Bytes(int32(id)))
		}
	}
	var tags []int32
	for _, tag := range markup {
		if id, ok := t.TokenToID(tag); ok {
			tags = append(tags, id)
		}
	}
	return grammar.NewVocabulary(tokens, stops, tags...)
}

// grammar is what keeps a reply in form; nil where it may be anything.
func (s *Service) grammar(r *Request, p prompt) (*grammar.Grammar, error) {
	if r.Format.Kind == FormatText {
		return nil, nil
	}
	if s.vocabulary == nil {
		return nil, invalid("response_format", "the model is served without a tokenizer, so that the form of its replies cannot be enforced")
	}
	o := grammar.Options{}
	if r.Conversation != nil && s.format.Thinks && !r.Continue {
		switch reply.StartOf(p.text) {
		case reply.StartThinking:
			o.Thinking = grammar.Started
		case reply.StartOpen:
			o.Thinking = grammar.MayThink
		}
	}
	o.Newlines = r.Conversation != nil && s.format.Calls == reply.GLM45
	g, err := s.compile(r.Format, o)
	var wrong *grammar.Error
	if errors.As(err, &wrong) {
		return nil, &Error{Kind: Invalid, Param: "response_format", Message: err.Error(), Err: err}
	}
	return g, err
}

func (s *Service) compile(f Format, o grammar.Options) (*grammar.Grammar, error) {
	v := s.vocabulary()
	switch f.Kind {
	case FormatSchema:
		return grammar.Schema(v, f.Schema, o)
	case FormatRegex:
		return grammar.Regex(v, f.Regex, o)
	}
	return grammar.JSON(v, o)
}
