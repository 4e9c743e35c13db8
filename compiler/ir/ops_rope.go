package ir

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/builtin"
)

// ropeAttrs are the attributes of a rotation. All but the first two are optional and absent where they would say
// what holds without them.
var ropeAttrs = []AttrSpec{
	{Key: "dims", Kind: IntAttr},
	{Key: "theta", Kind: FloatAttr},
	{Key: "interleaved", Kind: IntAttr, Optional: true}, // 1: pairs (2i, 2i+1) in place
	{Key: "scaling", Kind: StringAttr, Optional: true},  // one of ropeScalings but "default"
	{Key: "factor", Kind: FloatAttr, Optional: true},
	{Key: "low_freq_factor", Kind: FloatAttr, Optional: true},
	{Key: "high_freq_factor", Kind: FloatAttr, Optional: true},
	{Key: "original_max_position_embeddings", Kind: IntAttr, Optional: true},
	{Key: "beta_fast", Kind: FloatAttr, Optional: true},
	{Key: "beta_slow", Kind: FloatAttr, Optional: true},
	{Key: "truncate", Kind: IntAttr, Optional: true}, // 0: bounds of the blended pairs stay fractions
	{Key: "attention_factor", Kind: FloatAttr, Optional: true},
}

// ropeScalings are the scalings of rotary embeddings, by Hugging Face's names (rope_type); the same list as
// kernels.RopeScalings.
var ropeScalings = []string{"default", "linear", "llama3", "yarn"}

// ropeSurface is rope() of the language. Where scaling is "default" the numbers of a scaling mean nothing, so that a
// model can pass on whatever its configuration has. A number that is 0 counts as absent.
var ropeSurface = surface("rope", "rotary position embedding of the first dims values of each head",
	"x [t, h, d], pos i32[t] -> x[t, h, d]", lowerRope,
	param("x", builtin.Tensor), param("pos", builtin.Tensor), param("dims", builtin.Int), param("theta", builtin.Float),
	optional("interleaved", builtin.Bool), optional("scaling", builtin.String), optional("factor", builtin.Float),
	optional("low_freq_factor", builtin.Float), optional("high_freq_factor", builtin.Float),
	optional("original_max_position_embeddings", builtin.Int),
	optional("beta_fast", builtin.Float), optional("beta_slow", builtin.Float), optional("truncate", builtin.Bool),
	optional("mscale", builtin.Float), optional("mscale_all_dim", builtin.Float), optional("attention_factor", builtin.Float))

func lowerRope(l Lowering, a *Args) ([]*Value, error) {
	attrs := Attrs{{"dims", int64(a.Int("dims", 0))}, {"theta", a.Float("theta")}}
	if a.Bool("interleaved") {
		attrs = append(attrs, Attr{"interleaved", int64(1)})
	}
	if scaling, _ := a.Values["scaling"].(string); scaling != "" && scaling != "default" {
		if !slices.Contains(ropeScalings, scaling) {
			return nil, unknownScaling(scaling)
		}
		attrs = append(attrs, scalingAttrs(scaling, a)...)
	}
	return l.Emit("rope.apply", []*Value{a.Tensor("x"), a.Tensor("pos")}, attrs...)
}

func unknownScaling(name string) error {
	return fmt.Errorf("scaling %q is not one of %s", name, strings.Join(ropeScalings, ", "))
}

// scalingAttrs are the attributes that a scaling reads.
func scalingAttrs(scaling string, a *Args) Attrs {
	attrs := Attrs{{"scaling", scaling}, {"factor", a.Float("factor")}}
	original := Attr{"original_max_position_embeddings", int64(a.Int("original_max_position_embeddings", 0))}
	switch scaling {
	case "llama3":
		return append(attrs, Attr{"low_freq_factor", a.Float("low_freq_factor")},
			Attr{"high_freq_factor", a.Float("high_freq_factor")}, original)
	case "yarn":
		attrs = append(attrs, original, Attr{"beta_fast", orElse(a.Float("beta_fast"), 32)}, Attr{"beta_slow", orElse(a.Float("beta_slow"), 1)})
		if a.Values["truncate"] == false {
			attrs = append(attrs, Attr{"truncate", int64(0)})
		}
		if f := yarnAttentionFactor(a); f != 1 {
			attrs = append(attrs, Attr{"attention_factor", f})
		}
	}
	return attrs
}

func orElse(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

// yarnAttentionFactor is what cosines and sines are multiplied by: 0.1 ln(factor) + 1 (Peng et al.,
// arXiv:2309.00071), unless the configuration gives it or DeepSeek's two mscales.
func yarnAttentionFactor(a *Args) float64 {
	if f := a.Float("attention_factor"); f != 0 {
		return f
	}
	mscale := func(m float64) float64 {
		if factor := a.Float("factor"); factor > 1 {
			return 0.1*m*math.Log(factor) + 1
		}
		return 1
	}
	if m, all := a.Float("mscale"), a.Float("mscale_all_dim"); m != 0 && all != 0 {
		return mscale(m) / mscale(all)
	}
	return mscale(1)
}

// checkRotary checks the attributes of a rotation of heads of type t.
func checkRotary(t Type, a Attrs) error {
	dims, theta := a.Int("dims"), a.Float("theta")
	if !(theta > 0) {
		return fmt.Errorf("theta is %g: wants a positive number", theta)
	}
	if dims < 0 || dims%2 != 0 || dims > t.Shape[2].Add {
		return fmt.Errorf("dims is %d: wants an even number up to the head's %s values", dims, t.Shape[2])
	}
	scaling := a.Str("scaling")
	if a.Get("scaling") == nil {
		return nil
	}
	low, high, slow, fast := a.Float("low_freq_factor"), a.Float("high_freq_factor"), a.Float("beta_slow"), a.Float("beta_fast")
	switch {
	case !slices.Contains(ropeScalings, scaling):
		return unknownScaling(scaling)
	case scaling == "default":
		return nil
	case !(a.Float("factor") > 0):
		return fmt.Errorf("factor is %g: scaling %s wants a positive number", a.Float("factor"), scaling)
	case scaling != "linear" && a.Int("original_max_position_embeddings") < 1:
		return fmt.Errorf("original_max_position_embeddings is %d: scaling %s wants at least 1", a.Int("original_max_position_embeddings"), scaling)
	case scaling == "llama3" && !(0 < low && low < high):
		return fmt.Errorf("low_freq_factor is %g and high_freq_factor %g: scaling llama3 wants rising positive numbers", low, high)
	case scaling == "yarn" && !(0 < slow && slow <= fast):
		return fmt.Errorf("beta_slow is %g and beta_fast %g: scaling yarn wants rising positive numbers", slow, fast)
	case scaling == "yarn" && theta <= 1:
		return fmt.Errorf("theta is %g: scaling yarn wants more than 1", theta)
	}
	return nil
}
