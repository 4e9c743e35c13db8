package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/serve"
	"github.com/glmc/glmc/runtime/serve/openai"
	"github.com/glmc/glmc/runtime/service"
)

// servedModelFlags are about the model and the engine of `glmc serve`.
type servedModelFlags struct {
	compileFlags
	deviceFlags
	text       textFlags
	draftCache draftCacheFlag
	unproven   bool

	name           string
	maxLen         int
	maxRunning     int
	maxWaiting     int
	chunk          int
	mixedChunk     int
	keep           sizeFlag // of responses
	kvMemory       shareFlag
	kvTokens       int
	profileKernels bool
}

func (f *servedModelFlags) register(fs *pflag.FlagSet) {
	f.compileFlags.register(fs)
	f.text.register(fs)
	f.deviceFlags.register(fs)
	fs.StringVar(&f.draftCache.path, "draft-cache", "", "`FILE` of the responses that suffix drafts come from: read at the start, written at the end")
	fs.BoolVar(&f.unproven, "allow-unproven", false, "serve a plan without evidence that its passes are right")
	fs.StringVar(&f.name, "served-model-name", "", "`NAME` of the model in requests (default: the name of the directory of --weights, or tiny)")
	fs.IntVar(&f.maxLen, "max-model-len", 0, "`N` tokens of prompt and output together, at most (default: the model's positions)")
	fs.IntVar(&f.maxRunning, "max-running", 0, "`N` sequences in a step, at most (default: what the plan has room for)")
	fs.IntVar(&f.maxWaiting, "max-waiting", 512, "`N` requests that wait, at most; more are answered with 429; 0: any number")
	fs.IntVar(&f.chunk, "chunk", 0, "`N` tokens of a prompt in a step, at most (default: the plan's)")
	fs.IntVar(&f.mixedChunk, "mixed-chunk", 0, "`N` tokens of a prompt in a step, at most, while others generate, who wait for them (default: 64, or --chunk where that is less)")
	f.keep.register(fs, "keep-responses", openai.KeptBytes, "`SIZE` of the answers of /v1/responses that are kept in memory for later requests, of all keys; 0: none")
	f.kvMemory.text, f.kvMemory.share = "50%", defaultKVShare
	fs.Var(&f.kvMemory, "kv-memory", "`SIZE` of the KV cache, 8GiB, or its share of the memory that is free beside the weights, 0.5 or 50%")
	fs.IntVar(&f.kvTokens, "kv-tokens", 0, "`N` tokens in the KV cache (default: what --kv-memory has room for, and all running sequences can use)")
	fs.BoolVar(&f.profileKernels, "profile-kernels", false, "count the time of every kernel in /metrics")
}

// defaultKVShare leaves memory for everything else on the machine: the pages of a cache that was never full cost nothing, but
// the prefix cache fills all that there are.
const defaultKVShare = 0.5

func (f *servedModelFlags) check(model string) error {
	for _, x := range []struct {
		flag  string
		value int
	}{{"max-model-len", f.maxLen}, {"max-running", f.maxRunning}, {"max-waiting", f.maxWaiting}, {"chunk", f.chunk}, {"mixed-chunk", f.mixedChunk}, {"kv-tokens", f.kvTokens}} {
		if x.value < 0 {
			return usagef("--%s %d: wants a number from 0 on", x.flag, x.value)
		}
	}
	if model != "" && f.weights == "" {
		return noWeights(model)
	}
	return f.deviceFlags.check()
}

// served is a model that is loaded, with what has to be closed behind it.
type served struct {
	closers []func() error // in the order in which things were opened
}

func (s *served) opened(close func() error) { s.closers = append(s.closers, close) }

