package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/glmc/glmc/runtime/serve"
)

// serveFlags are the flags of `glmc serve`.
type serveFlags struct {
	model  servedModelFlags
	http   httpFlags
	traces traceFlags

	role       string
	configFile string
	logFormat  string
	logLevel   string
	logPrompts bool
}

func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve [MODEL]",
		Short: "Serve a model over HTTP, as OpenAI's and Anthropic's clients want it",
		Long: `Serve compiles MODEL, or reads it where it is a plan, loads the checkpoint of --weights and answers requests
over HTTP: /v1/chat/completions, /v1/completions, /v1/responses and /v1/messages among them. Without MODEL and
without --weights it takes what glmc run takes. It answers /health at once, and /ready when the model is loaded.

It listens at --addr. ":8000" is port 8000 of every address of this machine, so that others reach it: give keys
with --api-key-file, or listen at 127.0.0.1:8000. The first interrupt, or SIGTERM, lets the requests that run end, a
second one ends the process.

A plan has to carry evidence that its passes are right (glmc compile --verify). A .glm file is validated here,
which takes a second or two.

Every flag can also stand in the environment, as GLMC_ and its name in capitals with _ for -, or in the JSON file
of --config-file: {"addr": ":8080", "max-running": 16}. The command line comes first, then the environment. Lists
in the environment have commas between their elements. docs/serving.md says more.`,
		Example: `  glmc serve --addr 127.0.0.1:8000
  glmc serve --weights DIR --api-key-file FILE --max-running 16 --max-model-len 32768
  glmc serve glm.plan --weights DIR --tls-cert FILE --tls-key FILE --log-format json`,
		Args: atMostOneArg("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			model := strings.Join(args, "")
			if err := configure(cmd.Flags(), os.LookupEnv, os.Environ(), &f.configFile); err != nil {
				return err
			}
			if err := f.check(model); err != nil {
				return err
			}
			return f.run(cmd.Context(), model)
		},
	}
	fs := cmd.Flags()
	f.model.register(fs)
	f.http.register(fs)
	f.traces.register(fs)
	fs.StringVar(&f.role, "role", "both", "`NAME`: both, for prompts and generation; this version has no other")
	fs.StringVar(&f.configFile, "config-file", "", "JSON `FILE` with values for flags")
	fs.StringVar(&f.logFormat, "log-format", "text", "`NAME` of the format of logs, on stderr: text or json")
	fs.StringVar(&f.logLevel, "log-level", "info", "`NAME` of the least level that is logged: debug, info, warn or error")
	fs.BoolVar(&f.logPrompts, "log-prompts", false, "log what requests and replies say")
	return cmd
}

// check refuses command lines that make no sense before any work is done.
func (f *serveFlags) check(model string) error {
	roles := []string{"both", "prefill", "decode", "router"}
	switch {
	case !slices.Contains(roles, f.role):
		return usagef("--role %s: there is no such role%s", f.role, didYouMean(f.role, roles))
	case f.role != "both":
		return usagef("--role %s: prefill and decode on different machines come with a later version; this one has --role both", f.role)
	}
	if err := f.model.check(model); err != nil {
		return err
	}
	if err := f.http.check(); err != nil {
		return err
	}
	if err := new(slog.Level).UnmarshalText([]byte(f.logLevel)); err != nil {
		return usagef("--log-level %s: wants debug, info, warn or error", f.logLevel)
	}
	if f.logFormat != "text" && f.logFormat != "json" {
		return usagef("--log-format %s: wants text or json", f.logFormat)
	}
	return nil
}

