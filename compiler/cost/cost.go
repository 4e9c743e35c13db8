// Package cost predicts how long programs take on a device: a roofline for each operator (Williams et al. 2009),
// and the sum over a program's launches.
//
// What one operator does is counted by its row of the table (ir.Op.Work); what a machine does in a second stands in
// Device. A prediction is good for comparing two ways to do the same thing, and for the order of magnitude; what it
// leaves out is said where it is left out.
package cost

import (
	"fmt"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// Target is a device as a plan uses it.
type Target struct {
	*Device
	Ranks   int         // that collectives span; 0 and 1 mean one
	Cache   dtype.DType // of keys and values; Invalid: f32
	Context int         // keys that a row attends to, on average; 0: ir.ContextPerToken
	Fast    bool        // products are fast: see Target.math
}

// Estimate is a prediction for one execution of a program, or of one node, on one rank.
type Estimate struct {
	Seconds     float64
	Launches    int
	Flops       float64
	Bytes       float64 // that go through memory, weights, keys and values included
	WeightBytes float64
	CommBytes   float64 // that the rank receives from others

	Memory, Compute, Comm float64 // seconds that moving the bytes, the operations and the collectives take by themselves
	Send                  float64 // seconds that pages take to another machine
}

// Sum predicts one execution of some nodes, one behind the other.
func Sum(nodes []*ir.Node, s ir.Sizes, t Target) Estimate {
	var e Estimate
	for _, n := range nodes {
		e.add(Node(n, s, t))
	}
	return e
}

func (e *Estimate) add(o Estimate) {
	e.Seconds += o.Seconds
	e.Launches += o.Launches
	e.Flops += o.Flops
	e.Bytes += o.Bytes
	e.WeightBytes += o.WeightBytes
	e.CommBytes += o.CommBytes
	e.Memory += o.Memory
	e.Compute += o.Compute
	e.Comm += o.Comm
	e.Send += o.Send
}

// Node predicts one execution of a node. Views take no time and no launch.
func Node(n *ir.Node, s ir.Sizes, t Target) Estimate {
	if n.Op.View {
		return Estimate{}
	}
	w := n.WorkOf(s)
	if t.Context > 0 && w.CacheRead > 0 { // an attention, all of whose work is with the keys
		w.CacheRead *= float64(t.Context) / ir.ContextPerToken
		w.Flops *= float64(t.Context) / ir.ContextPerToken
	}
	e := Estimate{Launches: 1, Flops: w.Flops, WeightBytes: w.WeightBytes}
	e.Bytes = w.ReadBytes + w.WriteBytes + (w.CacheRead+w.CacheWrite)*float64(t.cacheSize())
	e.Memory = e.Bytes / t.Bandwidth * t.sharers()
	e.Compute = t.compute(w) * t.sharers()
	if w.CommBytes > 0 {
		e.Comm, e.CommBytes = t.collective(n.Op.Name, w.CommBytes)
	}
	if t.Network > 0 {
		e.Send = w.CacheSend * float64(t.cacheSize()) / t.Network
	}
	e.Seconds = t.Launch + float64(w.Products)*t.Product + max(e.Memory, e.Compute, e.Comm, e.Send)
	return e
}

// Bound names what takes the most of an estimate: "launch", "memory", "compute", "link" or "network".
func (e Estimate) Bound() string {
	longest := max(e.Memory, e.Compute, e.Comm, e.Send)
	switch {
	case e.Seconds-longest > longest:
		return "launch"
	case longest == e.Send && e.Send > 0:
		return "network"
	case longest == e.Comm:
		return "link"
	case longest == e.Compute:
		return "compute"
	}
	return "memory"
}

// sharers is how many ranks run on the device.
func (t Target) sharers() float64 {
	if !t.Shared {
		return 1
	}
	return float64(max(t.Ranks, 1))
}

func (t Target) cacheSize() int {
	if !t.Cache.Valid() {
		return dtype.F32.Size()
	}
	return t.Cache.Size()
}

// compute is the time of the operations. Rows that share a weight matrix are multiplied by tiles, of which the last
// one is not full: with few rows for each expert that is most of the work of a tensor core. A matrix that
// meets a single row may be slower for each operation, and never takes longer than with more rows.
func (t Target) compute(w ir.Work) float64 {
	if w.Products == 0 {
		return w.Flops / t.Flops[dtype.F32]
	}
	math := t.math(w)
	rate := t.Flops[math]
	if w.Matrices == 0 || w.Rows == 0 {
		return w.Flops / rate
	}
	perMatrix := w.Rows / w.Matrices
	tile := float64(t.TileRows)
	padded := max(perMatrix, tile)
	if perMatrix > tile {
		padded += tile / 2 // the expected part of the last tile that is empty
	}
	if t.TileRows == 1 {
		padded = perMatrix
	}
	seconds := w.Flops / rate * padded / perMatrix
	if one := t.OneRow[math]; one > 0 {
		seconds = max(seconds, w.Flops/max(perMatrix, 1)/one)
	}
	return seconds
}

// math is the dtype that products are done in. Fast ones are in int8, where weights have 8 bits or fewer, rows are not quantised
// to fp8, and the device has a rate for that; all others are as the operator says.
func (t Target) math(w ir.Work) dtype.DType {
	if t.Fast && w.Narrow && t.Flops[dtype.I8] > 0 {
		return dtype.I8
	}
	return w.Math
}

// collective is the time of a collective whose operand has b bytes on each rank, and the bytes that a rank receives.
//
// An all-reduce goes one of two ways, whichever is faster: each rank reads the whole of every other's, which takes
// one round; or each reads its part of every other's, sums, and reads the sums, which takes two and moves less
// (the one-shot and two-shot kernels of TensorRT-LLM and vLLM; NCCL's ring moves as much as the second). One that goes
// on with the sum in the same kernel has only the first way: after the second, a rank has to wait for the others' sums.
func (t Target) collective(op string, b float64) (seconds, received float64) {
	r := float64(max(t.Ranks, 1))
	if r == 1 {
		return 0, 0
	}
	one := (r - 1) * b
	seconds, received = t.Collective+one/t.Link, one
	if op != "comm.all_reduce" {
		return seconds, received
	}
	two := 2 * (r - 1) / r * b
	if other := t.Collective + t.Barrier + two/t.Link; other < seconds {
		return other, two
	}
	return seconds, received
}

// Text writes a time with three digits and a unit: "98.1 µs".
func Text(seconds float64) string {
	us := seconds * 1e6
	switch { // the borders are where the next smaller unit rounds to 1000
	case us >= 999.5e3:
		return fmt.Sprintf("%.3g s", us/1e6)
	case us >= 999.5:
		return fmt.Sprintf("%.3g ms", us/1e3)
	}
	return fmt.Sprintf("%.3g µs", us)
}
