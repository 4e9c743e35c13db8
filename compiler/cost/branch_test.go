package cost_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// The experts of one rank of eight.
var (
	glm47    = cost.Experts{Hidden: 5120, Width: 192, Count: 160, TopK: 8, Shared: 1, Weights: dtype.F8E4M3, Rows: dtype.F8E4M3, Activations: dtype.BF16}
	glm45Air = cost.Experts{Hidden: 4096, Width: 176, Count: 128, TopK: 8, Shared: 1, Weights: dtype.F8E4M3, Rows: dtype.F8E4M3, Activations: dtype.BF16}
)

// TestFoldingPays: on GPUs folding takes less than either rival at every step size, and without a second stream
// overlapping is no more than running the experts one behind the other.
func TestFoldingPays(t *testing.T) {
	for name, x := range map[string]cost.Experts{"GLM-4.7": glm47, "GLM-4.5-Air": glm45Air} {
		for _, device := range cost.Names() {
			for _, tokens := range []int{1, 8, 64, 256, 16384} {
				p, err := cost.SharedExpert(x, decode(tokens), on(device, 8))
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s on %s, %d tokens: folded %s, overlapped %s, apart %s", name, device, tokens,
					cost.Text(p.Folded), cost.Text(p.Overlapped), cost.Text(p.Apart))
				if p.Folded > p.Overlapped || p.Overlapped > p.Apart {
					t.Errorf("%s on %s, %d tokens: %+v", name, device, tokens, p)
				}
				if device == "cpu" && p.Overlapped != p.Apart {
					t.Errorf("%s on %s, which has one stream, %d tokens: %+v", name, device, tokens, p)
				}
			}
		}
	}
}

// TestImpossibleExperts: what no operator takes is an error, and not a price.
func TestImpossibleExperts(t *testing.T) {
	for name, change := range map[string]func(x *cost.Experts){
		"no channels": func(x *cost.Experts) { x.Width = 0 },
		"activations": func(x *cost.Experts) { x.Activations = dtype.I32 },
	} {
		x := glm47
		change(&x)
		if p, err := cost.SharedExpert(x, decode(1), on("h200", 8)); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// chain are so many products behind one another, of that width.
func chain(t *rapid.T, g *ir.Graph, name string) []*ir.Node {
	b := &ir.Builder{Graph: g}
	width := rapid.SampledFrom([]int{128, 1024, 8192}).Draw(t, name+" width")
	x := g.Input(name, ir.TensorType(dtype.BF16, ir.Symbolic(ir.T), ir.Fixed(width)))
	for range rapid.IntRange(1, 4).Draw(t, name+" products") {
		x = b.One("linear", []*ir.Value{x, g.Load(&ir.Weight{Shape: []int{width, width}, DType: dtype.BF16}), nil})
	}
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return b.Nodes
}

// TestStreamsShareADevice: side by side, two chains take no less than either by itself, nor than moving all of the bytes or
// doing all of the operations; and no more than one behind the other, but for the events. So does a program with the
// second chain on a stream of its own, which is followed kernel by kernel.
func TestStreamsShareADevice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := ir.NewGraph("g")
		main, side := chain(t, g, "main"), chain(t, g, "side")
		s, h200 := decode(rapid.IntRange(1, 5000).Draw(t, "tokens")), on("h200", 1)
		m, d := cost.Sum(main, s, h200), cost.Sum(side, s, h200)
		got := cost.Overlapped(main, side, s, h200)
		least := max(m.Seconds, d.Seconds, m.Memory+d.Memory, m.Compute+d.Compute)
		if got < least || got > m.Seconds+d.Seconds+h200.Event {
			t.Fatalf("together %g, one %+v, the other %+v", got, m, d)
		}
		for _, n := range side {
			n.Stream = 1
		}
		join := &ir.Builder{Graph: g}
		join.Emit("add", []*ir.Value{main[len(main)-1].Out[0], main[len(main)-1].Out[0]})
		join.Nodes[0].Waits = side[len(side)-1:]
		g.Nodes = append(append(side, main...), join.Nodes...)
		program, last := cost.Program(g, s, h200).Seconds, cost.Sum(join.Nodes, s, h200).Seconds
		if program < least || program > m.Seconds+d.Seconds+h200.Event+last+1e-12 {
			t.Fatalf("as a program %g, together %g, and the join %g", program, got, last)
		}
		cpu := on("cpu", 1)
		if serial := cost.Program(g, s, cpu).Seconds; math.Abs(serial-cost.Sum(g.Nodes, s, cpu).Seconds) > 1e-12*serial {
			t.Fatalf("a device with one stream takes %g", serial)
		}
	})
}

