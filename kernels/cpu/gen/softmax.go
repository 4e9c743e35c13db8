package main

import "math"

// exp2 is the polynomial for 2^x on [-1/2, 1/2], lowest power first: the one with 1 at 0 whose largest error, as a part of the
// value, is least (2^-23.4; 2^-22.5 as float32 computes it).
var exp2 = []float32{1, 0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264727}

// The registers of softmax that hold constants.
const (
	smScale    = 31
	smInfinity = 30 // minus infinity
	smLowest   = 29 // the lowest finite float32
	smFloor    = 28 // where 2^x is zero
	smExp2     = 22 // the polynomial, highest power first: 22 to 27
)

// softmax folds the scores of a block into the states of some rows, 16 at most: with t = s*scale in units of log2, where
// a row sees position j (j < seen), and the largest t up to now,
//
//	p = 2^(t - largest), shrink = 2^(largest before - largest), sum = sum*shrink + p.
//
// sum is 16 sums a row, of the positions that are equal modulo 16, of p before it is rounded to bfloat16. A
// row that sees nothing keeps its state, and its p are zeros. Where nothing was above minus infinity, p is zero as well.
//
// It goes over the rows twice, because finding a row's largest score is one long chain of instructions: twelve short
// chains run side by side, twelve long ones do not.
func (a *attention) softmax() {
	a.op("VBROADCASTSS scale+56(FP), Z%d", smScale)
	a.constant(math.Float32bits(float32(math.Inf(-1))), smInfinity)
	a.constant(math.Float32bits(-math.MaxFloat32), smLowest)
	a.constant(math.Float32bits(-200), smFloor)
	for i := range exp2 {
		a.constant(math.Float32bits(exp2[len(exp2)-1-i]), smExp2+i)
	}
	a.eachRow("largest", a.largest)
	// All rows' shrink at once; it holds the largest scores before.
	a.op("MOVQ rows+48(FP), CX")
	a.rest()
	a.op("MOVQ largest+16(FP), R8")
	a.op("MOVQ shrink+32(FP), R10")
	a.op("VMOVUPS.Z (R8), K1, Z0")
	a.op("VMOVUPS.Z (R10), K1, Z1")
	a.op("VMAXPS Z%d, Z0, Z0", smLowest)
	a.op("VSUBPS Z0, Z1, Z1")
	a.exp2(1, 2, 3, "")
	a.op("VMOVUPS Z3, K1, (R10)")
	a.eachRow("weights", a.weights)
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

// largest updates a row's largest score, over the unscaled scores because the scale is positive, and keeps the one before
// in shrink.
func (a *attention) largest() {
	a.op("VMOVAPS Z%d, Z0", smInfinity)
	a.op("VMOVAPS Z%d, Z1", smInfinity)
	for part := range attnBlock / 64 {
		a.sight(part)
		for i := range 4 {
			a.op("VMAXPS %d(SI), Z%d, K%d, Z%d", 256*part+64*i, i%2, i+1, i%2)
		}
	}
	a.op("VMAXPS Z1, Z0, Z0")
	a.op("VEXTRACTF64X4 $1, Z0, Y1")
	a.op("VMAXPS Y1, Y0, Y0")
	a.op("VEXTRACTF128 $1, Y0, X1")
	a.op("VMAXPS X1, X0, X0")
	a.op("VMOVHLPS X0, X0, X1")
	a.op("VMAXPS X1, X0, X0")
	a.op("VMOVSHDUP X0, X1")
	a.op("VMAXSS X1, X0, X0")
	a.op("VMULSS X%d, X0, X0", smScale)
	a.op("VMOVSS (R8), X1")
	a.op("VMAXSS X1, X0, X0")
	a.op("VMOVSS X1, (R10)")
	a.op("VMOVSS X0, (R8)")
}

// weights computes a row's p and sums.
func (a *attention) weights() {
	a.op("VBROADCASTSS (R8), Z0")
	a.op("VMAXPS Z%d, Z0, Z0", smLowest)
	a.op("VBROADCASTSS (R10), Z1")
	a.op("VMULPS (R9), Z1, Z1")
	for part := range attnBlock / 64 {
		a.sight(part)
		for i := range 4 {
			t, n, p := 2+i, 6+i, 10+i
			a.op("VMOVUPS %d(SI), Z%d", 256*part+64*i, t)
			a.op("VFMSUB213PS Z0, Z%d, Z%d", smScale, t) // t - largest
			a.exp2(t, n, p, ".Z")
			a.bfloat(14+i%2, p)
			a.op("VMOVDQU Y%d, %d(DI)", 14+i%2, 128*part+32*i)
		}
		for i := range 4 {
			a.op("VADDPS Z%d, Z1, Z1", 10+i)
		}
	}
	a.op("TESTQ BX, BX")
	a.op("JLE blind")
	a.op("VMOVUPS Z1, (R9)")
	a.label("blind")
}

// exp2 makes register d two to the power of register t, which it changes along with register n. What is below the floor
// gives zero; NaN stays NaN, being the operand that VMAXPS returns then. With zero ".Z", elements that are not in
// mask K1 and on, one mask a quarter, are zero: those that a row does not see, whatever they hold.
func (a *attention) exp2(t, n, d int, zero string) {
	a.op("VMAXPS Z%d, Z%d, Z%d", t, smFloor, t)
	a.op("VRNDSCALEPS $0, Z%d, Z%d", t, n)
	a.op("VSUBPS Z%d, Z%d, Z%d", n, t, t)
	a.op("VMOVAPS Z%d, Z%d", smExp2, d)
	for i := 1; i < len(exp2); i++ {
		a.op("VFMADD213PS Z%d, Z%d, Z%d", smExp2+i, t, d)
	}
	if zero == "" {
		a.op("VSCALEFPS Z%d, Z%d, Z%d", n, d, d)
	} else {
		a.op("VSCALEFPS.Z Z%d, Z%d, K%d, Z%d", n, d, 1+(d-10), d)
	}
}
