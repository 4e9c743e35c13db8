package cpu

import (
	"math"

	"github.com/glmc/glmc/kernels/dtype"
)

// What the kernels look codes up in. The bytes of BF16 values come as all low bytes, then all high ones.
var (
	// f8Bytes are the values of the e4m3 codes 0 to 127.
	//lint:ignore U1000 read in assembly
	f8Bytes = bytesOf(dtype.F8E4M3ToF32)

	// i8Bytes are the integers 0 to 127.
	//lint:ignore U1000 read in assembly
	i8Bytes = bytesOf(func(code byte) float32 { return float32(code) })

	// i4Bytes are the values of the 4-bit codes.
	//lint:ignore U1000 read in assembly
	i4Bytes = func() (t [32]byte) {
		for code := range 16 {
			h := dtype.F32ToBF16(dtype.I4ToF32(byte(code)))
			t[code], t[16+code] = byte(h), byte(h>>8)
		}
		return t
	}()

	// f8Integers are the integers nearest to 127/448 times the values of the e4m3 codes 0 to 127, so that the largest value
	// becomes 127, plus 128. NaN has none, and counts as zero: the scale of its channel is NaN (see kernels.Tensor.PanelScales).
	//lint:ignore U1000 read in assembly
	f8Integers = func() (t [128]byte) {
		t[127] = 128
		for code := range 127 {
			t[code] = 128 + byte(math.RoundToEven(float64(dtype.F8E4M3ToF32(byte(code)))*127/dtype.F8E4M3Max))
		}
		return t
	}()

	// quadOrder brings the bytes of a lane of a panel, pairs of k of four channels and then the next pairs, into the order
	// of four k for each channel.
	//lint:ignore U1000 read in assembly
	quadOrder = func() (t [16]byte) {
		for i := range t {
			channel, k := i/4, i%4
			t[i] = byte(k/2*8 + channel*2 + k%2)
		}
		return t
	}()
)

// bytesOf are the bytes of the BF16 values of the codes 0 to 127.
func bytesOf(value func(code byte) float32) (t [256]byte) {
	for code := range 128 {
		h := dtype.F32ToBF16(value(byte(code)))
		t[code], t[128+code] = byte(h), byte(h>>8)
	}
	return t
}
