package main

import "fmt"

// axpy writes y += p[0]*v[0] + p[1]*v[1] + ..., element by element in this order.
type axpy struct {
	*writer
	machine
	rows int
}

func (a *axpy) name() string { return fmt.Sprintf("axpy%dx%s", a.rows, a.machine.name) }

func (a *axpy) write() {
	a.printf("\n// func %s(y, p *float32, v *[]float32, n int)\nTEXT ·%s(SB), NOSPLIT, $0-32\n", a.name(), a.name())
	a.op("MOVQ y+0(FP), DI")
	a.op("MOVQ p+8(FP), AX")
	a.op("MOVQ v+16(FP), DX")
	a.op("MOVQ n+24(FP), CX")
	for r := range a.rows {
		a.op("MOVQ %d(DX), R%d", 24*r, 9+r)
		a.op("VBROADCASTSS %d(AX), %s", 4*r, a.r(4+r))
	}
	a.op("XORQ BX, BX")
	a.op("SUBQ $%d, CX", a.lanes)
	a.op("JLT rest")
	a.label("loop")
	a.op("VMOVUPS (DI)(BX*1), %s", a.r(0))
	for r := range a.rows {
		a.op("VFMADD231PS (R%d)(BX*1), %s, %s", 9+r, a.r(4+r), a.r(0))
	}
	a.op("VMOVUPS %s, (DI)(BX*1)", a.r(0))
	a.op("ADDQ $%d, BX", a.bytes())
	a.op("SUBQ $%d, CX", a.lanes)
	a.op("JGE loop")
	a.label("rest")
	a.op("ADDQ $%d, CX", a.lanes)
	a.op("JZ done")
	if a.masked() {
		a.op("MOVL $1, AX")
		a.op("SHLL CX, AX")
		a.op("DECL AX")
		a.op("KMOVW AX, K1")
		a.op("VMOVUPS.Z (DI)(BX*1), K1, Z0")
		for r := range a.rows {
			a.op("VMOVUPS.Z (R%d)(BX*1), K1, Z1", 9+r)
			a.op("VFMADD231PS Z1, Z%d, Z0", 4+r)
		}
		a.op("VMOVUPS Z0, K1, (DI)(BX*1)")
	} else {
		a.label("single")
		a.op("VMOVSS (DI)(BX*1), X0")
		for r := range a.rows {
			a.op("VFMADD231SS (R%d)(BX*1), X%d, X0", 9+r, 4+r)
		}
		a.op("VMOVSS X0, (DI)(BX*1)")
		a.op("ADDQ $4, BX")
		a.op("DECQ CX")
		a.op("JNZ single")
	}
	a.label("done")
	a.op("VZEROUPPER")
	a.op("RET")
}
