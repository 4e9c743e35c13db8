package main

import (
	"fmt"
	"math/bits"
	"strings"
)

// panel writes c[r][j] (+)= sum over k of a[r][k] * w[j][k] for some rows r of activations and the 32 output channels j of
// one or several panels (package panel), in bfloat16 dot products.
//
// Every sum is one chain of VDPBF16PS over ascending pairs of k, however many rows and panels a kernel has: kernels of
// different sizes give the same bits. With few rows the chains of one panel do not fill the units that
// multiply, which is why there are kernels for several panels side by side.
//
// Operands: w and the bytes from a panel to the next, a and the bytes from a row to the next, c likewise, steps
// (pairs for BF16, quads else), whether c holds sums to go on from, and for kernels that are paced what to ask for and how
// far to go on in each turn.
type panel struct {
	*writer
	format panelFormat
	rows   int
	panels int
}

// panelFormat is a storage format of panels, as kernels of bfloat16 dot products read it.
type panelFormat struct {
	name   string
	bytes  int // of a panel's step
	pairs  int // of k in a step; F32 has one k in a step, of as many bytes
	rows   int // most rows of a kernel: what the registers hold beside the decoding
	unroll func(rows int) int
	decode func(p *panel) // what registers 16 and 17 hold, into registers 18 to 21
	tables func(p *panel)
}

var panelFormats = []panelFormat{
	{name: "BF16", bytes: 128, pairs: 1, rows: panelRows, unroll: func(rows int) int {
		if rows >= 6 {
			return 2
		}
		return 4
	}},
	{name: "F32", bytes: 128, pairs: 1, rows: panelRows, unroll: func(int) int { return 2 }},
	{name: "F8", bytes: 128, pairs: 2, rows: 8, unroll: func(int) int { return 1 }, decode: (*panel).decodeF8, tables: (*panel).tablesF8},
	{name: "I8", bytes: 128, pairs: 2, rows: 8, unroll: func(int) int { return 1 }, decode: (*panel).decodeI8, tables: (*panel).tablesI8},
}

// panelRows is the most rows of a kernel: 24 sums, and registers for two halves of weights and six activations.
const panelRows = 12

// side is how many panels side by side a kernel of that many rows may have: with the sums' registers at hand that
// hide their latency.
func (f panelFormat) side(rows int) int {
	most := 24 // registers for sums
	if f.decode != nil {
		most = 16
	}
	switch {
	case rows == 1 || rows == 2 && f.decode == nil:
		return 4
	case 4*rows <= most:
		return 2
	}
	return 1
}

func (p *panel) name() string { return fmt.Sprintf("panel%sx%dx%d", p.format.name, p.rows, p.panels) }

// sum is the register of a row's sums of one half of one panel.
func (p *panel) sum(r, q, half int) int { return 2*(r*p.panels+q) + half }

// row is the address of row r's activations, off bytes on.
func (p *panel) row(r, off int) string {
	base := []string{"DI", "R10", "R11"}[r/4]
	return fmt.Sprintf("%d(%s)", off, base) + []string{"", "(R8*1)", "(R8*2)", "(R9*1)"}[r%4]
}

// weights is the address of panel q's weights, off bytes on.
func (p *panel) weights(q, off int) string {
	return fmt.Sprintf("%d(SI)", off) + []string{"", "(R13*1)", "(R13*2)", "(BX*1)"}[q]
}

const panelArgs = "w unsafe.Pointer, stride int, a *uint16, lda int, c *float32, ldc, steps int, more bool, ahead uintptr, pace int"

