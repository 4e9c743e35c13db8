package weights

import (
	"runtime"
	"testing"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestMergedWeightsAreHeldOnce: a rank's rows of q, k and v, one behind the other, take the memory of the merged
// weight and a row for each goroutine, whatever is converted on the way. A loader that made the parts first would
// take twice as much, for the largest weights of a model at once.
func TestMergedWeightsAreHeldOnce(t *testing.T) {
	const cols, ranks = 512, 2
	rows := map[string]int{"q": 4096, "k": 1024, "v": 1024}
	for _, stored := range []dtype.DType{dtype.F32, dtype.BF16, dtype.F8E4M3} {
		var tensors []fileTensor
		var parts []*ir.Recipe
		for _, name := range []string{"q", "k", "v"} {
			tensors = append(tensors, counted(name, stored, 0, rows[name], cols))
			if stored == dtype.F8E4M3 {
				tensors = append(tensors, counted(name+"_scale", dtype.F32, 1, rows[name], 1))
			}
			parts = append(parts, ir.Shard(ir.Stored(name, rows[name], cols), 0, ranks, 1))
		}
		for _, d := range formats {
			w := weight(t, "q + k + v", d, ir.Concat(0, parts...))
			l, err := NewLoader(planOf(t, ranks, w), open(t, tensors...))
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			made, err := l.Load(w, 1, d)
			if err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if made.Elems() != (4096+1024+1024)/ranks*cols {
				t.Fatalf("the weight has %d values", made.Elems())
			}
			const spare = 128 << 10
			if took := int64(after.TotalAlloc - before.TotalAlloc); took > w.Bytes()+spare {
				t.Errorf("%s to %s: loading took %d bytes, the weight has %d", stored, d, took, w.Bytes())
			}
		}
	}
}
