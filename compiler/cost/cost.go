// Package cost predicts how long a program takes on a device: a roofline for each operator (Williams et al.
// 2009), the sum over a program's launches.
package cost

import (
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// Device is what the model knows of a machine.
type Device struct {
	Name        string
	Bandwidth   float64                 // bytes a second from main memory
	Flops       map[dtype.DType]float64 // operations a second by the dtype of the weight
	Launch      float64                 // seconds between two kernels of a captured graph
	Collective  float64                 // seconds that a collective takes beside moving bytes
	LinkPerRank float64                 // bytes a second to other ranks
	Network     float64                 // bytes a second to other machines, for each rank
	Memory      float64                 // bytes; 0: the machine's own, whatever it has
}

// Devices are the machines that plans can be compiled for.
//
// H200 and H100: datasheets for bandwidth, links, memory and fp8; bf16 as measured on random data, where power and not
// the datasheet sets the rate; a network card of 400 Gbit/s for each GPU, as such machines have. cpu: two cores
// of a Zen 4 server with 10 Gbit/s, which is what a cost can be compared on until a machine is calibrated.
var Devices = map[string]*Device{
	"h200": {Name: "h200", Bandwidth: 4.3e12, Launch: 1.5e-6, Collective: 8e-6, LinkPerRank: 450e9, Network: 50e9, Memory: 141e9,
		Flops: map[dtype.DType]float64{dtype.BF16: 790e12, dtype.F16: 790e12, dtype.F8E4M3: 1500e12, dtype.F32: 60e12}},
	"h100": {Name: "h100", Bandwidth: 3.0e12, Launch: 1.5e-6, Collective: 8e-6, LinkPerRank: 450e9, Network: 50e9, Memory: 80e9,
		Flops: map[dtype.DType]float64{dtype.BF16: 790e12, dtype.F16: 790e12, dtype.F8E4M3: 1500e12, dtype.F32: 60e12}},
	"cpu": {Name: "cpu", Bandwidth: 50e9, Launch: 1e-6, Collective: 2e-6, LinkPerRank: 20e9, Network: 1.25e9,
		Flops: map[dtype.DType]float64{dtype.BF16: 400e9, dtype.F16: 200e9, dtype.F8E4M3: 380e9, dtype.F32: 200e9}},
}

// Estimate is a prediction for one execution of a program on one rank.
type Estimate struct {
	Seconds     float64
	Launches    int
	Flops       float64
	Bytes       float64
	WeightBytes float64
	CommBytes   float64
}

// Program predicts one execution of a graph at the given sizes.
func Program(g *ir.Graph, s ir.Sizes, d *Device) Estimate {
	var e Estimate
	for _, n := range g.Nodes {
		if n.Op.View {
			continue
		}
		w := n.WorkOf(s)
		e.Launches++
		e.Flops += w.Flops
		e.Bytes += w.ReadBytes + w.WriteBytes
		e.WeightBytes += w.WeightBytes
		e.CommBytes += w.CommBytes
		e.Seconds += d.seconds(n, w)
	}
	return e
}

// seconds is the roofline: the longer of moving the bytes and doing the operations, behind a launch.
func (d *Device) seconds(n *ir.Node, w ir.Work) float64 {
	t := max((w.ReadBytes+w.WriteBytes)/d.Bandwidth, w.Flops/d.Flops[mathDType(n)])
	if w.CommBytes > 0 {
		t = max(t, d.Collective+w.CommBytes/d.LinkPerRank)
	}
	if w.SendBytes > 0 {
		t = max(t, w.SendBytes/d.Network)
	}
	return d.Launch + t
}

// mathDType is the dtype that an operator computes in: that of its weight, f32 without one.
func mathDType(n *ir.Node) dtype.DType {
	for i, o := range n.Op.Operands {
		if o.Kind == ir.LinearOperand {
			return n.In[i].Type.DType
		}
	}
	return dtype.F32
}