// Close closes everything, the last first.
func (s *served) Close() error {
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// load loads the model, warms it up and makes the server's routes for it.
func (f *servedModelFlags) load(ctx context.Context, model string, server *serve.Server, metrics *serve.Metrics, log *slog.Logger) (*serve.Loaded, error) {
	s := &served{}
	loaded, err := f.open(ctx, s, model, server, metrics, log)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	loaded.Close = s.Close
	return loaded, nil
}

func (f *servedModelFlags) open(ctx context.Context, s *served, model string, server *serve.Server, metrics *serve.Metrics, log *slog.Logger) (*serve.Loaded, error) {
	files, err := openFiles(f.weights)
	if err != nil {
		return nil, err
	}
	p, err := f.proven(ctx, model, files)
	if err != nil {
		return nil, err
	}
	text, err := f.text.load(files, false)
	if err != nil {
		return nil, err
	}
	guesses, err := f.draft.settle(p)
	if err != nil {
		return nil, err
	}
	s.opened(guesses.Close)
	label, err := f.text.label(files, p)
	if err != nil {
		return nil, err
	}
	keep, err := f.draftCache.open(guesses, label)
	if err != nil {
		return nil, err
	}
	ex, pages, err := f.executor(ctx, s, model, p, files, guesses, metrics, log)
	if err != nil {
		return nil, err
	}
	eng, err := engine.New(ex, guesses.options(engine.Options{Chunk: f.chunk, MixedChunk: f.mixedChunk, MaxRunning: f.maxRunning, MaxWaiting: f.maxWaiting, Observe: server.Observer()}))
	if err != nil {
		return nil, err
	}
	s.opened(keep)
	loop := engine.NewLoop(eng)
	s.opened(loop.Close)
	if err := warmUp(ctx, loop); err != nil {
		return nil, err
	}
	o, err := f.serviceOptions(p, files, text, pages)
	if err != nil {
		return nil, err
	}
	backend, err := service.New(loop, o)
	if err != nil {
		return nil, err
	}
	metrics.Serve(backend.Model(), serve.Cache{PageSize: p.Cache.PageSize, Pages: pages}, loop.Stats)
	if guesses.cache != nil {
		metrics.Trees(backend.Model().Name, guesses.cache.Stats)
	}
	return &serve.Loaded{Routes: f.routes(server.Observe(backend), p), Healthy: loop.Healthy}, nil
}

// proven is the plan that is served, with evidence that its passes are right: the file's, or made here.
func (f *servedModelFlags) proven(ctx context.Context, model string, files checkpointFiles) (*plan.Plan, error) {
	m, err := modelOf(model, &f.compileFlags, files)
	if err != nil {
		return nil, err
	}
	if m.isPlan() {
		p, err := m.decode(&f.compileFlags)
		if err != nil {
			return nil, err
		}
		if err := p.Unproven(); err != nil && !f.unproven {
			return nil, fmt.Errorf("%s: %w; --allow-unproven serves it all the same", m.name, err)
		}
		return p, nil
	}
	made, err := m.prepare(&f.compileFlags, files, nil)
	if err != nil {
		return nil, err
	}
	r, err := made.compile()
	if err != nil || f.unproven {
		return planOf(r, err)
	}
	if r.Plan.Evidence, err = made.evidence(ctx); err != nil {
		return nil, err
	}
	if err := r.Plan.Unproven(); err != nil {
		return nil, fmt.Errorf("%s: %w; --allow-unproven serves it all the same, and --disable-pass NAME leaves a pass out", m.name, err)
	}
	return r.Plan, nil
}

// executor loads the weights. It returns the pages of the KV cache with it.
func (f *servedModelFlags) executor(ctx context.Context, s *served, model string, p *plan.Plan, files checkpointFiles, guesses drafts, metrics *serve.Metrics, log *slog.Logger) (*exec.Executor, int, error) {
	ckpt, err := files.open()
	if err != nil {
		return nil, 0, err
	}
	s.opened(ckpt.Close)
	made, err := f.packed.open(f.device, files, ckpt)
	if err != nil {
		return nil, 0, err
	}
	s.opened(made.Close)
	pages, err := f.pages(p)
	if err != nil {
		return nil, 0, err
	}
	running := f.sequences(p)
	if f.maxRunning > running {
		return nil, 0, fmt.Errorf("--max-running %d: the plan has room for %d sequences in a step; its setting decode.capture lists how many it is compiled for", f.maxRunning, running)
	}
	if err := f.checkChunks(p); err != nil {
		return nil, 0, err
	}
	longest, err := f.room(p, pages)
	if err != nil {
		return nil, 0, err
	}
	log.Info("loading", "model", f.servedName(), "weights", cmp.Or(f.weights, "bundled"), "kv_tokens", pages*p.Cache.PageSize, "max_model_len", longest, "max_running", running, "draft", guesses.kind)
	ex, err := exec.New(ctx, p, ckpt, f.timed(f.execOptions(pages, made, guesses), metrics))
	if errors.Is(err, exec.ErrCheckpoint) {
		return nil, 0, f.misfit(model, p, files, ckpt, err)
	}
	if err != nil {
		return nil, 0, err
	}
	s.opened(func() error { ex.Close(); return nil })
	noteRounded(ex.Rounded())
	f.precision.note(p, ex)
	notePacked(made, ex.Weights())
	return ex, pages, nil
}

// timed are the options of an executor whose kernels are timed, where that is asked for.
func (f *servedModelFlags) timed(o exec.Options, metrics *serve.Metrics) exec.Options {
	if f.profileKernels {
		o.Timed = func(_ int, _ string, _ ir.Bucket, n *ir.Node, took time.Duration) { metrics.Kernel(n.Op.Name, took) }
	}
	return o
}

// warmUp runs a step of each kind, so that the first request finds everything in its place.
func warmUp(ctx context.Context, loop *engine.Loop) error {
	s, err := loop.Submit(ctx, engine.Request{ID: "warm-up", Prompt: []int32{0}, MaxTokens: 2, Sampling: sample.Params{}})
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	for err == nil {
		_, err = s.Next(ctx)
	}
	if r := s.Result(); r.Err != nil {
		return fmt.Errorf("warming up: %w", r.Err)
	}
	return ctx.Err()
}

// servedName is what requests call the model.
func (f *servedModelFlags) servedName() string {
	switch {
	case f.name != "":
		return f.name
	case f.weights == "":
		return "tiny"
	}
	dir, err := filepath.Abs(f.weights)
	if err != nil {
		dir = f.weights
	}
	return filepath.Base(dir)
}

// fingerprint changes when answers may: with the plan and the build.
func fingerprint(p *plan.Plan) string {
	file, err := p.Encode()
	if err != nil {
		return ""
	}
	return "fp_" + plan.Digest(file)[:12]
}

// created is when the model was made, as far as files tell.
func created(files checkpointFiles) time.Time {
	if info, err := os.Stat(files.path("config.json")); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}
