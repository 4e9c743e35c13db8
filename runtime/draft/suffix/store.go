package suffix

// A chunk is what memory grows by: so many tokens, nodes or buckets. Growing never copies more than pointers to chunks.
const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
	chunkMask = chunkSize - 1
)

// store holds tokens by position. Positions rise and wrap around after 2^32 tokens; what is held at a time is less than 2^31. The
// chunks are a ring, so that memory goes at the front as it comes at the end.
type store struct {
	ring       []*[chunkSize]int32 // chunk p>>chunkBits at that index modulo the length, a power of two
	begin, end uint32              // positions of the tokens that are held
	spare      *[chunkSize]int32
	held       int // chunks
}

// at gives the token at a position.
func (s *store) at(p uint32) int32 {
	return s.ring[int(p>>chunkBits)&(len(s.ring)-1)][p&chunkMask]
}

// push adds a token at the end.
func (s *store) push(token int32) {
	if s.end&chunkMask == 0 || s.held == 0 {
		s.grow()
	}
	s.ring[int(s.end>>chunkBits)&(len(s.ring)-1)][s.end&chunkMask] = token
	s.end++
}

// grow makes room for the chunk of the end.
func (s *store) grow() {
	if s.held == len(s.ring) {
		ring := make([]*[chunkSize]int32, max(4, 2*len(s.ring)))
		for i := range s.held {
			c := int(s.begin>>chunkBits) + i
			ring[c&(len(ring)-1)] = s.ring[c&(len(s.ring)-1)]
		}
		s.ring = ring
	}
	c := s.spare
	if s.spare = nil; c == nil {
		c = new([chunkSize]int32)
	}
	s.ring[int(s.end>>chunkBits)&(len(s.ring)-1)] = c
	s.held++
}

// release lets go of the tokens before a position.
func (s *store) release(to uint32) {
	for s.begin>>chunkBits != to>>chunkBits {
		c := &s.ring[int(s.begin>>chunkBits)&(len(s.ring)-1)]
		s.spare, *c = *c, nil
		s.held--
		s.begin = s.begin&^chunkMask + chunkSize
	}
	s.begin = to
}

// bytes is what the store takes.
func (s *store) bytes() int {
	n := 8*len(s.ring) + 4*chunkSize*s.held
	if s.spare != nil {
		n += 4 * chunkSize
	}
	return n
}
