package main

import (
	"fmt"
	"math"
	"strings"
)

// vector is a function over rows of float32 values: what is computed for an element depends on that element's operands
// alone. The last values, fewer than a register has, go through the same instructions under a mask, so that no result
// depends on where in a row it stands or how long the row is.
//
// Each row has a pointer in a register that walks along; CX counts values down.
type vector struct {
	*writer
	machine
	name string
	rows []vectorRow
	in   []string // float32 operands behind the rows and the length
	sum  bool     // returns a float32 of the whole row, which finish leaves in X0

	start  func(v *vector) // once, before the first values
	body   func(v *vector) // for each register of values
	finish func(v *vector) // once, behind the last

	wide bool // values are widened to float64: half as many to a register
	tail bool // body is for the last values, under a mask
}

// vectorRow is a row that a vector function reads or writes.
type vectorRow struct {
	name string
	size int // bytes of an element: 1 for e4m3, 2 for bfloat16, 4 for float32
}

// float32Rows are rows of float32 values of these names.
func float32Rows(names ...string) []vectorRow {
	rows := make([]vectorRow, len(names))
	for i, name := range names {
		rows[i] = vectorRow{name, 4}
	}
	return rows
}

// goType is the type of a row's element.
func (r vectorRow) goType() string {
	return map[int]string{1: "uint8", 2: "uint16", 4: "float32"}[r.size]
}

// pointers are the registers that walk along the rows.
var pointers = []string{"DI", "SI", "R8", "R9"}

// symbol is the name of the assembly.
func (v *vector) symbol() string { return v.name + "Kernel" + v.machine.name }

// step is the number of values that body takes at once.
func (v *vector) step() int {
	if v.wide {
		return v.lanes / 2
	}
	return v.lanes
}

// at is the place of a row's next values.
func (v *vector) at(row int) string { return fmt.Sprintf("(%s)", pointers[row]) }

// signature is the Go declaration of the assembly, without "func".
func (v *vector) signature() string {
	var args []string
	for _, r := range v.rows {
		args = append(args, fmt.Sprintf("%s *%s", r.name, r.goType()))
	}
	args = append(args, "n int")
	for _, name := range v.in {
		args = append(args, name+" float32")
	}
	s := fmt.Sprintf("%s(%s)", v.symbol(), strings.Join(args, ", "))
	if v.sum {
		s += " (sum float32)"
	}
	return s
}

// operand is the place of float32 operand i in the frame.
func (v *vector) operand(i int) string {
	return fmt.Sprintf("%s+%d(FP)", v.in[i], 8*len(v.rows)+8+4*i)
}

// declare writes the assembly's declaration, and the function that calls it with slices. That checks the lengths, because
// assembly does not.
func (v *vector) declare(stubs *writer) {
	stubs.printf("\n//go:noescape\nfunc %s\n", v.signature())
	first := v.rows[0].name
	var params, pointers, checks []string
	for i, r := range v.rows {
		param := r.name
		if i+1 == len(v.rows) || v.rows[i+1].size != r.size {
			param += " []" + r.goType()
		}
		params = append(params, param)
		pointers = append(pointers, fmt.Sprintf("unsafe.SliceData(%s)", r.name))
		if i > 0 {
			checks = append(checks, fmt.Sprintf("%s[:len(%s)]", r.name, first))
		}
	}
	result, call := "", ""
	if len(v.in) > 0 {
		params = append(params, strings.Join(v.in, ", ")+" float32")
	}
	if v.sum {
		result, call = " float32", "return "
	}
	arguments := append(append(pointers, fmt.Sprintf("len(%s)", first)), v.in...)
	stubs.printf("\nfunc %s%s(%s)%s {\n", v.name, v.machine.name, strings.Join(params, ", "), result)
	if len(checks) > 0 {
		stubs.printf("\t%s = %s\n", strings.TrimSuffix(strings.Repeat("_, ", len(checks)), ", "), strings.Join(checks, ", "))
	}
	stubs.printf("\t%s%s(%s)\n}\n", call, v.symbol(), strings.Join(arguments, ", "))
}

// write writes the function's assembly.
func (v *vector) write() {
	size := 8*len(v.rows) + 8 + 4*len(v.in)
	if v.sum {
		size = (size+7)/8*8 + 4
	}
	v.printf("\n// func %s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", v.signature(), v.symbol(), size)
	for i, r := range v.rows {
		v.op("MOVQ %s+%d(FP), %s", r.name, 8*i, pointers[i])
	}
	v.op("MOVQ n+%d(FP), CX", 8*len(v.rows))
	if v.start != nil {
		v.start(v)
	}
	v.op("SUBQ $%d, CX", v.step())
	v.op("JLT rest")
	v.op("PCALIGN $32")
	v.label("loop")
	v.body(v)
	for i, r := range v.rows {
		v.op("ADDQ $%d, %s", r.size*v.step(), pointers[i])
	}
	v.op("SUBQ $%d, CX", v.step())
	v.op("JGE loop")
	v.label("rest")
	v.op("ADDQ $%d, CX", v.step())
	v.op("JZ done")
	v.mask()
	v.tail = true
	v.body(v)
	v.label("done")
	if v.finish != nil {
		v.finish(v)
	}
	if v.sum {
		v.op("VMOVSS X0, sum+%d(FP)", size-4)
	}
	v.op("VZEROUPPER")
	v.op("RET")
}

