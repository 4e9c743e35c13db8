package sample

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// FuzzPick: whatever the logits, the mask and the parameters are, a pick is a token that the mask allows and that has a finite logit, the one
// that the definitions give, or a named error.
func FuzzPick(f *testing.F) {
	f.Add([]byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}, uint64(3), false, 1.0, 0.9, 0.0, 0, 0.0, uint64(7))
	f.Add([]byte{0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0xff, 1, 1, 1, 1}, uint64(5), true, 0.5, 0.0, 0.1, 2, 1.0, uint64(8))
	f.Fuzz(func(t *testing.T, data []byte, word uint64, masked bool, temperature, topP, minP float64, topK int, penalty float64, seed uint64) {
		p := Params{Temperature: temperature, TopP: topP, MinP: minP, TopK: topK, Presence: penalty, Seed: seed, Logprobs: masked}
		if p.Check() != nil {
			t.Skip()
		}
		logits := make([]float32, len(data)/4)
		for i := range logits {
			logits[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		var mask []uint64
		if masked {
			mask = []uint64{word, word >> 7}
		}
		s, slow := New(p, nil), slowly{params: p, output: []int32{0}}
		s.Accept(0)
		got, err := s.Pick(logits, mask)
		want, wantErr := slow.pick(logits, mask)
		switch {
		case !errors.Is(err, wantErr):
			t.Fatalf("error %v, want %v", err, wantErr)
		case err == nil && got.ID != want:
			t.Fatalf("token %d, want %d", got.ID, want)
		}
	})
}
