package load

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// maxEvent bounds one event of a stream.
const maxEvent = 4 << 20

// events reads a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). It calls f with
// the data of each, which is valid during the call, and with the time at which the bytes that complete it arrived: all
// events of one read have the same. It ends with the stream, or with the first error of f. A stream that does not end
// behind an event is cut off, which f does not see.
func events(body io.Reader, buffer []byte, now func() time.Duration, f func(data []byte, at time.Duration) error) ([]byte, error) {
	var p parser
	used := 0 // of the buffer: an unfinished line
	for {
		if used == len(buffer) {
			if used >= maxEvent {
				return buffer, &Failure{Kind: "stream", Message: fmt.Sprintf("a line of the stream is longer than %d bytes", maxEvent)}
			}
			buffer = append(buffer, make([]byte, max(len(buffer), 4096))...)
		}
		n, err := body.Read(buffer[used:])
		at := now()
		used += n
		rest := buffer[:used]
		for {
			line, behind, ok := bytes.Cut(rest, []byte("\n"))
			if !ok {
				break
			}
			rest = behind
			if data, complete := p.line(bytes.TrimSuffix(line, []byte("\r"))); complete {
				if err := f(data, at); err != nil {
					return buffer, err
				}
			}
			if len(p.data) > maxEvent {
				return buffer, &Failure{Kind: "stream", Message: fmt.Sprintf("an event of the stream is longer than %d bytes", maxEvent)}
			}
		}
		used = copy(buffer, rest)
		if err == io.EOF {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
}

// parser puts lines together to events.
type parser struct {
	data []byte // of the event so far, used again for the next
	some bool
}

// line takes a line. At the empty one behind an event it gives the event's data.
func (p *parser) line(line []byte) (data []byte, complete bool) {
	if len(line) == 0 {
		data, complete = p.data, p.some
		p.data, p.some = p.data[:0], false
		return data, complete
	}
	value, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return nil, false // a comment, or a field that says nothing about tokens
	}
	if p.some {
		p.data = append(p.data, '\n')
	}
	p.data = append(p.data, bytes.TrimPrefix(value, []byte(" "))...)
	p.some = true
	return nil, false
}
