package passes

import "github.com/glmc/glmc/compiler/ir"

// mergeGateUp makes one product of a gated MLP's projections to gate and up; see projections for what that means and
// when it is right.
//
// It fires in the dense layers' MLP, and in the shared expert where that was not folded into the routed ones, whose
// operator has weights for gate and up of its own. A gate and an up are known by the operator that multiplies them.
// They come straight from their projections; one that was normed or scaled first is no site.
var mergeGateUp = &Pass{
	Name:    "merge_gate_up",
	Doc:     "the projections of one value to gate and up in one product",
	Numeric: Exact,
	After: []Order{
		{"fold_shared_expert", "a shared expert is known by its two projections"},
		{"fuse_swiglu", "gate and up are known by the operator that multiplies them"},
		{"gather_last_token", "the output projection is known as a projection of its own"},
		{"quantise", "projections that the skip list keeps in another dtype must not be merged with those that change"},
		{"shard_tensor_parallel", "each rank merges its own rows of gate and up; a part of merged rows would be gate alone on one rank and up on another"},
		{"share_common", "a projection that stands there twice is shared, not computed twice in one product"},
	},
	Remarks: mergeRemarks,
	Run: (&projectionSearch{
		ends: func(n *ir.Node) []*ir.Value {
			if n.Op.Name != "act.swiglu" {
				return nil
			}
			return n.In
		},
		sources: func(*ir.Value) []*ir.Value { return nil },
		missed:  "gate and up are no two projections of the same value",
	}).run,
}
