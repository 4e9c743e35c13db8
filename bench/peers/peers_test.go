package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/runtime/safetensors"
)

// The test binary stands in for the programs that are measured: under another name it prints what they would.
func TestMain(m *testing.M) {
	if fake, ok := fakes[filepath.Base(os.Args[0])]; ok {
		if err := fake(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var fakes = map[string]func(args []string) error{
	"llama-bench": func(args []string) error {
		if slices.Contains(args, "--version") {
			fmt.Println("version: fake")
			return nil
		}
		fmt.Println(`[{"n_prompt": 512, "n_gen": 0, "avg_ts": 100.0}, {"n_prompt": 0, "n_gen": 32, "avg_ts": 10.0}]`)
		return nil
	},
	"llama-batched-bench": func([]string) error {
		fmt.Println("\n" + `{"pp": 16, "tg": 32, "pl": 8, "speed_pp": 1.0, "speed_tg": 20.0}`)
		return nil
	},
	"llama-quantize": func(args []string) error { return os.WriteFile(args[2], nil, 0o644) },
	"glmc":           fakeGlmc,
}

func fakeGlmc(args []string) error {
	switch args[0] {
	case "version":
		fmt.Println("glmc fake")
	case "synth":
		return writeCheckpoint(args[len(args)-1])
	case "bench":
		if slices.Contains(args, "fast") {
			return fmt.Errorf("glmc: no such precision")
		}
		if want := "--prompt 512,1,16 --gen 0,33,33 --batch 1,1,8"; !strings.Contains(strings.Join(args, " "), want) {
			return fmt.Errorf("%v, want %s", args, want)
		}
		fmt.Println(`{"loads": [{"prompt_tokens_per_s": 400, "product_share": 0.7, "product_limit_gflop_s": 500},
			{"generate_tokens_per_s": 20, "limit_share": 0.9, "read_limit_gb_s": 50},
			{"generate_tokens_per_s": 60, "limit_share": 0.4, "read_limit_gb_s": 50}]}`)
	default:
		return fmt.Errorf("glmc: there is no verb %s", args[0])
	}
	return nil
}

// TestPeers goes all the way with programs that only say that they ran.
func TestPeers(t *testing.T) {
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, dir := t.TempDir(), t.TempDir()
	for name := range fakes {
		if err := os.Symlink(test, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	o, err := parse([]string{"-dir", dir, "-llama", bin, "-glmc", filepath.Join(bin, "glmc"), "-models", "bench-0.7b",
		"-workloads", "pp512,tg32,tg32x8", "-rounds", "2", "-threads", "2"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Machine, r.Busy, r.Peer = "a machine", 0, "llama.cpp"
	var b bytes.Buffer
	if err := r.print(&b); err != nil {
		t.Fatal(err)
	}
	const want = "a machine, 2 threads; medians of 2 rounds in turn, and in brackets the lowest and the highest; llama.cpp; glmc fake.\n\n" +
		"`bench-0.7b`, tokens/s:\n\n" +
		"| workload | llama.cpp | | glmc | | ratio | of the limit |\n|---|---|--:|---|--:|--:|---|\n" +
		"| pp512 | q8_0 | 100 (100-100) | fp8 | 400 (400-400) | 4.00 | 70 % of 500 GFLOP/s |\n" +
		"| tg32 | q8_0 | 10.0 (10.0-10.0) | fp8 | 20.0 (20.0-20.0) | 2.00 | 90 % of 50 GB/s |\n" +
		"| tg32x8 | q8_0 | 20.0 (20.0-20.0) | fp8 | 60.0 (60.0-60.0) | 3.00 | 40 % of 50 GB/s |\n" +
		"| pp512 | q4_k_m | 100 (100-100) | int4 | 400 (400-400) | 4.00 | 70 % of 500 GFLOP/s |\n" +
		"| tg32 | q4_k_m | 10.0 (10.0-10.0) | int4 | 20.0 (20.0-20.0) | 2.00 | 90 % of 50 GB/s |\n" +
		"| tg32x8 | q4_k_m | 20.0 (20.0-20.0) | int4 | 60.0 (60.0-60.0) | 3.00 | 40 % of 50 GB/s |\n\n" +
		"Left out:\n\n" +
		"- bench-0.7b fp8, fast: glmc bench: exit status 1: glmc: no such precision\n" +
		"- bench-0.7b int4, fast: glmc bench: exit status 1: glmc: no such precision\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	var doc report
	b.Reset()
	if err := r.printJSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || len(doc.Results) != 6 {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestParse(t *testing.T) {
	glmc := filepath.Join(t.TempDir(), "glmc")
	if err := os.WriteFile(glmc, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ args, want string }{
		{"-glmc nowhere", "make build writes it"},
		{"-models big", "-models big: there is bench-0.7b, air-layers"},
		{"-rounds 0", "from 1 on"},
		{"more", "no arguments"},
	} {
		if _, err := parse(append([]string{"-glmc", glmc}, strings.Fields(x.args)...)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: error %v, want %q", x.args, err, x.want)
		}
	}
	o, err := parse([]string{"-glmc", glmc, "-workloads", "pp7"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.workloadsOf(models[0]); err == nil || !strings.Contains(err.Error(), "pp512") {
		t.Errorf("an unknown workload: error %v", err)
	}
}

// TestOutput: an error is short and has what the program complained of.
func TestOutput(t *testing.T) {
	d := debian{apt: t.TempDir()}
	if err := d.configure(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.run(context.Background(), "no-such-program", "update"); err == nil || strings.Contains(err.Error(), "Dir::") {
		t.Errorf("error %v", err)
	}
}

// TestRoom: a disk is never large enough for a model of a million gigabytes.
func TestRoom(t *testing.T) {
	o := &options{dir: t.TempDir()}
	err := o.room(t.Context(), model{name: "m", gigabytes: 1 << 20})
	if err == nil || !strings.Contains(err.Error(), "PEERS_DIR") {
		t.Errorf("error %v", err)
	}
	if err := o.room(t.Context(), model{name: "m"}); err != nil {
		t.Error(err)
	}
}

// writeCheckpoint writes a model of two layers, a dense and one with two experts.
func writeCheckpoint(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	const config = `{"model_type": "glm4_moe", "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, "num_attention_heads": 2,
		"num_key_value_heads": 1, "head_dim": 32, "partial_rotary_factor": 0.5, "rope_theta": 1e6, "rms_norm_eps": 1e-5, "max_position_embeddings": 8,
		"vocab_size": 4, "first_k_dense_replace": 1, "n_routed_experts": 2, "n_shared_experts": 1, "num_experts_per_tok": 1,
		"moe_intermediate_size": 32, "routed_scaling_factor": 1, "norm_topk_prob": true, "use_qk_norm": true, "attention_bias": true}`
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
		return err
	}
	var list []safetensors.WriteTensor
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32((i*7+len(list))%11) - 5
		}
		list = append(list, safetensors.WriteTensor{Name: name, DType: dtype.F32, Shape: shape, Data: safetensors.FromFloat32s(values)})
	}
	add("model.embed_tokens.weight", 4, 32)
	add("model.norm.weight", 32)
	add("lm_head.weight", 4, 32)
	for layer := range 2 {
		at := fmt.Sprintf("model.layers.%d.", layer)
		for _, name := range []string{"input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm"} {
			add(at+name+".weight", 32)
		}
		for name, width := range map[string]int{"q": 64, "k": 32, "v": 32} {
			add(at+"self_attn."+name+"_proj.weight", width, 32)
			add(at+"self_attn."+name+"_proj.bias", width)
		}
		add(at+"self_attn.o_proj.weight", 32, 64)
		mlp := func(name string, width int) {
			add(at+name+"gate_proj.weight", width, 32)
			add(at+name+"up_proj.weight", width, 32)
			add(at+name+"down_proj.weight", 32, width)
		}
		if layer == 0 {
			mlp("mlp.", 64)
			continue
		}
		add(at+"mlp.gate.weight", 2, 32)
		add(at+"mlp.gate.e_score_correction_bias", 2)
		mlp("mlp.shared_experts.", 32)
		mlp("mlp.experts.0.", 32)
		// The down projection of the last expert is stored in fp8 with a scale for each row.
		add(at+"mlp.experts.1.gate_proj.weight", 32, 32)
		add(at+"mlp.experts.1.up_proj.weight", 32, 32)
		codes := bytes.Repeat([]byte{dtype.F32ToF8E4M3(2)}, 32*32)
		list = append(list, safetensors.WriteTensor{Name: at + "mlp.experts.1.down_proj.weight", DType: dtype.F8E4M3, Shape: []int{32, 32},
			Data: safetensors.FromBytes(codes)})
		add(at+"mlp.experts.1.down_proj.weight_scale", 32, 1)
	}
	return safetensors.Write(filepath.Join(dir, "model.safetensors"), list, nil)
}

// TestConvert: every tensor of the checkpoint gets the name and the shape that llama.cpp wants, and experts lie one behind the other.
func TestConvert(t *testing.T) {
	dir := t.TempDir()
	if err := writeCheckpoint(dir); err != nil {
		t.Fatal(err)
	}
	ckpt, err := safetensors.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ckpt.Close()
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c config
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	s := source{ckpt: ckpt}
	got := map[string]string{}
	for _, x := range s.tensors(&c) {
		got[x.Name] = fmt.Sprintf("%d%v", x.Type, x.Shape)
		if x.Name == "blk.1.ffn_down_exps.weight" {
			checkExperts(t, x.Data)
		}
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	want := map[string]string{"token_embd.weight": "8[4 32]", "output_norm.weight": "0[32]", "output.weight": "8[4 32]",
		"blk.0.ffn_gate.weight": "8[64 32]", "blk.0.ffn_up.weight": "8[64 32]", "blk.0.ffn_down.weight": "8[32 64]",
		"blk.1.ffn_gate_inp.weight": "0[2 32]", "blk.1.exp_probs_b.bias": "0[2]",
		"blk.1.ffn_gate_exps.weight": "8[2 32 32]", "blk.1.ffn_up_exps.weight": "8[2 32 32]", "blk.1.ffn_down_exps.weight": "8[2 32 32]",
		"blk.1.ffn_gate_shexp.weight": "8[32 32]", "blk.1.ffn_up_shexp.weight": "8[32 32]", "blk.1.ffn_down_shexp.weight": "8[32 32]"}
	for layer := range 2 {
		at := fmt.Sprintf("blk.%d.", layer)
		for name, value := range map[string]string{"attn_norm.weight": "0[32]", "post_attention_norm.weight": "0[32]",
			"attn_q.weight": "8[64 32]", "attn_k.weight": "8[32 32]", "attn_v.weight": "8[32 32]", "attn_q.bias": "0[64]", "attn_k.bias": "0[32]",
			"attn_v.bias": "0[32]", "attn_q_norm.weight": "0[32]", "attn_k_norm.weight": "0[32]", "attn_output.weight": "8[32 64]"} {
			want[at+name] = value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// checkExperts looks at the second expert, whose rows are constant: 2 times the row's scale.
func checkExperts(t *testing.T, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	const row = 34
	if b.Len() != 2*32*row {
		t.Fatalf("%d bytes", b.Len())
	}
	last := b.Bytes()[32*row:]
	signs := map[int8]bool{}
	for r := range 32 {
		for _, code := range last[r*row+2 : (r+1)*row] {
			signs[int8(code)] = true
		}
	}
	for _, code := range []int8{127, -127} {
		if !signs[code] {
			t.Errorf("codes are %v: rows were not scaled", signs)
		}
	}
}