func (p *panel) write() {
	p.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-80\n", p.name(), panelArgs, p.name())
	p.arguments()
	if p.panels > 3 {
		p.op("LEAQ (R13)(R13*2), BX")
	}
	if p.format.decode != nil {
		p.lookAhead()
		p.format.tables(p)
	}
	if p.paced() {
		p.op("MOVQ ahead+64(FP), R13")
		p.op("MOVQ pace+72(FP), BX")
	}
	p.start()
	unroll := p.format.unroll(p.rows)
	p.op("SUBQ $%d, CX", unroll)
	p.op("JLT few")
	p.op("PCALIGN $32")
	p.label("loop")
	if p.paced() {
		p.op("PREFETCHT1 (R13)")
		p.op("ADDQ BX, R13")
	}
	p.steps(unroll)
	p.op("SUBQ $%d, CX", unroll)
	p.op("JGE loop")
	p.label("few")
	p.op("ADDQ $%d, CX", unroll)
	p.op("JZ done")
	if unroll > 1 {
		p.label("one")
		p.steps(1)
		p.op("DECQ CX")
		p.op("JNZ one")
	}
	p.label("done")
	p.eachSum("VMOVUPS Z%[2]d, %[1]s")
	p.op("VZEROUPPER")
	p.op("RET")
}

// paced reports whether the kernel asks for the cache lines of what comes next, as many bytes further in each turn of its
// loop as pace says. Kernels for widened weights do: what they ask for is the next block that is widened.
func (p *panel) paced() bool { return p.format.decode == nil && p.panels == 1 }

// lookAhead lets prefetch ask for the panels behind the present ones. Decoding takes so many instructions that the processor
// does not look far enough ahead itself: from memory, a row took 36 GB/s instead of 40 on a Zen 5 core that reads 44, and
// eight rows 13 instead of 32.
func (p *panel) lookAhead() {
	p.op("MOVQ R13, R11")
	p.op("SHLQ $%d, R11", bits.TrailingZeros(uint(p.panels)))
	p.op("ADDQ SI, R11")
}

// prefetch asks for what lies as far into the next panels as at, an address that weights gave, does into these.
func (p *panel) prefetch(at string) { p.op("PREFETCHT1 %s", strings.Replace(at, "SI", "R11", 1)) }

// arguments loads the operands of panelArgs that all kernels have, and what row needs.
func (p *panel) arguments() {
	p.op("MOVQ w+0(FP), SI")
	p.op("MOVQ stride+8(FP), R13")
	p.op("MOVQ a+16(FP), DI")
	p.op("MOVQ lda+24(FP), R8")
	p.op("MOVQ c+32(FP), DX")
	p.op("MOVQ ldc+40(FP), R12")
	p.op("MOVQ steps+48(FP), CX")
	p.bases()
}