// TestAllReduceTakesTheShorterWay: few bytes go from everyone to everyone, many in two rounds; a single rank sends
// nothing.
func TestAllReduceTakesTheShorterWay(t *testing.T) {
	g := ir.NewGraph("g")
	b := &ir.Builder{Graph: g}
	b.Emit("comm.all_reduce", []*ir.Value{g.Input("x", ir.TensorType(dtype.BF16, ir.Symbolic(ir.T), ir.Fixed(5120)))})
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	const row = 2 * 5120
	for _, c := range []struct {
		tokens, ranks int
		received      float64
	}{{1, 8, 7 * row}, {16384, 8, 2 * 7.0 / 8 * 16384 * row}, {16384, 2, 16384 * row}, {16384, 1, 0}} {
		e := cost.Node(b.Nodes[0], decode(c.tokens), on("h200", c.ranks))
		if e.CommBytes != c.received {
			t.Errorf("%d tokens on %d ranks: %g bytes are received, want %g", c.tokens, c.ranks, e.CommBytes, c.received)
		}
		if want := c.received / cost.Devices["h200"].Link; e.Comm < want || c.ranks == 1 && e.Comm != 0 {
			t.Errorf("%d tokens on %d ranks take %g s, the bytes alone %g", c.tokens, c.ranks, e.Comm, want)
		}
	}
	// NCCL needs 8.4 µs for 1 KiB on two H100, and 897 µs for 256 MiB (1 MiB is 1024 * 1024 bytes).
	b.Nodes[0].In[0].Type.Shape = b.Nodes[0].In[0].Type.Shape.With(1, ir.Fixed(512))
	for _, c := range []struct {
		tokens  int
		seconds float64
	}{{1, 8.4e-6}, {1 << 18, 897e-6}} {
		got := cost.Node(b.Nodes[0], decode(c.tokens), on("h100", 2)).Comm
		if got < c.seconds/1.3 || got > c.seconds*1.3 {
			t.Errorf("%d KiB on two ranks take %s, measured %s", c.tokens, cost.Text(got), cost.Text(c.seconds))
		}
	}
}

// TestProductsAsMeasured: products of which the times on an H100 are in the comment of cost.Devices.
func TestProductsAsMeasured(t *testing.T) {
	g := ir.NewGraph("g")
	for _, c := range []struct {
		rows, n, k int
		act        string
		seconds    float64
	}{
		{16, 8192, 8192, "", 48.4e-6}, {16, 5120, 1536, "", 9.5e-6}, {16, 192, 5120, "", 8.6e-6}, {4096, 8192, 8192, "", 730e-6},
		{4096, 8192, 8192, "fp8_e4m3", 436e-6}, {16384, 1792, 5120, "", 386e-6}, {4096, 5120, 1536, "", 91.7e-6},
	} {
		b := &ir.Builder{Graph: g}
		w := &ir.Weight{Shape: []int{c.n, c.k}, DType: dtype.BF16}
		var attrs ir.Attrs
		if c.act != "" {
			w.DType = dtype.F8E4M3
			attrs = ir.Attrs{{Key: "act", Value: c.act}}
		}
		x := &ir.Value{Type: ir.TensorType(dtype.BF16, ir.Symbolic(ir.T), ir.Fixed(c.k))}
		b.Emit("linear", []*ir.Value{x, g.Load(w), nil}, attrs...)
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		got := cost.Node(b.Nodes[0], decode(c.rows), on("h100", 1)).Seconds
		if got < c.seconds/1.6 || got > c.seconds*1.6 {
			t.Errorf("%d rows with %d x %d weights %s take %s, measured %s", c.rows, c.n, c.k, c.act, cost.Text(got), cost.Text(c.seconds))
		}
	}
}

// TestBound names what a node's time goes into.
func TestBound(t *testing.T) {
	for want, e := range map[string]cost.Estimate{
		"launch":  {Seconds: 2e-6, Memory: 0.5e-6},
		"memory":  {Seconds: 12e-6, Memory: 10e-6, Compute: 3e-6},
		"compute": {Seconds: 12e-6, Memory: 3e-6, Compute: 10e-6},
		"link":    {Seconds: 12e-6, Memory: 3e-6, Comm: 10e-6},
	} {
		if got := e.Bound(); got != want {
			t.Errorf("%+v is bound by %s, want %s", e, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for want, seconds := range map[string]float64{
		"0.076 µs": 76e-9, "98.1 µs": 98.12e-6, "412 µs": 412.4e-6, "1 ms": 999.6e-6, "1.04 ms": 1.04e-3, "1 s": 0.9996, "3.5 s": 3.5, "0 µs": 0,
	} {
		if got := cost.Text(seconds); got != want {
			t.Errorf("%g s is %q, want %q", seconds, got, want)
		}
	}
}
