// Soak overloads a glmc server for a while with clients of every kind, also bad ones, and finds out whether something was lost on
// the way: an answer, pages, goroutines, memory, files. README.md says what the clients do and what has to hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the command line's.
type options struct {
	glmc     string
	duration time.Duration
	clients  int
	seed     uint64
	log      string
	serve    []string // more flags of glmc serve
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = soak(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	var o options
	fs := flag.NewFlagSet("soak", flag.ContinueOnError)
	fs.StringVar(&o.glmc, "glmc", "./glmc", "`FILE` of the glmc to try")
	fs.DurationVar(&o.duration, "duration", 30*time.Minute, "`TIME` for which clients come")
	fs.IntVar(&o.clients, "clients", 48, "`N` clients at a time")
	fs.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "`N` for what the clients do")
	fs.StringVar(&o.log, "log", "", "`FILE` for the server's log (default: nowhere)")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if o.duration <= 0 || o.clients < 1 {
		return nil, errors.New("wants -duration and -clients above 0: -help lists the flags")
	}
	o.serve = fs.Args()
	return &o, nil
}

// soak runs a server and its clients, and judges what is left behind them.
func soak(ctx context.Context, o *options, out io.Writer) error {
	fmt.Fprintf(out, "%d clients for %s, seed %d\n", o.clients, o.duration, o.seed)
	s, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer s.kill()
	before, err := s.settled(ctx)
	if err != nil {
		return err
	}
	c := &crowd{server: s, seed: o.seed, counts: map[string]int{}}
	load, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	go s.watch(load, out, c)
	c.run(load, o.clients)
	if err := ctx.Err(); err != nil {
		return err
	}
	after, err := s.settled(ctx)
	if err != nil {
		return err
	}
	c.print(out)
	wrong := append(c.wrong, compare(before, after, s.warm.Load())...)
	if err := s.end(ctx); err != nil {
		wrong = append(wrong, err.Error())
	}
	fmt.Fprintf(out, "before: %s\nafter:  %s\n", before, after)
	if len(wrong) > 0 {
		return fmt.Errorf("%d things are wrong:\n%s", len(wrong), strings.Join(wrong, "\n"))
	}
	fmt.Fprintln(out, "every request had a result or a clear error, and nothing was left behind")
	return nil
}