func (f *serveFlags) run(ctx context.Context, model string) (err error) {
	signal.Ignore(syscall.SIGPIPE) // a server does not end because what reads its log did
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return err
	}
	log, err := serve.NewLog(os.Stderr, f.logFormat, level)
	if err != nil {
		return err
	}
	o, err := f.http.options(log)
	if err != nil {
		return err
	}
	o.Log, o.LogPrompts, o.Metrics = log, f.logPrompts, serve.NewMetrics()
	if o.Traces, err = f.traces.open(ctx, log); err != nil {
		return err
	}
	defer func() {
		closing, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if closeErr := o.Traces.Close(closing); closeErr != nil {
			log.Warn("traces were lost", "error", closeErr)
		}
	}()
	o.Version, o.Early = version(), loadingRoutes()
	o.Listening = func(a net.Addr) { f.listening(log, a) }
	server, err := serve.New(o)
	if err != nil {
		return &usageError{err}
	}
	return server.Run(ctx, func(ctx context.Context) (*serve.Loaded, error) {
		return f.model.load(ctx, model, server, o.Metrics, log)
	})
}

// listening tells where the server is.
func (f *serveFlags) listening(log *slog.Logger, a net.Addr) {
	scheme := "http"
	if f.http.cert != "" {
		scheme = "https"
	}
	log.Info("listening", "url", fmt.Sprintf("%s://%s", scheme, a))
	if tcp, ok := a.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && !f.http.hasKeys() {
		log.Warn("there is no key, and others than this machine can reach the server: give --api-key-file, or --addr 127.0.0.1:"+strconv.Itoa(tcp.Port), "addr", a.String())
	}
}

// httpFlags are about the server, whatever it serves.
type httpFlags struct {
	addr, debugAddr   string
	keys, keyFiles    []string
	cert, key         string
	hosts, origins    []string
	openMetrics       bool
	sharePrefixes     bool
	urgent            bool
	drain             time.Duration
	limits            serve.Limits
	maxBody, maxTotal sizeFlag
}

func (f *httpFlags) register(fs *pflag.FlagSet) {
	f.limits = serve.DefaultLimits()
	l := &f.limits
	fs.StringVar(&f.addr, "addr", ":8000", "`ADDRESS` to listen at; without a host it is all of this machine's")
	fs.StringVar(&f.debugAddr, "debug-addr", "", "`ADDRESS` to serve Go's pprof at, localhost:6060 (default: nowhere)")
	fs.StringArrayVar(&f.keys, "api-key", nil, "`KEY` that requests have to give; may be repeated (others on this machine see command lines: prefer the environment or a file)")
	fs.StringArrayVar(&f.keyFiles, "api-key-file", nil, "`FILE` with a key on each line, behind a name for it or not; read again when it changes; may be repeated")
	fs.StringVar(&f.cert, "tls-cert", "", "PEM `FILE` with the certificate, for HTTPS; read again when it changes")
	fs.StringVar(&f.key, "tls-key", "", "PEM `FILE` with its private key")
	fs.StringArrayVar(&f.hosts, "allowed-host", nil, "`NAME` by which the server may be asked; may be repeated (default: any, and on a loopback address without keys only this machine's)")
	fs.StringArrayVar(&f.origins, "cors-origin", nil, "`ORIGIN` of pages that may ask, https://chat.example.com, or * for all; may be repeated (default: the server's own page)")
	fs.BoolVar(&f.openMetrics, "open-metrics", false, "/metrics wants no key")
	fs.BoolVar(&f.sharePrefixes, "share-prefixes", false, "requests of different keys share the prefix cache (then the time of an answer tells what others asked)")
	fs.BoolVar(&f.urgent, "client-priority", false, "requests may ask to come before others, with a priority below 0 (default: only behind them)")
	fs.DurationVar(&f.drain, "drain-timeout", 30*time.Second, "`TIME` for which requests may go on when the server is to end")
	f.maxBody.register(fs, "max-body", l.Body, "`SIZE` of a request's body, at most")
	f.maxTotal.register(fs, "max-bodies", l.Bodies, "`SIZE` of the bodies of all requests at a time, at most")
	fs.IntVar(&l.Header, "max-header", l.Header, "`N` bytes of a request's headers, at most")
	fs.DurationVar(&l.HeaderTime, "header-timeout", l.HeaderTime, "`TIME` in which a request's headers have to come")
	fs.DurationVar(&l.BodyTime, "body-timeout", l.BodyTime, "`TIME` in which a request's body has to come")
	fs.DurationVar(&l.WriteTime, "write-timeout", l.WriteTime, "`TIME` in which a client has to read what it is sent, each time")
	fs.DurationVar(&l.IdleTime, "idle-timeout", l.IdleTime, "`TIME` for which a connection is kept without requests")
	fs.IntVar(&l.Requests, "max-requests", l.Requests, "`N` requests at a time, those that wait included; more are answered with 429")
	fs.IntVar(&l.Connections, "max-connections", l.Connections, "`N` connections at a time")
}

