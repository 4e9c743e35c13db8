package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/runtime/engine"
	"github.com/glmc/glmc/runtime/exec"
	"github.com/glmc/glmc/runtime/safetensors"
)

const (
	goldenDir = "../../testdata/golden"
	modelsDir = "../../models"
	modelFile = modelsDir + "/glm4moe/model.glm"
)

// goldenCase is a checkpoint of testdata/golden; the README there says what each varies.
type goldenCase struct {
	model       string // folder of models
	dir, prefix string
	set         map[string]string
	tp          []int // rank counts beside 1 that the case is run with
	// brief leaves single passes that are off out, and most ways to cut a prompt: another case of the family has
	// them.
	brief bool
}

var goldens = []goldenCase{
	{model: "glm4moe", dir: "c1-bias-untied", tp: []int{2, 4}},
	{model: "glm4moe", dir: "c2-qknorm-bf16", tp: []int{2, 4}}, // six heads do not divide by four: the attention is replicated
	{model: "glm4moe", dir: "c3-groups-tied", tp: []int{2, 4}},
	{model: "glm4moe", dir: "c6-fp8", prefix: "w8a32.", tp: []int{2, 4}},
	// Its config.json says bfloat16, and the values are of a cache in f32. Rounding keys and values moves activations over
	// borders between codes, which have three bits of mantissa, and then other experts are chosen in more rows than the
	// bounds allow (a mean of 0.47 for p33). What is tested here is the codes, so the cache is in f32.
	{model: "glm4moe", dir: "c6-fp8", prefix: "w8a8.", set: map[string]string{"activations": "fp8_e4m3", "cache": "f32"}},
	{model: "glm4moe", dir: "g2-glm4moe", tp: []int{2, 4}, brief: true},
	{model: "qwen3moe", dir: "q1-qwen3moe", tp: []int{2, 4}},
	{model: "qwen3moe", dir: "q2-qwen3moe-bf16", tp: []int{2, 4}, brief: true},
	{model: "qwen3", dir: "q3-qwen3", tp: []int{2, 4}},
	{model: "qwen3", dir: "q4-qwen3-yarn", tp: []int{2, 4}, brief: true},
	{model: "llama3", dir: "l1-llama3", tp: []int{2, 4}},
	{model: "llama3", dir: "l2-llama-bias", tp: []int{2, 4}, brief: true},
	{model: "llama3", dir: "l3-llama-linear", tp: []int{2, 4}, brief: true},
	{model: "deepseekv3", dir: "d1-deepseekv3", tp: []int{2, 4}},
	{model: "deepseekv3", dir: "d2-deepseekv3-noq", tp: []int{2, 4}, brief: true},
	{model: "glm4moelite", dir: "g1-glm4moelite", tp: []int{2, 4}}, // five heads: the attention is replicated
}

// open opens the case's files.
func (c goldenCase) open(t testing.TB) *golden {
	t.Helper()
	g := openGolden(t, c.dir, c.prefix)
	g.model = filepath.Join(modelsDir, c.model, "model.glm")
	return g
}

// chunks are the ways to cut prompts; 0 is not at all.
func (c goldenCase) chunks() []int {
	switch {
	case c.brief:
		return []int{0, 3}
	case c.model != "glm4moe":
		return []int{0, 1, 16}
	}
	return []int{0, 1, 3, 16}
}

// golden is one case with what Hugging Face's code computed.
type golden struct {
	name   string
	model  string // its .glm file
	dir    string
	prefix string
	facts  map[string]json.RawMessage
	values *safetensors.Checkpoint
	ckpt   *safetensors.Checkpoint
}

func openGolden(t testing.TB, dir, prefix string) *golden {
	t.Helper()
	g := &golden{name: dir + " " + prefix, model: modelFile, dir: filepath.Join(goldenDir, dir), prefix: prefix}
	data, err := os.ReadFile(filepath.Join(g.dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g.facts); err != nil {
		t.Fatal(err)
	}
	g.openFiles(t)
	return g
}

// openFiles opens the checkpoint and the expected values.
func (g *golden) openFiles(t testing.TB) {
	t.Helper()
	var err error
	if g.values, err = safetensors.OpenFile(filepath.Join(g.dir, "golden.safetensors")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.values.Close() })
	if g.ckpt, err = safetensors.Open(g.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.ckpt.Close() })
}

