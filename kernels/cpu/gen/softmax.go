package main

import (
	"fmt"
	"math"
)

// exp2 is the polynomial for 2^x on [0, 1], lowest power first: the one with 1 at 0 whose largest error, as a part of the
// value, is least (2^-23.5; 2^-22.7 as float32 computes it).
var exp2 = []float32{1, 0.6931513, 0.24016444, 0.055799913, 0.00901703, 0.0018671302}

// The registers of softmax and fold that hold constants.
const (
	smScale    = 31
	smInfinity = 30 // minus infinity
	smLowest   = 29 // the lowest finite float32
	smSlack    = 28 // attnSlack
	smExp2     = 22 // the polynomial, highest power first: 22 to 27
)

// attnSlack is the constant of the same name of package cpu.
const attnSlack = 8

// softmax folds the scores of a block into the states of some rows, 16 at most: with t = s*scale in units of log2, where
// a row sees position j (j < seen), and with largest as new reference where the largest t is more than attnSlack above it,
//
//	p = 2^(t - largest), shrink = 2^(largest before - largest), sum = sum*shrink + p.
//
// It reports whether any reference rose. sum is 16 sums a row, of the positions that are equal modulo 16, of p before it is
// rounded to bfloat16. A row that sees nothing keeps its state, and its p are zeros. Where nothing was above minus infinity,
// p is zero as well.
//
// It goes over the rows twice, because finding a row's largest score is one long chain of instructions: twelve short
// chains run side by side, twelve long ones do not. With all, every row sees the whole block, and the masks are left out.
func (a *attention) softmax(all bool) {
	a.op("VBROADCASTSS scale+56(FP), Z%d", smScale)
	a.constant(math.Float32bits(float32(math.Inf(-1))), smInfinity)
	a.constant(math.Float32bits(attnSlack), smSlack)
	a.exp2Constants()
	a.eachRow("largest", func() { a.largest(all) })
	// All rows' shrink at once; it holds the references before.
	a.op("MOVQ rows+48(FP), CX")
	a.rest()
	a.op("MOVQ largest+16(FP), R8")
	a.op("MOVQ shrink+32(FP), R10")
	a.op("VMOVUPS.Z (R8), K1, Z0")
	a.op("VMOVUPS.Z (R10), K1, Z1")
	a.op("VCMPPS $4, Z0, Z1, K1, K2") // not equal
	a.op("KORTESTW K2, K2")
	a.op("SETNE rose+64(FP)")
	a.op("VMAXPS Z%d, Z0, Z0", smLowest)
	a.op("VSUBPS Z0, Z1, Z1")
	a.exp2(1, 2, 3)
	a.op("VSCALEFPS Z1, Z3, Z3")
	a.op("VMOVUPS Z3, K1, (R10)")
	a.eachRow("weights", func() { a.weights(all) })
}

// exp2Constants fills the registers that exp2 reads.
func (a *attention) exp2Constants() {
	a.constant(math.Float32bits(-math.MaxFloat32), smLowest)
	for i := range exp2 {
		a.constant(math.Float32bits(exp2[len(exp2)-1-i]), smExp2+i)
	}
}

// eachRow writes a loop over the rows, with BX the number of positions that a row sees.
func (a *attention) eachRow(label string, body func()) {
	a.op("MOVQ p+0(FP), DI")
	a.op("MOVQ s+8(FP), SI")
	a.op("MOVQ largest+16(FP), R8")
	a.op("MOVQ sum+24(FP), R9")
	a.op("MOVQ shrink+32(FP), R10")
	a.op("MOVQ seen+40(FP), R11")
	a.op("MOVQ rows+48(FP), CX")
	a.label(label)
	a.op("MOVQ (R11), BX")
	body()
	a.op("ADDQ $%d, DI", attnWeights)
	a.op("ADDQ $%d, SI", 4*attnBlock)
	a.op("ADDQ $4, R8")
	a.op("ADDQ $64, R9")
	a.op("ADDQ $4, R10")
	a.op("ADDQ $8, R11")
	a.op("DECQ CX")
	a.op("JNZ " + label)
}

// sight makes K1 to K4 masks of the 64 positions of a part of the block that the row sees.
func (a *attention) sight(part int) {
	a.op("LEAQ %d(BX), AX", -64*part)
	a.op("XORQ DX, DX")
	a.op("TESTQ AX, AX")
	a.op("CMOVQLT DX, AX")
	a.mask()
	for i := range 3 {
		a.op("KSHIFTRQ $%d, K1, K%d", 16*(i+1), i+2)
	}
}

// largest updates a row's reference by its largest score, unscaled because the scale is positive, and keeps the one before in
// shrink.
func (a *attention) largest(all bool) {
	for i := range 4 {
		a.op("VMOVAPS Z%d, Z%d", smInfinity, i)
	}
	for part := range attnBlock / 64 {
		if !all {
			a.sight(part)
		}
		for i := range 4 {
			mask := ""
			if !all {
				mask = fmt.Sprintf("K%d, ", i+1)
			}
			a.op("VMAXPS %d(SI), Z%d, %sZ%d", 256*part+64*i, i, mask, i)
		}
	}
	a.op("VMAXPS Z2, Z0, Z0")
	a.op("VMAXPS Z3, Z1, Z1")
	a.op("VMAXPS Z1, Z0, Z0")
	a.across("VMAX")
	a.op("VMULSS X%d, X0, X0", smScale)
	a.op("VMOVSS (R8), X1")
	a.op("VADDSS X%d, X1, X2", smSlack)
	a.op("VCMPSS $30, X2, X0, K5") // greater
	a.op("VMOVSS X1, (R10)")
	a.op("VMOVSS X0, K5, (R8)")
}

