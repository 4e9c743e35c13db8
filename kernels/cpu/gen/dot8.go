package main

import (
	"fmt"
	"math/bits"
)

// dot8 writes the product of tiles of rows of int8 activations with one widened panel: c[r] (+)= the sum over groups of k of a
// group's exact integer sum times the row's scale of the group, and for I4 times the channels' scales too, each group
// in one fused multiplication.
//
// The panel's weights are bytes w + offset, 4 k of a channel side by side: VPDPBUSD multiplies unsigned with signed bytes. What the
// offset adds is taken off at the start of the group's sum, for which the row has a number beside the scale.
//
// A tile has so few rows that registers hold its float32 sums beside the integer ones. Twelve rows, whose float32 sums
// lie in memory, reached 84 % of the dot rate on a Zen 5 core, where six or seven reach 92 %: what ends a group takes as many
// instructions that multiply for either, but no loads and stores. Without what ends groups it would be 97 %.
//
// Operands: w, a and the bytes from a row to the next, c likewise, groups, whether c holds sums to go on from, for each
// row and group a scale and a start, rows so many bytes apart, what to ask for and how far to go on in each turn, how many
// tiles there are, one behind the other, and where the results go, which is c and the sums as they are, or with scale
// another place, sum * scale + bias, each operation rounded. Behind a group's weights lie 32 scales where there are any.
type dot8 struct {
	panel
	quads  int  // of a group
	scaled bool // channels have scales for each group
}

const dot8Args = "w *byte, a *int8, lda int, c *float32, ldc, groups int, more bool, meta *quantMeta, metaStride int, ahead uintptr, pace, tiles int, dst *float32, ldd int, scale, bias *float32"

// dot8Rows is the most rows of a tile: their two kinds of sums leave four registers.
const dot8Rows = 7

func (p *dot8) name() string {
	if p.scaled {
		return fmt.Sprintf("panelDot4x%d", p.rows)
	}
	return fmt.Sprintf("panelDot8x%d", p.rows)
}

// total is the register of a row's float32 sums of one half.
func (p *dot8) total(r, half int) int { return 2*(p.rows+r) + half }

func (p *dot8) write() {
	p.panels = 1
	p.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-128\n", p.name(), dot8Args, p.name())
	p.op("MOVQ a+8(FP), DI")
	p.op("MOVQ lda+16(FP), R8")
	p.op("MOVQ c+24(FP), DX")
	p.op("MOVQ ldc+32(FP), R12")
	p.op("MOVQ meta+56(FP), R13")
	p.op("MOVQ metaStride+64(FP), R11")
	p.op("MOVQ ahead+72(FP), R15")
	p.op("MOVQ dst+96(FP), R14")
	p.op("LEAQ (R8)(R8*2), R9")
	p.label("tile")
	p.op("MOVQ w+0(FP), SI")
	p.op("MOVQ groups+40(FP), CX")
	if p.rows > 4 {
		p.op("LEAQ (DI)(R8*4), R10")
	}
	p.totals()
	p.label("group")
	p.op("MOVQ R13, AX")
	for r := range p.rows {
		p.op("VPBROADCASTD 4(AX), Z%d", 2*r)
		p.op("VMOVDQA64 Z%d, Z%d", 2*r, 2*r+1)
		p.op("ADDQ R11, AX")
	}
	p.op("MOVQ $%d, BX", p.quads/2)
	p.op("PCALIGN $32")
	p.label("loop")
	p.op("PREFETCHT1 (R15)")
	p.op("ADDQ pace+80(FP), R15")
	first := 4 * p.rows
	for i := range 2 {
		p.op("VMOVDQU64 %d(SI), Z%d", 128*i, first)
		p.op("VMOVDQU64 %d(SI), Z%d", 128*i+64, first+1)
		for r := range p.rows {
			x := first + 2 + r%2
			p.op("VPBROADCASTD %s, Z%d", p.row(r, 4*i), x)
			p.op("VPDPBUSD Z%d, Z%d, Z%d", x, first, 2*r)
			p.op("VPDPBUSD Z%d, Z%d, Z%d", x, first+1, 2*r+1)
		}
	}
	p.op("ADDQ $256, SI")
	for r := 0; r < p.rows; r += 4 {
		p.op("ADDQ $8, %s", []string{"DI", "R10"}[r/4])
	}
	p.op("DECQ BX")
	p.op("JNZ loop")
	p.endGroup()
	p.op("DECQ CX")
	p.op("JNZ group")
	p.endTile()
	p.op("DECQ tiles+88(FP)")
	p.op("JNZ tile")
	p.op("VZEROUPPER")
	p.op("RET")
}

