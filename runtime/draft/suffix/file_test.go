package suffix

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func newTestCache(t testing.TB, c Config) *Cache {
	t.Helper()
	cache, err := NewCache(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close() })
	return cache
}

// say has a request say something, and waits until it is learnt.
func say(c *Cache, prompt, tokens []int32) {
	r := c.Request(prompt)
	<-r.Built()
	r.Append(tokens...)
	r.End(true)
	c.Flush()
}

func saved(t testing.TB, label string, responses ...[]int32) []byte {
	t.Helper()
	c := newTestCache(t, Config{})
	for _, tokens := range responses {
		say(c, nil, tokens)
	}
	var file bytes.Buffer
	if err := c.Save(&file, label); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestSaveAndLoad(t *testing.T) {
	want := [][]int32{{1, 2, 3}, {7}, slices.Repeat([]int32{5, 6, -1}, 9000)}
	data := saved(t, "tiny", want...)
	c := newTestCache(t, Config{})
	if err := c.Load(iotest.OneByteReader(bytes.NewReader(data)), "tiny"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, c.responses()); d != "" {
		t.Error(d)
	}
	if err := c.tree.Check(); err != nil {
		t.Error(err)
	}
	var again bytes.Buffer
	if err := c.Save(&again, "tiny"); err != nil || !bytes.Equal(data, again.Bytes()) {
		t.Errorf("written again it has %d bytes, not %d: %v", again.Len(), len(data), err)
	}
}

func TestLoadDamaged(t *testing.T) {
	good := saved(t, "tiny", []int32{1, 2, 3}, []int32{4})
	change := func(at int, to byte) []byte {
		data := bytes.Clone(good)
		data[at] = to
		return data
	}
	for name, x := range map[string]struct {
		data []byte
		want error
	}{
		"empty":          {nil, ErrFormat},
		"other magic":    {change(0, 'G'), ErrFormat},
		"version":        {change(8, 2), ErrVersion},
		"label":          {change(16, 'T'), ErrLabel},
		"long label":     {change(14, 1), ErrDamaged},
		"count":          {change(20, 3), ErrDamaged},
		"fewer":          {change(20, 1), ErrDamaged},
		"huge count":     {change(23, 255), ErrDamaged},
		"huge length":    {change(27, 255), ErrDamaged},
		"token":          {change(28, 9), ErrDamaged},
		"sum":            {change(len(good)-1, good[len(good)-1]^1), ErrDamaged},
		"something more": {append(bytes.Clone(good), 0), ErrDamaged},
	} {
		c := newTestCache(t, Config{})
		if err := c.Load(bytes.NewReader(x.data), "tiny"); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, not %v", name, err, x.want)
		}
		if n := c.Stats().Responses; n != 0 {
			t.Errorf("%s: it learnt %d responses", name, n)
		}
	}
	for n := range good {
		c := newTestCache(t, Config{})
		if err := c.Load(bytes.NewReader(good[:n]), "tiny"); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFormat) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	c := newTestCache(t, Config{MaxBytes: 12})
	if err := c.Load(bytes.NewReader(good), "tiny"); !errors.Is(err, ErrDamaged) {
		t.Errorf("into a small cache: %v", err)
	}
	broken := errors.New("broken")
	if err := c.Load(io.MultiReader(bytes.NewReader(good[:30]), iotest.ErrReader(broken)), "tiny"); !errors.Is(err, broken) {
		t.Errorf("from a reader that fails: %v", err)
	}
}

// FuzzLoad: what is no file gives an error, and what is one is read whole.
func FuzzLoad(f *testing.F) {
	good := saved(f, "tiny", []int32{1, 2, 3}, []int32{4})
	f.Add(good)
	f.Add(good[:len(good)-32])
	f.Add(binary.LittleEndian.AppendUint32(bytes.Clone(good[:20]), 1<<31))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := readFile(bytes.NewReader(data), "tiny", 1<<12)
		switch {
		case err == nil:
			if want := bytes.Equal(data, good); len(list) != 2 && want {
				t.Errorf("%d responses", len(list))
			}
		case errors.Is(err, ErrFormat), errors.Is(err, ErrVersion), errors.Is(err, ErrLabel), errors.Is(err, ErrDamaged):
		default:
			t.Errorf("an error without a name: %v", err)
		}
	})
}
