package compiler_test

import (
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/syntax"
)

// compileGLM47 is the whole way from text to a plan's bytes: 92 layers and the MTP layer for eight ranks, with all
// passes and buckets.
func compileGLM47(t testing.TB, src []byte, doc compiler.Options) int {
	f, list := syntax.Parse(glm4moe, src)
	if list.HasErrors() {
		t.Fatal(list.Err())
	}
	return len(encode(t, compile(t, f, doc).Plan))
}

func glm47(t testing.TB) ([]byte, compiler.Options) {
	t.Helper()
	src, err := os.ReadFile(glm4moe)
	if err != nil {
		t.Fatal(err)
	}
	return src, compiler.Options{Pipeline: "h200", Config: configFile(t, "../testdata/configs/glm-4.7.json")}
}

// TestCompilingAllocatesLittle holds all that is allocated on the way, garbage included, against 1 GiB, which
// bounds the memory that is in use at any time. Tests of this package must not run in parallel with it.
func TestCompilingAllocatesLittle(t *testing.T) {
	src, options := glm47(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	size := compileGLM47(t, src, options)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d MiB allocated for a plan of %d KiB", allocated>>20, size>>10)
	if allocated > 1<<30 {
		t.Errorf("compiling GLM-4.7 for eight ranks allocated %d bytes", allocated)
	}
}

func BenchmarkCompileGLM47(b *testing.B) {
	src, options := glm47(b)
	b.ReportAllocs()
	for b.Loop() {
		compileGLM47(b, src, options)
	}
}

// TestSavingsArePriced: on the pipeline for eight H200, folding the shared experts of either model beats both rivals, says
// so, and saves time in each phase; layers that are alike save the same to the nanosecond.
func TestSavingsArePriced(t *testing.T) {
	src, _ := glm47(t)
	prices := regexp.MustCompile(`; predicted on h200: folded ([0-9.]+) µs, overlapped ([0-9.]+) µs, apart ([0-9.]+) µs at decode 1024;`)
	for _, name := range []string{"glm-4.7", "glm-4.5-air"} {
		f, list := syntax.Parse(glm4moe, src)
		if list.HasErrors() {
			t.Fatal(list.Err())
		}
		p := compile(t, f, compiler.Options{Pipeline: "h200", Config: configFile(t, "../testdata/configs/"+name+".json")}).Plan
		if p.Source.Device.Source != cost.Builtin || len(p.Source.Device.Figures) == 0 {
			t.Errorf("%s: the plan was made with the figures %+v", name, p.Source.Device)
		}
		var first *plan.Remark
		for _, r := range p.Remarks {
			if r.ID != "fold_shared_expert.folded" {
				continue
			}
			if r.SavesDecode <= 0 || r.SavesPrefill <= 0 {
				t.Errorf("%s, layer %d saves %s of decode and %s of prefill", name, r.Layer, r.SavesDecode, r.SavesPrefill)
			}
			m := prices.FindStringSubmatch(r.Reason)
			if m == nil {
				t.Fatalf("%s, layer %d: no prices in %q", name, r.Layer, r.Reason)
			}
			var us [3]float64
			for i := range us {
				us[i], _ = strconv.ParseFloat(m[i+1], 64) // the pattern has digits only
			}
			if !slices.IsSorted(us[:]) {
				t.Errorf("%s, layer %d: folded, overlapped and apart take %v µs", name, r.Layer, us)
			}
			if first == nil {
				first = &r
			}
			if r.Reason != first.Reason || r.SavesDecode != first.SavesDecode || r.SavesPrefill != first.SavesPrefill {
				t.Errorf("%s: layer %d is %+v, layer %d %+v", name, first.Layer, first, r.Layer, r)
			}
		}
		if first == nil {
			t.Errorf("%s: nothing was folded", name)
		}
	}
}
