package main

// Rounding to e4m3 of x / scale, as package dtype does it. regF8 is the register of the first constant.
const regF8 = 16

// f8Start reads the constants: abs, inf and the sign; what rounds a float32 at its third bit, with 1; 2^14, whose last place is
// that of e4m3's denormals; the least normal value.
func f8Start(v *vector) {
	v.constants(regF8, "abs", "inf", "sign", "0x7ffff", "1", "2^14", "2^-6", "448", "960", "0x7e", "0x7f", "quiet NaN")
	v.op("VBROADCASTSS %s, Z15", v.operand(0))
}

// f8 loads x / scale into register 0 and leaves its magnitude rounded in two ways: register 3 has that of a normal value in
// its upper 12 bits, register 4 that of a denormal one added to 2^14. K2 says which are denormal, K3 which are NaN.
func (v *vector) f8() {
	v.load(1, 0)
	v.op("VDIVPS Z15, Z0, Z0")
	v.op("VPANDD Z%d, Z0, Z1", regF8)
	v.op("VPSRLD $20, Z1, Z3")
	v.op("VPANDD Z%d, Z3, Z3", regF8+4)
	v.op("VPADDD Z%d, Z3, Z3", regF8+3)
	v.op("VPADDD Z1, Z3, Z3")
	v.op("VADDPS Z%d, Z1, Z4", regF8+5)
	v.op("VPCMPGTD Z1, Z%d, K2", regF8+6)
	v.op("VPCMPGTD Z%d, Z1, K3", regF8+1)
}

// toF8 stores the codes.
func toF8Body(v *vector) {
	v.f8()
	v.op("VPSRLD $20, Z3, Z3")
	v.op("VPSUBD Z%d, Z3, Z3", regF8+8)
	v.op("VPSUBD Z%d, Z4, K2, Z3", regF8+5)
	v.op("VPMINSD Z%d, Z3, Z3", regF8+9)
	v.op("VMOVDQA32 Z%d, K3, Z3", regF8+10)
	v.op("VPANDD Z%d, Z0, Z0", regF8+2)
	v.op("VPSRLD $24, Z0, Z0")
	v.op("VPORD Z0, Z3, Z3")
	if v.tail {
		v.op("VPMOVDB Z3, K1, %s", v.at(0))
	} else {
		v.op("VPMOVDB Z3, %s", v.at(0))
	}
}

// roundF8 stores the codes' values.
func roundF8Body(v *vector) {
	v.f8()
	v.op("VPSRLD $20, Z3, Z3")
	v.op("VPSLLD $20, Z3, Z3")
	v.op("VSUBPS Z%d, Z4, K2, Z3", regF8+5)
	v.op("VPMINSD Z%d, Z3, Z3", regF8+7)
	v.op("VMOVDQA32 Z%d, K3, Z3", regF8+11)
	v.op("VPANDD Z%d, Z0, Z0", regF8+2)
	v.op("VPORD Z0, Z3, Z3")
	v.store(3, 0)
}

// largest is the largest magnitude of a row, at least 1e-12, NaN left out.
func largestStart(v *vector) { v.constants(8, "abs", "1e-12") }

func largestBody(v *vector) {
	v.load(0, 0)
	v.op("VPANDD Z8, Z0, Z0")
	v.op("VMAXPS Z9, Z0, Z9") // of NaN and a number, the operand that Go writes first
}

func largestFinish(v *vector) {
	v.op("VEXTRACTF64X4 $1, Z9, Y0")
	v.op("VMAXPS Y0, Y9, Y0")
	v.op("VEXTRACTF128 $1, Y0, X1")
	v.op("VMAXPS X1, X0, X0")
	v.op("VMOVHLPS X0, X0, X1")
	v.op("VMAXPS X1, X0, X0")
	v.op("VMOVSHDUP X0, X1")
	v.op("VMAXSS X1, X0, X0")
}
