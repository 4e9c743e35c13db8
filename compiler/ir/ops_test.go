package ir

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/scanner"

	"github.com/google/go-cmp/cmp"
)

// opCase applies an operator to operands and attributes in the text form. An operand is a type, "weight" and
// a type, "cache", or "none". want lists the results' types, or is "error: " and the message.
type opCase struct{ op, in, attrs, want string }

// opCases has every operator with what its shape rule takes and with each thing that it refuses.
var opCases = []opCase{
	{"embed", `i32[T], weight bf16[100, 8]`, `dtype: "f32"`, `f32[T, 8]`},
	{"embed", `i32[T, 2], weight bf16[100, 8]`, `dtype: "f32"`, `error: tokens is i32[T, 2], wants a shape of 1 dimension(s)`},
	{"embed", `i32[T], weight bf16[100]`, `dtype: "f32"`, `error: w is bf16[100], wants a shape of 2 dimension(s)`},
	{"embed", `i32[T], weight bf16[100, 8]`, `dtype: "i32"`, `error: dtype is i32: activations are f32, bf16 or f16`},
	{"embed", `i32[T], weight bf16[100, 8]`, `dtype: "fp8_e4m3"`, `error: dtype is fp8_e4m3: activations are f32, bf16 or f16`},
	{"embed", `i32[T], weight bf16[100, 8]`, `dtype: "f64"`, `error: unknown dtype "f64": one of f32, bf16, f16, fp8_e4m3, i32, int8, int4`},
	{"embed", `i32[T], weight fp8_e4m3[100, 8]`, `dtype: "f32"`, `error: operand w is fp8_e4m3[100, 8]: it would need scales`},

	{"linear", `bf16[T, 8], weight fp8_e4m3[4, 8], none`, ``, `bf16[T, 4]`},
	{"linear", `f32[T, 3, 8], weight bf16[4, 8], weight bf16[4]`, `act: "fp8_e4m3"`, `f32[T, 3, 4]`},
	{"linear", `f32[8], weight bf16[4, 8], none`, ``, `f32[4]`},
	{"linear", `f32[T, 8], weight bf16[4, 8, 1], none`, ``, `error: w is bf16[4, 8, 1], wants a shape of 2 dimension(s)`},
	{"linear", `f32[T, 6], weight bf16[4, 8], none`, ``, `error: x is f32[T, 6] but w takes rows of 8 values`},
	{"linear", `f32[], weight bf16[4, 8], none`, ``, `error: x is f32[] but w takes rows of 8 values`},
	{"linear", `f32[T, 8], weight bf16[4, 8], weight bf16[8]`, ``, `error: bias is bf16[8], wants [4]`},
	{"linear", `f32[T, 8], weight bf16[4, 8], weight bf16[4, 1]`, ``, `error: bias is bf16[4, 1], wants [4]`},

	{"linear.f32", `bf16[T, 8], weight f32[4, 8], none`, ``, `f32[T, 4]`},
	{"linear.f32", `f16[T, 3, 8], weight fp8_e4m3[4, 8], weight bf16[4]`, `act: "fp8_e4m3"`, `f32[T, 3, 4]`},
	{"linear.f32", `f32[8], weight bf16[4, 8], none`, ``, `f32[4]`},
	{"linear.f32", `bf16[T, 6], weight f32[4, 8], none`, ``, `error: x is bf16[T, 6] but w takes rows of 8 values`},

	{"linear.split", `bf16[T, 8], weight fp8_e4m3[6, 8], none`, `sizes: [4, 1, 1]`, `bf16[T, 4], bf16[T, 1], bf16[T, 1]`},
	{"linear.split", `f32[T, 3, 8], weight bf16[6, 8], weight bf16[6]`, `sizes: [2, 4], act: "fp8_e4m3"`, `f32[T, 3, 2], f32[T, 3, 4]`},
	{"linear.split", `f32[8], weight bf16[4, 8], none`, `sizes: [3, 1]`, `f32[3], f32[1]`},
	{"linear.split", `bf16[T, 8], weight bf16[4194304, 8], none`, `sizes: [1048576, 1048576, 1048576, 1048576]`,
		`bf16[T, 1048576], bf16[T, 1048576], bf16[T, 1048576], bf16[T, 1048576]`},
	{"linear.split", `f32[T, 8], weight bf16[4, 8], none`, `sizes: [4]`, `error: attribute sizes has 1 sizes, wants 2 to 8`},
	{"linear.split", `f32[T, 8], weight bf16[9, 8], none`, `sizes: [1, 1, 1, 1, 1, 1, 1, 1, 1]`, `error: attribute sizes has 9 sizes, wants 2 to 8`},
	{"linear.split", `f32[T, 8], weight bf16[4, 8], none`, `sizes: [4, 0]`, `error: attribute sizes has the size 0, wants a number from 1 to 2147483648`},
	{"linear.split", `f32[T, 8], weight bf16[4, 8], none`, `sizes: [T, 4]`, `error: attribute sizes has the size T, wants a number from 1 to 2147483648`},
	{"linear.split", `f32[T, 8], weight bf16[4, 8], none`, `sizes: 4`, `error: attribute sizes is int64, wants a list of sizes`},
	{"linear.split", `f32[T, 8], weight bf16[4, 8], none`, `sizes: [2, 3]`, `error: sizes [2, 3] add up to 5 but w has 4 rows`},
	{"linear.split", `f32[T, 8], weight bf16[4, 8], weight bf16[2]`, `sizes: [2, 2]`, `error: bias is bf16[2], wants [4]`},

	{"norm.rms", `f32[T, 8], weight bf16[8]`, `eps: 1e-05`, `f32[T, 8]`},
	{"norm.rms", `f32[T, 2, 8], weight bf16[8]`, `eps: 1e-05`, `f32[T, 2, 8]`},
	{"norm.rms", `f32[T, 8], weight bf16[4]`, `eps: 1e-05`, `error: w is bf16[4], wants [8]`},
	{"norm.rms", `f32[8, T], weight bf16[8]`, `eps: 1e-05`, `error: w is bf16[8], wants [T]`},

	{"norm.add_rms", `f32[T, 8], f32[T, 8], weight bf16[8]`, `eps: 1e-05`, `f32[T, 8], f32[T, 8]`},
	{"norm.add_rms", `bf16[T, 2, 8], bf16[T, 2, 8], weight f32[8]`, `eps: 1e-05`, `bf16[T, 2, 8], bf16[T, 2, 8]`},
	{"norm.add_rms", `f32[T, 8], f32[8], weight bf16[8]`, `eps: 1e-05`, `error: a is f32[T, 8] and b is f32[8]: wants the same`},
	{"norm.add_rms", `f32[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `error: a is f32[T, 8] and b is bf16[T, 8]: wants the same`},
	{"norm.add_rms", `f32[], f32[], weight bf16[1]`, `eps: 1e-05`, `error: a is a scalar`},
	{"norm.add_rms", `f32[T, 8], f32[T, 8], weight bf16[4]`, `eps: 1e-05`, `error: w is bf16[4], wants [8]`},

	{"gather.rows", `f32[T, 8], i32[R]`, ``, `f32[R, 8]`},
	{"gather.rows", `f32[T, 2, 8], i32[R]`, ``, `error: x is f32[T, 2, 8], wants a shape of 2 dimension(s)`},
	{"gather.rows", `f32[T, 8], i32[R, 1]`, ``, `error: rows is i32[R, 1], wants a shape of 1 dimension(s)`},

	{"reshape", `f32[T, 12]`, `shape: [T, 3, 4]`, `f32[T, 3, 4]`},
	{"reshape", `bf16[T, 3, 4]`, `shape: [3*T, 4]`, `bf16[3*T, 4]`},
	{"reshape", `f32[T, 12]`, `shape: [T, 13]`, `error: f32[T, 12] has 12*T elements, [T, 13] has 13*T`},
	{"reshape", `f32[T, 12]`, `shape: [B, 12]`, `error: f32[T, 12] has 12*T elements, [B, 12] has 12*B`},
	{"reshape", `f32[T, B]`, `shape: [T, 1]`, `error: shape [T, B] has two symbolic dimensions`},
	{"reshape", `f32[T, 12]`, `shape: [T, B]`, `error: shape [T, B] has two symbolic dimensions`},
	{"reshape", `f32[T, 12]`, `shape: [T, 0]`, `error: attribute shape is no shape: shape [T, 0]: dimension 0 is out of range`},
	{"reshape", `f32[T, 12]`, `shape: [T, 1000000000, 1000000000]`, `error: attribute shape is no shape: shape [T, 1000000000, 1000000000] is too large`},

	{"cast", `bf16[T, 8]`, `dtype: "f32"`, `f32[T, 8]`},
	{"cast", `bf16[T, 8]`, `dtype: "i32"`, `error: dtype is i32: activations are f32, bf16 or f16`},

	{"add", `f32[T, 8], f32[T, 8]`, ``, `f32[T, 8]`},
	{"sub", `f32[T, 8], f32[T, 1]`, ``, `f32[T, 8]`},
	{"mul", `f32[T, 8], f32[8]`, ``, `f32[T, 8]`},
	{"div", `f32[T, 2, 8], f32[T, 2, 1]`, ``, `f32[T, 2, 8]`},
	{"add", `f32[], f32[]`, ``, `f32[]`},
	{"add", `f32[T, 8], bf16[T, 8]`, ``, `error: a is f32[T, 8] and b is bf16[T, 8]: the dtypes differ`},
	{"sub", `f32[T, 8], f32[T, 4]`, ``, `error: a is f32[T, 8] and b is f32[T, 4]: the shapes do not go together`},
	{"mul", `f32[T, 1], f32[T, 8]`, ``, `error: a is f32[T, 1] and b is f32[T, 8]: the shapes do not go together`},
	{"div", `f32[T, 8], f32[B, 1]`, ``, `error: a is f32[T, 8] and b is f32[B, 1]: the shapes do not go together`},
	{"add", `f32[], f32[1]`, ``, `error: a is f32[] and b is f32[1]: the shapes do not go together`},

	{"scale", `bf16[T, 8]`, `by: 2.5`, `bf16[T, 8]`},
	{"scale", `i32[T]`, `by: 2.5`, `error: operand x is i32[T]`},
	{"shift", `f32[T, 8]`, `by: -1.0`, `f32[T, 8]`},
	{"shift", `cache`, `by: 2.5`, `error: operand x is cache`},
	{"act.silu", `f32[T, 8]`, ``, `f32[T, 8]`},
	{"act.silu", `fp8_e4m3[T, 8]`, ``, `error: operand x is fp8_e4m3[T, 8]: it would need scales`},
	{"act.swiglu", `bf16[T, 8], bf16[T, 8]`, ``, `bf16[T, 8]`},
	{"act.swiglu", `f32[], f32[]`, ``, `f32[]`},
	{"act.swiglu", `f32[T, 8], f32[T, 1]`, ``, `error: gate is f32[T, 8] and up is f32[T, 1]: wants the same`},
	{"act.swiglu", `f32[T, 8], bf16[T, 8]`, ``, `error: gate is f32[T, 8] and up is bf16[T, 8]: wants the same`},
	{"act.sigmoid", `f32[T, 8]`, ``, `f32[T, 8]`},
	{"act.sigmoid", `none`, ``, `error: operand x is missing`},

	{"reduce.sum", `f32[T, 8]`, ``, `f32[T, 1]`},
	{"reduce.sum", `f32[]`, ``, `error: x is a scalar`},

	{"act.softmax", `f32[T, 8]`, ``, `f32[T, 8]`},
	{"act.softmax", `bf16[T, 2, 8]`, ``, `bf16[T, 2, 8]`},
	{"act.softmax", `f32[]`, ``, `error: x is a scalar`},

	{"slice", `f32[T, 2, 8]`, `from: 0, to: 3`, `f32[T, 2, 3]`},
	{"slice", `bf16[T, 8]`, `from: 3, to: 8`, `bf16[T, 5]`},
	{"slice", `f32[T, 8]`, `from: 3, to: 9`, `error: takes values 3 to 8 of f32[T, 8]: wants a part that is not empty`},
	{"slice", `f32[T, 8]`, `from: 3, to: 3`, `error: takes values 3 to 2 of f32[T, 8]: wants a part that is not empty`},
	{"slice", `f32[T, 8]`, `from: -1, to: 3`, `error: takes values -1 to 2 of f32[T, 8]: wants a part that is not empty`},
	{"slice", `f32[8, T]`, `from: 0, to: 1`, `error: x is f32[8, T]: the last dimension must be constant`},
	{"slice", `f32[]`, `from: 0, to: 1`, `error: x is f32[]: the last dimension must be constant`},

	{"concat", `f32[T, 8], f32[T, 4]`, ``, `f32[T, 12]`},
	{"concat", `f32[T, 8], bf16[T, 4]`, ``, `error: a is f32[T, 8] and b is bf16[T, 4]: they may differ in the last dimension only`},
	{"concat", `f32[T, 8], f32[B, 8]`, ``, `error: a is f32[T, 8] and b is f32[B, 8]: they may differ in the last dimension only`},
	{"concat", `f32[T, 8], f32[8]`, ``, `error: a is f32[T, 8] and b is f32[8]: they may differ in the last dimension only`},
	{"concat", `f32[], f32[]`, ``, `error: a is f32[] and b is f32[]: they may differ in the last dimension only`},
	{"concat", `f32[4, T], f32[4, T]`, ``, `error: a is f32[4, T] and b is f32[4, T]: the last dimension must be constant`},
	{"concat", `f32[4, 2], f32[4, T]`, ``, `error: a is f32[4, 2] and b is f32[4, T]: the last dimension must be constant`},
	{"concat", `f32[T, 2147483648], f32[T, 1]`, ``, `error: shape [T, 2147483649]: dimension 2147483649 is out of range`},

	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 4, theta: 10000.0`, `f32[T, 2, 8]`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 0, theta: 10000.0`, `f32[T, 2, 8]`},
	{"rope.apply", `f32[T, 16], i32[T]`, `dims: 4, theta: 10000.0`, `error: x is f32[T, 16], wants [T, heads, head_dim]`},
	{"rope.apply", `f32[T, B, 8], i32[T]`, `dims: 4, theta: 10000.0`, `error: x is f32[T, B, 8], wants [T, heads, head_dim]`},
	{"rope.apply", `f32[T, 2, 8], i32[B]`, `dims: 4, theta: 10000.0`, `error: pos is i32[B], wants i32[T]`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 3, theta: 10000.0`, `error: dims is 3: wants an even number up to the head's 8 values`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 10, theta: 10000.0`, `error: dims is 10: wants an even number up to the head's 8 values`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: -2, theta: 10000.0`, `error: dims is -2: wants an even number up to the head's 8 values`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 4, theta: 0.0`, `error: theta is 0: wants a positive number`},

	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, interleaved: 1, scaling: "linear", factor: 2.0`, `f32[T, 2, 8]`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, scaling: "default"`, `f32[T, 2, 8]`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, scaling: "dynamic", factor: 2.0`,
		`error: scaling "dynamic" is not one of default, linear, llama3, yarn`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, scaling: "linear"`,
		`error: factor is 0: scaling linear wants a positive number`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, scaling: "yarn", factor: 2.0, beta_fast: 32.0, beta_slow: 1.0`,
		`error: original_max_position_embeddings is 0: scaling yarn wants at least 1`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, scaling: "yarn", factor: 2.0, original_max_position_embeddings: 64, beta_fast: 1.0, beta_slow: 32.0`,
		`error: beta_slow is 32 and beta_fast 1: scaling yarn wants rising positive numbers`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 1.0, scaling: "yarn", factor: 2.0, original_max_position_embeddings: 64, beta_fast: 32.0, beta_slow: 1.0`,
		`error: theta is 1: scaling yarn wants more than 1`},
	{"rope.apply", `f32[T, 2, 8], i32[T]`, `dims: 8, theta: 10000.0, scaling: "llama3", factor: 2.0, original_max_position_embeddings: 64, low_freq_factor: 4.0, high_freq_factor: 1.0`,
		`error: low_freq_factor is 4 and high_freq_factor 1: scaling llama3 wants rising positive numbers`},

	{"repeat.heads", `f32[T, 1, 8]`, `heads: 4`, `f32[T, 4, 8]`},
	{"repeat.heads", `f32[T, 8]`, `heads: 4`, `error: x is f32[T, 8], wants [T, heads, head_dim]`},
	{"repeat.heads", `f32[T, 2, 8]`, `heads: 4`, `error: x is f32[T, 2, 8], wants [T, 1, head_dim]`},
	{"repeat.heads", `f32[T, 1, 8]`, `heads: 0`, `error: heads is 0: wants at least 1`},

	{"kv.write", `f32[T, 2, 8], f32[T, 2, 8], i32[T], cache`, ``, `cache`},
	{"kv.write", `f32[T, 16], f32[T, 16], i32[T], cache`, ``, `error: k is f32[T, 16], wants [T, heads, head_dim]`},
	{"kv.write", `f32[T, 2, 8], f32[T, 2, 4], i32[T], cache`, ``, `cache`},
	{"kv.write", `f32[T, 2, 8], f32[T, 16], i32[T], cache`, ``, `error: v is f32[T, 16], wants [T, heads, head_dim]`},
	{"kv.write", `f32[T, 2, 8], bf16[T, 2, 8], i32[T], cache`, ``, `error: k is f32[T, 2, 8] and v is bf16[T, 2, 8]`},
	{"kv.write", `f32[T, 2, 8], f32[T, 1, 8], i32[T], cache`, ``, `error: k is f32[T, 2, 8] and v is f32[T, 1, 8]`},
	{"kv.write", `f32[T, 2, 8], f32[T, 2, 8], i32[B], cache`, ``, `error: slots is i32[B], wants i32[T]`},
	{"kv.write", `f32[T, 2, 8], f32[T, 2, 8], i32[T], f32[T]`, ``, `error: operand cache is f32[T]`},

	{"kv.send", `i32[T], cache`, ``, ``},
	{"kv.send", `i32[B], cache`, ``, `error: slots is i32[B], wants i32[T]`},
	{"kv.send", `i32[T], i32[T]`, ``, `error: operand cache is i32[T]`},

	{"attn.paged", `f32[T, 4, 8], i32[T], i32[B+1], i32[B, P], cache`, `scale: 0.5`, `f32[T, 4, 8]`},
	{"attn.paged", `f32[T, 4, 8], i32[T], i32[B+1], i32[B, P], cache`, `scale: 0.5, value_dim: 6`, `f32[T, 4, 6]`},
	{"attn.paged", `f32[T, 4, 8], i32[T], i32[B+1], i32[B, P], cache`, `scale: 0.5, value_dim: 0`, `error: shape [T, 4, 0]: dimension 0 is out of range`},
	{"attn.paged", `f32[T, 32], i32[T], i32[B+1], i32[B, P], cache`, `scale: 0.5`, `error: q is f32[T, 32], wants [T, heads, head_dim]`},
	{"attn.paged", `f32[T, 4, 8], i32[B], i32[B+1], i32[B, P], cache`, `scale: 0.5`, `error: pos is i32[B], wants i32[T]`},
	{"attn.paged", `f32[T, 4, 8], i32[T], i32[B], i32[B, P], cache`, `scale: 0.5`, `error: seq_start is i32[B] and pages i32[B, P], want i32[B+1] and i32[B, P]`},
	{"attn.paged", `f32[T, 4, 8], i32[T], i32[B+1], i32[T, P], cache`, `scale: 0.5`, `error: seq_start is i32[B+1] and pages i32[T, P], want i32[B+1] and i32[B, P]`},

	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], weight bf16[8], weight bf16[8], i32[T], i32[T], cache`,
		`eps: 1e-05, dims: 4, theta: 10000.0`, `f32[T, 4, 8], cache`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `f32[T, 4, 8], cache`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0, interleaved: 1, scaling: "llama3", factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_max_position_embeddings: 64`, `f32[T, 4, 8], cache`},
	{"attn.qknorm_rope_kv", `f32[T, 32], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `error: q is f32[T, 32], wants [T, heads, head_dim]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 1, 8], none, none, i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `error: q is f32[T, 4, 8], k is f32[T, 2, 8] and v is f32[T, 1, 8]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 4], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `error: q is f32[T, 4, 4], k is f32[T, 2, 8] and v is f32[T, 2, 8]`},
	{"attn.qknorm_rope_kv", `f32[B, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `error: q is f32[B, 4, 8], k is f32[T, 2, 8] and v is f32[T, 2, 8]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, weight bf16[8], i32[T], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `error: attribute eps is missing`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], weight bf16[4], none, i32[T], i32[T], cache`,
		`eps: 1e-05, dims: 4, theta: 10000.0`, `error: q_norm is bf16[4], wants [8]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, weight bf16[4], i32[T], i32[T], cache`,
		`eps: 1e-05, dims: 4, theta: 10000.0`, `error: k_norm is bf16[4], wants [8]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[B], i32[T], cache`,
		`dims: 4, theta: 10000.0`, `error: pos is i32[B], wants i32[T]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[B], cache`,
		`dims: 4, theta: 10000.0`, `error: slots is i32[B], wants i32[T]`},
	{"attn.qknorm_rope_kv", `f32[T, 4, 8], f32[T, 2, 8], f32[T, 2, 8], none, none, i32[T], i32[T], cache`,
		`dims: 9, theta: 10000.0`, `error: dims is 9: wants an even number up to the head's 8 values`},

	{"moe.top_k", `f32[T, 16], weight f32[16]`, `k: 4, groups: 4, keep: 2`, `i32[T, 4], f32[T, 4]`},
	{"moe.top_k", `f32[T, 16], none`, `k: 16, groups: 1, keep: 1`, `i32[T, 16], f32[T, 16]`},
	{"moe.top_k", `f32[16], none`, `k: 4, groups: 1, keep: 1`, `error: scores is f32[16], wants a shape of 2 dimension(s)`},
	{"moe.top_k", `bf16[T, 16], none`, `k: 4, groups: 1, keep: 1`, `error: scores are bf16[T, 16]: routing wants f32`},
	{"moe.top_k", `f32[T, 16], weight f32[8]`, `k: 4, groups: 1, keep: 1`, `error: bias is f32[8], wants [16]`},
	{"moe.top_k", `f32[T, B], none`, `k: 4, groups: 1, keep: 1`, `error: scores are f32[T, B]: the number of experts is not constant`},
	{"moe.top_k", `f32[T, 16], none`, `k: 4, groups: 3, keep: 1`, `error: 16 experts do not divide into 3 groups`},
	{"moe.top_k", `f32[T, 16], none`, `k: 4, groups: 0, keep: 1`, `error: 16 experts do not divide into 0 groups`},
	{"moe.top_k", `f32[T, 16], none`, `k: 4, groups: 4, keep: 0`, `error: keep is 0 of 4 groups`},
	{"moe.top_k", `f32[T, 16], none`, `k: 4, groups: 4, keep: 5`, `error: keep is 5 of 4 groups`},
	{"moe.top_k", `f32[T, 16], none`, `k: 9, groups: 4, keep: 2`, `error: k is 9, but the kept groups hold 8 experts`},
	{"moe.top_k", `f32[T, 16], none`, `k: 0, groups: 4, keep: 2`, `error: k is 0, but the kept groups hold 8 experts`},

	{"moe.route", `f32[T, 16], weight f32[16]`, `score: "sigmoid", k: 4, groups: 4, keep: 2, normalise: 1, shift: 1e-20, scale: 2.5, first: 16, count: 1`, `i32[T, 5], f32[T, 5]`},
	{"moe.route", `f32[T, 16], weight f32[16]`, `score: "sigmoid", k: 4, groups: 4, keep: 2, normalise: 1, shift: 1e-20, scale: 2.5`, `i32[T, 4], f32[T, 4]`},
	{"moe.route", `f32[T, 16], none`, `score: "softmax", k: 16, groups: 1, keep: 1, normalise: 1`, `i32[T, 16], f32[T, 16]`},
	{"moe.route", `f32[T, 16], none`, `score: "softmax", k: 4, groups: 1, keep: 1`, `i32[T, 4], f32[T, 4]`},
	{"moe.route", `f32[16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1`, `error: logits is f32[16], wants a shape of 2 dimension(s)`},
	{"moe.route", `bf16[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1`, `error: logits are bf16[T, 16]: routing wants f32`},
	{"moe.route", `f32[T, T], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1`, `error: logits are f32[T, T]: the number of experts is not constant`},
	{"moe.route", `f32[T, 16], weight f32[8]`, `score: "sigmoid", k: 4, groups: 1, keep: 1`, `error: bias is f32[8], wants [16]`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 9, groups: 4, keep: 2`, `error: k is 9, but the kept groups hold 8 experts`},
	{"moe.route", `f32[T, 16], none`, `score: "relu", k: 4, groups: 1, keep: 1`, `error: score is "relu": wants sigmoid or softmax`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1, normalise: 0`, `error: normalise is 0: wants 1, or to be left out`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1, shift: 1e-20`, `error: there is a shift without normalise`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1, first: 16`, `error: first and count go together`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1, count: 1`, `error: first and count go together`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1, first: 16, count: 0`, `error: appends 0 experts from 16 on`},
	{"moe.route", `f32[T, 16], none`, `score: "sigmoid", k: 4, groups: 1, keep: 1, first: -1, count: 1`, `error: appends 1 experts from -1 on`},

	{"moe.append_shared", `i32[T, 4], f32[T, 4]`, `first: 16, count: 1`, `i32[T, 5], f32[T, 5]`},
	{"moe.append_shared", `i32[T, 4], f32[T, 3]`, `first: 16, count: 1`, `error: ids are i32[T, 4] and weights f32[T, 3], want i32[T, k] and f32[T, k]`},
	{"moe.append_shared", `i32[T, 4], bf16[T, 4]`, `first: 16, count: 1`, `error: ids are i32[T, 4] and weights bf16[T, 4], want i32[T, k] and f32[T, k]`},
	{"moe.append_shared", `i32[T, 4], f32[T, 4]`, `first: 16, count: 0`, `error: appends 0 experts from 16 on`},
	{"moe.append_shared", `i32[T, 4], f32[T, 4]`, `first: -1, count: 1`, `error: appends 1 experts from -1 on`},
	{"moe.append_shared", `i32[T, 4], f32[T, 4]`, `first: 16, count: 1025`, `error: appends 1025 experts from 16 on`},

	{"moe.experts", `f32[T, 8], i32[T, 2], f32[T, 2], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `f32[T, 8]`},
	{"moe.experts", `f32[8], i32[T, 2], f32[T, 2], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `error: x is f32[8], wants a shape of 2 dimension(s)`},
	{"moe.experts", `f32[T, 8], i32[T, 2], f32[T, 3], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `error: ids are i32[T, 2] and weights f32[T, 3], want i32[T, k] and f32[T, k]`},
	{"moe.experts", `f32[T, 8], i32[B, 2], f32[B, 2], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `error: x is f32[T, 8] and ids are i32[B, 2]`},
	{"moe.experts", `f32[T, 8], i32[T, 2], f32[T, 2], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "gelu"`, `error: activation is "gelu": experts know silu`},
	{"moe.experts", `f32[T, 8], i32[T, 2], f32[T, 2], weight bf16[16, 6, 8], weight f32[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `error: gate is bf16[16, 6, 8] and up is f32[16, 6, 8] for rows of 8 values`},
	{"moe.experts", `f32[T, 8], i32[T, 2], f32[T, 2], weight bf16[6, 8], weight bf16[6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `error: gate is bf16[6, 8] and up is bf16[6, 8] for rows of 8 values`},
	{"moe.experts", `f32[T, 4], i32[T, 2], f32[T, 2], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 8, 6]`,
		`activation: "silu"`, `error: gate is bf16[16, 6, 8] and up is bf16[16, 6, 8] for rows of 4 values`},
	{"moe.experts", `f32[T, 8], i32[T, 2], f32[T, 2], weight bf16[16, 6, 8], weight bf16[16, 6, 8], weight bf16[16, 6, 8]`,
		`activation: "silu"`, `error: down is bf16[16, 6, 8], wants [16, 8, 6]`},

	{"comm.all_reduce", `f32[T, 8]`, ``, `f32[T, 8]`},
	{"comm.all_reduce", `i32[T]`, ``, `error: operand x is i32[T]`},
	{"comm.all_reduce_add_rms", `bf16[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `bf16[T, 8], bf16[T, 8]`},
	{"comm.all_reduce_add_rms", `f32[T, 2, 8], f32[T, 2, 8], weight f32[8]`, `eps: 1e-05`, `f32[T, 2, 8], f32[T, 2, 8]`},
	{"comm.all_reduce_add_rms", `f32[T, 8], f32[8], weight bf16[8]`, `eps: 1e-05`, `error: x is f32[T, 8] and residual is f32[8]: wants the same`},
	{"comm.all_reduce_add_rms", `f32[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `error: x is f32[T, 8] and residual is bf16[T, 8]: wants the same`},
	{"comm.all_reduce_add_rms", `f32[], f32[], weight bf16[1]`, `eps: 1e-05`, `error: x is a scalar`},
	{"comm.all_reduce_add_rms", `f32[T, 8], f32[T, 8], weight bf16[4]`, `eps: 1e-05`, `error: w is bf16[4], wants [8]`},

	{"comm.all_gather", `f32[T, 8]`, `ranks: 4`, `f32[T, 32]`},
	{"comm.all_gather", `f32[]`, `ranks: 4`, `error: x is f32[], wants a constant last dimension`},
	{"comm.all_gather", `f32[8, T]`, `ranks: 4`, `error: x is f32[8, T], wants a constant last dimension`},
	{"comm.all_gather", `f32[T, 8]`, `ranks: 0`, `error: ranks is 0: wants 1 to 64`},
	{"comm.all_gather", `f32[T, 8]`, `ranks: 65`, `error: ranks is 65: wants 1 to 64`},

	{"quant.rows", `bf16[T, 8]`, ``, `fp8_e4m3[T, 8], f32[T, 1]`},
	{"quant.rows", `f32[T, 2, 8]`, ``, `fp8_e4m3[T, 2, 8], f32[T, 2, 1]`},
	{"quant.rows", `f32[]`, ``, `error: x is a scalar`},
	{"quant.rows", `fp8_e4m3[T, 8]`, ``, `error: operand x is fp8_e4m3[T, 8]: it would need scales`},

	{"linear.w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `bf16[T, 4]`},
	{"linear.w8a8", `fp8_e4m3[T, 2, 8], f32[T, 2, 1], weight fp8_e4m3[4, 8], weight bf16[4]`, `dtype: "f32"`, `f32[T, 2, 4]`},
	{"linear.w8a8", `bf16[T, 8], f32[T, 1], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `error: operand x is bf16[T, 8], wants fp8_e4m3 values`},
	{"linear.w8a8", `weight fp8_e4m3[2, 8], f32[2, 1], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `error: operand x is fp8_e4m3[2, 8], wants fp8_e4m3 values`},
	{"linear.w8a8", `fp8_e4m3[T, 8], f32[T, 8], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `error: scale is f32[T, 8], wants f32[T, 1]`},
	{"linear.w8a8", `fp8_e4m3[T, 8], bf16[T, 1], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `error: scale is bf16[T, 1], wants f32[T, 1]`},
	{"linear.w8a8", `fp8_e4m3[], f32[1], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `error: x is a scalar`},
	{"linear.w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight bf16[4, 8], none`, `dtype: "bf16"`, `error: w is bf16[4, 8], wants fp8_e4m3`},
	{"linear.w8a8", `fp8_e4m3[T, 6], f32[T, 1], weight fp8_e4m3[4, 8], none`, `dtype: "bf16"`, `error: x is fp8_e4m3[T, 6] but w takes rows of 8 values`},
	{"linear.w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight fp8_e4m3[4, 8], none`, `dtype: "fp8_e4m3"`, `error: dtype is fp8_e4m3: activations are f32, bf16 or f16`},

	{"linear.split_w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight fp8_e4m3[4, 8], weight bf16[4]`, `sizes: [3, 1], dtype: "bf16"`, `bf16[T, 3], bf16[T, 1]`},
	{"linear.split_w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight fp8_e4m3[4, 8], none`, `sizes: [3, 2], dtype: "bf16"`, `error: sizes [3, 2] add up to 5 but w has 4 rows`},
	{"linear.split_w8a8", `fp8_e4m3[T, 8], f32[T, 2], weight fp8_e4m3[4, 8], none`, `sizes: [3, 1], dtype: "bf16"`, `error: scale is f32[T, 2], wants f32[T, 1]`},
	{"linear.split_w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight bf16[4, 8], none`, `sizes: [3, 1], dtype: "bf16"`, `error: w is bf16[4, 8], wants fp8_e4m3`},
	{"linear.split_w8a8", `fp8_e4m3[T, 8], f32[T, 1], weight fp8_e4m3[4, 8], none`, `sizes: [3, 1], dtype: "fp8_e4m3"`, `error: dtype is fp8_e4m3: activations are f32, bf16 or f16`},
	{"moe.experts_w8a8", `fp8_e4m3[T, 8], f32[T, 1], i32[T, 2], f32[T, 2], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 8, 6]`,
		`activation: "silu", dtype: "bf16"`, `bf16[T, 8]`},
	{"moe.experts_w8a8", `fp8_e4m3[T, 8], f32[T], i32[T, 2], f32[T, 2], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 8, 6]`,
		`activation: "silu", dtype: "bf16"`, `error: scale is f32[T], wants f32[T, 1]`},
	{"moe.experts_w8a8", `fp8_e4m3[T, 8], f32[T, 1], i32[T, 2], f32[T, 2], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 6, 8], weight bf16[4, 8, 6]`,
		`activation: "silu", dtype: "bf16"`, `error: down is bf16[4, 8, 6], wants fp8_e4m3`},
	{"moe.experts_w8a8", `fp8_e4m3[T, 8], f32[T, 1], i32[T, 2], f32[T, 2], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 6, 8], weight fp8_e4m3[4, 8, 4]`,
		`activation: "silu", dtype: "bf16"`, `error: down is fp8_e4m3[4, 8, 4], wants [4, 8, 6]`},

	{"norm.rms_quant", `bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `fp8_e4m3[T, 8], f32[T, 1]`},
	{"norm.rms_quant", `bf16[T, 8], weight bf16[8]`, `eps: 1e-05, plain: 1`, `bf16[T, 8], fp8_e4m3[T, 8], f32[T, 1]`},
	{"norm.rms_quant", `bf16[T, 8], weight bf16[8]`, `eps: 1e-05, plain: 0`, `error: plain is 0: wants 1, or to be left out`},
	{"norm.rms_quant", `bf16[T, 8], weight bf16[4]`, `eps: 1e-05`, `error: w is bf16[4], wants [8]`},
	{"norm.add_rms_quant", `bf16[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `bf16[T, 8], fp8_e4m3[T, 8], f32[T, 1]`},
	{"norm.add_rms_quant", `bf16[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05, plain: 1`, `bf16[T, 8], bf16[T, 8], fp8_e4m3[T, 8], f32[T, 1]`},
	{"comm.all_reduce_add_rms_quant", `f32[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `error: x is f32[T, 8] and residual is bf16[T, 8]: wants the same`},
	{"comm.all_reduce_add_rms_quant", `bf16[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05`, `bf16[T, 8], fp8_e4m3[T, 8], f32[T, 1]`},
	{"comm.all_reduce_add_rms_quant", `bf16[T, 8], bf16[T, 8], weight bf16[8]`, `eps: 1e-05, plain: 1`,
		`bf16[T, 8], bf16[T, 8], fp8_e4m3[T, 8], f32[T, 1]`},
	{"norm.add_rms_quant", `bf16[T, 8], bf16[8], weight bf16[8]`, `eps: 1e-05`, `error: a is bf16[T, 8] and b is bf16[8]: wants the same`},
	{"act.swiglu_quant", `bf16[T, 8], bf16[T, 8]`, ``, `fp8_e4m3[T, 8], f32[T, 1]`},
	{"act.swiglu_quant", `f32[T, 8], f32[T, 8]`, `plain: 1`, `f32[T, 8], fp8_e4m3[T, 8], f32[T, 1]`},
	{"act.swiglu_quant", `f32[], f32[]`, ``, `error: the result is a scalar`},
}

func TestShapeRules(t *testing.T) {
	valid, invalid := map[string]bool{}, map[string]bool{}
	for _, c := range opCases {
		t.Run(fmt.Sprintf("%s(%s){%s}", c.op, c.in, c.attrs), func(t *testing.T) {
			if diff := cmp.Diff(c.want, applyCase(t, c)); diff != "" {
				t.Error(diff)
			}
		})
		if strings.HasPrefix(c.want, "error: ") {
			invalid[c.op] = true
		} else {
			valid[c.op] = true
		}
	}
	for _, op := range Table {
		if !valid[op.Name] || !invalid[op.Name] {
			t.Errorf("operator %s has no case that its shape rule takes, or none that it refuses: add them to opCases", op.Name)
		}
	}
}

func applyCase(t *testing.T, c opCase) string {
	t.Helper()
	g := NewGraph("case")
	n, err := g.NewNode(c.op, parseOperands(t, g, c.in), parseAttrs(t, c.attrs), Origin{})
	if err != nil {
		return "error: " + strings.TrimPrefix(err.Error(), c.op+": ")
	}
	types := make([]string, len(n.Out))
	for i, v := range n.Out {
		types[i] = v.Type.String()
		if v.Def != n {
			t.Errorf("result %d does not name its node", i)
		}
	}
	return strings.Join(types, ", ")
}

// parseOperands makes an input, a weight or a cache of each type.
func parseOperands(t *testing.T, g *Graph, text string) []*Value {
	t.Helper()
	p := newParser(text)
	var out []*Value
	for p.tok != scanner.EOF {
		name := fmt.Sprintf("x%d", len(out))
		switch {
		case p.accept("none"):
			out = append(out, nil)
		case p.accept("weight"):
			typ := p.tensorType()
			out = append(out, g.Load(&Weight{Name: name, DType: typ.DType, Shape: typ.Shape.Eval(Sizes{})}))
		default:
			out = append(out, g.Input(name, p.valueType()))
		}
		if p.tok != scanner.EOF {
			p.expect(",")
		}
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return out
}

func parseAttrs(t *testing.T, text string) Attrs {
	t.Helper()
	p, n := newParser(text+"}"), &Node{}
	p.attrs(n)
	if p.err != nil {
		t.Fatal(p.err)
	}
	return n.Attrs
}

// TestNodeRules: what holds for the operands and attributes of every operator.
func TestNodeRules(t *testing.T) {
	for _, c := range []opCase{
		{"no.such", ``, ``, `error: unknown operator "no.such"`},
		{"add", `f32[T]`, ``, `error: has 1 operands, wants 2`},
		{"act.silu", `f32[T], f32[T]`, ``, `error: has 2 operands, wants 1`},
		{"add", `f32[T], none`, ``, `error: operand b is missing`},
		{"act.silu", `cache`, ``, `error: operand x is cache`},
		{"act.silu", `i32[T]`, ``, `error: operand x is i32[T]`},
		{"embed", `f32[T], weight f32[2, 2]`, `dtype: "f32"`, `error: operand tokens is f32[T]`},
		{"norm.rms", `f32[T, 8], f32[8]`, `eps: 0.1`, `error: operand w must be a weight`},
		{"linear", `f32[T, 8], f32[8, 8], none`, ``, `error: operand w must be a weight`},
		{"scale", `f32[T]`, ``, `error: attribute by is missing`},
		{"scale", `f32[T]`, `by: 1`, `error: attribute by is int64, wants a float`},
		{"scale", `f32[T]`, `by: "one"`, `error: attribute by is string, wants a float`},
		{"scale", `f32[T]`, `by: [2]`, `error: attribute by is ir.Shape, wants a float`},
		{"scale", `f32[T]`, `by: 1.0, by: 2.0`, `error: has 2 attributes, wants at most 1`},
		{"rope.apply", `f32[T, 1, 2], i32[T]`, `dims: 2, dims: 2`, `error: has attribute dims twice`},
		{"rope.apply", `f32[T, 1, 2], i32[T]`, `dims: 2.0, theta: 1.0`, `error: attribute dims is float64, wants an integer`},
		{"cast", `f32[T]`, `dtype: 1`, `error: attribute dtype is int64, wants a string`},
		{"reshape", `f32[T]`, `shape: 1`, `error: attribute shape is int64, wants a shape`},
		{"scale", `f32[T]`, `times: 1.0`, `error: has no attribute "times"`},
		{"act.silu", `f32[1, 1, 1, 1, 1, 1, 1, 1, 1]`, ``, `error: a shape of 9 dimensions: at most 8 are possible`},
		{"act.silu", `f32[T-1]`, ``, `error: shape [T-1]: dimension T-1 is out of range`},
		{"act.silu", `f32[4294967296]`, ``, `error: shape [4294967296]: dimension 4294967296 is out of range`},
	} {
		t.Run(c.want, func(t *testing.T) {
			if diff := cmp.Diff(c.want, applyCase(t, c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAttributesAreFinite(t *testing.T) {
	zero := 0.0
	for _, by := range []float64{1 / zero, -1 / zero, zero / zero} {
		g := NewGraph("case")
		_, err := g.NewNode("scale", parseOperands(t, g, "f32[T]"), Attrs{{"by", by}}, Origin{})
		if want := fmt.Sprintf("scale: attribute by is %g, wants a finite number", by); err == nil || err.Error() != want {
			t.Errorf("by = %g: got error %v, want %s", by, err, want)
		}
	}
}

// TestTable: rows say what their neighbours and the documentation rely on.
func TestTable(t *testing.T) {
	surfaces := map[string]string{}
	for _, op := range Table {
		if op.Doc == "" || op.Infer == nil || len(op.Operands) == 0 {
			t.Errorf("operator %s lacks a description, a shape rule or operands", op.Name)
		}
		if Lookup(op.Name) != op {
			t.Errorf("Lookup(%q) is another row", op.Name)
		}
		if !isIdent(op.Name) {
			t.Errorf("%q is no name that the text form can hold", op.Name)
		}
		if s := op.Surface; s != nil {
			if other := surfaces[s.Func.Name]; other != "" {
				t.Errorf("operators %s and %s are both called %s", other, op.Name, s.Func.Name)
			}
			surfaces[s.Func.Name] = op.Name
			if SurfaceOf(s.Func.Name) != op || Surfaces()[s.Func.Name] != &s.Func {
				t.Errorf("function %s does not lead to operator %s", s.Func.Name, op.Name)
			}
		}
	}
	for _, name := range []string{"int", "float", "log", "min", "max"} {
		if Surfaces()[name] == nil || SurfaceOf(name) != nil {
			t.Errorf("%s is to be a compile-time function and no operator's", name)
		}
	}
	if Lookup("no.such") != nil {
		t.Error("Lookup found what is not there")
	}
}

func TestTableRefusesDuplicates(t *testing.T) {
	defer func() {
		if r := recover(); r != "ir: two rows for operator add" {
			t.Errorf("recovered %v", r)
		}
	}()
	indexOps(append(slices.Clone(Table), &Op{Name: "add"}))
}

func TestOperandNames(t *testing.T) {
	op := Lookup("linear")
	if i := op.Operand("bias"); i != 2 {
		t.Errorf("bias is operand %d", i)
	}
	defer func() {
		if r := recover(); r != `ir: operator linear has no operand "nose"` {
			t.Errorf("recovered %v", r)
		}
	}()
	op.Operand("nose")
}
