// Peers measures glmc beside llama.cpp on models of the same shapes with the same weights, in turn, and prints tokens/s and
// their ratios: `make bench-peers`. README.md says what it does and what it needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// options are the command line's.
type options struct {
	dir       string // of everything that is made
	glmc      string // the binary
	llama     string // a folder with llama.cpp's tools; empty: Debian's
	update    bool
	models    string
	workloads string
	rounds    int
	threads   int
	json      bool
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = o.all(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func parse(args []string) (*options, error) {
	var o options
	fs := flag.NewFlagSet("peers", flag.ContinueOnError)
	fs.StringVar(&o.dir, "dir", os.Getenv("PEERS_DIR"), "`DIR` for llama.cpp and the models (default: PEERS_DIR, or glmc-peers in the user's cache)")
	fs.StringVar(&o.glmc, "glmc", "./glmc", "`FILE` of the glmc to measure")
	fs.StringVar(&o.llama, "llama", "", "`DIR` with llama-bench, llama-batched-bench and llama-quantize of your own (default: Debian's package)")
	fs.BoolVar(&o.update, "update", false, "ask Debian for a newer llama.cpp than the one that was fetched before")
	fs.StringVar(&o.models, "models", strings.Join(modelNames(), ","), "`NAMES` of presets of glmc synth")
	fs.StringVar(&o.workloads, "workloads", "", "`NAMES` of workloads: "+strings.Join(workloadNames(), ",")+" (default: those of the model)")
	fs.IntVar(&o.rounds, "rounds", 3, "`N` times that each side runs")
	fs.IntVar(&o.threads, "threads", runtime.NumCPU(), "`N` threads of each side")
	fs.BoolVar(&o.json, "json", false, "print one JSON document in place of Markdown")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 || o.rounds < 1 || o.threads < 1 {
		return nil, errors.New("wants no arguments, and -rounds and -threads from 1 on: -help lists the flags")
	}
	return &o, o.finish()
}

// finish makes paths absolute: the peers run in folders of their own.
func (o *options) finish() error {
	if o.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no folder for llama.cpp and the models: %w: name one with -dir or PEERS_DIR", err)
		}
		o.dir = filepath.Join(cache, "glmc-peers")
	}
	for _, path := range []*string{&o.dir, &o.glmc, &o.llama} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = abs
	}
	if _, err := os.Stat(o.glmc); err != nil {
		return fmt.Errorf("%w: make build writes it, -glmc names another one", err)
	}
	for _, name := range strings.Split(o.models, ",") {
		if !slices.Contains(modelNames(), name) {
			return fmt.Errorf("-models %s: there is %s", name, strings.Join(modelNames(), ", "))
		}
	}
	return nil
}

// all measures and prints.
func (o *options) all(ctx context.Context) error {
	r, err := o.run(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return r.printJSON(os.Stdout)
	}
	return r.print(os.Stdout)
}

func (o *options) run(ctx context.Context) (*report, error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	p, err := o.peer(ctx)
	if err != nil {
		return nil, err
	}
	r := &report{Machine: machine(), Threads: o.threads, Rounds: o.rounds, Peer: p.version, Glmc: version(ctx, o.glmc)}
	type prepared struct {
		model     model
		workloads []workload
		contests  []contest
	}
	var all []prepared
	for _, m := range models {
		if !slices.Contains(strings.Split(o.models, ","), m.name) {
			continue
		}
		list, err := o.workloadsOf(m)
		if err != nil {
			return nil, err
		}
		contests, err := o.prepare(ctx, p, m)
		if err != nil {
			return nil, err
		}
		all = append(all, prepared{m, list, contests})
	}
	r.Busy = busy()
	for _, x := range all {
		for _, c := range x.contests {
			if err := o.measure(ctx, p, x.model, c, x.workloads, r); err != nil {
				return nil, err
			}
		}
	}
	if len(r.Results) == 0 {
		return nil, fmt.Errorf("nothing of glmc's was measured: %s", strings.Join(r.LeftOut, "; "))
	}
	return r, nil
}

// note tells on stderr what is being done.
func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