// totals makes a tile's float32 sums zero or loads those that are there.
func (p *dot8) totals() {
	p.op("CMPB more+48(FP), $0")
	p.op("JNE more")
	for i := range 2 * p.rows {
		p.op("VPXORD Z%[1]d, Z%[1]d, Z%[1]d", p.total(0, i))
	}
	p.op("JMP group")
	p.label("more")
	p.op("MOVQ DX, AX")
	for r := range p.rows {
		for half := range 2 {
			p.op("VMOVUPS %d(AX), Z%d", 64*half, p.total(r, half))
		}
		p.op("ADDQ R12, AX")
	}
}

// endGroup adds the group's sums to the tile's, and goes on to the next group.
func (p *dot8) endGroup() {
	scales := 4 * p.rows
	if p.scaled {
		p.op("VMOVUPS (SI), Z%d", scales)
		p.op("VMOVUPS 64(SI), Z%d", scales+1)
		p.op("ADDQ $128, SI")
	}
	p.op("MOVQ R13, AX")
	for r := range p.rows {
		for half := range 2 {
			sum := 2*r + half
			p.op("VCVTDQ2PS Z%d, Z%d", sum, sum)
			if p.scaled {
				p.op("VMULPS Z%d, Z%d, Z%d", scales+half, sum, sum)
			}
			p.op("VFMADD231PS.BCST (AX), Z%d, Z%d", sum, p.total(r, half))
		}
		p.op("ADDQ R11, AX")
	}
	p.op("ADDQ $8, R13")
}

// endTile stores the tile's results, and goes on to the next tile's rows.
func (p *dot8) endTile() {
	scale := 4 * p.rows
	bias := scale + 2
	p.op("MOVQ scale+112(FP), AX")
	p.op("TESTQ AX, AX")
	p.op("JZ store")
	p.op("MOVQ bias+120(FP), BX")
	for half := range 2 {
		p.op("VMOVUPS %d(AX), Z%d", 64*half, scale+half)
		p.op("VMOVUPS %d(BX), Z%d", 64*half, bias+half)
	}
	for r := range p.rows {
		for half := range 2 {
			p.op("VMULPS Z%d, Z%[2]d, Z%[2]d", scale+half, p.total(r, half))
			p.op("VADDPS Z%d, Z%[2]d, Z%[2]d", bias+half, p.total(r, half))
		}
	}
	p.label("store")
	for r := range p.rows {
		for half := range 2 {
			p.op("VMOVUPS Z%d, %d(R14)", p.total(r, half), 64*half)
		}
		p.op("ADDQ ldd+104(FP), R14")
	}
	p.op("IMUL3Q $%d, R12, AX", p.rows)
	p.op("ADDQ AX, DX")
	p.op("MOVQ groups+40(FP), AX")
	p.op("LEAQ (AX*8), BX")
	p.op("SUBQ BX, R13")
	p.op("IMUL3Q $%d, R11, BX", p.rows)
	p.op("ADDQ BX, R13")
	p.op("SHLQ $%d, AX", bits.TrailingZeros(uint(4*p.quads)))
	p.op("SUBQ AX, DI")
	p.op("IMUL3Q $%d, R8, AX", p.rows)
	p.op("ADDQ AX, DI")
}