// mask is the mask of the last CX values: K1, or register 15 of AVX2 with all bits of these set.
func (v *vector) mask() {
	if v.masked() {
		v.op("MOVL $1, AX")
		v.op("SHLL CX, AX")
		v.op("DECL AX")
		v.op("KMOVW AX, K1")
		return
	}
	v.op("LEAQ tailMask<>+32(SB), AX")
	v.op("SHLQ $2, CX")
	v.op("SUBQ CX, AX")
	v.op("VMOVDQU (AX), Y15")
}

// load reads the next float32 values of a row. Places behind the last are zero.
func (v *vector) load(row, reg int) {
	switch {
	case !v.tail:
		v.op("VMOVUPS %s, %s", v.at(row), v.r(reg))
	case v.masked():
		v.op("VMOVUPS.Z %s, K1, %s", v.at(row), v.r(reg))
	default:
		v.op("VMASKMOVPS %s, Y15, %s", v.at(row), v.r(reg))
	}
}

// store writes the next float32 values of a row, and nothing behind its last.
func (v *vector) store(reg, row int) {
	switch {
	case !v.tail:
		v.op("VMOVUPS %s, %s", v.r(reg), v.at(row))
	case v.masked():
		v.op("VMOVUPS %s, K1, %s", v.r(reg), v.at(row))
	default:
		v.op("VMASKMOVPS %s, Y15, %s", v.r(reg), v.at(row))
	}
}

// three writes an instruction of three registers, in the order of Go's assembler: the result comes last.
func (v *vector) three(name string, b, a, dst int) {
	v.op("%s %s, %s, %s", name, v.r(b), v.r(a), v.r(dst))
}

// vectorConstant is a number that vector functions read from memory: 32 bytes of it.
type vectorConstant struct {
	name string
	bits uint32
}

func constantF32(name string, value float32) vectorConstant {
	return vectorConstant{name, math.Float32bits(value)}
}

// place is where a constant lies.
func place(name string) string {
	for i, c := range vectorConstants {
		if c.name == name {
			return fmt.Sprintf("vectorConstants<>+%d(SB)", 32*i)
		}
	}
	panic("gen: no constant " + name)
}

// constants reads constants into registers, the first into register first, and so on.
func (v *vector) constants(first int, names ...string) {
	for i, name := range names {
		v.op("VBROADCASTSS %s, %s", place(name), v.r(first+i))
	}
}

// operandOf is a constant as the first operand of an instruction that ends in PS: AVX2 reads it from memory, because it has
// only 16 registers; AVX-512 has it in that register.
func (v *vector) operandOf(name string, reg int) string {
	if v.masked() {
		return v.r(reg)
	}
	return place(name)
}

// writeVectors writes the assembly of all vector functions, and their constants.
func writeVectors(asm, stubs *writer) {
	for _, m := range []machine{avx512, avx2} {
		for _, v := range vectorsOf(m) {
			v.writer = asm
			v.write()
			v.declare(stubs)
		}
	}
	for _, g := range []panelGate{{asm, false}, {asm, true}} {
		g.write()
		stubs.printf("\n//go:noescape\nfunc %s(%s)\n", g.name(), g.args())
	}
	for _, group := range []int{64, 128} {
		q := quantise{asm, group}
		q.write()
		stubs.printf("\n//go:noescape\nfunc %s(%s)\n", q.name(), quantiseArgs)
	}
	asm.printf("\n// Each constant as often as a register of AVX2 has it.\n")
	for i, c := range vectorConstants {
		for copies := range 8 {
			asm.printf("DATA vectorConstants<>+%d(SB)/4, $0x%08x // %s\n", 32*i+4*copies, c.bits, c.name)
		}
	}
	asm.printf("GLOBL vectorConstants<>(SB), RODATA|NOPTR, $%d\n", 32*len(vectorConstants))
	asm.printf("\n// A window of eight that begins n places before the middle has n places set, the first ones.\n")
	for i := range 16 {
		bits := uint32(0)
		if i < 8 {
			bits = math.MaxUint32
		}
		asm.printf("DATA tailMask<>+%d(SB)/4, $0x%08x\n", 4*i, bits)
	}
	asm.printf("GLOBL tailMask<>(SB), RODATA|NOPTR, $64\n")
	asm.printf("\n// What Go's math.Exp uses on this architecture, in float64.\n")
	for i, value := range exp64Constants {
		asm.printf("DATA exp64<>+%d(SB)/8, $0x%016x // %g\n", 8*i, math.Float64bits(value), value)
	}
	asm.printf("GLOBL exp64<>(SB), RODATA|NOPTR, $%d\n", 8*len(exp64Constants))
}
