package sse_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/glmc/glmc/runtime/serve/sse"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start begins generations that follow scripts.
func start(t *testing.T, ctx context.Context, scripts ...string) (*servicetest.Backend, []service.Generation) {
	t.Helper()
	b := &servicetest.Backend{Describe: servicetest.Model()}
	var generations []service.Generation
	for _, text := range scripts {
		s, err := servicetest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		b.Script = func(service.Request) servicetest.Script { return s }
		g, err := b.Start(ctx, service.Request{})
		if err != nil {
			t.Fatal(err)
		}
		generations = append(generations, g)
	}
	return b, generations
}

// TestFollow: events of a generation come in its order, all of them, and each with its number.
func TestFollow(t *testing.T) {
	b, generations := start(t, t.Context(), "text a\ntext b\ndone stop\nusage prompt=3", "text c\nwait 1ms\ntext d\ndone stop\nprompt x=0")
	got := make([]string, 2)
	idle := func() error { return nil }
	err := sse.Follow(t.Context(), generations, time.Hour, func(a sse.Arrival) error {
		got[a.Generation] += a.Event.Text
		if a.Event.Text == "c" && len(a.Prompt) != 1 || a.Event.Text == "d" && a.Prompt != nil {
			t.Errorf("event %q has the prompt %v", a.Event.Text, a.Prompt)
		}
		if a.Generation == 0 && a.Usage.Prompt != 3 {
			t.Errorf("the usage is %+v", a.Usage)
		}
		return nil
	}, idle)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ab", "cd"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if b.Open() != 0 {
		t.Errorf("%d generations are open", b.Open())
	}
}

// TestFollowEnds: whatever ends it, it ends with that error, and no generation and no goroutine is left.
func TestFollowEnds(t *testing.T) {
	boom := errors.New("boom")
	nothing := func(sse.Arrival) error { return nil }
	silent := func() error { return nil }
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	failed := &service.Error{Kind: service.Internal, Message: "the step failed"}
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		script string
		on     func(sse.Arrival) error
		idle   func() error
		want   error
	}{
		{"the reader", t.Context(), "text a\nhang", func(sse.Arrival) error { return boom }, silent, boom},
		{"a comment that cannot be written", t.Context(), "hang", nothing, func() error { return boom }, boom},
		{"the context", canceled, "hang", nothing, silent, context.Canceled},
		{"the generation", t.Context(), `fail internal "the step failed"`, nothing, silent, failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, generations := start(t, context.Background(), tt.script, "hang")
			err := sse.Follow(tt.ctx, generations, time.Millisecond, tt.on, tt.idle)
			var fault *service.Error
			if !errors.Is(err, tt.want) && !(errors.As(err, &fault) && fault.Message == failed.Message) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if b.Open() != 0 {
				t.Errorf("%d generations are open", b.Open())
			}
		})
	}
}
