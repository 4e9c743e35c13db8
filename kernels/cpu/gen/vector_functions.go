package main

// vectorsOf lists the vector functions of a machine. What the list of a machine lacks, package cpu does in portable Go.
func vectorsOf(m machine) []*vector {
	functions := []*vector{
		pairwise("add", "VADDPS"),
		pairwise("mul", "VMULPS"),
		{name: "scale", rows: float32Rows("dst", "x", "w"), in: []string{"a"}, start: scaleStart, body: scaleBody},
		{name: "affine", rows: float32Rows("dst", "x", "w", "b"), in: []string{"a"}, start: affineStart, body: affineBody},
		{name: "rotate", rows: float32Rows("lo", "hi", "cos", "sin"), body: rotateBody},
		{name: "roundBF16", rows: float32Rows("dst", "x"), start: bf16Start, body: roundBF16Body},
		{name: "silu", rows: float32Rows("dst", "x"), start: expStart, body: siluBody},
		{name: "swiglu", rows: float32Rows("dst", "gate", "up"), start: expStart, body: siluBody},
		{name: "expSum", rows: float32Rows("dst", "x"), in: []string{"largest"}, sum: true,
			start: expSumStart, body: expSumBody, finish: expSumFinish},
	}
	if m.masked() {
		functions = append(functions,
			&vector{name: "toBF16", rows: []vectorRow{{"dst", 2}, {"x", 4}}, start: bf16Start, body: toBF16Body},
			&vector{name: "toF8", rows: []vectorRow{{"dst", 1}, {"x", 4}}, in: []string{"scale"}, start: f8Start, body: toF8Body},
			&vector{name: "roundF8", rows: float32Rows("dst", "x"), in: []string{"scale"}, start: f8Start, body: roundF8Body},
			&vector{name: "largest", rows: float32Rows("x"), sum: true, start: largestStart, body: largestBody, finish: largestFinish},
			&vector{name: "sigmoid", rows: float32Rows("dst", "x"), wide: true, start: exp64Start, body: sigmoidBody},
			&vector{name: "expExact", rows: float32Rows("dst", "x"), in: []string{"largest"}, wide: true,
				start: expExactStart, body: expExactBody},
		)
	}
	for _, f := range functions {
		f.machine = m
	}
	return functions
}

// pairwise is dst = a op b.
func pairwise(name, instruction string) *vector {
	return &vector{name: name, rows: float32Rows("dst", "a", "b"), body: func(v *vector) {
		v.load(1, 0)
		v.load(2, 1)
		v.three(instruction, 1, 0, 0)
		v.store(0, 0)
	}}
}

// scale is dst = x * a * w, in this order.
func scaleStart(v *vector) { v.op("VBROADCASTSS %s, %s", v.operand(0), v.r(3)) }

func scaleBody(v *vector) {
	v.load(1, 0)
	v.load(2, 1)
	v.three("VMULPS", 3, 0, 0)
	v.three("VMULPS", 1, 0, 0)
	v.store(0, 0)
}

// affine is dst = x * w * a + b, in this order.
func affineStart(v *vector) { v.op("VBROADCASTSS %s, %s", v.operand(0), v.r(3)) }

func affineBody(v *vector) {
	v.load(1, 0)
	v.load(2, 1)
	v.load(3, 2)
	v.three("VMULPS", 1, 0, 0)
	v.three("VMULPS", 3, 0, 0)
	v.three("VADDPS", 2, 0, 0)
	v.store(0, 0)
}

// rotate is lo, hi = lo*cos - hi*sin, hi*cos + lo*sin, each product rounded, as kernels.Rope does it.
func rotateBody(v *vector) {
	for row, reg := range []int{0, 1, 2, 3} {
		v.load(row, reg)
	}
	v.three("VMULPS", 2, 0, 4)
	v.three("VMULPS", 3, 1, 5)
	v.three("VSUBPS", 5, 4, 4)
	v.three("VMULPS", 2, 1, 5)
	v.three("VMULPS", 3, 0, 6)
	v.three("VADDPS", 6, 5, 5)
	v.store(4, 0)
	v.store(5, 1)
}

// Rounding to bfloat16 is done on integers, as package dtype does it: VCVTNEPS2BF16 would take denormals for zeros.
func bf16Start(v *vector) { v.constants(8, "0x7fff", "1", "quiet", "abs", "inf") }

// bf16 rounds register 0: its upper halves are bfloat16 values then, the lower ones are not zero. It uses registers 1 and 2.
func (v *vector) bf16() {
	v.op("VPSRLD $16, %s, %s", v.r(0), v.r(1))
	if v.masked() {
		v.three("VPANDD", 11, 0, 2)
		v.op("VPCMPGTD Z12, Z2, K2")
		v.three("VPANDD", 9, 1, 1)
		v.three("VPADDD", 8, 1, 1)
		// A NaN is not rounded, which could make it an infinity, but made quiet.
		v.op("VPORD Z10, Z0, Z2")
		v.three("VPADDD", 1, 0, 0)
		v.op("VMOVDQA32 Z2, K2, Z0")
		return
	}
	v.three("VPAND", 11, 0, 2)
	v.three("VPCMPGTD", 12, 2, 2)
	v.three("VPAND", 9, 1, 1)
	v.three("VPADDD", 8, 1, 1)
	v.three("VPADDD", 1, 0, 1)
	v.three("VPOR", 10, 0, 0)
	v.op("VBLENDVPS Y2, Y0, Y1, Y0")
}

// roundBF16 is the nearest bfloat16 as a float32.
func roundBF16Body(v *vector) {
	v.load(1, 0)
	v.bf16()
	v.op("VPSRLD $16, %s, %s", v.r(0), v.r(0))
	v.op("VPSLLD $16, %s, %s", v.r(0), v.r(0))
	v.store(0, 0)
}

// toBF16 is the nearest bfloat16.
func toBF16Body(v *vector) {
	v.load(1, 0)
	v.bf16()
	v.op("VPSRLD $16, Z0, Z0")
	if v.tail {
		v.op("VPMOVDW Z0, K1, %s", v.at(0))
	} else {
		v.op("VPMOVDW Z0, %s", v.at(0))
	}
}