// start makes the sums zero or loads those that are there.
func (p *panel) start() {
	p.op("CMPB more+56(FP), $0")
	p.op("JNE more")
	for i := range 2 * p.rows * p.panels {
		p.op("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	p.op("JMP start")
	p.label("more")
	p.eachSum("VMOVUPS %[1]s, Z%[2]d")
	p.label("start")
}

// eachSum writes an instruction for the place and the register of every sum.
func (p *panel) eachSum(format string) {
	p.op("MOVQ DX, AX")
	for r := range p.rows {
		for q := range p.panels {
			for half := range 2 {
				p.op(format, fmt.Sprintf("%d(AX)", 128*q+64*half), p.sum(r, q, half))
			}
		}
		if r < p.rows-1 {
			p.op("ADDQ R12, AX")
		}
	}
}

// steps writes n steps of k and moves the pointers on.
func (p *panel) steps(n int) {
	for i := range n {
		if p.format.decode == nil {
			p.plain(i)
		} else {
			p.decoded(i)
		}
	}
	p.op("ADDQ $%d, SI", n*p.format.bytes)
	if p.format.decode != nil {
		p.op("ADDQ $%d, R11", n*p.format.bytes)
	}
	for r := 0; r < p.rows; r += 4 {
		p.op("ADDQ $%d, %s", 4*n*p.format.pairs, []string{"DI", "R10", "R11"}[r/4])
	}
}

// plain multiplies one pair of bfloat16 weights. The registers behind the sums hold weights, the rest
// activations in turn.
func (p *panel) plain(step int) {
	first := 2 * p.rows * p.panels
	next := first + 2*p.panels
	spare := min(32-next, 6)
	for q := range p.panels {
		for half := range 2 {
			p.op("VMOVDQU64 %s, Z%d", p.weights(q, step*p.format.bytes+64*half), first+2*q+half)
		}
	}
	for r := range p.rows {
		x := next + (step*p.rows+r)%spare
		p.op("VPBROADCASTD %s, Z%d", p.row(r, 4*step), x)
		for q := range p.panels {
			for half := range 2 {
				p.dot(p.sum(r, q, half), first+2*q+half, x)
			}
		}
	}
}

// decoded multiplies one quad: two pairs, which the panels' bytes are decoded to.
func (p *panel) decoded(step int) {
	for q := range p.panels {
		for half := range 2 {
			at := p.weights(q, step*p.format.bytes+64*half)
			p.op("VMOVDQU64 %s, Z%d", at, 16+half)
			p.prefetch(at)
		}
		p.format.decode(p)
		for r := range p.rows {
			for pair := range 2 {
				x := 30 + pair
				p.op("VPBROADCASTD %s, Z%d", p.row(r, 4*(2*step+pair)), x)
				for half := range 2 {
					p.dot(p.sum(r, q, half), 18+2*half+pair, x)
				}
			}
		}
	}
}

// dot is sum += the dot product of two pairs, VDPBF16PS, or of two values of F32.
func (p *panel) dot(sum, w, x int) {
	if p.format.name == "F32" {
		p.op("VFMADD231PS Z%d, Z%d, Z%d", x, w, sum)
		return
	}
	p.op("%s // VDPBF16PS Z%d, Z%d, Z%d", evex(ppF3, 0x52, sum, w, x), x, w, sum)
}

// tablesF8 loads what decodes e4m3: the low bytes of the bfloat16 values of codes 0 to 127, their high bytes, and the sign.
func (p *panel) tablesF8() { p.tables("f8Bytes") }

// tables loads the two tables of bytes in the variable of that name, and the sign.
func (p *panel) tables(name string) {
	p.op("MOVQ $·%s(SB), AX", name)
	for i := range 4 {
		p.op("VMOVDQU64 %d(AX), Z%d", 64*i, 24+i)
	}
	p.op("MOVL $0x80808080, AX")
	p.op("VPBROADCASTD AX, Z28")
}

// decodeF8 turns the codes in registers 16 (half 0) and 17 into bfloat16: half h's first pair into 18+2h, its second one
// into 19+2h. Looking up is exact for every code, denormals and NaN included.
func (p *panel) decodeF8() {
	for half := range 2 {
		code, low, high := 16+half, 22, 23
		p.op("VMOVDQA64 Z%d, Z%d", code, low)
		p.op("VMOVDQA64 Z%d, Z%d", code, high)
		p.op("VPERMI2B Z25, Z24, Z%d", low)
		p.op("VPERMI2B Z27, Z26, Z%d", high)
		p.op("VPTERNLOGD $0xf8, Z28, Z%d, Z%d", code, high) // high | code & 0x80
		p.op("VPUNPCKLBW Z%d, Z%d, Z%d", high, low, 18+2*half)
		p.op("VPUNPCKHBW Z%d, Z%d, Z%d", high, low, 19+2*half)
	}
}

// tablesI8 loads the same for the integers 0 to 127, and the high byte of 128.
func (p *panel) tablesI8() {
	p.tables("i8Bytes")
	p.op("MOVL $0xc3c3c3c3, AX")
	p.op("VPBROADCASTD AX, Z29")
}

// decodeI8 is decodeF8 for integers. They are looked up by their absolute values, of which only that of -128 has no entry:
// where it is, the high byte is put in, and the low one is zero as for the index 0 that it has.
func (p *panel) decodeI8() {
	for half := range 2 {
		code, low, high := 16+half, 22, 23
		p.op("VPABSB Z%d, Z%d", code, low)
		p.op("VPMOVB2M Z%d, K1", low)
		p.op("VMOVDQA64 Z%d, Z%d", low, high)
		p.op("VPERMI2B Z25, Z24, Z%d", low)
		p.op("VPERMI2B Z27, Z26, Z%d", high)
		p.op("VPTERNLOGD $0xf8, Z28, Z%d, Z%d", code, high)
		p.op("VMOVDQU8 Z29, K1, Z%d", high)
		p.op("VPUNPCKLBW Z%d, Z%d, Z%d", high, low, 18+2*half)
		p.op("VPUNPCKHBW Z%d, Z%d, Z%d", high, low, 19+2*half)
	}
}
