package main

import "fmt"

// panel4 writes the product of rows with panels of I4, group by group of 64 k: a group's sums are a chain of VDPBF16PS as
// panel's, and are added to the rows' sums in one fused multiplication with the channels' scales of the group.
//
// Its operands are panel's, with groups for steps.
type panel4 struct{ panel }

// groupQuads is the number of quads in a group.
const groupQuads = 16

// side4 is how many panels side by side a kernel has: each channel needs two sums.
func side4(rows int) int { return map[int]int{1: 4, 2: 2}[rows] }

// panel4Rows is the most rows of a kernel.
const panel4Rows = 4

func (p *panel4) write() {
	p.format = panelFormat{name: "I4"}
	p.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-80\n", p.name(), panelArgs, p.name())
	p.arguments()
	p.op("LEAQ (R13)(R13*2), BX")
	p.lookAhead()
	tables4(p.writer)
	p.start()
	p.label("group")
	for i := range p.sums() {
		p.op("VPXORD Z%d, Z%d, Z%d", p.sums()+i, p.sums()+i, p.sums()+i)
	}
	p.op("MOVQ $%d, R10", groupQuads)
	p.op("PCALIGN $32")
	p.label("loop")
	for q := range p.panels {
		p.op("VMOVDQU64 %s, Z16", p.weights(q, 0))
		p.prefetch(p.weights(q, 0))
		decode4(p.writer)
		for r := range p.rows {
			for pair := range 2 {
				p.op("VPBROADCASTD %s, Z%d", p.row(r, 4*pair), 30+pair)
				for half := range 2 {
					p.dot(p.sums()+p.sum(r, q, half), 18+2*half+pair, 30+pair)
				}
			}
		}
	}
	p.op("ADDQ $64, SI")
	p.op("ADDQ $64, R11")
	p.op("ADDQ $8, DI")
	p.op("DECQ R10")
	p.op("JNZ loop")
	for q := range p.panels {
		for half := range 2 {
			p.op("VPMOVZXWD %s, Z%d", p.weights(q, 32*half), 16+half)
			p.op("VPSLLD $16, Z%d, Z%d", 16+half, 16+half)
			for r := range p.rows {
				sum := p.sum(r, q, half)
				p.op("VFMADD231PS Z%d, Z%d, Z%d", 16+half, p.sums()+sum, sum)
			}
		}
	}
	p.op("ADDQ $64, SI")
	p.op("ADDQ $64, R11")
	p.op("DECQ CX")
	p.op("JNZ group")
	p.eachSum("VMOVUPS Z%[2]d, %[1]s")
	p.op("VZEROUPPER")
	p.op("RET")
}

// sums is the number of registers of sums.
func (p *panel4) sums() int { return 2 * p.rows * p.panels }

// tables4 loads what decodes 4-bit codes: the low and the high bytes of the bfloat16 values -8 to 7, and a mask.
func tables4(w *writer) {
	w.op("MOVQ $·i4Bytes(SB), AX")
	w.op("VBROADCASTI32X4 (AX), Z24")
	w.op("VBROADCASTI32X4 16(AX), Z25")
	w.op("MOVL $0x0f0f0f0f, AX")
	w.op("VPBROADCASTD AX, Z28")
}

// decode4 turns the codes in register 16 into bfloat16, as decodeF8 does.
func decode4(w *writer) {
	w.op("VPANDD Z28, Z16, Z22")
	w.op("VPSRLW $4, Z16, Z17")
	w.op("VPANDD Z28, Z17, Z17")
	for half, code := range []int{22, 17} {
		w.op("VPSHUFB Z%d, Z24, Z23", code)
		w.op("VPSHUFB Z%d, Z25, Z%d", code, code)
		w.op("VPUNPCKLBW Z%d, Z23, Z%d", code, 18+2*half)
		w.op("VPUNPCKHBW Z%d, Z23, Z%d", code, 19+2*half)
	}
}

const widen4Args = "dst *uint16, w *byte, groups int, scale *float32"

