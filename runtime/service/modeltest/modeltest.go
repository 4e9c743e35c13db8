// Package modeltest has a service whose model says what it is told to, to test what stands around it: the whole way of a
// request but the weights. The tokenizer, the chat template and their tags are real.
package modeltest

import (
	"fmt"
	"io/fs"
	"time"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/engine/enginetest"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/reply"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// The model says what stands in the last of these tags of the prompt, tags of thinking and of calls included.
const (
	Open  = "<say>"
	Close = "</say>"
)

// Otherwise is what the model says to a prompt without tags.
const Otherwise = "Nothing to say."

// Say is a message to which the model replies so.
func Say(text string) string { return Open + text + Close }

// Options describe the service. Zero values are the ones in brackets.
type Options struct {
	// Files are tokenizer.json and the chat template, as a checkpoint has them.
	Files  fs.FS
	Stop   []int32
	Name   string // [scripted]
	Pages  int    // of 16 tokens [1024]
	Engine engine.Options
	// Delay is how long each step takes [no time].
	Delay time.Duration
	// Before is called before each step, which fails where it returns an error.
	Before   func(step int) error
	Defaults service.Sampling
}

// New makes a service. End stops its engine.
func New(o Options) (s *service.Service, end func() error, err error) {
	data, err := fs.ReadFile(o.Files, "tokenizer.json")
	if err != nil {
		return nil, nil, err
	}
	tok, err := tokenizer.Parse(data)
	if err != nil {
		return nil, nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	template, err := chat.LoadFS(o.Files, "the model's files")
	if err != nil {
		return nil, nil, err
	}
	if o.Name == "" {
		o.Name = "scripted"
	}
	if o.Pages == 0 {
		o.Pages = 1024
	}
	if len(o.Stop) == 0 {
		return nil, nil, fmt.Errorf("no token ends a reply")
	}
	e, err := engine.New(executor(o, tok), o.Engine)
	if err != nil {
		return nil, nil, err
	}
	loop := engine.NewLoop(e)
	s, err = service.New(loop, service.Options{Name: o.Name, MaxPositions: o.Pages * pageSize, VocabSize: tok.VocabSize(), Tokenizer: tok, Template: template,
		Format: reply.Detect(template), Stop: o.Stop, Defaults: o.Defaults})
	if err != nil {
		_ = loop.Close() // it has nothing to do
		return nil, nil, err
	}
	return s, loop.Close, nil
}

const pageSize = 16

func executor(o Options, tok *tokenizer.Tokenizer) *enginetest.Executor {
	decode := func(ids []int32) string { return tok.Decode(ids, false) }
	encode := func(text string) []int32 { return tok.Encode(text) }
	e := enginetest.Options{Vocab: tok.VocabSize(), PageSize: pageSize, Pages: o.Pages, Chunk: 512, Sequences: 64,
		Script: enginetest.Between(Open, Close, Otherwise, o.Stop[0], decode, encode)}
	if o.Delay > 0 {
		e.Delay = func(ir.Sizes) time.Duration { return o.Delay }
	}
	if o.Before != nil {
		e.Before = func(step int, _ exec.Inputs) error { return o.Before(step) }
	}
	return enginetest.New(e)
}
