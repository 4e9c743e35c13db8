package main

// widen writes the decoding of part of a panel into bfloat16, for products with more rows than decode on the way.
type widen struct {
	*writer
	format panelFormat
}

func (w *widen) name() string { return "widen" + w.format.name }

const widenArgs = "dst *uint16, w *byte, steps int"

func (w *widen) write() {
	w.printf("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-24\n", w.name(), widenArgs, w.name())
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ w+8(FP), SI")
	w.op("MOVQ steps+16(FP), CX")
	p := &panel{writer: w.writer, format: w.format}
	w.format.tables(p)
	w.label("loop")
	w.op("VMOVDQU64 (SI), Z16")
	w.op("VMOVDQU64 64(SI), Z17")
	w.format.decode(p)
	for pair := range 2 {
		for half := range 2 {
			w.op("VMOVDQU64 Z%d, %d(DI)", 18+2*half+pair, 128*pair+64*half)
		}
	}
	w.op("ADDQ $128, SI")
	w.op("ADDQ $256, DI")
	w.op("DECQ CX")
	w.op("JNZ loop")
	w.op("VZEROUPPER")
	w.op("RET")
}

const scaleArgs = "dst *float32, ldd int, src *float32, lds, rows int, scale, bias, row *float32"

// writeScale writes dst[r][j] = src[r][j] * scale[j] * row[r] + bias[j] for the 32 channels of a panel.
func writeScale(w *writer) {
	w.printf("\n// func panelScale(%s)\nTEXT ·panelScale(SB), NOSPLIT, $0-64\n", scaleArgs)
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ ldd+8(FP), R8")
	w.op("MOVQ src+16(FP), SI")
	w.op("MOVQ lds+24(FP), R9")
	w.op("MOVQ rows+32(FP), CX")
	w.op("MOVQ scale+40(FP), AX")
	w.op("MOVQ bias+48(FP), BX")
	w.op("MOVQ row+56(FP), DX")
	for half := range 2 {
		w.op("VMOVUPS %d(AX), Z%d", 64*half, 2+half)
		w.op("VMOVUPS %d(BX), Z%d", 64*half, 4+half)
	}
	w.label("loop")
	w.op("VBROADCASTSS (DX), Z6")
	for half := range 2 {
		w.op("VMULPS %d(SI), Z%d, Z%d", 64*half, 2+half, half)
		w.op("VMULPS Z6, Z%d, Z%d", half, half)
		w.op("VADDPS Z%d, Z%d, Z%d", 4+half, half, half)
		w.op("VMOVUPS Z%d, %d(DI)", half, 64*half)
	}
	w.op("ADDQ R8, DI")
	w.op("ADDQ R9, SI")
	w.op("ADDQ $4, DX")
	w.op("DECQ CX")
	w.op("JNZ loop")
	w.op("VZEROUPPER")
	w.op("RET")
}

const scatterArgs = "dst *float32, ldd int, src *float32, lds, rows int, scale *float32, index *int32, weight *float32"

// writeScatter writes dst[index[r]][j] += src[r][j] * scale[j] * weight[r] for the 32 channels of a panel, each
// operation rounded.
func writeScatter(w *writer) {
	w.printf("\n// func panelScatter(%s)\nTEXT ·panelScatter(SB), NOSPLIT, $0-64\n", scatterArgs)
	w.op("MOVQ dst+0(FP), DI")
	w.op("MOVQ ldd+8(FP), R8")
	w.op("MOVQ src+16(FP), SI")
	w.op("MOVQ lds+24(FP), R9")
	w.op("MOVQ rows+32(FP), CX")
	w.op("MOVQ scale+40(FP), AX")
	w.op("MOVQ index+48(FP), BX")
	w.op("MOVQ weight+56(FP), DX")
	for half := range 2 {
		w.op("VMOVUPS %d(AX), Z%d", 64*half, 2+half)
	}
	w.label("loop")
	w.op("VBROADCASTSS (DX), Z6")
	w.op("MOVLQSX (BX), R10")
	w.op("IMULQ R8, R10")
	for half := range 2 {
		w.op("VMOVUPS %d(DI)(R10*1), Z%d", 64*half, half)
		w.op("VMULPS %d(SI), Z%d, Z%d", 64*half, 2+half, 4+half)
		w.op("VMULPS Z6, Z%d, Z%d", 4+half, 4+half)
		w.op("VADDPS Z%d, Z%d, Z%d", 4+half, half, half)
		w.op("VMOVUPS Z%d, %d(DI)(R10*1)", half, 64*half)
	}
	w.op("ADDQ R9, SI")
	w.op("ADDQ $4, BX")
	w.op("ADDQ $4, DX")
	w.op("DECQ CX")
	w.op("JNZ loop")
	w.op("VZEROUPPER")
	w.op("RET")
}

