package passes

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/verify/machine"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/dtype"
)

// drawConfig draws a small member of the GLM-4 MoE family.
func drawConfig(t *rapid.T) map[string]string {
	set := map[string]string{}
	pick := func(key string, from ...int) int {
		n := rapid.SampledFrom(from).Draw(t, key)
		set[key] = strconv.Itoa(n)
		return n
	}
	flag := func(key string) { set[key] = strconv.FormatBool(rapid.Bool().Draw(t, key)) }
	pick("vocab_size", 10, 12, 16)
	pick("hidden_size", 8, 12, 16)
	pick("intermediate_size", 6, 8, 12)
	pick("moe_intermediate_size", 4, 6, 8)
	layers := pick("num_hidden_layers", 1, 2, 3)
	pick("first_k_dense_replace", 0, 1, layers)
	kv := pick("num_key_value_heads", 1, 2, 3, 4)
	set["num_attention_heads"] = strconv.Itoa(kv * rapid.IntRange(1, 3).Draw(t, "heads of a group"))
	pick("head_dim", 4, 8)
	set["partial_rotary_factor"] = rapid.SampledFrom([]string{"0.5", "1.0"}).Draw(t, "rotary")
	groups := pick("n_group", 1, 1, 2, 3)
	keep := rapid.IntRange(1, groups).Draw(t, "topk_group")
	set["topk_group"] = strconv.Itoa(keep)
	size := rapid.IntRange(2, 4).Draw(t, "experts of a group")
	set["n_routed_experts"] = strconv.Itoa(groups * size)
	set["num_experts_per_tok"] = strconv.Itoa(rapid.IntRange(1, keep*size).Draw(t, "num_experts_per_tok"))
	pick("n_shared_experts", 0, 1, 1, 2)
	pick("num_nextn_predict_layers", 0, 1)
	set["routed_scaling_factor"] = rapid.SampledFrom([]string{"1.0", "2.5"}).Draw(t, "scaling")
	for _, key := range []string{"attention_bias", "use_qk_norm", "norm_topk_prob", "tie_word_embeddings"} {
		flag(key)
	}
	set["max_position_embeddings"], set["rope_theta"] = "64", "10000.0"
	return set
}

// drawDisabled draws a set of passes.
func drawDisabled(t *rapid.T) []string {
	var out []string
	for _, name := range Names() {
		if rapid.Bool().Draw(t, "without "+name) {
			out = append(out, name)
		}
	}
	return out
}

