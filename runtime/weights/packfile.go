package weights

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/glmc/glmc/runtime/hugepages"
	"github.com/glmc/glmc/runtime/packed"
)

// key is what packed files call a form.
func (f form) key() packed.Key { return sha256.Sum256(append(f.identity[:], byte(f.layout))) }

// FromFile has weights be taken from a packed file that holds them as they are wanted. The file must be one of the
// loader's checkpoint, and stay open for as long as they are used. Nil: from none.
func (l *Loader) FromFile(f *packed.File) error {
	if f != nil {
		if err := f.Fits(l.ckpt.Fingerprint()); err != nil {
			return err
		}
	}
	l.packed = f
	return nil
}

// Stats counts weights that were prepared, each form of it once.
type Stats struct {
	Packed int // taken from a packed file
	Made   int // made, in memory
	Mapped int // used where they lie in the checkpoint's file
}

// Stats says where the weights come from.
func (l *Loader) Stats() Stats {
	var s Stats
	counted := map[form]bool{}
	for w, m := range l.prepared {
		if counted[m.form] {
			continue
		}
		counted[m.form] = true
		_, inFile := l.packed.Find(m.form.key())
		switch {
		case m.isView(w.DType):
			s.Mapped++
		case inFile:
			s.Packed++
		default:
			s.Made++
		}
	}
	return s
}

// WritePacked makes weights, which Prepare was told of, one by one and writes them to a packed file. Those that are used
// where they lie in the checkpoint's file are left out. It returns what the file holds and its size in bytes.
func (l *Loader) WritePacked(ctx context.Context, path string, wants []Want) ([]packed.Weight, int64, error) {
	var items []packed.Item
	var list []packed.Weight
	largest, listed := int64(0), map[form]bool{}
	for _, w := range wants {
		m := l.prepared[w]
		if m.isView(w.DType) || listed[m.form] {
			continue
		}
		listed[m.form] = true
		s := storageOf(w.DType, m.layout.shape, m.form.layout)
		largest = max(largest, s.room())
		x := packed.Weight{Name: w.Weight.Name, Rank: w.Rank, Key: m.form.key(), DType: w.DType, Shape: m.layout.shape, Layout: m.form.layout,
			Codes: s.codeBytes(), Scales: 4 * int64(s.scales)}
		list = append(list, x)
		items = append(items, packed.Item{Weight: x, Make: func() (codes, scales []byte, err error) {
			l.memory.Reset()
			t, err := l.make(w, m)
			if err != nil {
				return nil, nil, fmt.Errorf("weight %s: %w", w.Weight.Name, err)
			}
			codes, scales = s.bytes(t)
			return codes, scales, nil
		}})
	}
	if len(items) == 0 {
		return nil, 0, nil
	}
	region, err := hugepages.New(largest)
	if err != nil {
		return nil, 0, err
	}
	defer region.Close()
	l.Into(region)
	defer l.Into(nil)
	size, err := packed.Write(ctx, path, l.ckpt.Fingerprint(), items)
	return list, size, err
}
