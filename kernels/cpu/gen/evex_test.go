package main

import (
	"strings"
	"testing"
)

// TestEVEX: the bytes are those that binutils' assembler writes for the instruction in the comment, which has its operands
// in Intel's order.
func TestEVEX(t *testing.T) {
	for _, c := range []struct {
		pp, opcode      byte
		dst, src1, src2 int
		want            string
	}{
		{ppF3, 0x52, 1, 2, 3, "62 f2 6e 48 52 cb"},    // vdpbf16ps zmm1, zmm2, zmm3
		{ppF3, 0x52, 22, 23, 24, "62 82 46 40 52 f0"}, // vdpbf16ps zmm22, zmm23, zmm24
		{ppF3, 0x52, 10, 25, 12, "62 52 36 40 52 d4"}, // vdpbf16ps zmm10, zmm25, zmm12
		{ppF3, 0x72, 30, 0, 29, "62 02 7e 48 72 f5"},  // vcvtneps2bf16 ymm30, zmm29
		{ppF3, 0x72, 9, 0, 20, "62 32 7e 48 72 cc"},   // vcvtneps2bf16 ymm9, zmm20
		{pp66, 0x50, 15, 16, 7, "62 72 7d 40 50 ff"},  // vpdpbusd zmm15, zmm16, zmm7
	} {
		got := strings.NewReplacer("BYTE $0x", "", ";", "").Replace(evex(c.pp, c.opcode, c.dst, c.src1, c.src2))
		if got != c.want {
			t.Errorf("opcode %02x of %d, %d, %d: %s, want %s", c.opcode, c.dst, c.src1, c.src2, got, c.want)
		}
	}
}
