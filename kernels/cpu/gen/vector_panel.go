package main

import "fmt"

// panelGate writes dst[r][j] = silu(g) * u for the 32 channels of a panel of an expert's gate and the same panel of its up,
// with g = gate[r][j] * gateScale[j] * row[r] and u likewise, every operation rounded: float32 or the nearest bfloat16.
// One call does all rows, because reading the constants of silu costs as much as a row.
type panelGate struct {
	*writer
	half bool // stores bfloat16
}

func (g *panelGate) name() string {
	if g.half {
		return "panelSwiGLUBF16"
	}
	return "panelSwiGLU"
}

func (g *panelGate) args() string {
	element := "float32"
	if g.half {
		element = "uint16"
	}
	return fmt.Sprintf("dst *%s, ldd int, gate, up *float32, lds, rows int, gateScale, upScale, row *float32", element)
}

func (g *panelGate) write() {
	g.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-72\n", g.name(), g.args(), g.name())
	for i, operand := range []string{"dst DI", "ldd R8", "gate SI", "up DX", "lds R9", "rows CX", "gateScale AX", "upScale BX", "row R10"} {
		var name, register string
		fmt.Sscan(operand, &name, &register)
		g.op("MOVQ %s+%d(FP), %s", name, 8*i, register)
	}
	for half := range 2 {
		g.op("VMOVUPS %d(AX), Z%d", 64*half, 6+half)
		g.op("VMOVUPS %d(BX), Z%d", 64*half, 13+half)
	}
	v := &vector{writer: g.writer, machine: avx512}
	expStart(v)
	if g.half {
		bf16Start(v)
	}
	g.label("loop")
	g.op("VBROADCASTSS (R10), Z15")
	for half := range 2 {
		g.op("VMULPS %d(SI), Z%d, Z0", 64*half, 6+half)
		g.op("VMULPS Z15, Z0, Z0")
		g.op("VMULPS %d(DX), Z%d, Z29", 64*half, 13+half)
		g.op("VMULPS Z15, Z29, Z29")
		v.silu()
		g.op("VMULPS Z29, Z0, Z0")
		if g.half {
			v.bf16()
			g.op("VPSRLD $16, Z0, Z0")
			g.op("VPMOVDW Z0, %d(DI)", 32*half)
		} else {
			g.op("VMOVUPS Z0, %d(DI)", 64*half)
		}
	}
	g.op("ADDQ R8, DI")
	g.op("ADDQ R9, SI")
	g.op("ADDQ R9, DX")
	g.op("ADDQ $4, R10")
	g.op("DECQ CX")
	g.op("JNZ loop")
	g.op("VZEROUPPER")
	g.op("RET")
}
