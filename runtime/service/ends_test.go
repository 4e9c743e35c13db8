package service_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/modeltest"
)

// TestContextOfStart: a generation ends with the context that it was started with, whatever context waits for its next event, and what it used
// can be asked for meanwhile.
func TestContextOfStart(t *testing.T) {
	s := scripted(t, modeltest.Options{})
	for _, choices := range []int{1, 3} {
		ctx, stop := context.WithCancel(t.Context())
		r := told(strings.Repeat("word ", 2000))
		r.Choices = choices
		g, err := s.Start(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		usage := make(chan service.Usage)
		go func() { usage <- g.Usage() }()
		stop()
		for err == nil {
			waiting, end := context.WithTimeout(t.Context(), 10*time.Second)
			if _, err = g.Next(waiting); waiting.Err() != nil {
				t.Fatalf("%d choices: nothing comes any more", choices)
			}
			end()
		}
		if errors.Is(err, io.EOF) {
			t.Logf("%d choices: they were quicker", choices)
		}
		if u := <-usage; u.Prompt == 0 {
			t.Errorf("%d choices: %+v", choices, u)
		}
		g.Close()
	}
}