func (g *golden) prompt(t *testing.T, name string) []int32 {
	t.Helper()
	var prompts map[string][]int32
	if err := json.Unmarshal(g.facts["prompts"], &prompts); err != nil {
		t.Fatal(err)
	}
	return prompts[name]
}

func (g *golden) greedy(t *testing.T, name string) []int32 {
	t.Helper()
	var greedy map[string]struct{ Tokens []int32 }
	if err := json.Unmarshal(g.facts[g.prefix+"greedy"], &greedy); err != nil {
		t.Fatal(err)
	}
	return greedy[name].Tokens
}

func (g *golden) floats(t *testing.T, name string) []float32 {
	t.Helper()
	v, err := g.values.Tensor(g.prefix + name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, v.Elems())
	if err := v.ToF32(out); err != nil {
		t.Fatal(err)
	}
	return out
}

func (g *golden) ints(t *testing.T, name string) []int32 {
	t.Helper()
	v, err := g.values.Tensor(g.prefix + name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := v.Int32s()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compile takes a case from source to a plan that went through its file form.
func (g *golden) compile(t testing.TB, o compiler.Options) *plan.Plan {
	t.Helper()
	src, err := os.ReadFile(g.model)
	if err != nil {
		t.Fatal(err)
	}
	return g.compileSource(t, src, o)
}

func (g *golden) compileSource(t testing.TB, src []byte, o compiler.Options) *plan.Plan {
	t.Helper()
	file, list := syntax.Parse("model.glm", src)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(g.dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if o.Config, err = config.Parse("config.json", data); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"prefill.chunk": "160", "prefill.rows": "160"}
	maps.Copy(set, o.Set)
	o.Set = set
	r, list, err := compiler.Compile(file, o)
	if err != nil {
		t.Fatalf("%v\n%v", err, list.Err())
	}
	bytes, err := r.Plan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Decode(bytes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Plan.Module.String(), p.Module.String()); diff != "" {
		t.Fatalf("the plan file changed the module (-compiled +read):\n%s", diff)
	}
	return p
}

// machine is a plan that is ready to run.
type machine struct {
	exec   *exec.Executor
	engine *engine.Engine
	trace  *trace
}

func (g *golden) start(t testing.TB, p *plan.Plan, device string, chunk int) *machine {
	t.Helper()
	return g.startWith(t, p, exec.Options{Device: device}, chunk)
}

// startWith is start with some options.
func (g *golden) startWith(t testing.TB, p *plan.Plan, o exec.Options, chunk int) *machine {
	t.Helper()
	m := &machine{trace: &trace{}}
	o.Pages, o.Trace = 64, m.trace.step
	var err error
	m.exec, err = exec.New(context.Background(), p, g.ckpt, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.exec.Close)
	if m.engine, err = engine.New(m.exec, engine.Options{Chunk: chunk}); err != nil {
		t.Fatal(err)
	}
	return m
}

// trace collects what rank 0 computes inside of the layers, row behind row over all steps of a prompt.
type trace struct {
	mu      sync.Mutex
	on      bool
	values  map[string][]float32
	experts map[string][]choice
	// residuals counts the residual sums of the step so far.
	residuals int
	// projected is the last result of a projection, reduced over ranks where it is: what a residual sum adds. The sum
	// may take its place before the trace sees it.
	projected []float32
	// sum is the last residual sum.
	sum []float32
}

// choice is one token's experts with their weights, by rising expert.
type choice struct {
	ids     []int32
	weights []float32
}

func (tr *trace) reset() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.on, tr.values, tr.experts = true, map[string][]float32{}, map[string][]choice{}
}

func (tr *trace) step(rank int, n *ir.Node, c *kernels.Call) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !tr.on || rank != 0 {
		return
	}
	layer := fmt.Sprint(n.Origin.Layer)
	add := func(name string, t *kernels.Tensor) {
		tr.values[name] = append(tr.values[name], t.F32[:t.Elems()]...)
	}
	switch {
	case n.Op.Name == "embed":
		add("embed", &c.Out[0])
		tr.residuals, tr.sum = 0, append(tr.sum[:0], c.Out[0].F32[:c.Out[0].Elems()]...)
	case n.Op.Name == "add" && n.Origin.Path == "model.layers."+layer || strings.Contains(n.Op.Name, "add_rms"):
		// A layer adds twice: the attention to its input, and the MLP to that. A sum that is fused with its norm
		// belongs to the norm's layer, which may be the next one; the last sum's norm is the final one.
		if layer = fmt.Sprint(tr.residuals / 2); tr.residuals%2 == 0 {
			tr.values["attn_out."+layer] = append(tr.values["attn_out."+layer], tr.added(n, c)...)
		} else {
			add("hidden."+layer, &c.Out[0])
		}
		tr.residuals++
		tr.sum = append(tr.sum[:0], c.Out[0].F32[:c.Out[0].Elems()]...)
		if n.Op.Name != "add" && n.Origin.Path == "" {
			add("final_norm", &c.Out[1])
		}
	case n.Op.Name == "linear" || n.Op.Name == "linear.w8a8" || n.Op.Name == "comm.all_reduce":
		tr.projected = append(tr.projected[:0], c.Out[0].F32[:c.Out[0].Elems()]...)
	case n.Op.Name == "norm.rms" && n.Origin.Path == "":
		add("final_norm", &c.Out[0])
	case strings.HasPrefix(n.Op.Name, "moe.experts"):
		ids, weights := &c.In[n.Op.Operand("ids")], &c.In[n.Op.Operand("weights")]
		experts := int32(c.In[n.Op.Operand("gate")].Shape[0])
		k := ids.Last()
		for r := range ids.Rows() {
			tr.experts[layer] = append(tr.experts[layer], chosen(ids.I32[r*k:(r+1)*k], weights.F32[r*k:(r+1)*k], experts))
		}
	}
}

