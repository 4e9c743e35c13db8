package main

// exp64Constants are those of math.Exp on amd64, in the order in which sigmoidBody takes them: log2(e), the upper and the
// lower part of ln(2), 1/16, the coefficients of a Taylor series from 1/8! down to 1, and 2; at last the bounds between which
// the function is evaluated.
var exp64Constants = []float64{
	1.4426950408889634073599246810018920,
	0.69314718055966295651160180568695068359375,
	0.28235290563031577122588448175013436025525412068e-12,
	0.0625,
	2.4801587301587301587e-5,
	1.9841269841269841270e-4,
	1.3888888888888888889e-3,
	8.3333333333333333333e-3,
	4.1666666666666666667e-2,
	1.6666666666666666667e-1,
	0.5,
	1,
	2,
	-200, 700,
}

// reg64 is the register of the first of exp64Constants.
const reg64 = 16

func exp64Start(v *vector) {
	for i := range exp64Constants {
		v.op("VBROADCASTSD exp64<>+%d(SB), Z%d", 8*i, reg64+i)
	}
}

// exp64 makes e^x of eight float64 values in register 0, with the bits that math.Exp has on amd64 with FMA, because it
// does the same operations: n = round(x log2(e)); r = (x - n ln(2)) / 16; Taylor's series for e^r - 1, which is squared four
// times as (t+2)t; times two to the power of n. Beyond the bounds the result is that of the bound. As float32, and
// added to 1, that is the same.
func (v *vector) exp64() {
	constant := func(i int) int { return reg64 + i }
	// Of NaN and a bound these give the operand that Go writes first, which is NaN.
	v.op("VMAXPD Z0, Z%d, Z0", constant(13))
	v.op("VMINPD Z0, Z%d, Z0", constant(14))
	v.op("VMULPD Z%d, Z0, Z1", constant(0))
	v.op("VRNDSCALEPD $0, Z1, Z1")
	v.op("VFNMADD231PD Z%d, Z1, Z0", constant(1))
	v.op("VFNMADD231PD Z%d, Z1, Z0", constant(2))
	v.op("VMULPD Z%d, Z0, Z0", constant(3))
	v.op("VMOVAPD Z%d, Z2", constant(4))
	for i := 5; i <= 11; i++ {
		v.op("VFMADD213PD Z%d, Z0, Z2", constant(i))
	}
	v.op("VMULPD Z2, Z0, Z0")
	for range 3 {
		v.op("VADDPD Z%d, Z0, Z2", constant(12))
		v.op("VMULPD Z2, Z0, Z0")
	}
	v.op("VADDPD Z%d, Z0, Z2", constant(12))
	v.op("VFMADD213PD Z%d, Z2, Z0", constant(11))
	v.op("VSCALEFPD Z1, Z0, Z0")
}

// sigmoid is 1 / (1 + e^-x) in float64, with the bits that ref.Sigmoid has: routing takes the largest of these numbers, and
// kernel sets that round them differently would choose different experts now and then.
func sigmoidBody(v *vector) {
	if v.tail {
		v.op("VCVTPS2PD.Z %s, K1, Z0", v.at(1))
	} else {
		v.op("VCVTPS2PD %s, Z0", v.at(1))
	}
	v.op("VPXORQ Z4, Z4, Z4")
	v.op("VSUBPD Z0, Z4, Z0")
	v.exp64()
	v.op("VADDPD Z%d, Z0, Z0", reg64+11)
	v.op("VDIVPD Z0, Z%d, Z0", reg64+11)
	v.narrow()
}

// narrow stores register 0 as float32.
func (v *vector) narrow() {
	v.op("VCVTPD2PS Z0, Y0")
	if v.tail {
		v.op("VMOVUPS Y0, K1, %s", v.at(0))
	} else {
		v.op("VMOVUPS Y0, %s", v.at(0))
	}
}

// expExact is e^(x - largest): the difference in float32, the power in float64, for routing by softmax.
func expExactStart(v *vector) {
	exp64Start(v)
	v.op("VBROADCASTSS %s, Y4", v.operand(0))
}

func expExactBody(v *vector) {
	if v.tail {
		v.op("VMOVUPS.Z %s, K1, Y0", v.at(1))
	} else {
		v.op("VMOVUPS %s, Y0", v.at(1))
	}
	v.op("VSUBPS Y4, Y0, Y0")
	v.op("VCVTPS2PD Y0, Z0")
	v.exp64()
	v.narrow()
}
