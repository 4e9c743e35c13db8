package cost_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/cost"
	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestRead counts by hand what a token of a dense model in bf16 reads: its matrices, norms, one row of the embedding, and the
// keys and values of every layer, on all ranks.
func TestRead(t *testing.T) {
	set := map[string]string{"num_hidden_layers": "2", "first_k_dense_replace": "2", "hidden_size": "64", "intermediate_size": "128",
		"num_attention_heads": "4", "num_key_value_heads": "2", "head_dim": "16", "vocab_size": "256", "attention_bias": "false",
		"use_qk_norm": "false", "num_nextn_predict_layers": "0"}
	g := optimised(t, set, &passes.Options{})
	const layer = 64*64 + 2*32*64 + 64*64 + 3*64*128 + 2*64 // q, k and v, o, MLP, norms
	const values = 2*layer + 64 + 256*64 + 64               // norm, head, a row of the embedding
	target := on("cpu", 1)
	target.Cache, target.Context = dtype.BF16, 100
	weights, cache := cost.Read(g, decode(1), target)
	if diff := cmp.Diff([]float64{2 * values, 2 * 2 * 100 * 2 * 32}, []float64{weights, cache}); diff != "" {
		t.Errorf("bytes of weights, of keys and values:\n%s", diff)
	}
	target.Ranks = 4
	if w, c := cost.Read(g, decode(1), target); w != 4*weights || c != 4*cache {
		t.Errorf("four ranks read %g and %g, one reads %g and %g", w, c, weights, cache)
	}
	target.Ranks = 1
	w, c := cost.Read(g, decode(3), target)
	if diff := cmp.Diff([]float64{weights + 2*2*64, 3 * cache}, []float64{w, c}); diff != "" {
		t.Errorf("three sequences, which share the matrices:\n%s", diff)
	}
}

// TestProducts counts by hand what a prompt of a dense model multiplies, on all ranks: every row with the matrices of the
// layers, the wanted row with those of the head, and what attention does with the keys before it.
func TestProducts(t *testing.T) {
	set := map[string]string{"num_hidden_layers": "2", "first_k_dense_replace": "2", "hidden_size": "64", "intermediate_size": "128",
		"num_attention_heads": "4", "num_key_value_heads": "2", "head_dim": "16", "vocab_size": "256", "attention_bias": "false",
		"use_qk_norm": "false", "num_nextn_predict_layers": "0"}
	g := optimised(t, set, &passes.Options{})
	const tokens, context = 9, 5 // (9 + 1) / 2 keys for a token, on average
	const layer = 64*64 + 2*32*64 + 64*64 + 3*64*128
	const want = 2*tokens*2*layer + 2*256*64 + 2*tokens*4*context*4*16
	target := on("cpu", 1)
	target.Context = context
	if got := cost.Products(g, ir.Sizes{Tokens: tokens, Seqs: 1, Rows: 1}, target); got != want {
		t.Errorf("%g operations, want %d", got, want)
	}
	target.Ranks = 2
	if got := cost.Products(g, ir.Sizes{Tokens: tokens, Seqs: 1, Rows: 1}, target); got != 2*want {
		t.Errorf("two ranks with the program of one: %g operations, want %d", got, 2*want)
	}
}
