// Package panel is the order in which weights lie in memory that are multiplied panel by panel: 32 output channels side
// by side, so that one broadcast pair of activations meets 32 pairs of weights without any sum across a register.
//
// A matrix W [N, K] is ceil(N/32) panels one behind the other, each ascending in k. BF16:
//
//	[N/32][K/2][32 channels][2 k]                                         uint16
//
// F32, which routers are multiplied in, has no pairs:
//
//	[N/32][K][32 channels]                                                float32
//
// F8E4M3 and I8 hold four k (a quad) in 128 bytes, for channels 0 to 15 and 16 to 31 (the halves), in 16-byte lanes of four
// channels each:
//
//	[N/32][K/4][2 halves][4 lanes][k 0,1: 4 channels x 2 | k 2,3: 4 channels x 2]   bytes
//
// Within a lane the low eight bytes, widened to 16 bits, are the BF16 order of the first pair of the quad, the high
// eight that of the second: interleaving low and high bytes of the widened values is all that decoding has to move.
//
// I4 holds the codes of both halves in one byte (half 0 in the low bits) in the same order, and after every group of 64
// k, which is 16 quads, the 32 channels' scales as BF16:
//
//	[N/32][K/64][16 quads x 64 bytes | 32 scales x 2 bytes]               bytes
//
// N is padded to 32 channels and K to a whole pair, quad or group. What is padded is zero: code 0 for the formats whose
// zero it is, code 8 for I4. Other leading dimensions (experts) are matrices one behind the other.
package panel

import "github.com/glmc/glmc/kernels/dtype"

// Channels is the number of output channels side by side.
const Channels = 32

// Sizes of an I4 group in bytes.
const (
	groupCodes = dtype.Group * Channels / 2
	GroupBytes = groupCodes + 2*Channels
)

// Holds reports whether weights of format d can lie in panels.
func Holds(d dtype.DType) bool {
	return d == dtype.F32 || d == dtype.BF16 || d == dtype.F8E4M3 || d == dtype.I8 || d == dtype.I4
}

// PadK is the number of k that a row of k weights takes, padding included.
func PadK(d dtype.DType, k int) int {
	unit := 4
	switch d {
	case dtype.F32:
		unit = 1
	case dtype.BF16:
		unit = 2
	case dtype.I4:
		unit = dtype.Group
	}
	return (k + unit - 1) / unit * unit
}

// Stride is the size of one panel in elements of its storage: float32 or uint16 for F32 and BF16, else bytes.
func Stride(d dtype.DType, k int) int {
	if d == dtype.I4 {
		return PadK(d, k) / dtype.Group * GroupBytes
	}
	return PadK(d, k) * Channels
}

// Count is the number of panels that n output channels take.
func Count(n int) int { return (n + Channels - 1) / Channels }

// Size is the size of a matrix [n, k] in elements of its storage: float32 or uint16 for F32 and BF16, else bytes.
func Size(d dtype.DType, n, k int) int { return Count(n) * Stride(d, k) }

// Index is where weight [row, col] of a matrix of rows of k lies. For I4 the byte holds a second code: see Shift.
func Index(d dtype.DType, row, col, k int) int {
	at, c := row/Channels*Stride(d, k), row%Channels
	switch d {
	case dtype.F32:
		return at + col*Channels + c
	case dtype.BF16:
		return at + col/2*(2*Channels) + 2*c + col%2
	case dtype.I4:
		return at + col/dtype.Group*GroupBytes + col%dtype.Group/4*64 + inLanes(c%16, col)
	}
	return at + col/4*(4*Channels) + c/16*64 + inLanes(c%16, col)
}

// inLanes is the byte of a quad's half that channel c of 16 has for column col.
func inLanes(c, col int) int { return c/4*16 + col%4/2*8 + c%4*2 + col%2 }

// Shift is the lowest bit of the I4 code of a row within its byte.
func Shift(row int) int { return row % Channels / 16 * 4 }

// ScaleIndex is where the BF16 scale of group g of an I4 row lies, its low byte first.
func ScaleIndex(row, g, k int) int {
	return row/Channels*Stride(dtype.I4, k) + g*GroupBytes + groupCodes + row%Channels*2
}
