package cost_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

// measured is a device with every figure that there is.
func measured(name string) *cost.Device {
	d := *cost.Devices[name]
	d.Source, d.Product, d.Event, d.Memory, d.Shared = "measured here", 1e-6, 2e-6, 1e9, true
	d.OneRow = map[dtype.DType]float64{dtype.F32: 1e9, dtype.BF16: 2e9, dtype.F16: 3e9, dtype.F8E4M3: 4e9, dtype.I8: 5e9}
	d.Flops = maps.Clone(d.Flops)
	d.Flops[dtype.I8] = 6e9
	return &d
}

func TestFile(t *testing.T) {
	want := map[string]*cost.Device{"cpu": measured("cpu"), "h200": measured("h200")}
	file, err := cost.EncodeFile(want["cpu"], want["h200"])
	if err != nil {
		t.Fatal(err)
	}
	got, err := cost.DecodeFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
	for _, a := range want["cpu"].Figures() {
		if !strings.Contains(string(file), `"`+a.Key+`"`) {
			t.Errorf("the file has no %s", a.Key)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	file, err := cost.EncodeFile(measured("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"cut", `"format"`, "", "no file with figures"},
		{"format", `"format": 1`, `"format": 2`, "its format is 2: this glmc reads 1"},
		{"more", "\n}\n", "\n}\n{}", "something follows"},
		{"unknown field", `"source"`, `"sauce"`, "sauce"},
		{"unknown device", `"cpu"`, `"abacus"`, `there is no device "abacus"`},
		{"no source", `"measured here"`, `""`, "wants to say where the figures come from"},
		{"builtin", `"measured here"`, `"builtin"`, "wants to say where the figures come from"},
		{"unknown figure", `"link"`, `"chain"`, `there is no figure "chain"`},
		{"figure of another dtype", `"flops.bf16"`, `"flops.i32"`, `there is no figure "flops.i32"`},
		{"figure below zero", `"link": 20000000000`, `"link": -1`, "figure link is -1: wants a number above 0"},
		{"figure out of range", `"link": 20000000000`, `"link": 1e300`, "wants a number above 0, up to 1e+21"},
		{"no number", `"link": 20000000000`, `"link": "fast"`, "no file with figures"},
		{"tile", `"tile_rows": 1`, `"tile_rows": 1.5`, "figure tile_rows of device cpu is 1.5: wants a number"},
		{"tile out of range", `"tile_rows": 1`, `"tile_rows": 0`, "wants a whole number from 1"},
		{"shared", `"shared": 1`, `"shared": 2`, "figure shared is 2: wants 1"},
		{"missing", `"bandwidth": 50000000000,`, "", "device cpu has no figure bandwidth"},
		{"missing rate", `"flops.f16": 200000000000,`, "", "device cpu has no figure flops.f16"},
	} {
		text := strings.Replace(string(file), c.old, c.new, 1)
		if text == string(file) {
			t.Fatalf("%s: the file has no %s:\n%s", c.name, c.old, file)
		}
		if _, err := cost.DecodeFile([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
	d := measured("cpu")
	if _, err := cost.FromFigures("cpu", d.Source, append(d.Figures(), ir.Attr{Key: "link", Value: 1.0})); err == nil {
		t.Error("a figure stands there twice")
	}
	if _, err := cost.FromFigures("cpu", d.Source, ir.Attrs{{Key: "link", Value: "fast"}}); err == nil {
		t.Error("a figure is a word")
	}
}

// TestOfPlan: a plan's own figures count, and those of its device where it has none.
func TestOfPlan(t *testing.T) {
	p := &plan.Plan{Target: "h200", Module: &ir.Module{Ranks: 4}, Cache: plan.CacheFormat{DType: dtype.BF16}}
	got, err := cost.OfPlan(p)
	if err != nil || got.Device != cost.Devices["h200"] || got.Ranks != 4 || got.Cache != dtype.BF16 || got.Fast {
		t.Errorf("%+v, %v", got, err)
	}
	p.Serving.Precision = plan.Fast
	if got, err = cost.OfPlan(p); err != nil || !got.Fast {
		t.Errorf("of a plan with fast products: %+v, %v", got, err)
	}
	d := measured("h200")
	p.Source.Device = plan.Device{Source: d.Source, Figures: d.Figures()}
	if got, err = cost.OfPlan(p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, got.Device); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
	p.Source.Device.Figures = p.Source.Device.Figures[1:]
	if _, err := cost.OfPlan(p); err == nil {
		t.Error("a figure is missing")
	}
	if _, err := cost.OfPlan(&plan.Plan{Target: "abacus", Module: &ir.Module{}}); err == nil {
		t.Error("nobody knows an abacus")
	}
}

// FuzzDecodeFile: files that anybody wrote give devices that can be written, or an error.
func FuzzDecodeFile(f *testing.F) {
	file, err := cost.EncodeFile(measured("cpu"), measured("h100"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte(`{"format": 1, "devices": [{"name": "cpu", "source": "x", "figures": {"bandwidth": -3}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		devices, err := cost.DecodeFile(data)
		if err != nil {
			return
		}
		var list []*cost.Device
		for _, name := range cost.Names() {
			if d := devices[name]; d != nil {
				list = append(list, d)
			}
		}
		again, err := cost.EncodeFile(list...)
		if err != nil {
			t.Fatal(err)
		}
		back, err := cost.DecodeFile(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(devices, back, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("-read +read again:\n%s", diff)
		}
	})
}
