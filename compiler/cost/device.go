package cost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// Device is what the model knows of a machine. Times are in seconds, rates in bytes or operations a second.
type Device struct {
	Name      string
	Source    string                  // where the figures come from: Builtin, or what Calibrated says
	Bandwidth float64                 // of main memory, for what is read or written once
	Flops     map[dtype.DType]float64 // of matrix products by the dtype that they multiply in; F32's is that of all else, and I8's, of fast products, may be absent
	OneRow    map[dtype.DType]float64 // likewise, where a weight matrix meets a single row; absent: as Flops
	TileRows  int                     // rows that a product works on at once: a matrix that meets fewer takes as long
	Launch    float64                 // from one kernel of a captured step to the next, with nothing in it
	Product   float64                 // that a matrix product takes to fill and to drain, beside its launch
	Event     float64                 // to let a second stream start and to wait for it; 0: there is one stream only

	Collective float64 // that a collective takes in which every rank reads from every other once
	Barrier    float64 // that each further round of one takes
	Link       float64 // bytes a second that a rank receives from the others
	Network    float64 // bytes a second that a rank sends to another machine

	// What the arithmetic units do at most: operations a second of which nothing else is done, by kind of instruction. They
	// are for comparing kernels with, and no prediction uses them; 0: unknown, or there is no such instruction.
	PeakF32, PeakBF16Dot, PeakInt8Dot float64

	Memory float64 // bytes; 0: the machine's own, whatever it has
	Shared bool    // all ranks run on one such device, and share its memory and its arithmetic
	Mapped bool    // weights that are stored as they are wanted stay in the checkpoint's file, which is mapped
}

// Builtin is the Source of the figures that this package brings.
const Builtin = "builtin"

// Devices are the machines that plans can be compiled for.
//
// h100, measured on one pair of H100 80GB HBM3 with CUDA 13 and PyTorch 2.11, in captured graphs, medians of 12:
// a kernel that adds one to one number takes 1.10 µs from launch to launch; beside a second such kernel on another
// stream, fork and join included, 1.54 µs. A bf16 product of 16 rows with 8192 x 8192 weights (134 MB) takes 48.4 µs,
// which is 2.8 TB/s (a copy of 512 MiB moves 2.4 TB/s, the datasheet says 3.35). cuBLAS takes 8 to 9 µs for 16 rows
// with 192 x 5120 weights, and 9.5 µs with 5120 x 1536, of which launch and bytes explain 1.8 and 6.7: 3 to 6 µs
// remain, and a kernel that splits long sums needs less. 8192 x 8192 weights and 4096 rows: 753 TFLOP/s in bf16 and
// 1260 in fp8. NCCL's all-reduce on two ranks: 8.4 µs for 1 KiB, 10.2 for 64 KiB, 299 GB/s at 256 MiB; others report 361
// GB/s on eight ranks at 1 GiB.
//
// h200 is the same chip with other memory: 4.3 TB/s for a copy as measured on one (datasheet 4.8), about 790 TFLOP/s
// dense in bf16 on random data, where power and not the datasheet sets the rate; the rest is the H100's. Both have a network card of 400 Gbit/s for
// each GPU, as such machines come; cpu takes 10 Gbit/s.
//
// cpu: two cores of a Zen 4 server, of which what follows was measured. They are limits of the machine, and so of
// kernels that are written for it: portable Go reaches a fraction of them. Products in int8 with scales for groups of a row
// reached 710 to 865 GOP/s there. `glmc devices --calibrate` measures a machine, with the kernels that it really has.
var Devices = map[string]*Device{
	"h200": {Name: "h200", Source: Builtin, Bandwidth: 4.3e12, Memory: 141e9,
		Flops:    map[dtype.DType]float64{dtype.BF16: 790e12, dtype.F16: 790e12, dtype.F8E4M3: 1260e12, dtype.F32: 60e12},
		TileRows: 64, Launch: 1.1e-6, Product: 4e-6, Event: 0.45e-6, Collective: 8e-6, Barrier: 2e-6, Link: 360e9, Network: 50e9},
	"h100": {Name: "h100", Source: Builtin, Bandwidth: 2.8e12, Memory: 80e9,
		Flops:    map[dtype.DType]float64{dtype.BF16: 750e12, dtype.F16: 750e12, dtype.F8E4M3: 1260e12, dtype.F32: 60e12},
		TileRows: 64, Launch: 1.1e-6, Product: 4e-6, Event: 0.45e-6, Collective: 8e-6, Barrier: 2e-6, Link: 360e9, Network: 50e9},
	"cpu": {Name: "cpu", Source: Builtin, Bandwidth: 50e9,
		Flops:    map[dtype.DType]float64{dtype.BF16: 400e9, dtype.F16: 200e9, dtype.F8E4M3: 380e9, dtype.F32: 200e9, dtype.I8: 750e9},
		TileRows: 1, Shared: true, Launch: 1e-6, Collective: 2e-6, Barrier: 1e-6, Link: 20e9, Network: 1.25e9},
}

// figure is one number of a device: its name in files and tables, and its unit.
type figure struct {
	key, unit string
	optional  bool // it may be 0 or absent
	at        func(d *Device) *float64
}

