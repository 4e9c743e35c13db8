//go:build !purego

package cpu

import "golang.org/x/sys/cpu"

// NewMeters returns the meters of this processor.
func NewMeters() Meters {
	x := &cpu.X86
	m := Meters{F32: &portableMeter}
	switch {
	case x.HasAVX512F:
		m.F32 = &Meter{"VFMADD231PS on 512 bits", meterF32AVX512, 2 * 16 * meterF32AVX512Sums}
	case x.HasAVX2 && x.HasFMA:
		m.F32 = &Meter{"VFMADD231PS on 256 bits", meterF32AVX2, 2 * 8 * meterF32AVX2Sums}
	}
	if x.HasAVX512F && x.HasAVX512BF16 {
		m.BF16 = &Meter{"VDPBF16PS on 512 bits", meterBF16AVX512, 2 * 32 * meterBF16AVX512Sums}
	}
	if x.HasAVX512F && x.HasAVX512VNNI {
		m.Int8 = &Meter{"VPDPBUSD on 512 bits", meterInt8AVX512, 2 * 64 * meterInt8AVX512Sums}
	}
	return m
}

func read(p []byte) {
	x := &cpu.X86
	switch {
	case x.HasAVX512F:
		blocks := len(p) / readAVX512Block
		if blocks > 0 {
			readAVX512(&p[0], blocks)
		}
		p = p[blocks*readAVX512Block:]
	case x.HasAVX2:
		blocks := len(p) / readAVX2Block
		if blocks > 0 {
			readAVX2(&p[0], blocks)
		}
		p = p[blocks*readAVX2Block:]
	}
	keep(readWords(p))
}
