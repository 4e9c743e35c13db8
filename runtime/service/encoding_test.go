package service

import (
	"context"
	"errors"
	"testing"
)

// TestEncodings: long texts wait for each other and hold up no short ones; who goes while it waits is told so.
func TestEncodings(t *testing.T) {
	e := newEncodings()
	var ends []func()
	for range cap(e.long) {
		end, err := e.begin(t.Context(), longText)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.begin(gone, longText); !errors.Is(err, context.Canceled) {
		t.Errorf("one long text too many: %v, want it to wait until its client goes", err)
	}
	end, err := e.begin(t.Context(), longText-1)
	if err != nil {
		t.Fatal(err)
	}
	end()
	ends[0]()
	if end, err = e.begin(t.Context(), longText); err != nil {
		t.Fatal(err)
	}
	end()
}
