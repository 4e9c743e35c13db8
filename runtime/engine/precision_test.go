package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/runtime/exec"
)

// way is how a model is run: on a device, with products of a precision, weights in a dtype, "" for as stored, and
// activations quantised to a dtype, "" for none.
type way struct {
	device      string
	precision   plan.Precision
	weights     string
	activations string
}

func (w way) String() string {
	if w.weights == "" {
		return w.device
	}
	return fmt.Sprintf("%s, %s, %s weights", w.device, w.precision, w.weights)
}

// set are the settings of the pipeline.
func (w way) set() map[string]string {
	set := map[string]string{}
	if w.weights != "" {
		set["weights"] = w.weights
	}
	if w.activations != "" {
		set["activations"] = w.activations
	}
	return set
}

func (w way) options() exec.Options {
	return exec.Options{Device: w.device, Precision: &w.precision}
}

// narrowWeights are the formats in which exact and fast products differ.
var narrowWeights = []string{"fp8_e4m3", "int8", "int4"}

// precisions are those that the kernels in use have.
func precisions(t testing.TB) []plan.Precision {
	t.Helper()
	d, err := exec.NewDevice("cpu", 1, 1, plan.Fast)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Precision() == plan.Exact {
		return []plan.Precision{plan.Exact}
	}
	return []plan.Precision{plan.Exact, plan.Fast}
}

// waysOfCPU are the ways on the fast kernels.
func waysOfCPU(t testing.TB) []way {
	ways := []way{{device: "cpu"}}
	for _, p := range precisions(t) {
		for _, d := range narrowWeights {
			ways = append(ways, way{device: "cpu", precision: p, weights: d})
		}
	}
	return ways
}

// TestThreadsChangeNothing: logits have the same bits on any number of threads, in every precision.
func TestThreadsChangeNothing(t *testing.T) {
	g := openGolden(t, "c2-qknorm-bf16", "")
	prompt := g.prompt(t, "p130")
	for _, w := range waysOfCPU(t) {
		t.Run(w.String(), func(t *testing.T) {
			p := g.compile(t, compiler.Options{Set: w.set()})
			var want []float32
			for _, threads := range []int{1, 2, 3, 8} {
				o := w.options()
				o.Threads = threads
				got := g.startWith(t, p, o, 0).promptLogits(t, prompt)
				if want == nil {
					want = got
				}
				if !slices.EqualFunc(want, got, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
					t.Errorf("%d threads: logits differ from those of one by up to %g", threads, maxDiff(want, got))
				}
			}
		})
	}
}

// looseFast bounds fast products where Hugging Face's code multiplied in float32. A product of int8 rows is off by 0.011 of its
// size, one of bf16 by 0.0017, and the weights of these checkpoints are random: routers and logits are nearly
// undecided, and int8 weights alone move the mean by up to 0.23, and the best token of 5 rows in 33.
var looseFast = loose{0.4, 0.70}

// TestFastMatchesHuggingFace holds fast products to what Hugging Face's code computes: of weights that are stored in fp8,
// and of all others in int8.
func TestFastMatchesHuggingFace(t *testing.T) {
	if len(precisions(t)) < 2 {
		t.Skip("these inner products have no int8")
	}
	for _, c := range goldens {
		w := way{device: "cpu", precision: plan.Fast, weights: "int8"}
		if c.dir == "c6-fp8" {
			w.weights = "stored"
		}
		c.checkCPU(t, w, looseFast)
	}
}
