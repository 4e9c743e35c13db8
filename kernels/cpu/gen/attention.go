package main

// attention writes what paged attention needs besides products with panels (panel.go): keys and values of a block of
// positions brought from the cache into panels, the softmax of a block's scores, and small loops over a row.
//
// The cache's rows lie wherever their pages do, so the kernels take a table of byte offsets, one for each position.
type attention struct{ *writer }

const (
	// attnBlock is the constant of the same name of package cpu: the positions of a block.
	attnBlock = 128
	// attnWeights is the bytes from a row of bfloat16 weights of a block to the next: 64 more than they fill, so
	// that twelve rows do not fall into the same sets of the first-level cache.
	attnWeights = 2*attnBlock + 64
)

const softmaxArgs = "p *uint16, s, largest, sum, shrink *float32, seen *int64, rows int, scale float32) (rose bool"

// attentionFiles returns the kernels and their declarations.
func attentionFiles() map[string]string {
	a, s := newFiles("unsafe")
	at := attention{a}
	at.tables()
	for _, k := range []struct {
		name, args string
		size       int
		write      func()
	}{
		{"attnKeysBF16", "panels, keys *uint16, at *int64, d, groups, stride int", 48, at.keysBF16},
		{"attnKeysF8", "panels *uint16, keys *byte, at *int64, d, groups, stride int", 48, at.keysF8},
		{"attnValuesBF16", "panels, values *uint16, at *int64, d, n, stride int", 48, at.valuesBF16},
		{"attnValuesF8", "panels *uint16, values *byte, at *int64, d, n, stride int", 48, at.valuesF8},
		{"attnSoftmax", softmaxArgs, 65, func() { at.softmax(false) }},
		{"attnSoftmaxAll", softmaxArgs, 65, func() { at.softmax(true) }},
		{"attnShrink", "out *float32, stride, n int, shrink *float32, rows int", 40, at.shrink},
		{"attnFold", "out, part *float32, n int, largest, partLargest, sum, partSum *float32, rows int", 64, at.fold},
		{"attnDivide", "dst, src *float32, n int, sums *float32", 32, at.divide},
		{"attnRound", "dst *uint16, src *float32, n int, flip uint32", 28, at.round},
		{"attnFetch", "rows unsafe.Pointer, at *int64, bytes, n int", 32, at.fetch},
		{"attnTouch", "rows unsafe.Pointer, at *int64, bytes, n int", 32, at.touch},
		{"attnFinite", "p *uint16, n int) (ok bool", 17, at.finite},
	} {
		a.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", k.name, k.args, k.name, k.size)
		k.write()
		a.op("VZEROUPPER")
		a.op("RET")
		s.printf("\n//go:noescape\nfunc %s(%s)\n", k.name, k.args)
	}
	return map[string]string{"attention_amd64.s": a.String(), "attention_stubs_amd64.go": s.String()}
}

// tables writes the constant registers.
func (a *attention) tables() {
	var quads, pairs [64]byte // of VPSHUFB and VPERMB
	for i := range quads {
		// In a lane of 16 bytes, four codes of each of four keys: the first two of every key, then the others.
		in := i % 16
		quads[i] = byte(in%8/2*4 + in/8*2 + in%2)
		// Codes 4l to 4l+3 of two rows, interleaved, are the low half of lane l, and 16 codes on the high half.
		pairs[i] = byte(i/16*4 + in/8*16 + in%8/2 + in%2*32)
	}
	a.data("attnQuads", quads)
	a.data("attnPairs", pairs)
	for half, name := range []string{"attnLow", "attnHigh"} {
		var words [64]byte // of VPERMT2W: half of two rows, interleaved
		for i := range 32 {
			words[2*i] = byte(half*16 + i/2 + i%2*32)
		}
		a.data(name, words)
	}
}

func (a *attention) data(name string, bytes [64]byte) {
	a.printf("\n")
	for i := 0; i < 64; i += 8 {
		var v uint64
		for j := range 8 {
			v |= uint64(bytes[i+j]) << (8 * j)
		}
		a.printf("DATA %s<>+%d(SB)/8, $0x%016x\n", name, i, v)
	}
	a.printf("GLOBL %s<>(SB), RODATA|NOPTR, $64\n", name)
}

// mask makes K1 the lowest AX bits, all for AX >= 64.
func (a *attention) mask() {
	a.op("MOVQ $64, R15")
	a.op("CMPQ AX, R15")
	a.op("CMOVQGT R15, AX")
	a.op("MOVQ $-1, R15")
	a.op("BZHIQ AX, R15, R15")
	a.op("KMOVQ R15, K1")
}

