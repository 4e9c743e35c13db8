package main

import "fmt"

// Values of evex's pp, the prefix that older encodings wrote as a byte of its own.
const (
	ppNone byte = iota
	pp66
	ppF3
	ppF2
)

// evex encodes an instruction that Go's assembler does not know, such as those of AVX512-BF16: an opcode of map 0F38 with
// W0, on whole 512-bit registers and without a mask. dst is the field ModRM.reg, src1 is EVEX.vvvv (0 where the instruction
// has one source), src2 is ModRM.rm, each a register number below 32. Intel's order of operands is dst, src1, src2, and that
// of Go's assembler src2, src1, dst. The bytes are those of Intel's Software Developer's Manual, volume 2, "EVEX Encoding":
// what extends a register number, and all of vvvv, is stored inverted.
func evex(pp, opcode byte, dst, src1, src2 int) string {
	const map0F38, fixed, length512 = 2, 4, 2 << 5
	p0 := map0F38 | lacks(dst, 8)<<7 | lacks(src2, 16)<<6 | lacks(src2, 8)<<5 | lacks(dst, 16)<<4
	p1 := byte(^src1&15)<<3 | fixed | pp
	p2 := length512 | lacks(src1, 16)<<3
	modRM := 0xc0 | byte(dst&7)<<3 | byte(src2&7)
	return fmt.Sprintf("BYTE $0x62; BYTE $0x%02x; BYTE $0x%02x; BYTE $0x%02x; BYTE $0x%02x; BYTE $0x%02x", p0, p1, p2, opcode, modRM)
}

// lacks is 1 where a register number has that bit clear.
func lacks(register, bit int) byte {
	if register&bit == 0 {
		return 1
	}
	return 0
}