const bytesArgs = "dst, w *byte, steps int"

// byteFormat is how a format's panels become bytes.
type byteFormat struct {
	name   string
	tables func(w *writer)
	step   func(w *writer) // a quad at SI, into registers 16 and 17 in the order of panels
	bytes  int             // of a quad
}

var byteFormats = []byteFormat{
	{"F8", bytesTablesF8, bytesF8, 128},
	{"I8", func(w *writer) { w.offset() }, bytesI8, 128},
	{"I4", bytesTablesI4, bytesI4, 64},
}

// offset loads what turns signed bytes into unsigned ones.
func (w *writer) offset() {
	w.op("MOVL $0x80808080, AX")
	w.op("VPBROADCASTD AX, Z28")
}

// e4m3 becomes the integer nearest to value * 127/448. The table has the offset in it: less than that is the opposite of more.
func bytesTablesF8(w *writer) {
	w.op("MOVQ $·f8Integers(SB), AX")
	w.op("VMOVDQU64 (AX), Z24")
	w.op("VMOVDQU64 64(AX), Z25")
	w.op("VPXORD Z27, Z27, Z27")
}

func bytesF8(w *writer) {
	for i := range 2 {
		w.op("VMOVDQU64 %d(SI), Z%d", 64*i, 16+i)
		w.op("VPMOVB2M Z%d, K%d", 16+i, i+1)
		w.op("VPERMI2B Z25, Z24, Z%d", 16+i)
		w.op("VPSUBB Z%d, Z27, K%d, Z%d", 16+i, i+1, 16+i)
	}
}

func bytesI8(w *writer) {
	for i := range 2 {
		w.op("VPXORD %d(SI), Z28, Z%d", 64*i, 16+i)
	}
}

// I4's codes stay as they are.
func bytesTablesI4(w *writer) {
	w.op("MOVL $0x0f0f0f0f, AX")
	w.op("VPBROADCASTD AX, Z28")
}

func bytesI4(w *writer) {
	w.op("VMOVDQU64 (SI), Z16")
	w.op("VPSRLW $4, Z16, Z17")
	w.op("VPANDD Z28, Z16, Z16")
	w.op("VPANDD Z28, Z17, Z17")
}

const fusedArgs = "w *byte, a *int8, lda int, c *float32, quads int, meta *quantMeta, metaStride int, ahead uintptr"

// fusedRows is the most rows of a kernel that makes bytes on the way.
const fusedRows = 4

// fused writes the product of a few rows with a panel whose bytes are made on the way, in the bits of dot8 on a panel of
// bytes. c is [rows, 32]. It asks for what lies from ahead on as it goes.
type fused struct {
	dot8
	format byteFormat
}

func (p *fused) name() string { return fmt.Sprintf("panelFused%sx%d", p.format.name, p.rows) }

