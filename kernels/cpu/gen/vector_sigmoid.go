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
	-100, 700,
}

// reg64 is the register of the first of exp64Constants.
const reg64 = 16

func sigmoidStart(v *vector) {
	for i := range exp64Constants {
		v.op("VBROADCASTSD exp64<>+%d(SB), Z%d", 8*i, reg64+i)
	}
	v.op("VPXORQ Z4, Z4, Z4")
}

// sigmoid is 1 / (1 + e^-x) in float64, with the bits that ref.Sigmoid has: routing takes the largest of these numbers, and
// kernel sets that round them differently would choose different experts now and then. To that end e^-x is what math.Exp
// computes on amd64 with FMA, operation by operation: n = round(x log2(e)); r = (x - n ln(2)) / 16; Taylor's series
// for e^r - 1, which is squared four times as (t+2)t; times two to the power of n. Where -x is beyond the bounds the
// result is 0 or 1 whatever e^-x is.
func sigmoidBody(v *vector) {
	constant := func(i int) int { return reg64 + i }
	if v.tail {
		v.op("VCVTPS2PD.Z %s, K1, Z0", v.at(1))
	} else {
		v.op("VCVTPS2PD %s, Z0", v.at(1))
	}
	v.op("VSUBPD Z0, Z4, Z0")
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
	v.op("VADDPD Z%d, Z0, Z0", constant(11))
	v.op("VDIVPD Z0, Z%d, Z0", constant(11))
	v.op("VCVTPD2PS Z0, Y0")
	if v.tail {
		v.op("VMOVUPS Y0, K1, %s", v.at(0))
	} else {
		v.op("VMOVUPS Y0, %s", v.at(0))
	}
}
