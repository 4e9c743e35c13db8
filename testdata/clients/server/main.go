// Server runs a command beside a server for it to try: glmc's own, whole but for the weights. The model says what the last message
// tells it to, between <say> and </say>. Tokenizer and chat template are those of models/tiny.
//
//	go run ./testdata/clients/server COMMAND [ARG...]
//
// The command finds in its environment where the server is (GLMC_URL), and the key that it wants (GLMC_KEY). A second server
// (GLMC_SLOW_URL) takes 20 ms for a token, and has room for four sequences and four that wait.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/serve"
	"github.com/glmc/glmc/runtime/serve/anthropic"
	"github.com/glmc/glmc/runtime/serve/openai"
	"github.com/glmc/glmc/runtime/serve/openapi"
	"github.com/glmc/glmc/runtime/service/modeltest"
)

const key = "sk-clients-0123456789abcdef"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: server COMMAND [ARG...]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2:]...); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// run runs the command beside the servers, and ends them behind it.
func run(ctx context.Context, name string, args ...string) (err error) {
	var usual modeltest.Options
	slow := modeltest.Options{Delay: 20 * time.Millisecond, Engine: engine.Options{MaxRunning: 4, MaxWaiting: 4}}
	environment := append(os.Environ(), "GLMC_KEY="+key)
	for _, s := range []struct {
		variable string
		model    modeltest.Options
	}{{"GLMC_URL", usual}, {"GLMC_SLOW_URL", slow}} {
		url, end, err := start(ctx, s.model)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		environment = append(environment, s.variable+"="+url)
	}
	c := exec.CommandContext(ctx, name, args...)
	c.Env, c.Stdin, c.Stdout, c.Stderr = environment, os.Stdin, os.Stdout, os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
	return c.Run()
}

// start runs a server until end is called, and returns its address when it is ready.
func start(ctx context.Context, o modeltest.Options) (url string, end func() error, err error) {
	o.Files, o.Stop = models.Tiny(), []int32{4064, 4071, 4073}
	keys, err := serve.NewKeys([]string{key}, nil)
	if err != nil {
		return "", nil, err
	}
	limits := serve.DefaultLimits()
	limits.Body = 4 << 20
	address, ready := make(chan net.Addr, 1), make(chan struct{})
	metrics := serve.NewMetrics()
	s, err := serve.New(serve.Options{Addr: "127.0.0.1:0", Keys: keys, Limits: limits, Drain: time.Second, Metrics: metrics, OpenMetrics: true,
		Listening: func(a net.Addr) { address <- a }})
	if err != nil {
		return "", nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx, func(context.Context) (*serve.Loaded, error) {
			defer close(ready)
			return load(s, metrics, o)
		})
	}()
	end = func() error {
		stop()
		return <-ended
	}
	select {
	case a := <-address:
		url = "http://" + a.String()
	case err := <-ended:
		stop()
		return "", nil, err
	}
	<-ready
	return url, end, awaitReady(ctx, url)
}

// load makes the model and its interfaces.
func load(s *serve.Server, metrics *serve.Metrics, o modeltest.Options) (*serve.Loaded, error) {
	o.Engine.Observe = s.Observer()
	model, end, err := modeltest.New(o)
	if err != nil {
		return nil, err
	}
	metrics.Serve(model.Model(), serve.Cache{}, func() engine.Stats { return engine.Stats{} })
	b := s.Observe(model)
	routes := append(openai.Routes(b, openai.Options{Fingerprint: "fp_clients"}), anthropic.Routes(b, anthropic.Options{})...)
	routes = append(routes, openapi.Route(b, "clients"))
	return &serve.Loaded{Routes: routes, Close: end}, nil
}

// awaitReady waits until the server says that it is ready.
func awaitReady(ctx context.Context, url string) error {
	for range 100 {
		r, err := http.Get(url + "/ready")
		if err != nil {
			return err
		}
		_ = r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the server does not get ready")
}
