package main

import "fmt"

// dot8 writes the product of rows of int8 activations with one widened panel: c[r] (+)= the sum over groups of k of a
// group's exact integer sum times the row's scale of the group, and for I4 times the channels' scales too, each group
// in one fused multiplication.
//
// The panel's weights are bytes w + offset, 4 k of a channel side by side: VPDPBUSD multiplies unsigned with signed bytes. What the
// offset adds is taken off at the start of the group's sum, for which the row has a number beside the scale.
//
// Operands: w, a and the bytes from a row to the next, c likewise, groups, whether c holds sums to go on from, and for each
// row and group a scale and a start, rows so many bytes apart. Behind a group's weights lie 32 scales where there
// are any.
type dot8 struct {
	panel
	quads  int  // of a group
	scaled bool // channels have scales for each group
}

const dot8Args = "w *byte, a *int8, lda int, c *float32, ldc, groups int, more bool, meta *quantMeta, metaStride int, ahead uintptr, pace int"

func (p *dot8) name() string {
	if p.scaled {
		return fmt.Sprintf("panelDot4x%d", p.rows)
	}
	return fmt.Sprintf("panelDot8x%d", p.rows)
}

func (p *dot8) write() {
	p.panels = 1
	p.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-88\n", p.name(), dot8Args, p.name())
	p.op("MOVQ w+0(FP), SI")
	p.op("MOVQ a+8(FP), DI")
	p.op("MOVQ lda+16(FP), R8")
	p.op("MOVQ c+24(FP), DX")
	p.op("MOVQ ldc+32(FP), R12")
	p.op("MOVQ groups+40(FP), CX")
	p.op("MOVQ meta+56(FP), R13")
	p.bases()
	p.clearUnlessMore("more+48(FP)")
	p.label("group")
	p.op("MOVQ R13, AX")
	for r := range p.rows {
		p.op("VPBROADCASTD 4(AX), Z%d", 2*r)
		p.op("VMOVDQA64 Z%d, Z%d", 2*r, 2*r+1)
		p.op("ADDQ metaStride+64(FP), AX")
	}
	p.op("MOVQ $%d, BX", p.quads/2)
	p.op("MOVQ ahead+72(FP), AX")
	p.op("PCALIGN $32")
	p.label("loop")
	p.op("PREFETCHT1 (AX)")
	p.op("ADDQ pace+80(FP), AX")
	for i := range 2 {
		p.op("VMOVDQU64 %d(SI), Z30", 128*i)
		p.op("VMOVDQU64 %d(SI), Z31", 128*i+64)
		for r := range p.rows {
			x := 24 + (i*p.rows+r)%6
			p.op("VPBROADCASTD %s, Z%d", p.row(r, 4*i), x)
			p.op("VPDPBUSD Z%d, Z30, Z%d", x, 2*r)
			p.op("VPDPBUSD Z%d, Z31, Z%d", x, 2*r+1)
		}
	}
	p.op("ADDQ $256, SI")
	for r := 0; r < p.rows; r += 4 {
		p.op("ADDQ $8, %s", []string{"DI", "R10", "R11"}[r/4])
	}
	p.op("DECQ BX")
	p.op("JNZ loop")
	p.op("MOVQ AX, ahead+72(FP)")
	p.scale()
	p.op("ADDQ $8, R13")
	p.op("DECQ CX")
	p.op("JNZ group")
	p.op("VZEROUPPER")
	p.op("RET")
}

// scale adds the group's sums to those in memory.
func (p *dot8) scale() {
	if p.scaled {
		p.op("VMOVUPS (SI), Z30")
		p.op("VMOVUPS 64(SI), Z31")
		p.op("ADDQ $128, SI")
	}
	p.op("MOVQ R13, AX")
	p.op("MOVQ DX, BX")
	for r := range p.rows {
		p.op("VBROADCASTSS (AX), Z%d", 24+r%6)
		for half := range 2 {
			sum := 2*r + half
			p.op("VCVTDQ2PS Z%d, Z%d", sum, sum)
			if p.scaled {
				p.op("VMULPS Z%d, Z%d, Z%d", 30+half, sum, sum)
			}
			p.op("VFMADD213PS %d(BX), Z%d, Z%d", 64*half, 24+r%6, sum)
			p.op("VMOVUPS Z%d, %d(BX)", sum, 64*half)
		}
		p.op("ADDQ metaStride+64(FP), AX")
		p.op("ADDQ R12, BX")
	}
}