// keysBF16 writes keys into panels of 32 positions, [positions/32][D/2][32][2]: 16 positions of 32 values at a time are
// a square of 16 x 16 pairs, which it transposes. groups is how many times 16 positions there are, stride the bytes
// from panel to panel. Values behind the last of a row are zero.
func (a *attention) keysBF16() {
	a.keys(2, func() {
		a.op("MOVQ R10, AX")
		a.mask()
		for i := range 16 {
			a.op("MOVQ %d(R8), AX", 8*i)
			a.op("VMOVDQU16.Z (SI)(AX*1), K1, Z%d", i)
		}
		a.transpose()
		for i := range 16 {
			a.op("VMOVDQU64 Z%d, %d(BX)", i, 128*i)
		}
		a.op("ADDQ $64, SI")
		a.op("ADDQ $%d, BX", 16*128)
		a.op("SUBQ $32, R10")
	})
}

// keysF8 does the same with 64 e4m3 codes of 16 positions: what it transposes are quads of codes, and what comes out is
// decoded, which is half as many shuffles as the other way round.
func (a *attention) keysF8() {
	a.keys(1, func() {
		a.op("MOVQ R10, AX")
		a.mask()
		for i := range 16 {
			a.op("MOVQ %d(R8), AX", 8*i)
			a.op("VMOVDQU8.Z (SI)(AX*1), K1, Z%d", i)
		}
		a.transpose()
		a.decoder()
		a.op("VMOVDQU64 attnQuads<>(SB), Z25")
		for i := range 16 {
			a.op("VPSHUFB Z25, Z%d, Z%d", i, i)
			a.decode(i)
			a.op("VMOVDQU64 Z18, %d(BX)", 256*i)
			a.op("VMOVDQU64 Z19, %d(BX)", 256*i+128)
		}
		a.op("ADDQ $64, SI")
		a.op("ADDQ $%d, BX", 32*128)
		a.op("SUBQ $64, R10")
	})
}

// keys writes the loops: over groups of 16 positions, and over the values of a row, 64 bytes a step.
func (a *attention) keys(size int, step func()) {
	a.op("MOVQ panels+0(FP), DI")
	a.op("MOVQ at+16(FP), R8")
	a.op("MOVQ groups+32(FP), CX")
	a.op("MOVQ stride+40(FP), R9")
	a.op("XORQ DX, DX") // bit 0: the second half of a panel
	a.label("group")
	a.op("MOVQ keys+8(FP), SI")
	a.op("MOVQ d+24(FP), R10")
	a.op("MOVQ DI, BX")
	a.label("step")
	step()
	a.op("JGT step")
	a.op("ADDQ $128, R8")
	a.op("ADDQ $64, DI")
	a.op("XORQ $1, DX")
	a.op("JNZ next")
	a.op("ADDQ R9, DI")
	a.op("SUBQ $128, DI")
	a.label("next")
	a.op("DECQ CX")
	a.op("JNZ group")
}

// transpose transposes the 16 x 16 dwords of registers 0 to 15: within lanes by dwords and by quadwords, then lanes.
func (a *attention) transpose() {
	for i := 0; i < 16; i += 2 {
		a.op("VPUNPCKLDQ Z%d, Z%d, Z%d", i+1, i, 16+i)
		a.op("VPUNPCKHDQ Z%d, Z%d, Z%d", i+1, i, 16+i+1)
	}
	for i := 0; i < 16; i += 4 { // register i+c is column c of each lane, of rows i to i+3
		for c := range 2 {
			a.op("VPUNPCKLQDQ Z%d, Z%d, Z%d", 16+i+2+c, 16+i+c, i+2*c)
			a.op("VPUNPCKHQDQ Z%d, Z%d, Z%d", 16+i+2+c, 16+i+c, i+2*c+1)
		}
	}
	for c := range 4 {
		for half, imm := range []string{"0x88", "0xdd"} { // lanes 0 and 2, lanes 1 and 3
			a.op("VSHUFI32X4 $%s, Z%d, Z%d, Z%d", imm, 4+c, c, 16+2*half)
			a.op("VSHUFI32X4 $%s, Z%d, Z%d, Z%d", imm, 12+c, 8+c, 17+2*half)
		}
		for half := range 2 {
			a.op("VSHUFI32X4 $0x88, Z%d, Z%d, Z%d", 17+2*half, 16+2*half, 4*half+c)
			a.op("VSHUFI32X4 $0xdd, Z%d, Z%d, Z%d", 17+2*half, 16+2*half, 8+4*half+c)
		}
	}
}

// decoder fills the registers of decode: the low and the high bytes of the bfloat16 values of the codes 0 to 127, and a
// code's sign.
func (a *attention) decoder() {
	a.op("MOVQ $·f8Bytes(SB), AX")
	for i := range 4 {
		a.op("VMOVDQU64 %d(AX), Z%d", 64*i, 26+i)
	}
	a.op("MOVL $0x80808080, AX")
	a.op("VPBROADCASTD AX, Z30")
}

