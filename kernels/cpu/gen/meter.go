package main

import "fmt"

// meter writes a loop of one instruction that multiplies and adds, on as many sums as keep the units of a processor busy:
// two a clock cycle that take four to six cycles each want twelve. The factors are 1.002 in float32, ones in bfloat16,
// and small numbers in int8, and the sums begin as zero: nothing overflows or becomes a denormal number.
type meter struct {
	*writer
	machine
	kind  string
	chain int                        // sums
	one   func(sum, a, b int) string // the instruction, of register numbers
}

func meters(w *writer) []meter {
	fma := func(m machine) func(sum, a, b int) string {
		return func(sum, a, b int) string { return fmt.Sprintf("VFMADD231PS %s, %s, %s", m.r(a), m.r(b), m.r(sum)) }
	}
	return []meter{
		{w, avx512, "F32", 16, fma(avx512)},
		{w, avx512, "BF16", 16, func(sum, a, b int) string {
			return fmt.Sprintf("%s // VDPBF16PS Z%d, Z%d, Z%d", evex(ppF3, 0x52, sum, b, a), a, b, sum)
		}},
		{w, avx512, "Int8", 16, func(sum, a, b int) string { return fmt.Sprintf("VPDPBUSD Z%d, Z%d, Z%d", a, b, sum) }},
		{w, avx2, "F32", 12, fma(avx2)},
	}
}

func (m *meter) name() string { return "meter" + m.kind + m.machine.name }

func (m *meter) write() {
	a, b := m.chain, m.chain+1
	m.printf("\n// func %s(turns int)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", m.name(), m.name())
	m.op("MOVQ turns+0(FP), CX")
	m.op("MOVL $0x3f803f80, AX")
	m.op("MOVD AX, X%d", min(a, 15))
	m.op("VPBROADCASTD X%d, %s", min(a, 15), m.r(a))
	m.op("VPBROADCASTD X%d, %s", min(a, 15), m.r(b))
	for i := range m.chain {
		if m.masked() {
			m.op("VPXORQ %s, %s, %s", m.r(i), m.r(i), m.r(i))
		} else {
			m.op("VPXOR %s, %s, %s", m.r(i), m.r(i), m.r(i))
		}
	}
	m.label("loop")
	for i := range m.chain {
		m.op("%s", m.one(i, a, b))
	}
	m.op("DECQ CX")
	m.op("JNZ loop")
	m.op("VZEROUPPER")
	m.op("RET")
}

// read writes a loop that reads whole blocks of four registers, and does nothing with them that takes time.
type read struct {
	*writer
	machine
}

func (r *read) name() string { return "read" + r.machine.name }

func (r *read) write() {
	or := "VPOR"
	if r.masked() {
		or = "VPORQ"
	}
	r.printf("\n// func %s(p *byte, blocks int)\nTEXT ·%s(SB), NOSPLIT, $0-16\n", r.name(), r.name())
	r.op("MOVQ p+0(FP), SI")
	r.op("MOVQ blocks+8(FP), CX")
	r.label("loop")
	for i := range 4 {
		r.op("%s %d(SI), %s, %s", or, i*r.bytes(), r.r(i), r.r(i))
	}
	r.op("ADDQ $%d, SI", 4*r.bytes())
	r.op("DECQ CX")
	r.op("JNZ loop")
	r.op("VZEROUPPER")
	r.op("RET")
}

// meterFiles returns the loops that measure what a processor can do at most.
func meterFiles() map[string]string {
	asm, stubs := newFiles()
	for _, m := range meters(asm) {
		m.write()
		stubs.printf("\nfunc %s(turns int)\n\nconst %sSums = %d\n", m.name(), m.name(), m.chain)
	}
	for _, m := range []machine{avx512, avx2} {
		r := read{asm, m}
		r.write()
		stubs.printf("\n//go:noescape\nfunc %s(p *byte, blocks int)\n\nconst %sBlock = %d\n", r.name(), r.name(), 4*m.bytes())
	}
	return map[string]string{"meter_amd64.s": asm.String(), "meter_stubs_amd64.go": stubs.String()}
}
