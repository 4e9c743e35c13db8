package main

import "fmt"

// dot writes y[r] = sum over i < k of w[i] * x[r][i] for some rows x.
//
// SI goes through the weights, BX through the rows, whose addresses are in R9 to R12; CX counts values down.
type dot struct {
	*writer
	machine
	format format
	rows   int
}

func (d *dot) name() string { return fmt.Sprintf("dot%sx%d%s", d.format.name, d.rows, d.machine.name) }

// sum is partial sum j of row r.
func (d *dot) sum(r, j int) string { return d.r(4*r + j) }

func (d *dot) f8() bool { return d.format.name == "F8" }

func (d *dot) write() {
	d.printf("\n// func %s(y *float32, w *%s, x *[]float32, k int)\nTEXT ·%s(SB), NOSPLIT, $0-32\n", d.name(), d.format.element, d.name())
	d.op("MOVQ w+8(FP), SI")
	d.op("MOVQ x+16(FP), DX")
	d.op("MOVQ k+24(FP), CX")
	for r := range d.rows {
		d.op("MOVQ %d(DX), R%d", 24*r, 9+r)
	}
	d.op("XORQ BX, BX")
	for i := range 4 * d.rows {
		d.op("VXORPS X%d, X%d, X%d", i, i, i)
	}
	if d.f8() {
		d.constants()
	}
	d.op("SUBQ $%d, CX", 4*d.lanes)
	d.op("JLT few")
	d.op("PCALIGN $32")
	d.label("loop")
	d.step(4)
	d.op("SUBQ $%d, CX", 4*d.lanes)
	d.op("JGE loop")
	d.label("few")
	d.op("ADDQ $%d, CX", 3*d.lanes)
	d.op("JLT rest")
	d.label("one")
	d.step(1)
	d.op("SUBQ $%d, CX", d.lanes)
	d.op("JGE one")
	d.label("rest")
	d.op("ADDQ $%d, CX", d.lanes)
	d.op("JZ reduce")
	if d.masked() {
		d.maskedStep()
	} else {
		d.copiedStep()
	}
	d.label("reduce")
	d.reduce()
}

// constants fills the registers that decode e4m3.
func (d *dot) constants() {
	for i, bits := range []uint32{0xbfffbfff, 0x43800000, 0xfefefefe} {
		d.op("MOVL $0x%08x, AX", bits)
		if d.masked() {
			d.op("VPBROADCASTD AX, %s", d.constant(i))
		} else {
			d.op("VMOVD AX, X%d", d.constantIndex(i))
			d.op("VPBROADCASTD X%d, %s", d.constantIndex(i), d.constant(i))
		}
	}
	// What has been a NaN so far: a mask, or a register of bytes.
	if d.masked() {
		d.op("KXORQ K2, K2, K2")
	} else {
		d.op("VXORPS Y11, Y11, Y11")
	}
}

// step multiplies n registers of weights, the first with partial sum 0, the next with 1 and so on.
func (d *dot) step(n int) {
	if d.f8() {
		d.findNaN(n)
	}
	for j := range n {
		d.load(fmt.Sprintf("%d(SI)", j*d.lanes*d.format.size), "", j)
		for r := range d.rows {
			d.op("VFMADD231PS %d(R%d)(BX*1), %s, %s", j*d.bytes(), 9+r, d.weightOf(j), d.sum(r, j))
		}
	}
	d.op("ADDQ $%d, SI", n*d.lanes*d.format.size)
	d.op("ADDQ $%d, BX", n*d.bytes())
}

// weightOf is the register for weights of step j: AVX2 has two to spare.
func (d *dot) weightOf(j int) string {
	if d.masked() {
		return d.weight(j)
	}
	return d.weight(j % 2)
}

// load widens one register of weights. All formats' values are float32 values, so this is exact.
//
// An e4m3 code with its sign extended and moved up by 7 bits is, without the copy of the sign, a float16 of 2^-8 times its
// value, denormal where the code is. The same way straight to a float32 of 2^-120 times the value takes one instruction
// less and half the rate with one denormal in a hundred, because multiplying float32 denormals is slow and converting
// float16 ones is not.
func (d *dot) load(from, suffix string, j int) {
	w := d.weightOf(j)
	switch d.format.name {
	case "F32":
		d.op("VMOVUPS%s %s, %s", suffix, from, w)
	case "BF16":
		d.op("VPMOVZXWD%s %s, %s", suffix, from, w)
		d.op("VPSLLD $16, %s, %s", w, w)
	case "F16":
		d.op("VCVTPH2PS%s %s, %s", suffix, from, w)
	case "F8":
		half := d.half(j)
		d.op("VPMOVSXBW%s %s, %s", suffix, from, half)
		d.op("VPSLLW $7, %s, %s", half, half)
		if d.masked() {
			d.op("VPANDD %s, %s, %s", d.halfOf(d.constantIndex(0)), half, half)
		} else {
			d.op("VPAND %s, %s, %s", d.halfOf(d.constantIndex(0)), half, half)
		}
		d.op("VCVTPH2PS %s, %s", half, w)
		d.op("VMULPS %s, %s, %s", d.constant(1), w, w)
	}
}

// half is the lower half of weightOf(j).
func (d *dot) half(j int) string {
	if d.masked() {
		return d.halfOf(d.firstWeight() + j)
	}
	return d.halfOf(d.firstWeight() + j%2)
}