// decode makes the low halves of register i's lanes, e4m3 codes, bfloat16 values in register 18 and the high halves
// in register 19.
func (a *attention) decode(i int) {
	a.op("VMOVDQA64 Z%d, Z16", i)
	a.op("VMOVDQA64 Z%d, Z17", i)
	a.op("VPERMI2B Z27, Z26, Z16")
	a.op("VPERMI2B Z29, Z28, Z17")
	a.op("VPTERNLOGD $0xf8, Z30, Z%d, Z17", i) // or with the sign
	a.op("VPUNPCKLBW Z17, Z16, Z18")
	a.op("VPUNPCKHBW Z17, Z16, Z19")
}

// valuesBF16 writes values into panels of 32 values, [V/32][positions/2][32][2]: two rows interleaved. n is the number
// of positions; the one that an odd number lacks is zero. stride is the bytes from panel to panel.
func (a *attention) valuesBF16() {
	a.op("VMOVDQU64 attnLow<>(SB), Z30")
	a.op("VMOVDQU64 attnHigh<>(SB), Z31")
	a.values(func() {
		a.op("VMOVDQU16.Z (SI), K1, Z0")
		a.op("VMOVDQU16.Z (DX), K2, Z1")
		a.op("VMOVDQA64 Z0, Z2")
		a.op("VPERMT2W Z1, Z30, Z0")
		a.op("VPERMT2W Z1, Z31, Z2")
		a.op("VMOVDQU64 Z0, (BX)")
		a.op("VMOVDQU64 Z2, 64(BX)")
		a.op("ADDQ $64, SI")
		a.op("ADDQ $64, DX")
	})
}

// valuesF8 does the same with e4m3 codes: both rows' codes in the order in which decode wants them, then decoded.
func (a *attention) valuesF8() {
	a.decoder()
	a.op("VMOVDQU64 attnPairs<>(SB), Z25")
	a.values(func() {
		a.op("VMOVDQU8.Z (SI), K1, Y0")
		a.op("VMOVDQU8.Z (DX), K2, Y1")
		a.op("VINSERTI64X4 $1, Y1, Z0, Z0")
		a.op("VPERMB Z0, Z25, Z0")
		a.decode(0)
		a.op("VMOVDQU64 Z18, (BX)")
		a.op("VMOVDQU64 Z19, 64(BX)")
		a.op("ADDQ $32, SI")
		a.op("ADDQ $32, DX")
	})
}

// values writes the loops: over pairs of positions, and over the values of a row, 32 a step.
func (a *attention) values(step func()) {
	a.op("MOVQ panels+0(FP), DI")
	a.op("MOVQ values+8(FP), R11")
	a.op("MOVQ at+16(FP), R8")
	a.op("MOVQ n+32(FP), CX")
	a.op("MOVQ stride+40(FP), R9")
	a.op("MOVQ $-1, R12")
	a.label("pair")
	a.op("MOVQ (R8), SI")
	a.op("ADDQ R11, SI")
	a.op("MOVQ SI, DX")
	a.op("CMPQ CX, $1")
	a.op("JNE both")
	a.op("XORQ R12, R12") // no second row
	a.op("JMP row")
	a.label("both")
	a.op("MOVQ 8(R8), DX")
	a.op("ADDQ R11, DX")
	a.label("row")
	a.op("MOVQ d+24(FP), R10")
	a.op("MOVQ DI, BX")
	a.label("step")
	a.op("MOVQ R10, AX")
	a.mask()
	a.op("ANDQ R12, R15")
	a.op("KMOVQ R15, K2")
	step()
	a.op("ADDQ R9, BX")
	a.op("SUBQ $32, R10")
	a.op("JGT step")
	a.op("ADDQ $16, R8")
	a.op("ADDQ $128, DI")
	a.op("SUBQ $2, CX")
	a.op("JGT pair")
}

// constant fills register i with a float32.
func (a *attention) constant(bits uint32, i int) {
	a.op("MOVL $0x%08x, AX", bits)
	a.op("VPBROADCASTD AX, Z%d", i)
}

// rest makes K1 the lowest CX bits.
func (a *attention) rest() {
	a.op("MOVL $-1, AX")
	a.op("BZHIL CX, AX, AX")
	a.op("KMOVW AX, K1")
}

// row writes a loop over CX values, 16 a step; body takes the mask of its loads and stores, "" for all.
func (a *attention) row(body func(mask, zero string), ends ...string) {
	next := func() {
		for _, e := range ends {
			a.op(e)
		}
	}
	a.op("SUBQ $16, CX")
	a.op("JLT rest")
	a.label("loop")
	body("", "")
	next()
	a.op("SUBQ $16, CX")
	a.op("JGE loop")
	a.label("rest")
	a.op("ADDQ $16, CX")
	a.op("JZ done")
	a.rest()
	body("K1, ", ".Z")
	a.label("done")
}

