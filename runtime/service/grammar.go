package service

import (
	"cmp"
	"errors"
	"slices"

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
	calls, err := s.callable(r)
	if err != nil || calls == nil && r.Format.Kind == FormatText {
		return nil, err
	}
	param := cmp.Or(r.Format.Param, "response_format")
	if r.Format.Kind == FormatText {
		param = "tools"
	}
	switch {
	case s.vocabulary == nil:
		return nil, invalid(param, "the model is served without a tokenizer, so that the form of its replies cannot be enforced")
	case len(s.stop) == 0: // behind a complete form nothing could come
		return nil, invalid(param, "the model is served without a token that ends a reply, so that one in a form would have no end: its generation_config.json names none")
	}
	o := s.around(r, p)
	var g *grammar.Grammar
	if r.Format.Kind != FormatText { // which is looked at by itself also where calls are possible: then errors say whose they are
		g, err = grammar.Text(s.vocabulary(), form(r.Format), o)
	}
	if err == nil && calls != nil {
		param = "tools"
		g, err = s.compileCalls(r, calls, o)
	}
	var wrong *grammar.Error
	if errors.As(err, &wrong) {
		return nil, &Error{Kind: Invalid, Param: param, Message: param + ": " + err.Error(), Err: err}
	}
	return g, err
}

// around is what may stand around a form: thinking, and line breaks where the template has them.
func (s *Service) around(r *Request, p prompt) grammar.Options {
	o := grammar.Options{Newlines: r.Conversation != nil && s.format.Calls != reply.GLM47}
	if r.Conversation == nil || !s.format.Thinks || r.Continue {
		return o
	}
	switch reply.StartOf(p.text) {
	case reply.StartThinking:
		o.Thinking = grammar.Started
	case reply.StartOpen:
		o.Thinking = grammar.MayThink
	}
	return o
}

// form is the form of the text. What of a schema cannot be enforced is an error where the request asks for all of it.
func form(f Format) grammar.Form {
	switch f.Kind {
	case FormatSchema:
		return grammar.SchemaForm(f.Schema, !f.Strict)
	case FormatRegex:
		return grammar.RegexForm(f.Regex)
	case FormatJSON:
		return grammar.JSONForm()
	}
	return grammar.Form{}
}

// callable are the tools whose calls have to have a form: those that may be called where one has to be, and where none has to
// be, if the request is strict about one of them, wants one call at most, or wants text in a form. Nil: calls may be anything.
func (s *Service) callable(r *Request) ([]grammar.Tool, error) {
	mode := r.ToolChoice.Mode
	if r.Conversation == nil || len(r.Conversation.Tools) == 0 || mode == ToolNone {
		if mode == ToolRequired || mode == ToolNamed {
			return nil, invalid("tool_choice", "tool_choice asks for a call, and there are no tools")
		}
		return nil, nil
	}
	forced := mode != ToolAuto
	if s.format.Calls == reply.NoCalls {
		if forced {
			return nil, invalid("tool_choice", "the model's chat template has no form of tool calls that is known here, so that none can be asked for")
		}
		return nil, nil
	}
	tools, err := grammar.ReadTools(r.Conversation.Tools)
	if err != nil {
		return nil, invalid("tools", "%v", err)
	}
	single := r.ParallelCalls != nil && !*r.ParallelCalls
	strict := slices.ContainsFunc(tools, func(t grammar.Tool) bool { return t.Strict })
	if !forced && !single && !strict && r.Format.Kind == FormatText {
		return nil, nil
	}
	if mode == ToolNamed {
		tools = slices.DeleteFunc(tools, func(t grammar.Tool) bool { return t.Name != r.ToolChoice.Name })
		if len(tools) == 0 {
			return nil, invalid("tool_choice", "tool_choice names %q, which is none of the tools", r.ToolChoice.Name)
		}
	}
	return tools, nil
}

// dialects are the grammars' names of the forms of calls.
var dialects = map[reply.Calls]grammar.Dialect{reply.GLM45: grammar.GLM45, reply.GLM47: grammar.GLM47, reply.Hermes: grammar.Hermes}

func (s *Service) compileCalls(r *Request, tools []grammar.Tool, o grammar.Options) (*grammar.Grammar, error) {
	mode := r.ToolChoice.Mode
	return grammar.Calls(s.vocabulary(), tools, grammar.CallOptions{
		Options: o, Dialect: dialects[s.format.Calls], Optional: mode == ToolAuto, Form: form(r.Format),
		Single: mode == ToolNamed || r.ParallelCalls != nil && !*r.ParallelCalls,
	})
}
