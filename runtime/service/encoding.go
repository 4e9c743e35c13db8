package service

import (
	"context"
	"runtime"
)

// longText is the length in bytes from which a text counts as long.
const longText = 256 << 10

// encodings bounds how many texts are encoded at a time. A text that is one word, sixteen megabytes of the letter a, takes thirty
// times its length in memory and a second for each megabyte. More at a time than there are cores end no earlier, and all of
// their memory is held until they do; so a few dozen of them would take all that the machine has. Long texts wait
// for each other, so that the usual, short ones do not wait for them.
type encodings struct {
	short, long chan struct{}
}

func newEncodings() encodings {
	cores := runtime.GOMAXPROCS(0)
	return encodings{make(chan struct{}, 4*cores), make(chan struct{}, max(1, cores/2))}
}

// begin waits until a text of so many bytes may be encoded; end has to be called when it is. The error is the context's.
func (e encodings) begin(ctx context.Context, bytes int) (end func(), err error) {
	places := e.short
	if bytes >= longText {
		places = e.long
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
