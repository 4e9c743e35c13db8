// Package servicetest is a service.Backend without a model, for tests of what stands on one: it says what a script tells it to.
package servicetest

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/service"
)

// Backend answers every request with a script. Its tokens are bytes.
type Backend struct {
	Describe service.Model
	// Script says what a request is answered with.
	Script func(r service.Request) Script

	mu       sync.Mutex
	requests []service.Request
	open     int
}

// Script is what a generation gives.
type Script struct {
	Refuse *service.Error // Start's error
	Steps  []Step
	Usage  service.Usage
	Prompt []sample.Token // of Request.PromptLogprobs
}

// Step is a part of a script. One of its fields is set.
type Step struct {
	Event service.Event
	Wait  time.Duration
	Hang  bool // until the generation is closed or its context ends
	Fail  *service.Error
}

// Model describes a model called tiny whose tokens are bytes.
func Model() service.Model {
	return service.Model{
		Name: "tiny", Created: time.Unix(1700000000, 0), MaxPositions: 4096, VocabSize: 256, Chat: true, Thinks: true,
	}
}

// Model is Describe.
func (b *Backend) Model() service.Model { return b.Describe }

// Requests are those that were started.
func (b *Backend) Requests() []service.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests
}

// Open is how many generations are not closed yet.
func (b *Backend) Open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// Start begins to tell a script.
func (b *Backend) Start(ctx context.Context, r service.Request) (service.Generation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, r)
	s := b.Script(r)
	if s.Refuse != nil {
		return nil, s.Refuse
	}
	b.open++
	return &generation{backend: b, ctx: ctx, script: s, closed: make(chan struct{})}, nil
}

// Count is the number of bytes of the prompt.
func (b *Backend) Count(ctx context.Context, r service.Request) (int, error) {
	ids, err := b.Tokenize(ctx, r)
	return len(ids), err
}

// Tokenize gives the bytes of the prompt. Of a conversation it is <role>content, one after the other.
func (b *Backend) Tokenize(_ context.Context, r service.Request) ([]int32, error) {
	var text string
	switch {
	case r.Tokens != nil:
		return r.Tokens, nil
	case r.Text != nil:
		text = *r.Text
	default:
		var prompt strings.Builder
		for _, m := range r.Conversation.Messages {
			prompt.WriteString("<" + m.Role + ">" + m.Content)
		}
		text = prompt.String()
	}
	ids := make([]int32, len(text))
	for i := range ids {
		ids[i] = int32(text[i])
	}
	return ids, nil
}

// Detokenize puts bytes together.
func (b *Backend) Detokenize(ids []int32) (string, error) {
	text := make([]byte, len(ids))
	for i, id := range ids {
		text[i] = byte(id)
	}
	return string(text), nil
}

// Token is a byte.
func (b *Backend) Token(id int32) []byte { return []byte{byte(id)} }

type generation struct {
	backend *Backend
	ctx     context.Context
	script  Script
	next    int
	once    sync.Once
	closed  chan struct{}
}

// Next tells the next step.
func (g *generation) Next(ctx context.Context) (service.Event, error) {
	for g.next < len(g.script.Steps) {
		step := g.script.Steps[g.next]
		g.next++
		var wait <-chan time.Time
		switch {
		case step.Fail != nil:
			return service.Event{}, step.Fail
		case step.Wait > 0:
			wait = time.After(step.Wait)
		case step.Hang:
		default:
			return step.Event, nil
		}
		select {
		case <-wait:
		case <-g.closed:
			return service.Event{}, context.Canceled
		case <-g.ctx.Done():
			return service.Event{}, g.ctx.Err()
		case <-ctx.Done():
			return service.Event{}, ctx.Err()
		}
	}
	return service.Event{}, io.EOF
}

func (g *generation) Usage() service.Usage   { return g.script.Usage }
func (g *generation) Prompt() []sample.Token { return g.script.Prompt }

func (g *generation) Close() {
	g.once.Do(func() {
		close(g.closed)
		g.backend.mu.Lock()
		defer g.backend.mu.Unlock()
		g.backend.open--
	})
}
