package passes

import "github.com/glmc/glmc/compiler/ir"

// mergeQKV makes one product of the projections that lead to an attention's q, k and v and read the same value; see
// projections for what that means and when it is right.
//
// On the way to the attention the projections' values are put into heads, normed and rotated, fused or not, none of
// which concerns the product. In latent attention (DeepSeek-V2, arXiv:2405.04434) q and k come of two projections one
// behind the other: the first ones, which compress the same hidden state, are merged, and the second ones, of two
// compressed states, are not.
var mergeQKV = &Pass{
	Name:    "merge_qkv",
	Doc:     "the projections of one value to q, k and v in one product",
	Numeric: Exact,
	After: []Order{
		{"fold_shared_expert", "a merged projection is no longer one of a shared expert's"},
		{"gather_last_token", "the output projection is known as a projection of its own"},
		{"quantise", "projections that the skip list keeps in another dtype must not be merged with those that change"},
		{"shard_tensor_parallel", "each rank merges its own rows of q, k and v; a part of merged rows would be q alone on one rank and k on another"},
		{"share_common", "a projection that stands there twice is shared, not computed twice in one product"},
	},
	Remarks: mergeRemarks,
	Run: (&projectionSearch{
		ends: func(n *ir.Node) []*ir.Value {
			if n.Op.Name != "attn.paged" {
				return nil
			}
			return []*ir.Value{n.Arg("q"), n.Arg("cache")}
		},
		sources: attentionSources,
		missed:  "no two projections that lead to q, k and v read the same value",
	}).run,
}

// attentionSources are the operands that hold what becomes of a projection before it is attended with.
func attentionSources(v *ir.Value) []*ir.Value {
	n := v.Def
	switch n.Op.Name {
	case "linear", "reshape", "cast", "scale", "slice", "norm.rms", "rope.apply", "repeat.heads":
		return n.In[:1]
	case "concat":
		return n.In
	case "kv.write":
		return []*ir.Value{n.Arg("k"), n.Arg("v")}
	case "attn.qknorm_rope_kv":
		if v.Type.State {
			return []*ir.Value{n.Arg("k"), n.Arg("v")}
		}
		return []*ir.Value{n.Arg("q")}
	}
	return nil
}