// TestRandomConfigurationsCompile: whatever the configuration, the passes that run, the ranks and the dtypes,
// Run succeeds, which includes that the verifier takes the module after every pass.
func TestRandomConfigurationsCompile(t *testing.T) {
	dtypes := []dtype.DType{dtype.Invalid, dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3, dtype.I8, dtype.I4}
	rapid.Check(t, func(rt *rapid.T) {
		setup := lowertest.Setup{
			Set:        drawConfig(rt),
			Stored:     rapid.SampledFrom(dtypes[1:4]).Draw(rt, "stored"),
			Activation: rapid.SampledFrom(dtypes[1:3]).Draw(rt, "activation"),
		}
		o := &Options{
			TensorParallel: rapid.SampledFrom([]int{1, 2, 3, 4, 6, 8}).Draw(rt, "tp"),
			Weights:        rapid.SampledFrom(dtypes).Draw(rt, "weights"),
			Activations:    rapid.SampledFrom([]dtype.DType{dtype.Invalid, dtype.F8E4M3}).Draw(rt, "activations"),
			Disabled:       drawDisabled(rt),
		}
		m := lowertest.Lower(t, setup).Module
		if _, err := Run(m, o); err != nil {
			rt.Fatal(err)
		}
		if err := m.Verify(); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestSubsetsOfPasses: the passes rely on no other pass having run, and without those that change dtypes the
// subsets of subsetsOfPasses, on every number of ranks, compute the same.
func TestSubsetsOfPasses(t *testing.T) {
	if testing.Short() {
		t.Skip("many small models")
	}
	set := lowertest.With(lowertest.Small, "n_group", "2", "vocab_size", "16", "hidden_size", "16", "intermediate_size", "16", "moe_intermediate_size", "8", "head_dim", "8")
	base := newScenario(t, set, &Options{})
	for _, disabled := range subsetsOfPasses() {
		for _, tp := range []int{1, 2, 4} {
			if tp > 1 && slices.Contains(disabled, shardTensorParallel.Name) {
				continue
			}
			if err := base.compare(t, &Options{TensorParallel: tp, Disabled: disabled}); err != nil {
				t.Errorf("%d ranks without %v: %v", tp, disabled, err)
			}
		}
	}
}

// TestLegalOrders: the table is one of the orders that its constraints allow; in the others the passes compute
// the same.
func TestLegalOrders(t *testing.T) {
	base := newScenario(t, lowertest.With(lowertest.Small, "n_group", "2", "vocab_size", "16"), &Options{})
	rapid.Check(t, func(rt *rapid.T) {
		order := drawOrder(rt)
		o := &Options{TensorParallel: rapid.SampledFrom([]int{1, 2, 4}).Draw(rt, "tp")}
		m := lowertest.Lower(t, lowertest.Setup{Set: base.set, Activation: base.activation}).Module
		if _, err := runAll(order, m, o); err != nil {
			rt.Fatal(err)
		}
		got, err := base.execute(newMachine(t, m, nil))
		if err != nil {
			rt.Fatal(err)
		}
		for i := range got {
			if d := machine.Difference(base.want[i], got[i]); d > 1e-4 {
				rt.Errorf("result %d is off by %g of the largest value", i, d)
			}
		}
	})
}

// drawOrder draws an order of the table that checkOrder takes.
func drawOrder(t *rapid.T) []*Pass {
	return LegalOrder(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") })
}

// subsetsOfPasses lists sets of passes: those with up to two passes, those without up to two, and some others,
// because the number of all of them doubles with every pass.
func subsetsOfPasses() [][]string {
	names := Names()
	rng := rand.New(rand.NewPCG(1, 2))
	var sets [][]string
	for set := range 1 << len(names) {
		n := bits.OnesCount(uint(set))
		if n > 2 && n < len(names)-2 && rng.IntN(1<<len(names)) >= 100 {
			continue
		}
		var members []string
		for i, name := range names {
			if set>>i&1 == 1 {
				members = append(members, name)
			}
		}
		sets = append(sets, members)
	}
	return sets
}

// TestPassesKeepTheirNumericClass: on random configurations the result of the module as it was lowered and of
// what the passes made of it agree: to the bit where every pass that applied says exact, to rounding where one
// reassociates.
func TestPassesKeepTheirNumericClass(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base := newScenario(t, drawConfig(rt), &Options{})
		if base.margin < 1e-4 {
			rt.Skip("two experts are so close that rounding decides between them")
		}
		o := &Options{TensorParallel: rapid.SampledFrom([]int{1, 1, 2, 3, 4}).Draw(rt, "tp"), Disabled: drawDisabled(rt)}
		if err := base.compare(t, o); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestPassesKeepTheirNumericClassWithScales: the same where weights, and where a row stays in one piece its values
// too, are quantised on both sides. On several ranks, and in a shared expert that is cut into two, each part
// takes a scale of its own, which is finer than the whole row's but not the same.
func TestPassesKeepTheirNumericClassWithScales(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := &Options{TensorParallel: rapid.SampledFrom([]int{1, 1, 2, 4}).Draw(rt, "tp"), Weights: dtype.F8E4M3, Disabled: drawDisabled(rt)}
		o.Disabled = slices.DeleteFunc(o.Disabled, func(name string) bool { return name == quantise.Name })
		set := drawConfig(rt)
		if o.TensorParallel == 1 && set["n_shared_experts"] != "2" {
			o.Activations = dtype.F8E4M3
			// Where groups do not divide into ranks or parts of a shared expert, weights are kept that the whole does not keep.
			o.Weights = rapid.SampledFrom([]dtype.DType{dtype.F8E4M3, dtype.I8, dtype.I4}).Draw(rt, "weights")
		}
		base := newScenario(t, set, &Options{Weights: o.Weights, Activations: o.Activations})
		if base.margin < 1e-4 {
			rt.Skip("two experts are so close that rounding decides between them")
		}
		if err := base.compare(t, o); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestFoldingOneSharedExpertIsExact: the pass reassociates when it splits a wide shared expert; one of the
// routed width it folds to the bit.
func TestFoldingOneSharedExpertIsExact(t *testing.T) {
	for _, shared := range []string{"1", "2"} {
		base := newScenario(t, lowertest.With(lowertest.Small, "n_shared_experts", shared), &Options{})
		m, results := base.compiled(t, &Options{Disabled: []string{"shard_tensor_parallel"}})
		i := slices.IndexFunc(results, func(r Result) bool { return r.Pass == foldSharedExpert })
		if results[i].Applied != 3 {
			t.Fatalf("the fold was applied %d times", results[i].Applied)
		}
		got, err := base.execute(newMachine(t, m, nil))
		if err != nil {
			t.Fatal(err)
		}
		same := true
		for i := range got {
			same = same && machine.SameBits(base.want[i], got[i])
		}
		if same != (shared == "1") {
			t.Errorf("%s shared experts: the same bits is %t", shared, same)
		}
	}
}

// scenario is a model with the results that it has before any other pass than quantise.
type scenario struct {
	model string // .glm file; "": GLM4-MoE's
	set   map[string]string
	// activation is what the plan calls activations; the machine computes them all in f32. In bf16 the model widens
	// what goes into a router.
	activation dtype.DType
	want       [][]float32
	margin     float32 // by which experts were chosen, at the closest
}

// newScenario runs the model as it was lowered, but for the dtypes that the options ask for.
func newScenario(t testing.TB, set map[string]string, o *Options) *scenario {
	t.Helper()
	return newScenarioOf(t, "", set, o)
}

// newScenarioOf does the same for the model of another file.
func newScenarioOf(t testing.TB, model string, set map[string]string, o *Options) *scenario {
	t.Helper()
	s := &scenario{model: model, set: set, margin: math.MaxFloat32, activation: dtype.BF16}
	o.Disabled = slices.DeleteFunc(Names(), func(name string) bool { return name == quantise.Name })
	m, _ := s.compiled(t, o)
	x := newMachine(t, m, func(_ int, n *ir.Node, c *kernels.Call) {
		if n.Op.Name == "moe.top_k" {
			s.margin = min(s.margin, topKMargin(n, c))
		}
	})
	var err error
	if s.want, err = s.execute(x); err != nil {
		t.Fatal(err)
	}
	return s
}

// newMachine loads a module on the reference kernels.
func newMachine(t testing.TB, m *ir.Module, trace func(int, *ir.Node, *kernels.Call)) *machine.Machine {
	t.Helper()
	x, err := machine.New(m, &machine.Store{}, machine.Options{Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (s *scenario) compiled(t testing.TB, o *Options) (*ir.Module, []Result) {
	t.Helper()
	m := lowertest.Lower(t, lowertest.Setup{Model: s.model, Set: s.set, Activation: s.activation}).Module
	results, err := Run(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return m, results
}

// compare runs the module that the passes make and holds its results against those before any pass.
func (s *scenario) compare(t testing.TB, o *Options) error {
	m, results := s.compiled(t, o)
	exact := true
	for _, r := range results {
		exact = exact && (r.Pass.Numeric == Exact || r.Pass == quantise || r.Applied == 0)
	}
	got, err := s.execute(newMachine(t, m, nil))
	if err != nil {
		return err
	}
	for i := range got {
		d := machine.Difference(s.want[i], got[i])
		if exact && !machine.SameBits(s.want[i], got[i]) || d > 1e-4 {
			return fmt.Errorf("result %d is off by %g of the largest value (exact: %t)", i, d, exact)
		}
	}
	return nil
}

// execute runs a prefill of two sequences, a step in which one decodes and the other goes on with its prompt,
// and the same steps of the entry draft. It returns logits of the wanted rows and states of all rows.
func (s *scenario) execute(x *machine.Machine) ([][]float32, error) {
	var all [][]float32
	vocab, err := strconv.Atoi(s.set["vocab_size"])
	if err != nil {
		return nil, err
	}
	for _, step := range []machine.Batch{
		{Lengths: []int{5, 3}, From: []int{0, 0}, Rows: []int32{4, 7}},
		{Lengths: []int{1, 4}, From: []int{5, 3}, Rows: []int32{4, 0, 2}},
	} {
		in := step.Inputs(vocab, 1)
		out, err := x.Run(x.Module.Graph("forward"), in)
		if err != nil {
			return nil, err
		}
		all = append(all, wanted(x, "forward", out[0], step.Rows), out[1].F32)
		if x.Module.Graph("draft") == nil {
			continue
		}
		in["hidden"] = out[1]
		if out, err = x.Run(x.Module.Graph("draft"), in); err != nil {
			return nil, err
		}
		all = append(all, wanted(x, "draft", out[0], step.Rows), out[1].F32)
	}
	return all, nil
}

// wanted gives the rows whose logits are wanted, where the module does not choose them itself.
func wanted(x *machine.Machine, entry string, logits kernels.Tensor, rows []int32) []float32 {
	for _, v := range x.Module.Graph(entry).Inputs {
		if v.Input == rowsInput {
			return logits.F32
		}
	}
	var out []float32
	for _, r := range rows {
		out = append(out, logits.F32[int(r)*logits.Last():][:logits.Last()]...)
	}
	return out
}

// topKMargin is the smallest difference, over the rows, between the worst expert that was chosen and the best
// that was not, and likewise for groups.
func topKMargin(n *ir.Node, c *kernels.Call) float32 {
	experts, groups, keep, k := c.In[0].Last(), n.Attrs.Int("groups"), n.Attrs.Int("keep"), n.Attrs.Int("k")
	margin := float32(math.MaxFloat32)
	for row := range c.In[0].Rows() {
		choice := slices.Clone(c.In[0].F32[row*experts : (row+1)*experts])
		for e := range c.In[1].F32 { // none where the router has no bias
			choice[e] += c.In[1].F32[e]
		}
		size := experts / groups
		var groupScores, open []float32
		for g := range groups {
			members := slices.Sorted(slices.Values(choice[g*size : (g+1)*size]))
			if size == 1 {
				members = append(members, 0)
			}
			groupScores = append(groupScores, members[size-1]+members[size-2])
		}
		margin = min(margin, gap(groupScores, keep))
		least := slices.Sorted(slices.Values(groupScores))[groups-keep]
		for e, v := range choice {
			if groupScores[e/size] >= least {
				open = append(open, v)
			}
		}
		margin = min(margin, gap(open, k))
	}
	return margin
}

// gap is the difference between the n-th largest value and the next.
func gap(values []float32, n int) float32 {
	if n == len(values) {
		return math.MaxFloat32
	}
	s := slices.Sorted(slices.Values(values))
	return s[len(s)-n] - s[len(s)-n-1]
}
