package exec

import (
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
)

// TestDevicesHaveAKernelForEveryOperator: the operator table and the kernel sets grow together. Views have no
// kernel because they cost nothing, and a kernel that no operator has is dead.
func TestDevicesHaveAKernelForEveryOperator(t *testing.T) {
	for _, name := range DeviceNames() {
		dev, err := NewDevice(name, 1, 1, plan.Exact)
		if err != nil {
			t.Fatal(err)
		}
		defer dev.Close()
		set := dev.Kernels()
		for _, op := range ir.Table {
			if (set[op.Name] == nil) != op.View {
				t.Errorf("device %s: operator %s has a kernel: %t; is a view: %t", name, op.Name, set[op.Name] != nil, op.View)
			}
		}
		for kernel := range set {
			if ir.Lookup(kernel) == nil {
				t.Errorf("device %s: no operator is called %s", name, kernel)
			}
		}
	}
}