func (p *fused) write() {
	p.panels = 1
	p.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-64\n", p.name(), fusedArgs, p.name())
	p.op("MOVQ w+0(FP), SI")
	p.op("MOVQ a+8(FP), DI")
	p.op("MOVQ lda+16(FP), R8")
	p.op("MOVQ c+24(FP), DX")
	p.op("MOVQ quads+32(FP), CX")
	p.op("MOVQ meta+40(FP), R13")
	p.op("MOVQ ahead+56(FP), R11")
	p.op("LEAQ (R8)(R8*2), R9")
	p.format.tables(p.writer)
	p.quadOrder()
	for i := range 2 * p.rows {
		p.op("VPXORD Z%d, Z%d, Z%d", 8+i, 8+i, 8+i)
	}
	p.label("group")
	p.op("MOVQ R13, AX")
	for r := range p.rows {
		p.op("VPBROADCASTD 4(AX), Z%d", 2*r)
		p.op("VMOVDQA64 Z%d, Z%d", 2*r, 2*r+1)
		p.op("ADDQ metaStride+48(FP), AX")
	}
	p.op("MOVQ $%d, BX", p.quads)
	p.op("CMPQ CX, BX")
	p.op("CMOVQLT CX, BX")
	p.op("SUBQ BX, CX")
	p.op("PCALIGN $32")
	p.label("loop")
	for line := 0; line < p.format.bytes; line += 64 {
		p.op("PREFETCHT1 %d(R11)", line)
	}
	p.format.step(p.writer)
	for half := range 2 {
		p.op("VPSHUFB Z26, Z%d, Z%d", 16+half, 16+half)
	}
	for r := range p.rows {
		p.op("VPBROADCASTD %s, Z%d", p.row(r, 0), 30+r%2)
		for half := range 2 {
			p.op("VPDPBUSD Z%d, Z%d, Z%d", 30+r%2, 16+half, 2*r+half)
		}
	}
	p.op("ADDQ $%d, SI", p.format.bytes)
	p.op("ADDQ $%d, R11", p.format.bytes)
	p.op("ADDQ $4, DI")
	p.op("DECQ BX")
	p.op("JNZ loop")
	if p.scaled {
		for half := range 2 {
			p.op("VPMOVZXWD %d(SI), Z%d", 32*half, 30+half)
			p.op("VPSLLD $16, Z%d, Z%d", 30+half, 30+half)
		}
		p.op("ADDQ $64, SI")
		p.op("ADDQ $64, R11")
	}
	p.op("MOVQ R13, AX")
	for r := range p.rows {
		p.op("VBROADCASTSS (AX), Z18")
		p.op("ADDQ metaStride+48(FP), AX")
		for half := range 2 {
			sum := 2*r + half
			p.op("VCVTDQ2PS Z%d, Z%d", sum, sum)
			if p.scaled {
				p.op("VMULPS Z%d, Z%d, Z%d", 30+half, sum, sum)
			}
			p.op("VFMADD231PS Z18, Z%d, Z%d", sum, 8+sum)
		}
	}
	p.op("ADDQ $8, R13")
	p.op("TESTQ CX, CX")
	p.op("JNZ group")
	for i := range 2 * p.rows {
		p.op("VMOVUPS Z%d, %d(DX)", 8+i, 64*i)
	}
	p.op("VZEROUPPER")
	p.op("RET")
}

// writeBytes writes what turns steps of a panel into bytes: quads, or groups of I4 with their scales behind them.
func writeBytes(w *writer, f byteFormat) {
	w.printf("\n// func bytes%s(%s)\nTEXT ·bytes%s(SB), NOSPLIT, $0-24\n", f.name, bytesArgs, f.name)
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ w+8(FP), SI")
	w.op("MOVQ steps+16(FP), CX")
	f.tables(w)
	w.quadOrder()
	grouped := f.name == "I4"
	if grouped {
		w.label("group")
		w.op("MOVQ $%d, BX", groupQuads)
	}
	w.label("loop")
	f.step(w)
	for half := range 2 {
		w.op("VPSHUFB Z26, Z%d, Z%d", 16+half, 16+half)
		w.op("VMOVDQU64 Z%d, %d(DI)", 16+half, 64*half)
	}
	w.op("ADDQ $%d, SI", f.bytes)
	w.op("ADDQ $128, DI")
	if grouped {
		w.op("DECQ BX")
		w.op("JNZ loop")
		scales4(w, "(DI)", "64(DI)")
		w.op("ADDQ $128, DI")
		w.op("DECQ CX")
		w.op("JNZ group")
	} else {
		w.op("DECQ CX")
		w.op("JNZ loop")
	}
	w.op("VZEROUPPER")
	w.op("RET")
}

// quadOrder loads what brings the four k of a channel together.
func (w *writer) quadOrder() {
	w.op("MOVQ $·quadOrder(SB), AX")
	w.op("VBROADCASTI32X4 (AX), Z26")
}
