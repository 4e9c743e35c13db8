package main

import (
	"fmt"
	"strings"
)

// tileRows is the constant of the same name of package cpu.
const tileRows = 4

// machine is what the kernels of two instruction sets differ in.
type machine struct {
	name  string
	reg   string // letter of its registers
	lanes int    // float32 values in one
	rows  int    // most rows of a dot product: four sums a row have to fit into the registers
}

var (
	avx512 = machine{name: "AVX512", reg: "Z", lanes: 16, rows: tileRows}
	avx2   = machine{name: "AVX2", reg: "Y", lanes: 8, rows: 2}
)

// masked reports whether loads and stores of part of a register cost nothing, in any element size.
func (m machine) masked() bool { return m.lanes == 16 }

// r is a register's name.
func (m machine) r(i int) string { return fmt.Sprint(m.reg, i) }

// bytes is the size of a register.
func (m machine) bytes() int { return 4 * m.lanes }

// The registers of a kernel. The sums are registers 0 to 4*rows-1; AVX2 has 16 registers, AVX-512 32.
func (m machine) weight(j int) string { return m.r(m.firstWeight() + j) }

func (m machine) firstWeight() int {
	if m.masked() {
		return 16
	}
	return 8
}

// constant registers: 0 clears what sign extension left over, 1 is 2^8, 2 is the byte 0xfe, 3 scratch.
func (m machine) constant(i int) string { return m.r(m.constantIndex(i)) }

func (m machine) constantIndex(i int) int {
	if m.masked() {
		return 28 + i
	}
	return 12 + i
}

// format is a storage format of weights.
type format struct {
	name    string
	element string // Go's type
	size    int
}

var formats = []format{{"F32", "float32", 4}, {"BF16", "uint16", 2}, {"F16", "uint16", 2}, {"F8", "byte", 1}}

// writer collects text.
type writer struct{ strings.Builder }

func (w *writer) printf(format string, a ...any) { fmt.Fprintf(&w.Builder, format, a...) }

// op writes one instruction.
func (w *writer) op(format string, a ...any) { w.printf("\t"+format+"\n", a...) }

func (w *writer) label(name string) { w.printf("%s:\n", name) }
