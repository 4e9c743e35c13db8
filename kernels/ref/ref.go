// Package ref holds the reference kernels: one plain function for each operator, written to be compared with
// the formula and to be compared against. Everything that is faster is tested against it.
//
// All values are float32, activations and weights alike, but for the fp8 codes that quant.rows makes. Sums are float32 sums in ascending index order, so
// that a fused operator, which is the composition of these same functions, gives the same bits as the unfused
// ones. Transcendental functions are evaluated in float64 and rounded once. One kernel does one thing after
// the other; nothing here is parallel.
package ref

import "github.com/glmc/glmc/kernels"

// Kernels returns the table of all operators. Operands and results, in order, with the shapes that the plan's
// loader verified (T rows of the step, ? optional; data are f32 but for ids, pos, slots, starts and pages: i32):
//
//	embed             ids [T], w [V,H] -> [T,H]
//	linear            x [...,K], w [N,K], bias? [N] -> [...,N]              act
//	linear.f32        as linear
//	linear.split      x [...,K], w [N,K], bias? [N] -> [...,n] for each n of sizes    sizes (adding up to N), act
//	norm.rms          x [...,D], w [D] -> as x                              eps
//	norm.add_rms      a [...,D], b as a, w [D] -> a + b, its norm as a      eps
//	rope.apply        x [T,n,D], pos [T] -> as x                            dims, theta, interleaved?, those of a scaling?
//	cast              x -> as x
//	add sub mul div   a, b -> as a; b as a, or [...,1], or [D]
//	scale shift       x -> as x                                             by
//	act.silu          x -> as x
//	act.swiglu        gate, up as gate -> as gate
//	act.sigmoid       x -> as x
//	reduce.sum        x [...,D] -> [...,1]
//	act.softmax       x [...,D] -> as x
//	slice             x [...,D] -> [...,to-from]                            from, to
//	repeat.heads      x [T,1,D] -> [T,n,D]                                  heads
//	concat            a [...,A], b [...,B] -> [...,A+B]
//	gather.rows       x [T,H], rows [R] -> [R,H]
//	moe.top_k         scores [T,E], bias? [E] -> ids [T,k], weight [T,k]    k, groups, keep
//	moe.route         logits [T,E], bias? [E] -> ids [T,k+n], weight [T,k+n]    those of moe.top_k, score, normalise?, shift?,
//	                                                                        scale?, first?, count? (n)
//	moe.append_shared ids [T,k], weight [T,k] -> ids [T,k+n], weight [T,k+n]    first, count
//	moe.experts       x [T,H], ids [T,k], weight [T,k], gate [E,I,H], up [E,I,H], down [E,H,I] -> [T,H]
//	                                                                        activation, act
//	kv.write          k [T,n,D], v [T,n,V], slots [T] -> ; writes the cache
//	kv.send           slots [T] -> ; hands those slots of the cache to the call's Send
//	attn.paged        q [T,nh,D], pos [T], starts [B+1], pages [B,P], parents? [T] -> [T,nh,V]; reads the cache    scale
//	attn.qknorm_rope_kv  q [T,nh,D], k [T,n,D], v [T,n,D], q_norm? [D], k_norm? [D], pos [T], slots [T] -> as q;
//	                     writes the cache                                   eps, and as rope.apply
//	comm.all_reduce   x -> as x
//	comm.all_reduce_add_rms  x [...,D], residual as x, w [D] -> residual + the sum of x, its norm as x    eps
//	comm.all_gather   x [T,n] -> [T,n*ranks]
//
//	quant.rows        x [...,D] -> fp8 codes as x, scale [...,1]
//	linear.w8a8       codes x [...,K], scale [...,1], w [N,K], bias? [N] -> [...,N]
//	linear.split_w8a8  codes x [...,K], scale [...,1], w [N,K], bias? [N] -> as linear.split    sizes
//	moe.experts_w8a8  codes x [T,H], scale [T,1], and the rest as moe.experts -> [T,H]    activation
//	norm.rms_quant norm.add_rms_quant act.swiglu_quant comm.all_reduce_add_rms_quant
//	                  as without _quant -> the results but for the last, the last where plain is set, and
//	                  its fp8 codes and their scales                        and plain?
//
// The attribute act is "" or "fp8_e4m3": the latter quantises the rows that enter a matrix product, see
// dtype.QuantizeF8E4M3.
func Kernels() kernels.Set {
	return kernels.Set{
		"embed":                         embed,
		"linear":                        linear,
		"linear.f32":                    linear, // all values are f32 here
		"linear.split":                  linear, // the results' shapes say where w is cut
		"norm.rms":                      normRMS,
		"norm.add_rms":                  addNormRMS,
		"rope.apply":                    ropeApply,
		"cast":                          copied,
		"add":                           binary(func(a, b float32) float32 { return a + b }),
		"sub":                           binary(func(a, b float32) float32 { return a - b }),
		"mul":                           binary(func(a, b float32) float32 { return a * b }),
		"div":                           binary(func(a, b float32) float32 { return a / b }),
		"scale":                         unaryBy(func(x, by float32) float32 { return x * by }),
		"shift":                         unaryBy(func(x, by float32) float32 { return x + by }),
		"act.silu":                      unary(SiLU),
		"act.swiglu":                    swiglu,
		"act.sigmoid":                   unary(Sigmoid),
		"reduce.sum":                    reduceSum,
		"act.softmax":                   softmaxRows,
		"slice":                         slice,
		"repeat.heads":                  repeatHeads,
		"concat":                        concat,
		"gather.rows":                   gatherRows,
		"moe.top_k":                     topK,
		"moe.route":                     route,
		"moe.append_shared":             appendShared,
		"moe.experts":                   experts,
		"kv.write":                      kvWrite,
		"kv.send":                       kvSend,
		"attn.paged":                    attnPaged,
		"attn.qknorm_rope_kv":           qkNormRopeKV,
		"comm.all_reduce":               allReduce,
		"comm.all_gather":               allGather,
		"comm.all_reduce_add_rms":       allReduceAddRMS,
		"quant.rows":                    quantRows,
		"linear.w8a8":                   linearW8A8,
		"linear.split_w8a8":             linearW8A8,
		"moe.experts_w8a8":              expertsW8A8,
		"norm.rms_quant":                thenQuantised(normRMS),
		"norm.add_rms_quant":            thenQuantised(addNormRMS),
		"act.swiglu_quant":              thenQuantised(swiglu),
		"comm.all_reduce_add_rms_quant": thenQuantised(allReduceAddRMS),
	}
}
