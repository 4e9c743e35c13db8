package main

import "math"

// exp2 is the polynomial for 2^x on [-1/2, 1/2], lowest power first: off by no more than 2^-22 of the value.
var exp2 = []float32{1, 0.693147182, 0.240226462, 0.0555032929, 0.00968378223, 0.00124327582}

// The registers of softmax: the constants, and four of scores.
const (
	smScale    = 31
	smInfinity = 30 // minus infinity
	smLowest   = 29 // the lowest finite float32
	smFloor    = 28 // where 2^x is zero
	smExp2     = 22 // the polynomial, highest power first: 22 to 27
)

// softmax folds the scores of a block into the states of some rows: with t = s*scale in units of log2, where a row sees
// position j (j < seen), and the largest t up to now,
//
//	p = 2^(t - largest), shrink = 2^(largest before - largest), sum = sum*shrink + p.
//
// sum is 16 sums a row, of the positions that are equal modulo 16, of p before it is rounded to bfloat16. A
// row that sees nothing keeps its state, and its p are zeros. Where nothing was above minus infinity, p is zero as well.
func (a *attention) softmax() {
	a.op("MOVQ p+0(FP), DI")
	a.op("MOVQ s+8(FP), SI")
	a.op("MOVQ largest+16(FP), R8")
	a.op("MOVQ sum+24(FP), R9")
	a.op("MOVQ shrink+32(FP), R10")
	a.op("MOVQ seen+40(FP), R11")
	a.op("MOVQ rows+48(FP), CX")
	a.op("VBROADCASTSS scale+56(FP), Z%d", smScale)
	a.constant(math.Float32bits(float32(math.Inf(-1))), smInfinity)
	a.constant(math.Float32bits(-math.MaxFloat32), smLowest)
	a.constant(math.Float32bits(-200), smFloor)
	for i := range exp2 {
		a.constant(math.Float32bits(exp2[len(exp2)-1-i]), smExp2+i)
	}
	a.label("row")
	a.op("MOVQ (R11), AX")
	a.op("TESTQ AX, AX")
	a.op("JLE blind")
	a.largest()
	// Register 4 is the row's new largest score, 5 the same but finite, 6 the one before.
	a.op("VSUBPS X5, X6, X7")
	a.exp2("X", 7, 8, 9)
	a.op("VMOVSS X9, (R10)")
	a.op("VBROADCASTSS X9, Z9")
	a.op("VBROADCASTSS X5, Z5")
	a.op("VMULPS (R9), Z9, Z9")
	for i := range 4 {
		a.op("VFMSUB213PS Z5, Z%d, Z%d", smScale, i) // t - largest
		a.exp2("Z", i, 10+i, 14+i)
		a.bfloat(18+i, 14+i)
		a.op("VMOVDQU64 Y%d, %d(DI)", 18+i, 32*i)
	}
	for i := range 4 {
		a.op("VADDPS Z%d, Z9, Z9", 14+i)
	}
	a.op("VMOVUPS Z9, (R9)")
	a.label("next")
	a.op("ADDQ $%d, DI", attnWeights)
	a.op("ADDQ $%d, SI", 4*attnBlock)
	a.op("ADDQ $4, R8")
	a.op("ADDQ $64, R9")
	a.op("ADDQ $4, R10")
	a.op("ADDQ $8, R11")
	a.op("DECQ CX")
	a.op("JNZ row")
	a.op("JMP done")
	a.label("blind")
	a.op("VPXORD Z0, Z0, Z0")
	a.op("VMOVDQU64 Z0, (DI)")
	a.op("VMOVDQU64 Z0, 64(DI)")
	a.op("MOVL $0x3f800000, (R10)")
	a.op("JMP next")
	a.label("done")
}

// largest loads a row's scores into registers 0 to 3, minus infinity where AX says that they are not seen, and updates
// the largest: over the unscaled scores, because the scale is positive.
func (a *attention) largest() {
	a.op("MOVQ $-1, BX")
	a.op("BZHIQ AX, BX, BX")
	a.op("KMOVQ BX, K1")
	for i := range 3 {
		a.op("KSHIFTRQ $%d, K1, K%d", 16*(i+1), i+2)
	}
	for i := range 4 {
		a.op("VMOVAPS Z%d, Z%d", smInfinity, i)
		a.op("VMOVUPS %d(SI), K%d, Z%d", 64*i, i+1, i)
	}
	a.op("VMAXPS Z1, Z0, Z4")
	a.op("VMAXPS Z3, Z2, Z5")
	a.op("VMAXPS Z5, Z4, Z4")
	a.op("VEXTRACTF64X4 $1, Z4, Y5")
	a.op("VMAXPS Y5, Y4, Y4")
	a.op("VEXTRACTF128 $1, Y4, X5")
	a.op("VMAXPS X5, X4, X4")
	a.op("VMOVHLPS X4, X4, X5")
	a.op("VMAXPS X5, X4, X4")
	a.op("VMOVSHDUP X4, X5")
	a.op("VMAXSS X5, X4, X4")
	a.op("VMULSS X%d, X4, X4", smScale)
	a.op("VMOVSS (R8), X6")
	a.op("VMAXSS X6, X4, X4")
	a.op("VMOVSS X4, (R8)")
	a.op("VMAXSS X%d, X4, X5", smLowest)
}

// exp2 makes register d two to the power of register t, which it changes along with register n. What is below the
// floor gives zero; NaN stays NaN, being the operand that VMAXPS returns then.
func (a *attention) exp2(kind string, t, n, d int) {
	r := kind + "%[1]d, " + kind
	a.op("VMAXPS "+r+"%[2]d, "+kind+"%[1]d", t, smFloor)
	a.op("VRNDSCALEPS $0, "+r+"%[2]d", t, n)
	a.op("VSUBPS "+r+"%[2]d, "+kind+"%[2]d", n, t)
	a.op("VMOVAPS "+r+"%[2]d", smExp2, d)
	for i := 1; i < len(exp2); i++ {
		a.op("VFMADD213PS "+r+"%[2]d, "+kind+"%[3]d", smExp2+i, t, d)
	}
	a.op("VSCALEFPS "+r+"%[2]d, "+kind+"%[2]d", n, d)
}
