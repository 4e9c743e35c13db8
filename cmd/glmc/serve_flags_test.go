package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/kernels/dtype"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "4096": 4096, "16MiB": 16 << 20, "2GB": 2e9, "1.5 KiB": 1536, "1kB": 1000, "7B": 7} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1e30GiB", "NaN", "12 apples", "1e400"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
	for n, want := range map[int64]string{16 << 20: "16MiB", 3: "3", 1 << 40: "1TiB", 1<<20 + 1: "1048577"} {
		if got := binarySize(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}

func TestShareFlag(t *testing.T) {
	for text, want := range map[string]shareFlag{"0.5": {"0.5", 0, 0.5}, "50%": {"50%", 0, 0.5}, "100%": {"100%", 0, 1}, "1": {"1", 0, 1}, "2": {"2", 2, 0}, "8GiB": {"8GiB", 8 << 30, 0}} {
		var got shareFlag
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "0%", "101%", "-1", "half", ""} {
		if err := new(shareFlag).Set(text); err == nil {
			t.Errorf("%q is a share", text)
		}
	}
}

// TestConfigure: the command line comes before the environment, and that before the file.
func TestConfigure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file, []byte(`{"max-running": 3, "api-key": ["a", "b"], "open-metrics": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, env, want string }{
		{"", "", "0 [] false"},
		{"", "GLMC_MAX_RUNNING=2 GLMC_API_KEY=c,d", "2 [c d] false"},
		{"--config-file " + file, "", "3 [a b] true"},
		{"", "GLMC_CONFIG_FILE=" + file, "3 [a b] true"},
		{"--config-file " + file, "GLMC_MAX_RUNNING=2 GLMC_API_KEY= GLMC_OPEN_METRICS=false", "2 [a b] false"},
		{"--max-running 1 --api-key e --config-file " + file, "GLMC_MAX_RUNNING=2 GLMC_API_KEY=c", "1 [e] true"},
		{"", "GLMC_CPU=avx2 GLMC_SERVICE_HOST=10.0.0.1 GLMC_PORT=tcp://10.0.0.1:8000 GLMC_PORT_8000_TCP_ADDR=10.0.0.1 GLMC_SERVICE_PORT_HTTP=8000", "0 [] false"},
		{"", "GLMC_MAX_RUNNIN=2", "there is no setting for GLMC_MAX_RUNNIN in the environment: did you mean GLMC_MAX_RUNNING?"},
		{"", "GLMC_MAX_RUNNING=x", `GLMC_MAX_RUNNING: "x": wants a whole number`},
	} {
		fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		name := fs.String("config-file", "", "")
		n, keys, open := fs.Int("max-running", 0, ""), fs.StringArray("api-key", nil, ""), fs.Bool("open-metrics", false, "")
		if err := fs.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		environ := strings.Fields(c.env)
		lookup := func(name string) (string, bool) {
			for _, pair := range environ {
				if value, ok := strings.CutPrefix(pair, name+"="); ok {
					return value, true
				}
			}
			return "", false
		}
		err := configure(fs, lookup, environ, name)
		got := fmt.Sprint(*n, " ", *keys, " ", *open)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.args, c.env, got, c.want)
		}
	}
}

// TestPages: how large the KV cache is, of a plan with one layer of two heads with 4 keys and 4 values in 2 bytes: a page of 16 tokens
// takes 512 bytes.
func TestPages(t *testing.T) {
	p := &plan.Plan{Module: &ir.Module{Ranks: 1, Caches: []*ir.Cache{{Heads: 2, HeadDim: 4}}}, Facts: plan.Facts{MaxPositions: 1000},
		Cache:    plan.CacheFormat{DType: dtype.BF16, PageSize: 16},
		Programs: []*plan.Program{{Graph: &ir.Graph{Name: "forward"}, Layouts: []plan.Layout{{Bucket: ir.Bucket{Max: ir.Sizes{Tokens: 64, Seqs: 8, Rows: 8}}}}}}}
	for _, c := range []struct {
		name  string
		flags servedModelFlags
		want  string
	}{
		{"tokens", servedModelFlags{kvTokens: 100}, "7"},
		{"size", servedModelFlags{kvMemory: shareFlag{bytes: 10 << 10}}, "20"},
		{"in float32", servedModelFlags{kvMemory: shareFlag{bytes: 10 << 10}, deviceFlags: deviceFlags{device: "ref"}}, "10"},
		{"as much as all sequences can use", servedModelFlags{kvMemory: shareFlag{bytes: 1 << 30}}, "504"},
		{"of fewer sequences", servedModelFlags{kvMemory: shareFlag{bytes: 1 << 30}, maxRunning: 2, maxLen: 100}, "14"},
		{"a share", servedModelFlags{kvMemory: shareFlag{share: 0.5}}, "504"},
		{"too little", servedModelFlags{kvMemory: shareFlag{text: "100", bytes: 100}}, "there is no memory for a KV cache: a page of 16 tokens takes 512 B, and --kv-memory is 100"},
		{"too long", servedModelFlags{maxLen: 1001}, "--max-model-len 1001: the model has 1000 positions"},
	} {
		n, err := c.flags.pages(p)
		got := fmt.Sprint(n)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