// added is what a residual sum adds to the last one. Where it is reduced over ranks in the same operator, it is nowhere
// to be seen.
func (tr *trace) added(n *ir.Node, c *kernels.Call) []float32 {
	if !strings.HasPrefix(n.Op.Name, "comm.all_reduce_add_rms") {
		return tr.projected
	}
	out := make([]float32, len(tr.sum))
	for i := range out {
		out[i] = c.Out[0].F32[i] - tr.sum[i]
	}
	return out
}

func chosen(ids []int32, weights []float32, experts int32) choice {
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(ids[a] - ids[b]) })
	var c choice
	for _, i := range order {
		c.ids = append(c.ids, ids[i])
		c.weights = append(c.weights, weights[i])
	}
	return c
}

// promptLogits runs a prompt and returns the logits of all its positions.
func (m *machine) promptLogits(t *testing.T, prompt []int32) []float32 {
	t.Helper()
	var all []float32
	_, err := m.engine.Generate(context.Background(), engine.Request{Prompt: prompt, OnPromptLogits: func(pos int, row []float32) error {
		all = append(all, row...)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (m *machine) greedy(t *testing.T, prompt []int32, n int) []int32 {
	t.Helper()
	out, err := m.engine.Generate(context.Background(), engine.Request{Prompt: prompt, MaxTokens: n})
	if err != nil {
		t.Fatal(err)
	}
	return out.Output
}

func maxDiff(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	worst := 0.0
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		if !(d <= worst) {
			worst = d
		}
	}
	return worst
}

func within(t *testing.T, what string, got, want []float32, bound float64) {
	t.Helper()
	if d := maxDiff(got, want); !(d <= bound) {
		t.Errorf("%s: differs by %.3g, the bound is %.3g (%d and %d values)", what, d, bound, len(got), len(want))
	}
}

// switched are the passes that goldens run with and without: all that leave weights and ranks as they are.
func switched() []string {
	return slices.DeleteFunc(passes.Names(), func(name string) bool {
		return name == "quantise" || name == "shard_tensor_parallel"
	})
}

// variants are the compilations that each case must hold for.
func (c goldenCase) variants() []compiler.Options {
	all := []compiler.Options{{}, {Disable: switched()}}
	for _, n := range c.tp {
		all = append(all, compiler.Options{TensorParallel: n}, compiler.Options{TensorParallel: n, Disable: switched()})
	}
	if c.brief {
		return all
	}
	for _, pass := range switched() {
		all = append(all, compiler.Options{Disable: []string{pass}})
	}
	return all
}

func variantName(o compiler.Options) string {
	without := strings.Join(o.Disable, "_")
	if slices.Equal(o.Disable, switched()) {
		without = "all"
	}
	return fmt.Sprintf("tp%d-without_%s", max(o.TensorParallel, 1), without)
}

// TestReferenceMatchesHuggingFace is the contract of the whole way from .glm file to tokens: on the reference
// kernels, every case agrees with Hugging Face's code in logits, hidden states, router choices and greedy
// tokens, for every pass on and off, split over ranks, and however the prompt is cut.
func TestReferenceMatchesHuggingFace(t *testing.T) {
	for _, c := range goldens {
		g := c.open(t)
		for _, o := range c.variants() {
			t.Run(g.name+variantName(o), func(t *testing.T) {
				t.Parallel()
				o.Set = c.set
				p := g.compile(t, o)
				chunks := c.chunks()
				if testing.Short() { // under the race detector: what several ranks do is what it can look at
					if o.TensorParallel < 2 {
						t.Skip("one rank")
					}
					chunks = []int{16}
				}
				for _, chunk := range chunks {
					t.Run(fmt.Sprintf("chunk%d", chunk), func(t *testing.T) {
						g.checkReference(t, g.start(t, p, "ref", chunk))
					})
				}
			})
		}
	}
}

// Bounds of testdata/golden/README.md for f32 compute.
const (
	logitBound  = 1e-3
	hiddenBound = 1e-3
	weightBound = 1e-4
)

func (g *golden) checkReference(t *testing.T, m *machine) {
	for _, name := range []string{"p1", "p7", "p33"} {
		m.trace.reset()
		logits := m.promptLogits(t, g.prompt(t, name))
		if g.prefix == "w8a8." && name == "p33" {
			g.checkLoosely(t, name, logits, looseW8A8)
			continue
		}
		within(t, name+" logits", logits, g.floats(t, name+".logits"), logitBound)
		if g.prefix != "w8a8." || name != "p33" {
			g.checkRouting(t, name, m.trace)
		}
		if name == "p7" {
			g.checkHidden(t, m.trace)
		}
	}
	m.trace.on = false
	if g.prefix == "w8a8." {
		return // an activation near a rounding border may take another way: the README compares p1 and p7 only
	}
	vocab := m.exec.Plan().Facts.VocabSize
	logits := m.promptLogits(t, g.prompt(t, "p130"))
	within(t, "p130 last logits", logits[len(logits)-vocab:], g.floats(t, "p130.logits_last"), logitBound)
	g.checkTop5(t, logits, vocab)
	for _, name := range []string{"p1", "p7", "p33", "p130"} {
		want := g.greedy(t, name)
		if diff := cmp.Diff(want, m.greedy(t, g.prompt(t, name), len(want))); diff != "" {
			t.Errorf("%s: greedy tokens (-want +got):\n%s", name, diff)
		}
	}
}

func (g *golden) checkTop5(t *testing.T, logits []float32, vocab int) {
	t.Helper()
	ids := g.ints(t, "p130.logits_top5_ids")
	for pos := range len(logits) / vocab {
		row := logits[pos*vocab : (pos+1)*vocab]
		for i := 1; i < 5; i++ {
			if a, b := row[ids[pos*5+i-1]], row[ids[pos*5+i]]; a < b-2*logitBound {
				t.Errorf("p130 position %d: token %d of the top five has %g, the next %g", pos, i-1, a, b)
			}
		}
		if best := slices.Max(row); best > row[ids[pos*5]]+2*logitBound {
			t.Errorf("p130 position %d: the best logit is %g, Hugging Face's best token has %g", pos, best, row[ids[pos*5]])
		}
	}
}

func (g *golden) checkHidden(t *testing.T, tr *trace) {
	t.Helper()
	within(t, "p7 embeddings", tr.values["embed"], g.floats(t, "p7.embed"), hiddenBound)
	within(t, "p7 final norm", tr.values["final_norm"], g.floats(t, "p7.final_norm"), hiddenBound)
	layers := 0
	for ; g.values.Has(fmt.Sprintf("%sp7.hidden.%d", g.prefix, layers)); layers++ {
		n := fmt.Sprint(layers)
		within(t, "p7 attention of layer "+n, tr.values["attn_out."+n], g.floats(t, "p7.attn_out."+n), hiddenBound)
		within(t, "p7 hidden state after layer "+n, tr.values["hidden."+n], g.floats(t, "p7.hidden."+n), hiddenBound)
	}
	if layers == 0 {
		t.Error("the case has no hidden states to compare")
	}
}

// checkRouting compares experts and weights. Where the shared expert was folded it is the last choice, with
// weight 1.
func (g *golden) checkRouting(t *testing.T, name string, tr *trace) {
	t.Helper()
	layers := 0
	for layer, choices := range tr.experts {
		key := name + ".router." + layer
		if !g.values.Has(g.prefix + key + ".ids") {
			t.Errorf("%s: layer %s routed, Hugging Face's does not", name, layer)
			continue
		}
		layers++
		wantIDs, wantWeights := g.ints(t, key+".ids"), g.floats(t, key+".weights")
		k := len(wantIDs) / len(choices)
		for i, c := range choices {
			for _, w := range c.weights[k:] {
				if w != 1 {
					t.Errorf("%s token %d: the shared expert's slot has weight %g", key, i, w)
				}
			}
			if diff := cmp.Diff(wantIDs[i*k:(i+1)*k], c.ids[:k]); diff != "" {
				t.Errorf("%s token %d: experts (-want +got):\n%s", key, i, diff)
				return
			}
			within(t, fmt.Sprintf("%s token %d weights", key, i), c.weights[:k], wantWeights[i*k:(i+1)*k], weightBound)
		}
	}
	if _, routes := g.facts[g.prefix+"min_router_gap"]; routes != (layers > 0) {
		t.Errorf("%s: %d layers routed; that the model has experts is %t", name, layers, routes)
	}
}

// loose bounds compare where another expert may be chosen now and then: mean difference and how often the
// best token agrees.
type loose struct{ mean, agree float64 }

var (
	looseBF16 = loose{0.3, 0.90}
	looseW8A8 = loose{0.1, 0.95}
)

func (g *golden) checkLoosely(t *testing.T, name string, got []float32, l loose) {
	t.Helper()
	want := g.floats(t, name+".logits")
	if len(got) != len(want) {
		t.Fatalf("%s: %d logits, want %d", name, len(got), len(want))
	}
	positions := len(g.prompt(t, name))
	vocab := len(want) / positions
	sum, agree := 0.0, 0
	for p := range positions {
		a, b := got[p*vocab:(p+1)*vocab], want[p*vocab:(p+1)*vocab]
		for i := range a {
			sum += math.Abs(float64(a[i]) - float64(b[i]))
		}
		if argmax(a) == argmax(b) {
			agree++
		}
	}
	t.Logf("%s: mean %.4f, best token agrees at %.1f %%", name, sum/float64(len(got)), 100*float64(agree)/float64(positions))
	mean, share := sum/float64(len(got)), float64(agree)/float64(positions)
	if !(mean <= l.mean) || share < l.agree {
		t.Errorf("%s: mean difference %.3g (bound %.2g), best token agrees at %.1f %% (bound %.0f %%)", name, mean, l.mean, 100*share, 100*l.agree)
	}
}

func argmax(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}

// TestCPUMatchesHuggingFace holds the fast kernels to the looser bounds of bf16 arithmetic.
func TestCPUMatchesHuggingFace(t *testing.T) {
	for _, c := range goldens {
		c.checkCPU(t, way{device: "cpu"}, looseBF16)
	}
}

// checkCPU runs a case on the fast kernels, on one rank and on several, with prompts whole and cut.
func (c goldenCase) checkCPU(t *testing.T, w way, bounds loose) {
	g := c.open(t)
	for _, tp := range append([]int{1}, c.tp...) {
		t.Run(fmt.Sprintf("%s%s/tp%d", g.name, w, tp), func(t *testing.T) {
			t.Parallel()
			set := w.set()
			maps.Copy(set, c.set)
			p := g.compile(t, compiler.Options{TensorParallel: tp, Set: set})
			for _, chunk := range c.chunks() {
				m := g.startWith(t, p, w.options(), chunk)
				for _, name := range []string{"p7", "p33"} {
					g.checkLoosely(t, name, m.promptLogits(t, g.prompt(t, name)), bounds)
				}
			}
		})
	}
}
