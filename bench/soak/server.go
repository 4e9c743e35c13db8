package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// server is a glmc that serves the small model with few pages and short queues, so that everything that can run out does.
type server struct {
	url  string
	cmd  *exec.Cmd
	done chan error            // what the process ended with
	warm atomic.Pointer[state] // when a part of the time was over, and all memory in use that will be
	http *http.Client          // for metrics
	log  *os.File              // nil: nowhere
}

func start(ctx context.Context, o *options) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--addr", addr, "--kv-tokens", "6144", "--max-waiting", "24", "--max-requests", "64", "--max-body", "1MiB",
		"--write-timeout", "5s", "--body-timeout", "5s", "--header-timeout", "5s", "--idle-timeout", "10s", "--log-format", "json"}, o.serve...)
	s := &server{url: "http://" + addr, cmd: exec.Command(o.glmc, args...), done: make(chan error, 1), http: &http.Client{Timeout: 30 * time.Second}}
	if o.log != "" {
		if s.log, err = os.Create(o.log); err != nil {
			return nil, err
		}
		s.cmd.Stderr = s.log
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.done <- s.cmd.Wait() }()
	return s, s.ready(ctx)
}

func (s *server) ready(ctx context.Context) error {
	for {
		resp, err := s.http.Get(s.url + "/ready")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-s.done:
			return fmt.Errorf("the server ended before it was ready: %v", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// kill ends the process where it has not ended.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	if s.log != nil {
		_ = s.log.Close() // the server writes it
	}
}

// end asks the process to end, as an orchestrator does.
func (s *server) end(ctx context.Context) error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		if err != nil {
			return fmt.Errorf("the server ended with %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(45 * time.Second):
		return errors.New("the server did not end within 45 s of SIGTERM")
	}
}

// state is what the server holds.
type state struct {
	running, waiting, requests float64
	pages, cached, used        float64
	goroutines, files          float64
	resident, heap             float64 // bytes
}

func (s state) String() string {
	return fmt.Sprintf("%.0f running, %.0f waiting, %.0f of %.0f pages used and %.0f cached, %.0f goroutines, %.0f files, %.0f MiB resident, %.0f MiB heap",
		s.running, s.waiting, s.used, s.pages, s.cached, s.goroutines, s.files, s.resident/(1<<20), s.heap/(1<<20))
}

// state asks the server for its metrics.
func (s *server) state() (state, error) {
	var st state
	resp, err := s.http.Get(s.url + "/metrics")
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return st, fmt.Errorf("/metrics answers %s", resp.Status)
	}
	found, err := readMetrics(resp.Body)
	if err != nil {
		return st, err
	}
	for name, to := range map[string]*float64{
		"vllm:num_requests_running": &st.running, "vllm:num_requests_waiting": &st.waiting, "glmc_http_requests_in_flight": &st.requests,
		"glmc_kv_pages": &st.pages, "glmc_kv_pages_cached": &st.cached, "glmc_kv_pages_used": &st.used,
		"go_goroutines": &st.goroutines, "process_open_fds": &st.files, "process_resident_memory_bytes": &st.resident, "go_memstats_heap_inuse_bytes": &st.heap,
	} {
		v, ok := found[name]
		if !ok {
			return st, fmt.Errorf("/metrics has no %s", name)
		}
		*to = v
	}
	return st, nil
}

// readMetrics sums samples by name.
func readMetrics(r io.Reader) (map[string]float64, error) {
	found := map[string]float64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("/metrics has the line %q", line)
		}
		name, _, _ := strings.Cut(line[:at], "{")
		found[name] += v
	}
	return found, lines.Err()
}

// settled waits until the server does nothing.
func (s *server) settled(ctx context.Context) (state, error) {
	s.http.CloseIdleConnections()
	deadline := time.Now().Add(90 * time.Second)
	for {
		st, err := s.state()
		if err != nil {
			return st, err
		}
		if st.running == 0 && st.waiting == 0 && st.requests <= 1 { // this one
			// Connections that nobody uses are closed after a while.
			return s.quiet(ctx)
		}
		if time.Now().After(deadline) {
			return st, fmt.Errorf("the server does not come to rest: %s", st)
		}
		if err := sleep(ctx, time.Second); err != nil {
			return st, err
		}
	}
}

// quiet is the state with the fewest goroutines of the next while.
func (s *server) quiet(ctx context.Context) (state, error) {
	var least state
	for i := range 20 {
		st, err := s.state()
		if err != nil {
			return st, err
		}
		if i == 0 || st.goroutines <= least.goroutines {
			least = st
		}
		if err := sleep(ctx, time.Second); err != nil {
			return st, err
		}
	}
	return least, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watch prints the server's state from time to time, and notes one from which memory must not grow much any more.
func (s *server) watch(ctx context.Context, out io.Writer, c *crowd) {
	begin := time.Now()
	deadline, _ := ctx.Deadline()
	warm := deadline.Sub(begin) / 4
	for every := min(30*time.Second, warm/2+1); sleep(ctx, every) == nil; {
		st, err := s.state()
		if err != nil {
			c.fault("metrics: %v", err)
			continue
		}
		if s.warm.Load() == nil && time.Since(begin) > warm {
			s.warm.Store(&st)
		}
		fmt.Fprintf(out, "%6.0f s  %6d requests  %s\n", time.Since(begin).Seconds(), c.total(), st)
	}
}

// compare says what was lost between two states in which the server does nothing. A quarter into the run, its memory was warm.
func compare(before, after state, warm *state) []string {
	var wrong []string
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if after.used != 0 || after.cached > after.pages {
		note("%.0f pages are held, and nobody is there", after.used)
	}
	if after.goroutines > before.goroutines+5 {
		note("%.0f goroutines became %.0f", before.goroutines, after.goroutines)
	}
	if after.files > before.files+5 {
		note("%.0f open files became %.0f", before.files, after.files)
	}
	if warm != nil && after.resident > 1.25*warm.resident+(64<<20) {
		note("%.0f MiB of memory became %.0f", warm.resident/(1<<20), after.resident/(1<<20))
	}
	return wrong
}