func (f *httpFlags) hasKeys() bool { return len(f.keys) > 0 || len(f.keyFiles) > 0 }

func (f *httpFlags) check() error {
	l := &f.limits
	l.Body, l.Bodies = f.maxBody.bytes, max(f.maxTotal.bytes, f.maxBody.bytes)
	for _, x := range []struct {
		flag  string
		value int64
	}{{"max-body", l.Body}, {"max-header", int64(l.Header)}, {"max-requests", int64(l.Requests)}, {"max-connections", int64(l.Connections)}} {
		if x.value < 1 {
			return usagef("--%s %d: wants a number from 1 on", x.flag, x.value)
		}
	}
	for _, x := range []struct {
		flag  string
		value time.Duration
	}{{"header-timeout", l.HeaderTime}, {"body-timeout", l.BodyTime}, {"write-timeout", l.WriteTime}, {"idle-timeout", l.IdleTime}} {
		if x.value <= 0 {
			return usagef("--%s %s: wants a time above 0, such as 30s", x.flag, x.value)
		}
	}
	switch {
	case f.drain < 0:
		return usagef("--drain-timeout %s: wants a time from 0 on", f.drain)
	case (f.cert == "") != (f.key == ""):
		return usagef("--tls-cert and --tls-key belong together")
	}
	return nil
}

// options reads the files that the flags name.
func (f *httpFlags) options(log *slog.Logger) (serve.Options, error) {
	o := serve.Options{Addr: f.addr, DebugAddr: f.debugAddr, Hosts: f.hosts, Origins: f.origins, Limits: f.limits, Drain: f.drain,
		OpenMetrics: f.openMetrics, SharePrefixes: f.sharePrefixes, Urgent: f.urgent, Log: log}
	var err error
	if o.Keys, err = serve.NewKeys(f.keys, f.keyFiles); err != nil {
		return o, err
	}
	if f.cert != "" {
		if o.Certificate, err = serve.NewCertificate(f.cert, f.key); err != nil {
			return o, fmt.Errorf("--tls-cert: %w", err)
		}
	}
	return o, nil
}

// traceFlags say where traces go. OpenTelemetry's own variables count as well.
type traceFlags struct{ endpoint string }

func (f *traceFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.endpoint, "otlp-endpoint", "", "`URL` of a collector of traces, http://localhost:4318 (default: OTEL_EXPORTER_OTLP_ENDPOINT, else no traces)")
}

func (f *traceFlags) open(ctx context.Context, log *slog.Logger) (*serve.Traces, error) {
	endpoint := f.endpoint
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		if endpoint == "" {
			endpoint = os.Getenv(name)
		}
	}
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	headers := map[string]string{}
	for pair := range strings.SplitSeq(os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"), ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	name := os.Getenv("OTEL_SERVICE_NAME")
	if name == "" {
		name = "glmc"
	}
	t, err := serve.NewTraces(ctx, endpoint, headers, name, version(), func(err error) { log.Warn("traces were lost", "error", err) })
	if err != nil {
		return nil, fmt.Errorf("--otlp-endpoint: %w", err)
	}
	return t, nil
}

var errNoRoom = errors.New("there is no memory for a KV cache")
