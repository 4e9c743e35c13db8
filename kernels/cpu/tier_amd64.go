//go:build !purego

package cpu

import (
	"golang.org/x/sys/cpu"

	"github.com/glmc/glmc/kernels/dtype"
)

// tiers lists the tables, best first. The package cpu also asks whether the system saves the registers.
func tiers() []tier {
	x := &cpu.X86
	avx512 := x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX2 && x.HasFMA
	return []tier{
		{&avx512BF16Dots, "AVX-512 (F, BW, DQ and VL) with BF16, VBMI and VNNI", avx512 && x.HasAVX512BF16 && x.HasAVX512VBMI && x.HasAVX512VNNI},
		{&avx512Dots, "AVX-512 (F, BW, DQ and VL)", avx512},
		{&avx2Dots, "AVX2 with FMA and F16C", x.HasAVX2 && x.HasFMA && x.HasF16C},
		{&portableDots, "", true},
	}
}

// directly is a widenFrom that no step reaches: weights are widened in registers, which costs less than a row of
// scratch does.
const directly = 1 << 30

// avx512BF16Dots multiplies weights in panels, and others as avx512Dots does.
var avx512BF16Dots = func() dots {
	d := avx512Dots
	d.name = "avx512bf16"
	bf16 := &panelFormat{kernels: &panelsBF16, rows: panelRows, quad: 2}
	bf16.wide = bf16.kernels
	f32 := &panelFormat{kernels: &panelsF32, rows: panelRows, quad: 1, wide: &panelsF32}
	d.panels = &panelTable{
		formats: map[dtype.DType]*panelFormat{
			dtype.F32:  f32,
			dtype.BF16: bf16,
			dtype.F8E4M3: {kernels: &panelsF8, rows: 8, quad: 4, widen: widenF8, wide: bf16.kernels,
				bytes: &byteFormat{kernels: panelDot8[:], fused: panelFusedF8[:], convert: bytesF8, group: 128, offset: 128, factor: dtype.F8E4M3Max / 127.0}},
			dtype.I8: {kernels: &panelsI8, rows: 8, quad: 4, widen: widenI8, wide: bf16.kernels,
				bytes: &byteFormat{kernels: panelDot8[:], fused: panelFusedI8[:], convert: bytesI8, group: 128, offset: 128, factor: 1}},
			dtype.I4: {kernels: &panelsI4, rows: 4, quad: dtype.Group, widenGroups: widenI4, grouped: panelGroups[:],
				bytes: &byteFormat{kernels: panelDot4[:], fused: panelFusedI4[:], convert: bytesI4, group: dtype.Group, offset: 8, factor: 1}},
		},
		scale:    panelScale,
		scatter:  panelScatter,
		gate:     panelSwiGLU,
		gateBF16: panelSwiGLUBF16,
	}
	return d
}()

var avx512Dots = dots{
	name:      "avx512",
	f32:       dotF32AVX512,
	bf16:      dotBF16AVX512,
	f8:        dotF8AVX512,
	f16:       dotF16AVX512,
	widenFrom: directly,
	axpy:      axpyAVX512,
	squares: func(x []float32) float32 {
		y, rows := [1]float32{}, [1][]float32{x}
		dotF32AVX512(y[:], x, rows[:])
		return y[0]
	},
}

var avx2Dots = dots{
	name:      "avx2",
	f32:       dotF32AVX2,
	bf16:      dotBF16AVX2,
	f8:        dotF8AVX2,
	f16:       dotF16AVX2,
	widenFrom: directly,
	axpy:      axpyAVX2,
	squares: func(x []float32) float32 {
		y, rows := [1]float32{}, [1][]float32{x}
		dotF32AVX2(y[:], x, rows[:])
		return y[0]
	},
}

// checkRows panics as an index would where a kernel in assembly would leave its operands: y has a place for each
// row, and each row is at least k long.
func checkRows(y []float32, k int, x [][]float32) {
	_ = y[:len(x)]
	for _, row := range x {
		_ = row[:k:len(row)]
	}
}

// checkTile panics for a tile that axpy does not have.
func checkTile(rows int) {
	if rows > tileRows {
		panic("cpu: axpy: more rows than a tile has")
	}
}