// halfOf is the lower half of register i.
func (d *dot) halfOf(i int) string {
	if d.masked() {
		return fmt.Sprint("Y", i)
	}
	return fmt.Sprint("X", i)
}

// findNaN keeps in mind whether one of the next n registers of e4m3 weights holds a code of all ones, which load takes
// for 480. A byte added to itself is without its sign.
func (d *dot) findNaN(n int) {
	if d.masked() {
		reg, fe := d.constant(3), d.constant(2)
		if n == 1 {
			reg, fe = fmt.Sprint("X", d.constantIndex(3)), fmt.Sprint("X", d.constantIndex(2))
		}
		d.op("VMOVDQU8 (SI), %s", reg)
		d.nanMask(reg, fe)
		return
	}
	if n == 1 {
		d.op("VMOVQ (SI), X15")
	} else {
		d.op("VMOVDQU (SI), Y15")
	}
	d.op("VPADDB Y15, Y15, Y15")
	d.op("VPCMPEQB Y14, Y15, Y15")
	d.op("VPOR Y15, Y11, Y11")
}

func (d *dot) nanMask(reg, fe string) {
	d.op("VPADDB %s, %s, %s", reg, reg, reg)
	d.op("VPCMPEQB %s, %s, K3", fe, reg)
	d.op("KORQ K3, K2, K2")
}

// maskedStep multiplies the last CX values, fewer than a register has; it reads nothing behind them.
func (d *dot) maskedStep() {
	d.op("MOVL $1, AX")
	d.op("SHLL CX, AX")
	d.op("DECL AX")
	d.op("KMOVW AX, K1")
	if d.f8() {
		reg, fe := fmt.Sprint("X", d.constantIndex(3)), fmt.Sprint("X", d.constantIndex(2))
		d.op("VMOVDQU8.Z (SI), K1, %s", reg)
		d.nanMask(reg, fe)
	}
	d.load("(SI), K1", ".Z", 0)
	for r := range d.rows {
		d.op("VMOVUPS.Z (R%d)(BX*1), K1, Z20", 9+r)
		d.op("VFMADD231PS Z20, %s, %s", d.weightOf(0), d.sum(r, 0))
	}
}

// copiedStep does the same without masks: values one by one, each as the first of a register of zeros.
func (d *dot) copiedStep() {
	d.label("single")
	switch d.format.size {
	case 4:
		d.op("MOVL (SI), AX")
	case 2:
		d.op("MOVWLZX (SI), AX")
	case 1:
		d.op("MOVBLZX (SI), AX")
	}
	// A register of zeros but for one code: the widening of load leaves zeros where zeros were.
	d.op("VMOVD AX, X10")
	switch d.format.name {
	case "F32":
		d.op("VMOVAPS X10, X8")
	case "BF16":
		d.op("VPSLLD $16, X10, X8")
	case "F16":
		d.op("VCVTPH2PS X10, X8")
	case "F8":
		d.op("VPADDB X10, X10, X15")
		d.op("VPCMPEQB X14, X15, X15")
		d.op("VPOR Y15, Y11, Y11")
		d.op("VPMOVSXBW X10, X8")
		d.op("VPSLLW $7, X8, X8")
		d.op("VPAND X12, X8, X8")
		d.op("VCVTPH2PS X8, X8")
		d.op("VMULPS X13, X8, X8")
	}
	for r := range d.rows {
		// Y9 is the value among zeros, so that all sums but the first of the register stay.
		d.op("VMOVSS (R%d)(BX*1), X9", 9+r)
		d.op("VFMADD231PS Y9, Y8, %s", d.sum(r, 0))
	}
	d.op("ADDQ $%d, SI", d.format.size)
	d.op("ADDQ $4, BX")
	d.op("DECQ CX")
	d.op("JNZ single")
}

// reduce adds up the partial sums, (s0+s1) + (s2+s3), then one half of the register to the other, and stores.
func (d *dot) reduce() {
	if d.f8() {
		d.spreadNaN()
	}
	d.op("MOVQ y+0(FP), DI")
	for r := range d.rows {
		s := 4 * r
		for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}} {
			d.op("VADDPS %s, %s, %s", d.r(s+pair[1]), d.r(s+pair[0]), d.r(s+pair[0]))
		}
		if d.lanes == 16 {
			d.op("VEXTRACTF64X4 $1, Z%d, Y%d", s, s+1)
			d.op("VADDPS Y%d, Y%d, Y%d", s+1, s, s)
		}
		d.op("VEXTRACTF128 $1, Y%d, X%d", s, s+1)
		d.op("VADDPS X%d, X%d, X%d", s+1, s, s)
		d.op("VMOVHLPS X%d, X%d, X%d", s, s, s+1)
		d.op("VADDPS X%d, X%d, X%d", s+1, s, s)
		d.op("VMOVSHDUP X%d, X%d", s, s+1)
		d.op("VADDSS X%d, X%d, X%d", s+1, s, s)
		d.op("VMOVSS X%d, %d(DI)", s, 4*r)
	}
	d.op("VZEROUPPER")
	d.op("RET")
}

// spreadNaN makes every row's sum NaN if a weight was: NaN times anything is.
func (d *dot) spreadNaN() {
	if d.masked() {
		d.op("KORTESTQ K2, K2")
	} else {
		d.op("VPTEST Y11, Y11")
	}
	d.op("JEQ finite")
	for r := range d.rows {
		d.op("VPCMPEQD X%d, X%d, X%d", 4*r, 4*r, 4*r)
	}
	d.label("finite")
}
