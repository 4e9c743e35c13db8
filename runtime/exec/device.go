package exec

import (
	"fmt"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels"
	"github.com/glmc/glmc/kernels/cpu"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/kernels/ref"
	"github.com/glmc/glmc/runtime/topology"
)

// Device executes the steps of one rank on this machine's memory.
type Device interface {
	// Kernels is the device's kernel set. Activations are f32 on every device of this package, whatever the
	// plan calls them: a plan for another machine runs here too, in higher precision.
	Kernels() kernels.Set
	// Weight is the dtype in which the device holds a weight that the plan has in d.
	Weight(d dtype.DType) dtype.DType
	// Panels reports whether the kernels want weights of that dtype in panels (kernels.Panels) where they are multiplied.
	Panels(d dtype.DType) bool
	// Cache is the dtype in which the device holds keys and values that the plan has in d.
	Cache(d dtype.DType) dtype.DType
	// Precision is how the device multiplies. It is Exact where Fast was asked for and the processor has no kernels for it.
	Precision() plan.Precision
	// Close ends the device's goroutines.
	Close()
}

// DeviceNames lists what NewDevice knows.
func DeviceNames() []string { return []string{"cpu", "ref"} }

// NewDevice makes the device of that name for one of ranks ranks. threads is the number of threads that all
// ranks share; 0 takes what topology.Machine.Threads says of this machine. Where the device has no products in that precision it is
// Exact, except that the reference kernels refuse another.
func NewDevice(name string, ranks, threads int, precision plan.Precision) (Device, error) {
	switch name {
	case "ref":
		if precision != plan.Exact {
			return nil, fmt.Errorf("device ref has no %s products, because it computes everything in float32: run it with precision %s", precision, plan.Exact)
		}
		return refDevice{}, nil
	case "cpu":
		if threads == 0 {
			threads = topology.Read().Threads()
		}
		start := cpu.New
		if precision == plan.Fast {
			start = cpu.NewFast
		}
		dev, err := start(max(threads/ranks, 1))
		if err != nil {
			return nil, fmt.Errorf("device cpu: %w", err)
		}
		return cpuDevice{dev}, nil
	}
	return nil, fmt.Errorf("unknown device %q: this build has %v", name, DeviceNames())
}

// refDevice runs everything on the reference kernels in float32.
type refDevice struct{}

func (refDevice) Kernels() kernels.Set           { return ref.Kernels() }
func (refDevice) Weight(dtype.DType) dtype.DType { return dtype.F32 }
func (refDevice) Panels(dtype.DType) bool        { return false }
func (refDevice) Cache(dtype.DType) dtype.DType  { return dtype.F32 }
func (refDevice) Precision() plan.Precision      { return plan.Exact }
func (refDevice) Close()                         {}

// cpuDevice runs the fast kernels, with weights and cache as the plan has them.
type cpuDevice struct{ *cpu.Device }

func (cpuDevice) Weight(d dtype.DType) dtype.DType { return d }
func (cpuDevice) Cache(d dtype.DType) dtype.DType  { return d }

func (d cpuDevice) Precision() plan.Precision {
	if d.Fast() {
		return plan.Fast
	}
	return plan.Exact
}
