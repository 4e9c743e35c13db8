package exec

import "unsafe"

// int32s views words of the arena as integers: both take four bytes with the same alignment.
func int32s(words []float32) []int32 {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&words[0])), len(words))
}

// codes views words of the arena as bytes.
func codes(words []float32) []uint8 {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*uint8)(unsafe.Pointer(&words[0])), 4*len(words))
}