var figures = []figure{
	{"bandwidth", "B/s", false, func(d *Device) *float64 { return &d.Bandwidth }},
	{"launch", "s", false, func(d *Device) *float64 { return &d.Launch }},
	{"product", "s", true, func(d *Device) *float64 { return &d.Product }},
	{"event", "s", true, func(d *Device) *float64 { return &d.Event }},
	{"collective", "s", false, func(d *Device) *float64 { return &d.Collective }},
	{"barrier", "s", true, func(d *Device) *float64 { return &d.Barrier }},
	{"link", "B/s", false, func(d *Device) *float64 { return &d.Link }},
	{"network", "B/s", true, func(d *Device) *float64 { return &d.Network }},
	{"memory", "B", true, func(d *Device) *float64 { return &d.Memory }},
	{"peak_f32", "op/s", true, func(d *Device) *float64 { return &d.PeakF32 }},
	{"peak_bf16_dot", "op/s", true, func(d *Device) *float64 { return &d.PeakBF16Dot }},
	{"peak_int8_dot", "op/s", true, func(d *Device) *float64 { return &d.PeakInt8Dot }},
}

// flags are the figures that are 1 or absent.
var flags = []struct {
	key string
	at  func(d *Device) *bool
}{
	{sharedKey, func(d *Device) *bool { return &d.Shared }},
	{mappedKey, func(d *Device) *bool { return &d.Mapped }},
}

// rated are the dtypes that products are done in. Every device has a rate for each but the last, which only fast products of the
// CPU are done in.
var rated = []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3, dtype.I8}

const (
	flopsKey  = "flops."
	oneRowKey = "one_row_flops."
	tileKey   = "tile_rows"
	sharedKey = "shared"
	mappedKey = "mapped"
)

// Figures are the device's numbers by name, in a fixed order: floats, and the integers tile_rows and, where they are true, shared and mapped.
func (d *Device) Figures() ir.Attrs {
	var out ir.Attrs
	for _, f := range figures {
		if v := *f.at(d); v != 0 {
			out = append(out, ir.Attr{Key: f.key, Value: v})
		}
	}
	out = append(out, ir.Attr{Key: tileKey, Value: int64(d.TileRows)})
	for _, f := range flags {
		if *f.at(d) {
			out = append(out, ir.Attr{Key: f.key, Value: int64(1)})
		}
	}
	for _, list := range []struct {
		prefix string
		rates  map[dtype.DType]float64
	}{{flopsKey, d.Flops}, {oneRowKey, d.OneRow}} {
		for _, t := range rated {
			if v := list.rates[t]; v != 0 {
				out = append(out, ir.Attr{Key: list.prefix + t.String(), Value: v})
			}
		}
	}
	return out
}

// Keys are the names of all figures, in the order of Figures.
func Keys() []string {
	var keys []string
	for _, f := range figures {
		keys = append(keys, f.key)
	}
	keys = append(keys, tileKey, sharedKey, mappedKey)
	for _, prefix := range []string{flopsKey, oneRowKey} {
		for _, t := range rated {
			keys = append(keys, prefix+t.String())
		}
	}
	return keys
}

// Unit is the unit of a figure: "B/s", "s", "B", "op/s", or "" for a number.
func Unit(key string) string {
	for _, f := range figures {
		if f.key == key {
			return f.unit
		}
	}
	if key == tileKey || key == sharedKey || key == mappedKey {
		return ""
	}
	return "op/s"
}

// maxFigure and maxTile bound figures: far beyond any machine.
const (
	maxFigure = 1e21
	maxTile   = 1 << 16
)

// FromFigures is the device that has these figures. An error names one that is missing, unknown or out of range.
func FromFigures(name, source string, list ir.Attrs) (*Device, error) {
	d := &Device{Name: name, Source: source, Flops: map[dtype.DType]float64{}, OneRow: map[dtype.DType]float64{}, TileRows: 1}
	seen := map[string]bool{}
	for _, a := range list {
		if seen[a.Key] {
			return nil, fmt.Errorf("figure %s of device %s stands there twice", a.Key, name)
		}
		seen[a.Key] = true
		if err := d.set(a); err != nil {
			return nil, fmt.Errorf("device %s: %w", name, err)
		}
	}
	for _, f := range figures {
		if !f.optional && !seen[f.key] {
			return nil, fmt.Errorf("device %s has no figure %s", name, f.key)
		}
	}
	for _, t := range rated {
		if t != dtype.I8 && !seen[flopsKey+t.String()] {
			return nil, fmt.Errorf("device %s has no figure %s%s", name, flopsKey, t)
		}
	}
	return d, nil
}

func (d *Device) set(a ir.Attr) error {
	if a.Key == tileKey {
		n, ok := a.Value.(int64)
		if !ok || n < 1 || n > maxTile {
			return fmt.Errorf("figure %s is %v: wants a whole number from 1 to %d", a.Key, a.Value, maxTile)
		}
		d.TileRows = int(n)
		return nil
	}
	for _, f := range flags {
		if a.Key != f.key {
			continue
		}
		if a.Value != int64(1) {
			return fmt.Errorf("figure %s is %v: wants 1, or to be left out", a.Key, a.Value)
		}
		*f.at(d) = true
		return nil
	}
	v, ok := a.Value.(float64)
	if !ok || !(v > 0) || v > maxFigure {
		return fmt.Errorf("figure %s is %v: wants a number above 0, up to %g", a.Key, a.Value, maxFigure)
	}
	for _, f := range figures {
		if f.key == a.Key {
			*f.at(d) = v
			return nil
		}
	}
	for prefix, rates := range map[string]map[dtype.DType]float64{flopsKey: d.Flops, oneRowKey: d.OneRow} {
		name, ok := strings.CutPrefix(a.Key, prefix)
		if t, err := dtype.Parse(name); ok && err == nil && slices.Contains(rated, t) {
			rates[t] = v
			return nil
		}
	}
	return fmt.Errorf("there is no figure %q", a.Key)
}

// Names are those of the devices, in order.
func Names() []string { return slices.Sorted(maps.Keys(Devices)) }