const bytesArgs = "dst, w *byte, steps int"

// writeBytesF8 writes what turns e4m3 panels into bytes: the integer nearest to value * 127/448, and 128.
func writeBytesF8(w *writer) {
	w.bytesOf("bytesF8", func() {
		w.op("MOVQ $·f8Integers(SB), AX")
		w.op("VMOVDQU64 (AX), Z24")
		w.op("VMOVDQU64 64(AX), Z25")
		w.op("VPXORD Z27, Z27, Z27")
	}, func() {
		for i := range 2 {
			w.op("VMOVDQU64 %d(SI), Z%d", 64*i, i)
			w.op("VPMOVB2M Z%d, K%d", i, i+1)
			w.op("VPERMI2B Z25, Z24, Z%d", i)
			w.op("VPSUBB Z%d, Z27, K%d, Z%d", i, i+1, i)
			w.op("VPXORD Z28, Z%d, Z%d", i, i)
		}
	})
}

// writeBytesI8 writes the same for I8: the integer and 128.
func writeBytesI8(w *writer) {
	w.bytesOf("bytesI8", func() {}, func() {
		for i := range 2 {
			w.op("VPXORD %d(SI), Z28, Z%d", 64*i, i)
		}
	})
}

// bytesOf writes a function that makes bytes of steps of 128 codes, which step leaves in registers 0 and 1 in the order of
// panels.
func (w *writer) bytesOf(name string, tables, step func()) {
	w.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-24\n", name, bytesArgs, name)
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ w+8(FP), SI")
	w.op("MOVQ steps+16(FP), CX")
	tables()
	w.op("MOVL $0x80808080, AX")
	w.op("VPBROADCASTD AX, Z28")
	w.quadOrder()
	w.label("loop")
	step()
	w.storeQuads(0, 1)
	w.op("ADDQ $128, SI")
	w.op("ADDQ $128, DI")
	w.op("DECQ CX")
	w.op("JNZ loop")
	w.op("VZEROUPPER")
	w.op("RET")
}

// quadOrder loads what brings the four k of a channel together.
func (w *writer) quadOrder() {
	w.op("MOVQ $·quadOrder(SB), AX")
	w.op("VBROADCASTI32X4 (AX), Z26")
}

func (w *writer) storeQuads(registers ...int) {
	for half, r := range registers {
		w.op("VPSHUFB Z26, Z%d, Z%d", r, r)
		w.op("VMOVDQU64 Z%d, %d(DI)", r, 64*half)
	}
}

// writeBytesI4 writes the same for groups of I4: the codes as they are, and the group's scales behind them.
func writeBytesI4(w *writer) {
	w.printf("\n// func bytesI4(%s)\nTEXT ·bytesI4(SB), NOSPLIT, $0-24\n", bytesArgs)
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ w+8(FP), SI")
	w.op("MOVQ steps+16(FP), CX")
	w.op("MOVL $0x0f0f0f0f, AX")
	w.op("VPBROADCASTD AX, Z28")
	w.quadOrder()
	w.label("group")
	w.op("MOVQ $%d, BX", groupQuads)
	w.label("loop")
	w.op("VMOVDQU64 (SI), Z16")
	split4(w)
	w.storeQuads(22, 17)
	w.op("ADDQ $64, SI")
	w.op("ADDQ $128, DI")
	w.op("DECQ BX")
	w.op("JNZ loop")
	scales4(w, "(DI)", "64(DI)")
	w.op("ADDQ $128, DI")
	w.op("DECQ CX")
	w.op("JNZ group")
	w.op("VZEROUPPER")
	w.op("RET")
}
