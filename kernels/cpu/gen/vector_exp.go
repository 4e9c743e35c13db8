package main

import "math"

// vectorConstants are the constants of vector functions, each named by what it is.
//
// c2 to c6 are a polynomial's coefficients: (e^r - 1 - r) / r^2 is about c2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4 where |r| is
// at most ln(2)/2, off by 4.2e-9 of e^r. They were fitted to the least largest relative error, by least squares whose
// weights are multiplied by the error again and again (Lawson's method), and rounded to float32. Here they stand for -r,
// twice.
var vectorConstants = []vectorConstant{
	constantF32("-log2 e", -math.Log2E),
	constantF32("ln 2", math.Ln2),
	constantF32("ln 2, rest", ln2Rest),
	constantF32("2", 2),
	constantF32("-2", -2),
	constantF32("2 c2", 2*0.49999994),
	constantF32("-2 c3", -2*0.1666652),
	constantF32("2 c4", 2*0.0416684),
	constantF32("-2 c5", -2*0.0083688535),
	constantF32("2 c6", 2*0.0013814329),
	constantF32("1/2", 0.5),
	constantF32("1.0", 1),
	constantF32("-177", -177),
	constantF32("177", 177),
	constantF32("175.5", 175.5),
	{"sign", 0x80000000},
	{"abs", 0x7fffffff},
	{"-126", 0xffffff82},
	{"127", 127},
	{"0x7fff", 0x7fff},
	{"1", 1},
	{"quiet", 0x00400000},
	{"inf", 0x7f800000},
	constantF32("127.0", 127),
	constantF32("1e-30", 1e-30),
	{"0x7ffff", 0x7ffff},
	constantF32("2^14", 0x1p14),
	constantF32("2^-6", 0x1p-6),
	constantF32("448", 448),
	{"960", 960},
	{"0x7e", 0x7e},
	{"0x7f", 0x7f},
	{"quiet NaN", 0x7fc00000},
	constantF32("1e-12", 1e-12),
}

// ln2Rest is what the float32 ln(2) is too small by.
var ln2Rest = float32(math.Ln2 - float64(float32(math.Ln2)))

// The registers that expStart fills for AVX-512. AVX2 has most constants in memory.
const (
	regLog2E = 16 + iota
	regLn2
	regLn2Rest
	regTwo
	regMinusTwo
	regC2
	regC3
	regC4
	regC5
	regC6
	regHalf
	regOne
	regSign
)

// expStart reads the constants of the exponential function.
func expStart(v *vector) {
	if v.masked() {
		v.constants(regLog2E, "-log2 e", "ln 2", "ln 2, rest", "2", "-2", "2 c2", "-2 c3", "2 c4", "-2 c5", "2 c6", "1/2", "1.0", "sign")
	} else {
		v.constants(8, "177", "-177", "1.0", "-log2 e", "ln 2", "ln 2, rest", "2 c6")
	}
}

// exp takes x from register 1 and leaves e^-x as register 3, from 1.41 to 2.83, times two to the power of register 2, a
// whole number. -x is n ln(2) + r, register 3 is 2 e^r, and so register 2 is n-1.
//
// On AVX-512, x may be infinite: n is too then, and r, which is NaN, is bounded to make e^r a number. On AVX2 x is from
// -177 to 177, and register 2 holds int32.
func (v *vector) exp() {
	if v.masked() {
		v.op("VMULPS Z%d, Z1, Z2", regLog2E)
		v.op("VRNDSCALEPS $0, Z2, Z2")
		v.op("VFMADD231PS Z%d, Z2, Z1", regLn2) // register 1 is -r from here
		v.op("VFMADD231PS Z%d, Z2, Z1", regLn2Rest)
		// The lesser magnitude of both, with the sign of the second; of a NaN and a number, the number.
		v.op("VRANGEPS $2, Z%d, Z1, Z1", regHalf)
		v.op("VMOVAPS Z%d, Z3", regC6)
	} else {
		v.op("VMULPS Y11, Y1, Y2")
		v.op("VROUNDPS $0, Y2, Y2")
		v.op("VFMADD231PS Y12, Y2, Y1")
		v.op("VFMADD231PS Y13, Y2, Y1")
		v.op("VCVTPS2DQ Y2, Y2")
		v.op("VMOVAPS Y14, Y3")
	}
	for _, c := range []struct {
		name string
		reg  int
	}{{"-2 c5", regC5}, {"2 c4", regC4}, {"-2 c3", regC3}, {"2 c2", regC2}, {"-2", regMinusTwo}, {"2", regTwo}} {
		v.op("VFMADD213PS %s, %s, %s", v.operandOf(c.name, c.reg), v.r(1), v.r(3))
	}
	if v.masked() {
		v.op("VSUBPS Z%d, Z2, Z2", regOne)
	} else {
		v.op("VPCMPEQD Y4, Y4, Y4")
		v.op("VPADDD Y4, Y2, Y2") // plus -1
	}
}

