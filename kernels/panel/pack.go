package panel

import "github.com/glmc/glmc/kernels/dtype"

// PackF32 packs rows of k values into one panel: src holds 1 to 32 rows one behind the other, dst is Stride long and is
// written completely.
func PackF32(dst, src []float32, rows, k int) {
	if rows < Channels {
		clear(dst)
	}
	for r := range rows {
		for i, v := range src[r*k : (r+1)*k] {
			dst[i*Channels+r] = v
		}
	}
}

// PackBF16 packs rows of k values into one panel: src holds 1 to 32 rows one behind the other, dst is Stride long and is
// written completely.
func PackBF16(dst, src []uint16, rows, k int) {
	if rows < Channels || k%2 != 0 {
		clear(dst)
	}
	for r := range rows {
		row := src[r*k : (r+1)*k]
		at := 2 * r
		for len(row) >= 2 {
			d := dst[at : at+2 : at+2]
			d[0], d[1] = row[0], row[1]
			row, at = row[2:], at+2*Channels
		}
		if len(row) > 0 {
			dst[at] = row[0]
		}
	}
}

// PackBytes packs rows of k F8E4M3 or I8 codes into one panel: src holds 1 to 32 rows one behind the other, dst is Stride
// long and is written completely.
func PackBytes(dst, src []byte, rows, k int) {
	if rows < Channels || k%4 != 0 {
		clear(dst)
	}
	for r := range rows {
		row := src[r*k : (r+1)*k]
		at := r/16*64 + inLanes(r%16, 0)
		for len(row) >= 4 {
			d := dst[at : at+10 : at+10]
			d[0], d[1], d[8], d[9] = row[0], row[1], row[2], row[3]
			row, at = row[4:], at+4*Channels
		}
		for i, b := range row {
			dst[at+i%2+i/2*8] = b
		}
	}
}

// PackI4 packs rows of k I4 codes, two a byte and each row beginning with a byte of its own, into one panel. scales
// holds one BF16 for each group of each row. dst is Stride long and is written completely.
func PackI4(dst, src []byte, scales []uint16, rows, k int) {
	if rows < Channels || k%dtype.Group != 0 {
		for i := range dst {
			dst[i] = zeroI4
		}
	}
	groups, width := (k+dtype.Group-1)/dtype.Group, (k+1)/2
	for g := range groups {
		s := dst[g*GroupBytes+groupCodes:][:2*Channels]
		clear(s)
		for r := range rows {
			v := scales[r*groups+g]
			s[2*r], s[2*r+1] = byte(v), byte(v>>8)
		}
	}
	for r := range min(rows, 16) {
		low := src[r*width : (r+1)*width]
		var high []byte // of the channel with which it shares bytes
		if r+16 < rows {
			high = src[(r+16)*width : (r+17)*width]
		}
		packPairI4(dst, low, high, r, k)
	}
}

// zeroI4 is twice the code of zero.
const zeroI4 = 0x88

// packPairI4 packs channel r and, where there is one, channel r+16.
func packPairI4(dst, low, high []byte, r, k int) {
	quads := k / 4
	for q := range quads {
		d := dst[q/16*GroupBytes+q%16*64+inLanes(r, 0):]
		a, b, c, e := low[2*q], low[2*q+1], byte(zeroI4), byte(zeroI4)
		if high != nil {
			c, e = high[2*q], high[2*q+1]
		}
		d = d[:10:10]
		d[0], d[1] = a&15|c<<4, a>>4|c&0xf0
		d[8], d[9] = b&15|e<<4, b>>4|e&0xf0
	}
	for col := 4 * quads; col < k; col++ {
		shift := col % 2 * 4
		code := low[col/2] >> shift & 15
		if high == nil {
			code |= zeroI4 & 0xf0
		} else {
			code |= high[col/2] >> shift << 4
		}
		dst[Index(dtype.I4, r, col, k)] = code
	}
}
