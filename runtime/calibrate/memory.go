package calibrate

import "sync"

// bandwidth is the rate at which all threads read one buffer, each its own part.
func (m *meter) bandwidth(threads int) (float64, error) {
	words := make([]uint64, m.effort.Buffer/8)
	for i := range words {
		words[i] = uint64(i) // a page that was never written is the same one everywhere, and in the cache
	}
	sums := make([]uint64, threads)
	seconds, err := m.median(func() error {
		var all sync.WaitGroup
		for i := range threads {
			part := words[len(words)*i/threads : len(words)*(i+1)/threads]
			all.Go(func() { sums[i] += sum(part) })
		}
		all.Wait()
		return nil
	})
	return float64(8*len(words)) / seconds, err
}

// sum adds eight words at a time, so that the loop waits for memory and not for its own sums.
func sum(words []uint64) uint64 {
	var a, b, c, d uint64
	for len(words) >= 8 {
		w := words[:8:8]
		a += w[0] + w[4]
		b += w[1] + w[5]
		c += w[2] + w[6]
		d += w[3] + w[7]
		words = words[8:]
	}
	return a + b + c + d
}
