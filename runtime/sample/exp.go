package sample

import "math"

// powers are 2^(i/64).
var powers = func() (p [64]float64) {
	for i := range p {
		p[i] = math.Exp2(float64(i) / 64)
	}
	return p
}()

// expMinus sets e to e^-x for each x, which are from 0 on: to within 2 units in the last place, and 0 from x = 708 on. A draw needs it
// for every token of the vocabulary, and math.Exp takes three times as long. Products are rounded before they are added, so that
// all processors give the same bits.
//
// x = -(64 q + i) ln(2)/64 - r, with i in [0, 64) and |r| <= ln(2)/128: e^-x = 2^q 2^(i/64) e^r, and e^r by its series up to r^5.
func expMinus(e, x []float64) {
	const (
		steps  = 64 / math.Ln2
		high   = 0x1.62e42fep-7           // ln(2)/64, so few bits of it that its product with a count of steps is exact
		low    = 0x0.fa39ef35793c7673p-35 // the rest
		magic  = 3 << 51                  // what is added to it is rounded to an integer, in the low bits
		beyond = 708
	)
	e = e[:len(x)]
	for i, x := range x {
		if !(x < beyond) {
			e[i] = 0
			continue
		}
		shifted := float64(x*-steps) + magic
		n := int64(int32(math.Float64bits(shifted)))
		k := shifted - magic
		r := -x - float64(k*high)
		r -= float64(k * low)
		r2 := float64(r * r)
		s := r + float64(r2*(0.5+float64(r*(1.0/6))+float64(r2*(1.0/24+float64(r*(1.0/120))))))
		p := powers[n&63]
		e[i] = math.Float64frombits(math.Float64bits(p+float64(p*s)) + uint64(n>>6)<<52)
	}
}
