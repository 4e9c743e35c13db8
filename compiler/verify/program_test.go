package verify

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// randomModel draws well-typed models: layers of attention, dense and routed MLPs and plain arithmetic around
// residuals, most of them what passes look for, and some that only look so: a norm that is read twice, a gate that is
// spread, a scale behind the shared slot.
type randomModel struct {
	t      *rapid.T
	b      strings.Builder
	h      int // width of the residual
	vocab  int
	blocks int
}

func (g *randomModel) pick(label string, from ...int) int {
	return rapid.SampledFrom(from).Draw(g.t, label)
}

// one is true once in n. Shrinking makes it false.
func (g *randomModel) one(n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(g.t, label) == n-1
}

func (g *randomModel) text(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(g.t, label)
}

func (g *randomModel) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

// source draws a model.
func (g *randomModel) source() string {
	g.h, g.vocab = g.pick("hidden", 6, 8, 12, 16), g.pick("vocabulary", 7, 8, 12, 16)
	layers := rapid.IntRange(1, 3).Draw(g.t, "layers")
	g.line("model random {")
	var calls []string
	for i := range layers {
		calls = append(calls, g.layer(i))
	}
	draft := g.one(3, "draft")
	if draft {
		calls = append(calls, g.layer(layers))
	}
	g.line("  entry forward(tokens: i32[T], pos: i32[T]) -> f32[T, %d], [T, %d] {", g.vocab, g.h)
	g.line("    x = embed(tokens, model.embed, %d, %d)", g.vocab, g.h)
	for _, call := range calls[:layers] {
		g.line("    x = %s", call)
	}
	g.head("lm_head")
	if draft {
		g.line("  entry draft(tokens: i32[T], pos: i32[T], hidden: [T, %d]) -> f32[T, %d], [T, %d] {", g.h, g.vocab, g.h)
		g.line("    e = rms_norm(embed(tokens, model.embed, %d, %d), enorm, eps = 1e-5)", g.vocab, g.h)
		g.line("    x = linear(concat(e, rms_norm(hidden, hnorm, eps = 1e-5)), eh_proj, %d)", g.h)
		g.line("    x = %s", calls[layers])
		g.head(g.text("draft head", "lm_head", "draft_head"))
	}
	g.line("}")
	if g.one(2, "a pipeline that transfers") {
		g.line("pipeline gpu for random {\n  target h200 { tensor_parallel = 1 }\n  transfer { async, per = layer }\n}")
	}
	return g.b.String()
}

// head returns the logits of x, and a state.
func (g *randomModel) head(weight string) {
	state := "n"
	if g.one(4, "head's state is the sum") {
		state = "x"
	}
	if g.one(8, "head without norm") {
		g.line("    n = x")
	} else {
		g.line("    n = rms_norm(x, model.norm, eps = 1e-5)")
	}
	logits := fmt.Sprintf("f32(linear(n, %s, %d))", weight, g.vocab)
	if g.one(8, "scaled logits") {
		logits = "f32(" + logits[4:len(logits)-1] + " * 0.5)"
	}
	g.line("    return %s, %s\n  }", logits, state)
}

// layer declares the blocks of a layer and returns a call of it.
func (g *randomModel) layer(i int) string {
	attention, mlp := g.attention(), g.mlp()
	name := g.name("layer")
	g.line("  block %s(x: [T, %d], pos: i32[T]) -> [T, %d] {", name, g.h, g.h)
	g.line("    n = rms_norm(x, input_layernorm, eps = 1e-5)")
	g.line("    h = x + %s", attention)
	switch g.pick("residual", 0, 0, 0, 1, 2, 3) {
	case 0:
		g.line("    m = rms_norm(h, post_layernorm, eps = 1e-5)")
		g.line("    return h + %s", mlp)
	case 1: // the sum is read by two norms, which may be the same
		g.line("    m = rms_norm(h, post_layernorm, eps = 1e-5)")
		g.line("    o = rms_norm(h, %s, eps = 1e-5)", g.text("other norm", "other_layernorm", "post_layernorm"))
		g.line("    return o + %s", mlp)
	case 2: // attention and MLP side by side
		g.line("    m = n")
		g.line("    return h + %s", mlp)
	case 3: // a sum of three, with a norm of its own
		g.line("    m = rms_norm(h, post_layernorm, eps = 1e-5)")
		g.line("    return x + (h + %s) * 1.0", mlp)
	}
	g.line("  }")
	return fmt.Sprintf("%s(x, pos) at \"model.layers.%d\"", name, i)
}

func (g *randomModel) name(kind string) string {
	g.blocks++
	return fmt.Sprintf("%s%d", kind, g.blocks)
}

