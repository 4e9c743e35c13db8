package sample

// uniform is the number in [0, 1) by which the token at a position of the output is picked. It is computed from seed and position alone, so
// that whoever computes a position again, after a preemption or behind a draft that was wrong, picks the same token. It is what
// SplitMix64 (Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014), started with the mixed seed, gives after that many steps.
func uniform(seed uint64, position int) float64 {
	const gamma = 0x9e3779b97f4a7c15
	z := mix(mix(seed+gamma) + (uint64(position)+1)*gamma)
	return float64(z>>11) * (1.0 / (1 << 53))
}

// mix is the finaliser of SplitMix64, with the constants of Stafford's variant 13.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
