package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/kernels/cpu"
	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/calibrate"
	"github.com/glmc/glmc/runtime/topology"
)

// devicesFlags are the flags of `glmc devices`.
type devicesFlags struct {
	calibrate bool
	figures   string
	asJSON    bool
}

func devicesCommand() *cobra.Command {
	var f devicesFlags
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "List the devices that plans are compiled for",
		Long: `Devices lists the devices that plans can be compiled for, with the figures by which the compiler predicts
how long steps take on them and decides which fusions pay.

With --calibrate it measures this machine first, for some seconds, and stores what it found as the figures of the
device cpu in the user's configuration directory (glmc/devices.json). Compiling for cpu uses them from then on.
A plan says with which figures it was made. The figures that begin with peak_ are what the machine's arithmetic does at
most, for comparing with; no prediction uses them.

Below the figures stands what was found of this machine, and how many threads plans run on without --threads: one for
each core, and no more than control groups leave processors' time for; and the kernels that they run, the best that the
processor has, or those that the environment variable GLMC_CPU names (avx512bf16, avx512, avx2, generic).`,
		Example: `  glmc devices
  glmc devices --json
  glmc devices --calibrate`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.calibrate {
				if f.figures != "" {
					return usagef("--calibrate measures: leave out --device-figures")
				}
				if err := calibrateMachine(cmd.Context()); err != nil {
					return err
				}
			}
			devices, path, err := listDevices(f.figures)
			if err != nil {
				return err
			}
			if f.asJSON {
				file, err := cost.EncodeFile(devices...)
				if err != nil {
					return err
				}
				return printText(func(w io.Writer) error { _, err := w.Write(file); return err })
			}
			return printText(func(w io.Writer) error { return deviceTable(w, devices, path) })
		},
	}
	cmd.Flags().BoolVar(&f.calibrate, "calibrate", false, "measure this machine first, and store its figures")
	registerFigures(cmd.Flags(), &f.figures)
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

// listDevices are all devices in the order of their names, with measured figures where there are some.
func listDevices(figures string) ([]*cost.Device, string, error) {
	measured, path, err := measuredFigures(figures)
	if err != nil {
		return nil, "", err
	}
	var out []*cost.Device
	for _, name := range cost.Names() {
		d := cost.Devices[name]
		if m := measured[name]; m != nil {
			d = m
		}
		out = append(out, d)
	}
	return out, path, nil
}

// calibrateMachine measures this machine and stores its figures. Figures of other devices stay in the file.
func calibrateMachine(ctx context.Context) error {
	path, err := figuresPath()
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "measuring this machine for some seconds: other work on it makes the figures worse")
	f, err := calibrate.Measure(ctx, calibrate.Full)
	if err != nil {
		return fmt.Errorf("measuring this machine: %w", err)
	}
	devices, err := readFigures(path)
	if err != nil {
		devices = map[string]*cost.Device{} // there is no file, or a damaged one, which measuring again is the way out of
	}
	devices["cpu"] = measuredDevice(f, time.Now())
	var list []*cost.Device
	for _, name := range slices.Sorted(maps.Keys(devices)) {
		list = append(list, devices[name])
	}
	file, err := cost.EncodeFile(list...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := writeFile(path, file); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "stored in %s\n", path)
	return nil
}

// measuredDevice is this machine as the cost model has it. All ranks share it, and their collectives take one way.
func measuredDevice(f calibrate.Figures, now time.Time) *cost.Device {
	d := &cost.Device{
		Name: "cpu",
		Source: fmt.Sprintf("measured %s on %s/%s, %s", now.UTC().Format(time.RFC3339), runtime.GOOS, runtime.GOARCH,
			diag.Count(f.Threads, "thread")),
		Bandwidth: digits(f.Peaks.ReadBytes), Launch: digits(f.Launch), Product: digits(f.Product),
		Collective: digits(f.Collective), Link: digits(f.Link), TileRows: 1, Shared: true,
		Flops: map[dtype.DType]float64{}, OneRow: map[dtype.DType]float64{},
		PeakF32: digits(f.Peaks.F32), PeakBF16Dot: digits(f.Peaks.BF16Dot), PeakInt8Dot: digits(f.Peaks.Int8Dot),
	}
	for t, v := range f.Flops {
		d.Flops[t], d.OneRow[t] = digits(v), digits(f.OneRow[t])
	}
	return d
}

// digits rounds to the three digits that a measurement is good for.
func digits(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// deviceTable has a row for each figure and a column for each device.
func deviceTable(w io.Writer, devices []*cost.Device, path string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "FIGURE")
	values := map[string]map[string]string{} // by figure and device
	for _, d := range devices {
		fmt.Fprintf(t, "\t%s", d.Name)
		for _, a := range d.Figures() {
			if values[a.Key] == nil {
				values[a.Key] = map[string]string{}
			}
			values[a.Key][d.Name] = figureText(a.Key, a.Value)
		}
	}
	fmt.Fprintln(t)
	for _, key := range cost.Keys() {
		if values[key] == nil {
			continue
		}
		fmt.Fprint(t, key)
		for _, d := range devices {
			fmt.Fprintf(t, "\t%s", values[key][d.Name])
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, d := range devices {
		from := d.Source
		if from != cost.Builtin {
			from += " (" + path + ")"
		}
		fmt.Fprintf(w, "%s: %s\n", d.Name, diag.Printable(from))
	}
	tier, err := cpu.BestTier()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nthis machine: %s, with the kernels %s\n", machineText(topology.Read()), tier)
	return nil
}

// machineText says what of the machine there is for plans.
func machineText(m *topology.Machine) string {
	text := fmt.Sprintf("%s on %s, %s", diag.Count(len(m.CPUs), "processor"), diag.Count(m.Cores(), "core"), diag.Count(len(m.Nodes), "memory node"))
	if m.Quota > 0 {
		text += fmt.Sprintf(", of which control groups leave the time of %.3g", m.Quota)
	}
	return text + "; plans run on " + diag.Count(m.Threads(), "thread")
}

// figureText writes a figure with its unit.
func figureText(key string, value any) string {
	v, ok := value.(float64)
	if !ok {
		return fmt.Sprint(value)
	}
	unit := cost.Unit(key)
	if unit == "s" {
		return cost.Text(v)
	}
	prefixes := []string{"", "k", "M", "G", "T", "P"}
	i := 0
	for v >= 999.5 && i < len(prefixes)-1 {
		v /= 1000
		i++
	}
	return fmt.Sprintf("%.3g %s%s", v, prefixes[i], unit)
}
