package exec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestPrecisionOfDevices: what a device is asked for, and what becomes of it. Only the best inner products have fast ones.
func TestPrecisionOfDevices(t *testing.T) {
	for tier, want := range map[string]plan.Precision{"generic": plan.Exact, "avx2": plan.Exact, "avx512": plan.Exact, "avx512bf16": plan.Fast} {
		t.Setenv("GLMC_CPU", tier)
		for _, asked := range []plan.Precision{plan.Exact, plan.Fast} {
			dev, err := NewDevice("cpu", 1, 1, asked)
			if err != nil {
				t.Logf("not tested: %v", err)
				break
			}
			if got := dev.Precision(); got != min(asked, want) {
				t.Errorf("%s: asked for %s, got %s", tier, asked, got)
			}
			dev.Close()
		}
	}
	if _, err := NewDevice("ref", 1, 1, plan.Fast); err == nil || !strings.Contains(err.Error(), "run it with precision exact") {
		t.Errorf("the reference kernels, asked for fast products: %v", err)
	}
}

// TestPrecisionOfOptions: the plan's, unless the options name another.
func TestPrecisionOfOptions(t *testing.T) {
	for _, c := range []struct {
		plan    plan.Precision
		options *plan.Precision
		want    plan.Precision
	}{
		{plan.Exact, nil, plan.Exact}, {plan.Fast, nil, plan.Fast},
		{plan.Exact, new(plan.Fast), plan.Fast}, {plan.Fast, new(plan.Exact), plan.Exact},
	} {
		p := toy(t, 2, dtype.F32)
		p.Serving.Precision = c.plan
		var asked []plan.Precision
		start(t, p, Options{Precision: c.options, newDevice: func(_ string, _, _ int, precision plan.Precision) (Device, error) {
			asked = append(asked, precision)
			return refDevice{}, nil
		}})
		if diff := cmp.Diff([]plan.Precision{c.want, c.want}, asked); diff != "" {
			t.Errorf("plan %s, options %v (-want +got):\n%s", c.plan, c.options, diff)
		}
	}
}

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