// across makes the first value of register 0 the sum or the largest of all, by an instruction's name without its type.
// It changes register 1.
func (a *attention) across(name string) {
	a.op("VEXTRACTF64X4 $1, Z0, Y1")
	a.op("%sPS Y1, Y0, Y0", name)
	a.op("VEXTRACTF128 $1, Y0, X1")
	a.op("%sPS X1, X0, X0", name)
	a.op("VMOVHLPS X0, X0, X1")
	a.op("%sPS X1, X0, X0", name)
	a.op("VMOVSHDUP X0, X1")
	a.op("%sSS X1, X0, X0", name)
}

// weights computes a row's p and sums, four registers at a time step by step: the processor sees fewer instructions ahead
// than a whole row has.
func (a *attention) weights(all bool) {
	a.op("VBROADCASTSS (R8), Z0")
	a.op("VMAXPS Z%d, Z0, Z0", smLowest)
	a.op("VBROADCASTSS (R10), Z1")
	a.op("VMULPS (R9), Z1, Z1")
	for part := range attnBlock / 64 {
		each := func(step func(t, n, p, i int)) {
			for i := range 4 {
				step(2+i, 6+i, 10+i, i)
			}
		}
		if !all {
			a.sight(part)
		}
		each(func(t, _, _, i int) { a.op("VMOVUPS %d(SI), Z%d", 256*part+64*i, t) })
		each(func(t, _, _, _ int) { a.op("VFMSUB213PS Z0, Z%d, Z%d", smScale, t) }) // t - largest
		for step := range exp2Steps {
			each(func(t, n, p, _ int) { a.exp2Step(step, t, n, p) })
		}
		each(func(t, _, p, i int) {
			if all {
				a.op("VSCALEFPS Z%d, Z%d, Z%d", t, p, p)
			} else { // what a row does not see is zero, whatever it holds
				a.op("VSCALEFPS.Z Z%d, Z%d, K%d, Z%d", t, p, i+1, p)
			}
		})
		each(func(t, _, p, _ int) { a.bfloat(t, p) })
		each(func(t, _, _, i int) { a.op("VMOVDQU Y%d, %d(DI)", t, 128*part+32*i) })
		each(func(_, _, p, _ int) { a.op("VADDPS Z%d, Z1, Z1", p) })
	}
	if all {
		a.op("VMOVUPS Z1, (R9)")
		return
	}
	a.op("TESTQ BX, BX")
	a.op("JLE blind")
	a.op("VMOVUPS Z1, (R9)")
	a.label("blind")
}

// exp2 makes register p two to the power of what register t has behind its integer part, the next lower integer. Scaling p by
// t, which takes the same integer, is two to the power of t, and zero for minus infinity. It changes register n.
func (a *attention) exp2(t, n, p int) {
	for step := range exp2Steps {
		a.exp2Step(step, t, n, p)
	}
}

// exp2Steps is the number of instructions of exp2.
var exp2Steps = len(exp2) + 1

func (a *attention) exp2Step(step, t, n, p int) {
	switch step {
	case 0:
		a.op("VREDUCEPS $1, Z%d, Z%d", t, n) // less the next lower integer
	case 1:
		a.op("VMOVAPS Z%d, Z%d", smExp2, p)
	default:
		a.op("VFMADD213PS Z%d, Z%d, Z%d", smExp2+step-1, n, p)
	}
}

// fold adds the states of a chunk to those of the chunks before it, for some rows: references become the larger of both, and
// outputs and sums are scaled to them.
func (a *attention) fold() {
	a.exp2Constants()
	a.op("MOVQ out+0(FP), DI")
	a.op("MOVQ part+8(FP), SI")
	a.op("MOVQ largest+24(FP), R8")
	a.op("MOVQ partLargest+32(FP), R9")
	a.op("MOVQ sum+40(FP), R10")
	a.op("MOVQ partSum+48(FP), R11")
	a.op("MOVQ rows+56(FP), DX")
	a.label("row")
	a.op("VMOVSS (R8), X0")
	a.op("VMOVSS (R9), X1")
	a.op("VMAXSS X1, X0, X2")
	a.op("VMOVSS X2, (R8)")
	a.op("VMAXSS X%d, X2, X2", smLowest) // with nothing above minus infinity so far, all is zero
	a.op("VUNPCKLPS X1, X0, X0")
	a.op("VBROADCASTSS X2, X2")
	a.op("VSUBPS Z2, Z0, Z0")
	a.exp2(0, 1, 2)
	a.op("VSCALEFPS Z0, Z2, Z2")
	a.op("VMOVSHDUP X2, X3")
	a.op("VBROADCASTSS X2, Z2")
	a.op("VBROADCASTSS X3, Z3")
	add := func(total, part string) {
		a.op("VMULPS (%s), Z2, Z0", total)
		a.op("VFMADD231PS (%s), Z3, Z0", part)
		a.op("VMOVUPS Z0, (%s)", total)
	}
	add("R10", "R11")
	a.op("MOVQ n+16(FP), CX")
	a.label("loop") // n is a multiple of 16
	add("DI", "SI")
	a.op("ADDQ $64, DI")
	a.op("ADDQ $64, SI")
	a.op("SUBQ $16, CX")
	a.op("JGT loop")
	a.op("ADDQ $4, R8")
	a.op("ADDQ $4, R9")
	a.op("ADDQ $64, R10")
	a.op("ADDQ $64, R11")
	a.op("DECQ DX")
	a.op("JNZ row")
}
