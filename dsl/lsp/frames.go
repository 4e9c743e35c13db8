package lsp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"go.lsp.dev/jsonrpc2"
)

// Bounds of what is read. A document of the largest size, as JSON with every character escaped, fits into a message.
const (
	maxMessage = 32 << 20
	maxHeader  = 4 << 10 // bytes of all header lines of a message
)

// frames is the protocol's framing, a Content-Length in front of every message, over a pair of byte streams. The
// library's own would allocate whatever the header says up to a gigabyte, and would end the connection where a
// message is no JSON; here the sender is told, and the next message is read.
type frames struct {
	conn    io.ReadWriteCloser
	in      *bufio.Reader
	writing sync.Mutex
}

func newFrames(conn io.ReadWriteCloser) *frames {
	return &frames{conn: conn, in: bufio.NewReader(conn)}
}

// Read implements jsonrpc2.Stream. An error of the framing ends the connection: nobody knows where the next message
// begins.
func (f *frames) Read(ctx context.Context) (jsonrpc2.Message, int64, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		body, err := f.body()
		var refused *jsonrpc2.Error
		if err == nil {
			var m jsonrpc2.Message
			if m, err = jsonrpc2.DecodeMessage(body); err == nil {
				return m, int64(len(body)), nil
			}
			if !errors.As(err, &refused) {
				refused = jsonrpc2.NewError(jsonrpc2.ParseError, err.Error())
			}
		} else if !errors.As(err, &refused) {
			return nil, 0, err
		}
		if _, err := f.Write(ctx, jsonrpc2.NewResponse(jsonrpc2.ID{}, nil, refused)); err != nil {
			return nil, 0, err
		}
	}
}

// body reads the next message. The error of one that is too large is a *jsonrpc2.Error; it has been passed over.
func (f *frames) body() ([]byte, error) {
	length, err := f.header()
	if err != nil {
		return nil, err
	}
	if length > maxMessage {
		if _, err := io.CopyN(io.Discard, f.in, length); err != nil {
			return nil, truncated(err)
		}
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "a message of %d bytes; the limit is %d", length, maxMessage)
	}
	body := make([]byte, length) // a new one each time: requests borrow it, and some outlive the next Read
	_, err = io.ReadFull(f.in, body)
	return body, truncated(err)
}

// header reads the lines in front of a message, and returns its length in bytes.
func (f *frames) header() (length int64, err error) {
	length = -1
	for left := maxHeader; ; {
		line, err := f.line(left)
		if err != nil {
			if left < maxHeader {
				err = truncated(err)
			}
			return 0, err
		}
		left -= len(line)
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return 0, fmt.Errorf("the header of a message has a line without a colon: %.40q", line)
		}
		if strings.EqualFold(name, "Content-Length") {
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 62)
			if err != nil {
				return 0, fmt.Errorf("the Content-Length %.40q is no number", value)
			}
			length = int64(n)
		}
	}
	if length < 0 {
		return 0, errors.New("a message without a Content-Length")
	}
	return length, nil
}

// line reads a line of at most limit bytes, with its end.
func (f *frames) line(limit int) (string, error) {
	var line strings.Builder
	for line.Len() < limit {
		c, err := f.in.ReadByte()
		if err == io.EOF && line.Len() > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		line.WriteByte(c)
		if c == '\n' {
			return line.String(), nil
		}
	}
	return "", fmt.Errorf("the header of a message has more than %d bytes", maxHeader)
}

// truncated is the error of a message that ends too early.
func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Write implements jsonrpc2.Stream.
func (f *frames) Write(ctx context.Context, m jsonrpc2.Message) (int64, error) {
	body, err := jsonrpc2.EncodeMessage(m)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	n, err := f.conn.Write(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n%s", len(body), body))
	return int64(n), err
}

// Close implements jsonrpc2.Stream.
func (f *frames) Close() error { return f.conn.Close() }
