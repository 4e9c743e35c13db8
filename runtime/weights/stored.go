package weights

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// StoredDType is the dtype that most values of a checkpoint's matrices are in, by the headers alone. Quantised matrices
// and their scales do not count, as config.json tells of them, and vectors do not, as norms and biases are often kept in
// another dtype than the rest. It is dtype.Invalid where no matrix is left.
func StoredDType(ckpt *safetensors.Checkpoint) (dtype.DType, error) {
	values := map[dtype.DType]int{}
	for _, name := range ckpt.Names() {
		t, err := ckpt.Tensor(name)
		if err != nil {
			return dtype.Invalid, err
		}
		scale := strings.HasSuffix(name, "_scale") || strings.HasSuffix(name, "_scale_inv")
		if t.DType.IsFloat() && t.DType != dtype.F8E4M3 && len(t.Shape) > 1 && !scale {
			values[t.DType] += t.Elems()
		}
	}
	most := dtype.Invalid
	for _, d := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F16} { // the widest of equally many
		if values[d] > values[most] {
			most = d
		}
	}
	return most, nil
}

// Rounded says what became of the values of weights that a plan holds in a dtype with less precision, or a smaller
// range, than they are stored in.
type Rounded struct {
	From, To dtype.DType
	Weights  []string // in the order in which they were loaded
}

// Rounded lists the weights that Load has rounded so far, by the dtypes.
func (l *Loader) Rounded() []Rounded { return l.rounded }

// rounds reports whether values may change when they go from one dtype into another. Those of formats with scales are
// widened.
func rounds(from, to dtype.DType) bool {
	return from != to && (!from.Scaled() || to.Scaled()) && to != dtype.F32
}

// noteRounding remembers a weight that is made in dtype d of wider values.
func (l *Loader) noteRounding(weight string, made *layout, d dtype.DType) {
	var from dtype.DType
	made.blocks(0, made.rows(), func(b block) {
		if b.src != nil && rounds(b.src.DType, d) && !from.Valid() {
			from = b.src.DType
		}
	})
	if !from.Valid() {
		return
	}
	i := slices.IndexFunc(l.rounded, func(r Rounded) bool { return r.From == from && r.To == d })
	if i < 0 {
		i = len(l.rounded)
		l.rounded = append(l.rounded, Rounded{From: from, To: d})
	}
	if r := &l.rounded[i]; !slices.Contains(r.Weights, weight) { // another rank's part may have come before
		r.Weights = append(r.Weights, weight)
	}
}
