package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// servedScript is a glmc serve that runs beside a script. Its log is read while it starts and when it has ended: in between it stays in
// the pipe, which holds the log of some hundred requests.
type servedScript struct {
	cmd    *exec.Cmd
	stderr io.ReadCloser
	log    *bufio.Scanner
	said   strings.Builder
}

type servedKey struct{}

// setupServe makes room for a script's server, which ends with the script.
func setupServe(env *testscript.Env) {
	s := new(*servedScript)
	env.Values[servedKey{}] = s
	env.Defer(func() {
		if *s != nil {
			_ = (*s).cmd.Process.Kill()
			_ = (*s).cmd.Wait()
		}
	})
}

var listeningAt = regexp.MustCompile(`listening.*url"?[=:]"?(https?://[^"\s]+)`)

// startServe is the script command "serve glmc serve ARGS": it starts a server, waits until it is ready, and puts its address
// into $URL. With "listening" before the program, it waits only until the server listens.
func startServe(ts *testscript.TestScript, neg bool, args []string) {
	until := `msg"?[=:]"?ready`
	if len(args) > 0 && args[0] == "listening" {
		until, args = "listening", args[1:]
	}
	s := ts.Value(servedKey{}).(**servedScript)
	if neg || len(args) == 0 || *s != nil {
		ts.Fatalf("usage: serve [listening] program [args...], one at a time")
	}
	p := &servedScript{cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), append(os.Environ(), "GLMC_API_KEY="+ts.Getenv("GLMC_API_KEY"))
	var err error
	p.stderr, err = p.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	*s = p
	p.within()
	p.log = bufio.NewScanner(p.stderr)
	for ready := regexp.MustCompile(until); p.next(); {
		if m := listeningAt.FindStringSubmatch(p.log.Text()); m != nil {
			ts.Setenv("URL", m[1])
		}
		if ready.MatchString(p.log.Text()) {
			return
		}
	}
	ts.Fatalf("the server does not get ready:\n%s", p.said.String())
}

// within bounds how long the log may take from now on.
func (p *servedScript) within() {
	if f, ok := p.stderr.(*os.File); ok {
		_ = f.SetReadDeadline(time.Now().Add(2 * time.Minute)) // some systems have none for pipes
	}
}

// next reads the next line of the log.
func (p *servedScript) next() bool {
	if !p.log.Scan() {
		return false
	}
	fmt.Fprintln(&p.said, p.log.Text())
	return true
}

// endServe is the script command "endserve": it sends SIGTERM and wants the server to end well. Its log is stderr.
func endServe(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(servedKey{}).(**servedScript)
	if neg || len(args) > 0 || *s == nil {
		ts.Fatalf("usage: endserve, of a server that runs")
	}
	p := *s
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	p.within()
	for p.next() {
	}
	err := p.cmd.Wait()
	*s = nil
	_, _ = io.WriteString(ts.Stderr(), p.said.String())
	if err != nil {
		ts.Fatalf("the server ended with %v", err)
	}
}

// ask is the script command "ask STATUS METHOD URL [FILE] [HEADER...]": it sends a request, with the file as its body, and wants that
// status. The answer is stdout, its headers are stderr.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: ask STATUS METHOD URL [FILE] [HEADER...]")
	}
	var body io.Reader
	headers := args[3:]
	if len(headers) > 0 && !strings.Contains(headers[0], ": ") {
		body, headers = strings.NewReader(ts.ReadFile(headers[0])), headers[1:]
	}
	r, err := http.NewRequest(args[1], args[2], body)
	ts.Check(err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	_, _ = ts.Stdout().Write(answer)
	_ = res.Header.Write(ts.Stderr())
	ts.Check(err)
	if got := fmt.Sprint(res.StatusCode); got != args[0] {
		ts.Fatalf("status %s, want %s:\n%s", got, args[0], answer)
	}
}

// runServer runs a server of an example up to when it is ready, and ends it.
func runServer(c *exec.Cmd) error {
	for i, arg := range c.Args {
		if arg == "127.0.0.1:8000" {
			c.Args[i] = "127.0.0.1:0" // the machine may have another one there
		}
	}
	stderr, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	var said strings.Builder
	for lines := bufio.NewScanner(io.TeeReader(stderr, &said)); lines.Scan(); {
		if strings.Contains(lines.Text(), "msg=ready") {
			if err := c.Process.Signal(os.Interrupt); err != nil {
				return err
			}
		}
	}
	if err := c.Wait(); err != nil {
		return errors.Join(err, errors.New(said.String()))
	}
	return nil
}
