package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// ends makes a script command that runs a program and wants it to end with a status, in an orderly way: with a
// message, without a stack trace, and without a result on stdout. Only diagnostics as JSON are a result of a failure.
func ends(want int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: (fails | misuse) program [args...]")
		}
		err := ts.Exec(args[0], args[1:]...)
		wantStatus(ts, err, want)
		stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
		wantMessage(ts, stdout+stderr)
		if stdout != "" && !json.Valid([]byte(stdout)) {
			ts.Fatalf("a failure printed to stdout")
		}
	}
}

// differs is the script command "differs glmc ARGS": of a comparison whose result is a difference, with status 1.
func differs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: differs program [args...]")
	}
	wantStatus(ts, ts.Exec(args[0], args[1:]...), exitFailed)
	if ts.ReadFile("stdout") == "" || ts.ReadFile("stderr") != "" {
		ts.Fatalf("a difference is printed to stdout, and nothing to stderr")
	}
	wantMessage(ts, ts.ReadFile("stdout"))
}

func wantStatus(ts *testscript.TestScript, err error, want int) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		ts.Fatalf("it succeeded, want status %d", want)
	case !errors.As(err, &exit) || exit.ExitCode() != want:
		ts.Fatalf("%v, want status %d", err, want)
	}
}

// wantMessage looks at what a user is told about a failure.
func wantMessage(ts *testscript.TestScript, text string) {
	if strings.TrimSpace(text) == "" {
		ts.Fatalf("it failed without a word")
	}
	for _, bad := range []string{"panic:", "goroutine ", "%!", "<nil>", "(0xc"} {
		if strings.Contains(text, bad) {
			ts.Fatalf("the message has %q in it", bad)
		}
	}
}

// started is a program whose output has begun.
type started struct {
	cmd            *exec.Cmd
	stdout         io.ReadCloser
	stderr, output strings.Builder
}

// start runs a program up to its first byte of output.
func start(ts *testscript.TestScript, args []string) *started {
	if len(args) == 0 {
		ts.Fatalf("wants a program")
	}
	p := &started{cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Dir, p.cmd.Stderr = ts.MkAbs("."), &p.stderr
	var err error
	p.stdout, err = p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	first := make([]byte, 1)
	if _, err := io.ReadFull(p.stdout, first); err != nil {
		_ = p.cmd.Wait()
		ts.Fatalf("it printed nothing: %v\n%s", err, p.stderr.String())
	}
	p.output.Write(first)
	return p
}

// interrupt runs a program, sends it an interrupt when it has begun to print, and wants status 1.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! interrupt")
	}
	p := start(ts, args)
	ts.Check(p.cmd.Process.Signal(os.Interrupt))
	_, err := io.Copy(&p.output, p.stdout)
	ts.Check(err)
	err = p.cmd.Wait()
	_, _ = io.WriteString(ts.Stdout(), p.output.String())
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	wantStatus(ts, err, exitFailed)
	wantMessage(ts, p.stderr.String())
}

// closeStdout runs a program, closes its stdout when it has begun to print, and wants it to end without success.
func closeStdout(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! closestdout")
	}
	p := start(ts, args)
	ts.Check(p.stdout.Close())
	err := p.cmd.Wait()
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	if err == nil {
		ts.Fatalf("it succeeded although nobody read its output")
	}
}