// writeWiden4 writes the decoding of groups into bfloat16, and of their scales into float32.
func writeWiden4(w *writer) {
	w.printf("\n// func widenI4(%s)\nTEXT ·widenI4(SB), NOSPLIT, $0-32\n", widen4Args)
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ w+8(FP), SI")
	w.op("MOVQ groups+16(FP), CX")
	w.op("MOVQ scale+24(FP), DX")
	tables4(w)
	w.label("group")
	w.op("MOVQ $%d, BX", groupQuads)
	w.label("loop")
	w.op("VMOVDQU64 (SI), Z16")
	decode4(w)
	for pair := range 2 {
		for half := range 2 {
			w.op("VMOVDQU64 Z%d, %d(DI)", 18+2*half+pair, 128*pair+64*half)
		}
	}
	w.op("ADDQ $64, SI")
	w.op("ADDQ $256, DI")
	w.op("DECQ BX")
	w.op("JNZ loop")
	scales4(w, "(DX)", "64(DX)")
	w.op("ADDQ $128, DX")
	w.op("DECQ CX")
	w.op("JNZ group")
	w.op("VZEROUPPER")
	w.op("RET")
}

// scales4 stores a group's scales, and moves on behind them.
func scales4(w *writer, to ...string) {
	for half, at := range to {
		w.op("VPMOVZXWD %d(SI), Z16", 32*half)
		w.op("VPSLLD $16, Z16, Z16")
		w.op("VMOVUPS Z16, %s", at)
	}
	w.op("ADDQ $64, SI")
}

// grouped writes the product of rows with one widened panel of I4: c[r] (+)= the sum over groups of the group's chain
// times its scales, in the bits of panel4.
type grouped struct{ panel }

const groupedArgs = "w, a *uint16, lda int, c *float32, ldc, groups int, more bool, scale *float32, ahead uintptr, pace int"

func (p *grouped) name() string { return fmt.Sprintf("panelGroupsx%d", p.rows) }

func (p *grouped) write() {
	p.panels, p.format = 1, panelFormats[0]
	p.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-80\n", p.name(), groupedArgs, p.name())
	p.op("MOVQ w+0(FP), SI")
	p.op("MOVQ a+8(FP), DI")
	p.op("MOVQ lda+16(FP), R8")
	p.op("MOVQ c+24(FP), DX")
	p.op("MOVQ ldc+32(FP), R12")
	p.op("MOVQ groups+40(FP), CX")
	p.op("MOVQ scale+56(FP), R13")
	p.bases()
	p.clearUnlessMore("more+48(FP)")
	p.label("group")
	for i := range 2 * p.rows {
		p.op("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	p.op("MOVQ $%d, BX", groupQuads)
	p.op("MOVQ ahead+64(FP), AX")
	p.op("PCALIGN $32")
	p.label("loop")
	p.op("PREFETCHT1 (AX)")
	p.op("ADDQ pace+72(FP), AX")
	p.steps(2)
	p.op("DECQ BX")
	p.op("JNZ loop")
	p.op("MOVQ AX, ahead+64(FP)")
	p.op("VMOVUPS (R13), Z30")
	p.op("VMOVUPS 64(R13), Z31")
	p.op("ADDQ $128, R13")
	p.op("MOVQ DX, AX")
	for r := range p.rows {
		for half := range 2 {
			p.op("VFMADD213PS %d(AX), Z%d, Z%d", 64*half, 30+half, 2*r+half)
			p.op("VMOVUPS Z%d, %d(AX)", 2*r+half, 64*half)
		}
		p.op("ADDQ R12, AX")
	}
	p.op("DECQ CX")
	p.op("JNZ group")
	p.op("VZEROUPPER")
	p.op("RET")
}

// bases sets up the registers that row uses.
func (p *panel) bases() {
	p.op("LEAQ (R8)(R8*2), R9")
	if p.rows > 4 {
		p.op("LEAQ (DI)(R8*4), R10")
	}
	if p.rows > 8 {
		p.op("LEAQ (DI)(R8*8), R11")
	}
}

// clearUnlessMore makes the sums in memory zero where there are none to go on from.
func (p *panel) clearUnlessMore(more string) {
	p.op("CMPB %s, $0", more)
	p.op("JNE group")
	p.op("VPXORD Z0, Z0, Z0")
	p.op("MOVQ DX, AX")
	for range p.rows {
		p.op("VMOVUPS Z0, (AX)")
		p.op("VMOVUPS Z0, 64(AX)")
		p.op("ADDQ R12, AX")
	}
}