// attention declares a block that reads n, and returns a call of it.
func (g *randomModel) attention() string {
	kv := g.pick("key heads", 1, 2, 3, 4)
	heads := kv * rapid.IntRange(1, 3).Draw(g.t, "heads of a group")
	d := g.pick("head size", 4, 8)
	bias := g.text("bias", "false", "false", "true")
	name := g.name("attention")
	g.line("  block %s(x: [T, %d], pos: i32[T]) -> [T, %d] {", name, g.h, g.h)
	for _, p := range []struct {
		name  string
		heads int
	}{{"q", heads}, {"k", kv}, {"v", kv}} {
		g.line("    %s = linear(x, %s_proj, %d, bias = %s) as [T, %d, %d]", p.name, p.name, p.heads*d, bias, p.heads, d)
	}
	if norm := g.pick("norms", 0, 1, 1, 2, 3); norm > 0 {
		if norm != 2 {
			g.line("    q = rms_norm(q, q_norm, eps = 1e-5)")
		}
		if norm != 3 {
			g.line("    k = rms_norm(k, k_norm, eps = %s)", g.text("eps", "1e-5", "1e-5", "1e-3"))
		}
	}
	theta := g.text("theta of k", "10000.0", "10000.0", "10000.0", "500.0")
	dims := g.pick("rotary dims", d, d/2)
	kdims := dims
	if g.one(6, "other dims of k") {
		kdims = d
	}
	interleaved := g.text("interleaved", "false", "false", "true")
	g.line("    q = rope(q, pos, dims = %d, theta = 10000.0, interleaved = %s)", dims, interleaved)
	g.line("    k = rope(k, pos, dims = %d, theta = %s, interleaved = %s)", kdims, theta, interleaved)
	values := "v"
	if g.one(8, "keys as values") {
		values = "k"
	}
	g.line("    a = attend(q, k, %s, pos, scale = 0.5)", values)
	g.line("    return linear(a as [T, %d], o_proj, %d)", heads*d, g.h)
	g.line("  }")
	return name + "(n, pos) at \"self_attn\""
}

// gated declares a gated MLP, and returns its name.
func (g *randomModel) gated(strict bool) string {
	name := g.name("mlp")
	g.line("  block %s(x: [T, %d], width: int) -> [T, %d] {", name, g.h, g.h)
	kind := 0
	if !strict {
		kind = g.pick("gate", 0, 0, 0, 1, 2, 3, 4)
	}
	switch kind {
	case 0:
		g.line("    return linear(silu(linear(x, gate_proj, width)) * linear(x, up_proj, width), down_proj, %d)", g.h)
	case 1:
		g.line("    return linear(linear(x, up_proj, width) * silu(linear(x, gate_proj, width)), down_proj, %d)", g.h)
	case 2: // the gate is read twice
		g.line("    s = silu(linear(x, gate_proj, width))")
		g.line("    return linear(s * linear(x, up_proj, width) + s, down_proj, %d)", g.h)
	case 3: // one value scales a row
		g.line("    return linear(silu(linear(x, gate_proj, width)) * linear(x, up_proj, 1), down_proj, %d)", g.h)
	case 4: // with biases
		g.line("    return linear(silu(linear(x, gate_proj, width, bias = true)) * linear(x, up_proj, width, bias = true), down_proj, %d, bias = true)", g.h)
	}
	g.line("  }")
	return name
}

// mlp declares a block that reads m, and returns a call of it.
func (g *randomModel) mlp() string {
	width := g.pick("width", 4, 6, 8)
	if g.one(3, "dense") {
		return fmt.Sprintf("%s(m, %d) at \"mlp\"", g.gated(false), 2*width)
	}
	expert, shared := g.gated(true), g.gated(false)
	groups := g.pick("groups", 1, 1, 2, 3)
	keep := rapid.IntRange(1, groups).Draw(g.t, "kept groups")
	size := rapid.IntRange(2, 4).Draw(g.t, "experts of a group")
	k := rapid.IntRange(1, keep*size).Draw(g.t, "experts of a token")
	name := g.name("moe")
	g.line("  block %s(x: [T, %d]) -> [T, %d] {", name, g.h, g.h)
	g.line("    scores = %s(linear(f32(x), gate, %d))", g.text("score", "sigmoid", "sigmoid", "softmax"), groups*size)
	bias := g.text("correction bias", "gate.e_score_correction_bias, ", "")
	g.line("    expert, weight = top_k(scores, %sk = %d, groups = %d, keep = %d)", bias, k, groups, keep)
	normalise := func() {
		if g.one(2, "normalise") {
			g.line("    weight = weight / (sum(weight)%s)", g.text("shift", "", " + 1e-20", " + 0.01"))
		}
	}
	scale := func() {
		if by := g.text("scale", "", "1.0", "2.5", "2.5"); by != "" {
			g.line("    weight = weight * %s", by)
		}
	}
	if g.one(5, "scaled before it is normalised") {
		scale()
		normalise()
	} else {
		normalise()
		scale()
	}
	if g.one(8, "scores are read twice") {
		g.line("    weight = weight + 0.1 * sum(scores)")
	}
	g.line("    routed = experts(x, expert, weight, %d, %s(x, %d) at \"experts.{e}\")", groups*size, expert, width)
	switch g.pick("shared", 0, 0, 1, 1, 2, 3, 4) {
	case 0:
		g.line("    return routed + %s(x, %d) at \"shared_experts\"", shared, width)
	case 1:
		g.line("    return %s(x, %d) at \"shared_experts\" + routed", shared, 2*width)
	case 2:
		g.line("    return routed")
	case 3: // of another width
		g.line("    return routed + %s(x, %d) at \"shared_experts\"", shared, width+2)
	case 4: // scaled by a gate of its own
		g.line("    s = %s(x, %d) at \"shared_experts\"", shared, width)
		g.line("    return routed + s * sigmoid(linear(x, shared_gate, 1))")
	}
	g.line("  }")
	return name + "(m) at \"mlp\""
}
