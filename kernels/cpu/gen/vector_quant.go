package main

import "fmt"

// quantise turns groups of float32 values into int8 codes: the nearest integers to value * (127 / m), m the largest
// magnitude of the group. What belongs to a group lies side by side: the scale, m/127 times a factor, and the sum of
// its codes times an offset, subtracted from 0.
type quantise struct {
	*writer
	group int // values: whole registers
}

func (q *quantise) name() string { return fmt.Sprintf("quantise%dKernelAVX512", q.group) }

const quantiseArgs = "codes *int8, meta *quantMeta, x *float32, groups int, factor float32, offset int32"

func (q *quantise) write() {
	q.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-40\n", q.name(), quantiseArgs, q.name())
	q.op("MOVQ codes+0(FP), DI")
	q.op("MOVQ meta+8(FP), DX")
	q.op("MOVQ x+16(FP), SI")
	q.op("MOVQ groups+24(FP), CX")
	q.op("VMOVSS factor+32(FP), X26")
	q.op("MOVL offset+36(FP), R8")
	for i, name := range []string{"abs", "inf", "127.0", "1e-30"} {
		q.op("VBROADCASTSS %s, Z%d", place(name), 28+i)
	}
	q.label("loop")
	n := q.group / 16
	for i := range n {
		q.op("VMOVUPS %d(SI), Z%d", 64*i, i)
		q.op("VPANDD Z28, Z%d, Z%d", i, 16+i)
	}
	// Magnitudes compare as integers do, infinities above all finite ones and NaN above all.
	q.tree("VPMAXSD", 16, n)
	q.op("VPMAXSD X31, X16, X16")
	q.op("VPBROADCASTD X16, Z16")
	q.op("VPCMPGTD Z16, Z29, K1") // all lanes where all values are finite, none otherwise
	q.op("VDIVPS Z16, Z30, Z17")
	// m/127, and m-m, which is 0 or NaN.
	q.op("VDIVSS X30, X16, X18")
	q.op("VSUBSS X16, X16, X19")
	q.op("VADDSS X19, X18, X18")
	q.op("VMULSS X26, X18, X18")
	q.op("VMOVSS X18, (DX)")
	for i := range n {
		q.op("VMULPS Z17, Z%d, Z%d", i, i)
		q.op("VCVTPS2DQ.Z Z%d, K1, Z%d", i, i)
		q.op("VPMOVSDB Z%d, %d(DI)", i, 16*i)
	}
	q.tree("VPADDD", 0, n)
	q.op("VMOVD X0, AX")
	q.op("IMULL R8, AX")
	q.op("NEGL AX")
	q.op("MOVL AX, 4(DX)")
	q.op("ADDQ $%d, DI", q.group)
	q.op("ADDQ $8, DX")
	q.op("ADDQ $%d, SI", 4*q.group)
	q.op("DECQ CX")
	q.op("JNZ loop")
	q.op("VZEROUPPER")
	q.op("RET")
}

// tree combines the int32 lanes of n registers from first on into one, the first of register first. It uses the one behind
// them, register first+n.
func (q *quantise) tree(instruction string, first, n int) {
	for half := n / 2; half > 0; half /= 2 {
		for i := range half {
			q.op("%s Z%d, Z%d, Z%d", instruction, first+i+half, first+i, first+i)
		}
	}
	rest := first + n
	q.op("VEXTRACTI64X4 $1, Z%d, Y%d", first, rest)
	q.op("%s Y%d, Y%d, Y%d", instruction, rest, first, first)
	q.op("VEXTRACTI32X4 $1, Y%d, X%d", first, rest)
	for _, swap := range []int{0x4e, 0xb1} {
		q.op("%s X%d, X%d, X%d", instruction, rest, first, first)
		q.op("VPSHUFD $0x%02x, X%d, X%d", swap, first, rest)
	}
	q.op("%s X%d, X%d, X%d", instruction, rest, first, first)
}
