package grammar

import "unicode/utf8"

// span is bytes from lo to hi, both included.
type span struct{ lo, hi byte }

// utf8Spans calls yield with sequences of spans of bytes that together are the UTF-8 forms of the characters from lo to hi, each
// form in one of them. Surrogates are left out: they have none.
func utf8Spans(lo, hi rune, yield func([]span)) {
	for _, part := range [...][2]rune{{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, utf8.MaxRune}} {
		if l, h := max(lo, part[0]), min(hi, part[1]); l <= h {
			splitSpans(l, h, yield)
		}
	}
}

// splitSpans does it for characters whose forms are equally long: as long as the last bytes do not run through all of their
// values, the range is cut where they begin anew.
func splitSpans(lo, hi rune, yield func([]span)) {
	for shift := 6; shift <= 18 && hi >= utf8.RuneSelf; shift += 6 {
		m := rune(1)<<shift - 1
		if hi <= m || lo&^m == hi&^m {
			continue
		}
		if lo&m != 0 {
			splitSpans(lo, lo|m, yield)
			splitSpans(lo|m+1, hi, yield)
			return
		}
		if hi&m != m {
			splitSpans(lo, hi&^m-1, yield)
			splitSpans(hi&^m, hi, yield)
			return
		}
	}
	var l, h [utf8.UTFMax]byte
	n := utf8.EncodeRune(l[:], lo)
	utf8.EncodeRune(h[:], hi)
	spans := make([]span, n)
	for i := range n {
		spans[i] = span{l[i], h[i]}
	}
	yield(spans)
}
