package main

import (
	"fmt"
	gofmt "go/format"
)

// panelFiles returns the kernels for panels and their declarations.
func panelFiles() map[string]string {
	a, s := newFiles("unsafe")
	declare := func(name, args string) { s.printf("\n//go:noescape\nfunc %s(%s)\n", name, args) }
	for _, f := range panelFormats {
		var table writer
		for rows := 1; rows <= f.rows; rows++ {
			table.printf("\t%d: {", rows)
			for _, side := range []int{1, 2, 4} {
				if side > f.side(rows) {
					continue
				}
				p := panel{writer: a, format: f, rows: rows, panels: side}
				p.write()
				declare(p.name(), panelArgs)
				table.printf("%d: %s, ", side, p.name())
			}
			table.printf("},\n")
		}
		s.printf("\nvar panels%s = panelKernels{\n%s}\n", f.name, table.String())
		if f.decode != nil {
			w := widen{writer: a, format: f}
			w.write()
			declare(w.name(), widenArgs)
		}
	}
	writeGroups(a, s, declare)
	writeScale(a)
	declare("panelScale", scaleArgs)
	writeScatter(a)
	declare("panelScatter", scatterArgs)
	return map[string]string{"panel_amd64.s": a.String(), "panel_stubs_amd64.go": formatted(s.String())}
}

// writeGroups writes the kernels that go by groups of k: I4, and the dot products of bytes.
func writeGroups(a, s *writer, declare func(name, args string)) {
	var i4, wide, dot, dot4 writer
	for rows := 1; rows <= panelRows; rows++ {
		if rows <= panel4Rows {
			i4.printf("\t%d: {", rows)
			for _, side := range []int{1, 2, 4} {
				if side > max(side4(rows), 1) {
					continue
				}
				p := panel4{panel{writer: a, format: panelFormat{name: "I4"}, rows: rows, panels: side}}
				p.write()
				declare(p.name(), panelArgs)
				i4.printf("%d: %s, ", side, p.name())
			}
			i4.printf("},\n")
		}
		g := grouped{panel{writer: a, rows: rows}}
		g.write()
		declare(g.name(), groupedArgs)
		wide.printf("%d: %s, ", rows, g.name())
		if rows > dot8Rows {
			continue
		}
		for _, d := range []struct {
			dot8
			table *writer
		}{{dot8{panel{writer: a, rows: rows}, 2 * groupQuads, false}, &dot}, {dot8{panel{writer: a, rows: rows}, groupQuads, true}, &dot4}} {
			d.write()
			declare(d.name(), dot8Args)
			d.table.printf("%d: %s, ", rows, d.name())
		}
	}
	s.printf("\nvar panelsI4 = panelKernels{\n%s}\n", i4.String())
	s.printf("\nvar panelGroups = [...]groupedKernel{%s}\n", wide.String())
	s.printf("\nvar panelDot8 = [...]dot8Kernel{%s}\n", dot.String())
	s.printf("\nvar panelDot4 = [...]dot8Kernel{%s}\n", dot4.String())
	writeWiden4(a)
	declare("widenI4", widen4Args)
	for _, f := range byteFormats {
		writeBytes(a, f)
		declare("bytes"+f.name, bytesArgs)
		var table writer
		for rows := 1; rows <= fusedRows; rows++ {
			d := dot8{panel{writer: a, rows: rows}, 2 * groupQuads, false}
			if f.name == "I4" {
				d.quads, d.scaled = groupQuads, true
			}
			p := fused{d, f}
			p.write()
			declare(p.name(), fusedArgs)
			table.printf("%d: %s, ", rows, p.name())
		}
		s.printf("\nvar panelFused%s = [...]fusedKernel{%s}\n", f.name, table.String())
	}
}

// formatted is Go code as gofmt has it.
func formatted(code string) string {
	out, err := gofmt.Source([]byte(code))
	if err != nil {
		panic(fmt.Sprintf("gen: what was written is not Go: %v", err))
	}
	return string(out)
}
