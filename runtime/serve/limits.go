package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Limits bound what clients can make a server do.
type Limits struct {
	Body        int64         // bytes of a request's body
	Bodies      int64         // bytes of the bodies of all requests at a time
	Header      int           // bytes of a request's headers
	HeaderTime  time.Duration // in which the headers have to come
	BodyTime    time.Duration // in which the body has to come
	WriteTime   time.Duration // in which a client has to read what is written, each time
	IdleTime    time.Duration // for which a connection may be idle between requests
	Requests    int           // that work on the model at a time, those in the engine's queue included
	Connections int           // open at a time
}

// DefaultLimits fit prompts of some hundred thousand tokens, and clients on slow lines.
func DefaultLimits() Limits {
	return Limits{
		Body: 16 << 20, Bodies: 512 << 20, Header: 64 << 10,
		HeaderTime: 10 * time.Second, BodyTime: time.Minute, WriteTime: 30 * time.Second, IdleTime: 2 * time.Minute,
		Requests: 1024, Connections: 4096,
	}
}

// full refuses a request where no more can work on the model.
func (s *Server) full() *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.noRoom()
}

// noRoom is why no more requests can work on the model; nil where one can. The lock is the caller's.
func (s *Server) noRoom() *refusal {
	switch {
	case s.draining:
		return errDraining
	case s.running >= s.o.Limits.Requests:
		return &refusal{status: http.StatusTooManyRequests, code: "rate_limit_exceeded", retry: time.Second, close: true,
			message: fmt.Sprintf("the server works on %d requests, as many as it takes: try again later", s.running)}
	}
	return nil
}

// begin counts a request that works on the model, from when its body is there: clients that send slowly take no room.
func (s *Server) begin() *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.noRoom(); f != nil {
		return f
	}
	s.running++
	s.metrics.running.Set(float64(s.running))
	return nil
}

// end is for each begin.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.metrics.running.Set(float64(s.running))
	if s.running == 0 && s.draining {
		close(s.idle)
	}
}

var errBodies = errors.New("bodies take all memory that is for them")

// readBody reads the body of a request, so that handlers have it whole: its size is bounded in one place, a client that sends it
// slowly holds up nothing, and the server notices when the client goes.
func (s *Server) readBody(x *exchange, r *http.Request) (release func(), f *refusal) {
	release = func() {}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, message: "a body with Content-Encoding " + shown(e) + ": send it as it is", close: true}
	}
	if r.Body == nil || r.Body == http.NoBody {
		return release, nil
	}
	most := s.o.Limits.Body
	if r.ContentLength > most {
		return nil, s.tooLarge()
	}
	_ = x.control.SetReadDeadline(time.Now().Add(s.o.Limits.BodyTime)) // test recorders have none
	in := &countedBody{ReadCloser: http.MaxBytesReader(x.ResponseWriter, r.Body, most), server: s}
	body, err := io.ReadAll(in)
	if err != nil {
		in.release()
		return nil, s.unreadable(err)
	}
	_ = x.control.SetReadDeadline(time.Time{})
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return in.release, nil
}

// unreadable is why a body could not be read.
func (s *Server) unreadable(err error) *refusal {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return s.tooLarge()
	case errors.Is(err, errBodies):
		return &refusal{status: http.StatusServiceUnavailable, message: "the server holds as many bodies of requests as it has memory for: try again later",
			retry: time.Second, close: true}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{status: http.StatusRequestTimeout, message: fmt.Sprintf("the body did not come within %s", s.o.Limits.BodyTime), close: true}
	}
	return &refusal{status: http.StatusBadRequest, message: "the body could not be read: it ended before its end, or is not encoded as its headers say", close: true}
}

func (s *Server) tooLarge() *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, close: true,
		message: fmt.Sprintf("the body has more than %d bytes, which is what this server takes", s.o.Limits.Body)}
}

// countedBody counts the bytes of a body among those of all bodies.
type countedBody struct {
	io.ReadCloser
	server *Server
	held   int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.held += int64(n)
	if b.server.bodies.Add(int64(n)) > b.server.o.Limits.Bodies {
		return n, errBodies
	}
	return n, err
}

func (b *countedBody) release() { b.server.bodies.Add(-b.held) }

// limitedListener bounds how many connections are open. One more waits until another ends.
type limitedListener struct {
	net.Listener
	room   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func limitListener(l net.Listener, n int) net.Listener {
	return &limitedListener{Listener: l, room: make(chan struct{}, n), closed: make(chan struct{})}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &limitedConn{Conn: c, room: l.room}, nil
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	room chan struct{}
	once sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.room })
	return err
}