// shrink multiplies rows of n values, stride bytes apart, each by its factor. Most factors are 1: the
// largest score seldom rises after the first blocks.
func (a *attention) shrink() {
	a.op("MOVQ out+0(FP), DI")
	a.op("MOVQ stride+8(FP), R8")
	a.op("MOVQ shrink+24(FP), SI")
	a.op("MOVQ rows+32(FP), R9")
	a.label("next")
	a.op("MOVL (SI), AX")
	a.op("CMPL AX, $0x3f800000")
	a.op("JEQ same")
	a.op("VPBROADCASTD AX, Z0")
	a.op("MOVQ n+16(FP), CX")
	a.op("MOVQ DI, BX")
	a.label("loop") // n is a multiple of 16
	a.op("VMULPS (BX), Z0, Z1")
	a.op("VMOVUPS Z1, (BX)")
	a.op("ADDQ $64, BX")
	a.op("SUBQ $16, CX")
	a.op("JGT loop")
	a.label("same")
	a.op("ADDQ $4, SI")
	a.op("ADDQ R8, DI")
	a.op("DECQ R9")
	a.op("JNZ next")
}

// divide writes dst = src / the sum of 16 sums.
func (a *attention) divide() {
	a.op("MOVQ sums+24(FP), AX")
	a.op("VMOVUPS (AX), Z0")
	a.across("VADD")
	a.op("VBROADCASTSS X0, Z0")
	a.op("MOVQ dst+0(FP), DI")
	a.op("MOVQ src+8(FP), SI")
	a.op("MOVQ n+16(FP), CX")
	a.row(func(mask, zero string) {
		a.op("VMOVUPS%s (SI), %sZ1", zero, mask)
		a.op("VDIVPS Z0, Z1, Z1")
		a.op("VMOVUPS Z1, %s(DI)", mask)
	}, "ADDQ $64, DI", "ADDQ $64, SI")
}

// round writes dst = src in bfloat16 with its sign bits flipped by flip. It writes the last register of dst whole, zeros
// behind the last value.
func (a *attention) round() {
	a.op("MOVQ dst+0(FP), DI")
	a.op("MOVQ src+8(FP), SI")
	a.op("MOVQ n+16(FP), CX")
	a.op("MOVL flip+24(FP), AX")
	a.op("VPBROADCASTD AX, Z0")
	a.row(func(mask, zero string) {
		a.op("VMOVDQU32%s (SI), %sZ1", zero, mask)
		a.op("VPXORD Z0, Z1, Z1")
		a.bfloat(2, 1)
		a.op("VMOVDQU Y2, (DI)")
	}, "ADDQ $32, DI", "ADDQ $64, SI")
}

// bfloat makes the lower half of register dst the values of register src in bfloat16.
func (a *attention) bfloat(dst, src int) {
	a.op("%s // VCVTNEPS2BF16 Z%d, Y%d", evex(ppF3, 0x72, dst, 0, src), src, dst)
}

// finite reports whether none of n bfloat16 values, a multiple of 32, is infinite or NaN.
func (a *attention) finite() {
	a.op("MOVQ p+0(FP), SI")
	a.op("MOVQ n+8(FP), CX")
	a.op("MOVL $0x7f807f80, AX")
	a.op("VPBROADCASTD AX, Z0")
	a.op("KXORQ K1, K1, K1")
	a.label("loop")
	a.op("VPANDD (SI), Z0, Z1")
	a.op("VPCMPEQW Z0, Z1, K2")
	a.op("KORQ K2, K1, K1")
	a.op("ADDQ $64, SI")
	a.op("SUBQ $32, CX")
	a.op("JGT loop")
	a.op("KORTESTQ K1, K1")
	a.op("SETEQ ok+16(FP)")
}

// fetch asks for n rows of so many bytes in the second-level cache, and touch reads them.
func (a *attention) fetch() { a.lines("PREFETCHT1 (AX)") }

func (a *attention) touch() { a.lines("MOVQ (AX), DX") }

func (a *attention) lines(one string) {
	a.op("MOVQ rows+0(FP), DI")
	a.op("MOVQ at+8(FP), SI")
	a.op("MOVQ n+24(FP), R9")
	a.label("row")
	a.op("MOVQ (SI), AX")
	a.op("ADDQ DI, AX")
	a.op("MOVQ AX, BX")
	a.op("ADDQ bytes+16(FP), BX")
	a.op("ANDQ $~63, AX")
	a.label("line")
	a.op(one)
	a.op("ADDQ $64, AX")
	a.op("CMPQ AX, BX")
	a.op("JLT line")
	a.op("ADDQ $8, SI")
	a.op("DECQ R9")
	a.op("JNZ row")
}