// silu is x / (1 + e^-x). With e^-x = p 2^m that is x / (1 + p 2^m) where x is not negative and m is, and otherwise
// (x / (2^-m + p)) 2^-m: no power is above two, p is large enough for x/p to be finite, and the last multiplication rounds
// where the result is denormal and nowhere else. It makes 0 of finite values that are far enough below, and of -Inf NaN, as the
// expression in float64 does. With one rounding more, as x e^x / (1 + e^x), the largest error is 2.7 units in the last
// place.
//
// swiglu is the product of that, rounded, with up.
func siluBody(v *vector) {
	v.load(1, 0)
	v.silu()
	if len(v.rows) == 3 {
		v.load(2, 1)
		v.three("VMULPS", 1, 0, 0)
	}
	v.store(0, 0)
}

// silu makes SiLU of register 0. It uses registers 1 to 6, and those of expStart.
func (v *vector) silu() {
	if v.masked() {
		v.op("VMOVAPS Z0, Z1")
		v.op("VPMOVD2M Z0, K2") // the negative ones
		v.exp()
		v.op("VXORPS Z%d, Z2, K2, Z2", regSign)
		v.op("VBLENDMPS Z%d, Z3, K2, Z4", regOne)
		v.op("VBLENDMPS Z3, Z%d, K2, Z5", regOne)
		v.op("VSCALEFPS Z2, Z4, Z4")
		v.op("VADDPS Z5, Z4, Z4")
		v.op("VDIVPS Z4, Z0, Z0")
		v.op("VSCALEFPS Z2, Z0, K2, Z0")
	} else {
		v.op("VMINPS Y8, Y0, Y1")
		v.op("VMAXPS Y9, Y1, Y1")
		v.exp()
		v.op("VPSRAD $31, Y0, Y4")
		v.op("VPXOR Y4, Y2, Y2")
		v.op("VPSUBD Y4, Y2, Y2") // -m where x is negative
		v.op("VBLENDVPS Y0, Y10, Y3, Y4")
		v.op("VBLENDVPS Y0, Y3, Y10, Y5")
		// What is below 2^-126 adds nothing in any case.
		v.op("VPMAXSD %s, Y2, Y6", place("-126"))
		v.powerOfTwo(6)
		v.op("VFMADD213PS Y5, Y6, Y4")
		v.op("VDIVPS Y4, Y0, Y4")
		v.halves() // both are 0 where x is below -176.5
		v.op("VMULPS Y6, Y4, Y5")
		v.op("VMULPS Y2, Y5, Y5")
		v.op("VBLENDVPS Y0, Y5, Y4, Y0")
	}
}

// halves makes registers 6 and 2 powers of two whose product is two to the power of register 2, which one alone may be too
// small or too large for. It takes -254 to 255.
func (v *vector) halves() {
	v.op("VPSRAD $1, Y2, Y6")
	v.op("VPSUBD Y6, Y2, Y2")
	v.powerOfTwo(6)
	v.powerOfTwo(2)
}

// powerOfTwo makes float32 powers of two of int32 exponents, of -127 zero.
func (v *vector) powerOfTwo(reg int) {
	v.op("VPADDD %s, %s, %s", place("127"), v.r(reg), v.r(reg))
	v.op("VPSLLD $23, %s, %s", v.r(reg), v.r(reg))
}

// expSum is dst = e^(x - largest), and the sum of that: lane by lane, then one half of the lanes to the other.
func expSumStart(v *vector) {
	expStart(v)
	v.op("VBROADCASTSS %s, %s", v.operand(0), v.r(7))
	v.three("VXORPS", 5, 5, 5)
	if !v.masked() {
		// Above this the power of two of both halves is 0, and below it what the exponents of the halves can say.
		v.op("VMOVUPS %s, Y8", place("175.5"))
	}
}

func expSumBody(v *vector) {
	v.load(1, 0)
	v.three("VSUBPS", 0, 7, 1)
	if v.masked() {
		v.exp()
		v.op("VSCALEFPS Z2, Z3, Z0")
	} else {
		// Of NaN and a bound these give the operand that Go writes first, which is NaN.
		v.op("VMINPS Y1, Y8, Y1")
		v.op("VMAXPS Y1, Y9, Y1")
		v.exp()
		v.halves()
		v.op("VMULPS Y6, Y3, Y0")
		v.op("VMULPS Y2, Y0, Y0")
	}
	v.store(0, 0)
	switch {
	case !v.tail:
		v.three("VADDPS", 0, 5, 5)
	case v.masked():
		v.op("VADDPS Z0, Z5, K1, Z5")
	default:
		v.op("VANDPS Y15, Y0, Y0")
		v.op("VADDPS Y0, Y5, Y5")
	}
}

func expSumFinish(v *vector) {
	if v.masked() {
		v.op("VEXTRACTF64X4 $1, Z5, Y0")
		v.op("VADDPS Y0, Y5, Y5")
	}
	v.op("VEXTRACTF128 $1, Y5, X1")
	v.op("VADDPS X1, X5, X0")
	v.op("VMOVHLPS X0, X0, X1")
	v.op("VADDPS X1, X0, X0")
	v.op("VMOVSHDUP X0, X1")
	v.op("VADDSS X1, X0, X0")
}
