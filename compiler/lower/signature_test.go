package lower

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/builtin"
	"github.com/glmc/glmc/dsl/check"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/syntax"
	"github.com/glmc/glmc/kernels/dtype"
)

// TestSignatures holds the signature of every function, which the checker computes with, against the operator's own
// rule, which the lowering asks: a call with random shapes that fits the signature lowers to results of the shapes
// that the signature says, and one that does not fit does not lower.
func TestSignatures(t *testing.T) {
	for name, fn := range ir.Surfaces() {
		if fn.Shapes == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := &randomCall{t: t, fn: fn, letters: map[string]string{"t": "T"}}
				src := c.source()
				f, list := syntax.Parse("call.glm", []byte(src))
				if err := list.Err(); err != nil {
					t.Fatalf("%v\n%s", err, src)
				}
				info, checked := check.Inspect(f, ir.Surfaces())
				values, _ := config.Bind(f.Models[0], nil, nil)
				r, lowered := Model(Input{Model: f.Models[0], Values: values, Stored: dtype.BF16, Activation: dtype.BF16})
				switch {
				case checked.HasErrors() && !lowered.HasErrors():
					t.Fatalf("the checker refuses what lowers: %v\n%s", checked.Err(), src)
				case !c.wrong && lowered.HasErrors():
					t.Fatalf("what fits the signature does not lower: %v\n%s", lowered.Err(), src)
				case lowered.HasErrors() && !checked.HasErrors():
					t.Logf("only the operator knows: %v\n%s", lowered.Err(), src) // the order of numbers, not their equality
				case !lowered.HasErrors():
					compareResults(t, src, info, r)
				}
			})
		})
	}
}

// compareResults compares what the checker says of the call with the graph's outputs.
func compareResults(t *rapid.T, src string, info *check.Info, r *Result) {
	var got []string
	for _, v := range r.Module.Graphs[0].Outputs {
		s := strings.TrimPrefix(v.Type.String(), "bf16") // the activation dtype of this lowering
		got = append(got, s)
	}
	at := strings.LastIndex(src, "return ") + len("return ")
	want := ""
	for _, typed := range info.Types {
		if typed.Span.Pos.Offset == at {
			want = typed.Type // the last is the whole call
		}
	}
	if all := strings.Join(got, ", "); all != want {
		t.Fatalf("the graph has %s, the signature says %s\n%s", all, want, src)
	}
}

// randomCall draws a model that calls one function.
type randomCall struct {
	t       *rapid.T
	fn      *builtin.Func
	letters map[string]string // dimension of each letter, as text
	rest    []string          // of ".."
	wrong   bool              // a dimension was changed
}

func (c *randomCall) source() string {
	var params, args []string
	for _, p := range c.fn.Params {
		if p.Kind == builtin.Int {
			c.letter(p.Name)
		}
	}
	c.constrain()
	change := rapid.IntRange(-4, len(c.fn.Params)-1).Draw(c.t, "parameter that is changed")
	for i, p := range c.fn.Params {
		switch p.Kind {
		case builtin.Tensor:
			params = append(params, p.Name+": "+c.typeText(c.fn.Shapes.Params[p.Name], i == change))
			args = append(args, p.Name)
		case builtin.Weight:
			if !p.Optional {
				args = append(args, p.Name+" = \"weight."+p.Name+"\"")
			}
		case builtin.Int:
			if !p.Optional {
				args = append(args, p.Name+" = "+c.letters[p.Name])
			}
		case builtin.Float:
			if !p.Optional {
				args = append(args, p.Name+" = 2.0")
			}
		case builtin.Body:
			args = append(args, p.Name+` = mlp(x) at "experts.{e}"`)
		}
	}
	hidden := c.letter("d")
	block := fmt.Sprintf("block mlp(x: [T, %s]) -> [T, %s] { return linear(silu(linear(x, gate, 6)) * linear(x, up, 6), down, %s) }", hidden, hidden, hidden)
	return fmt.Sprintf("model m {\n%s\nentry forward(%s) { return %s(%s) }\n}\n", block, strings.Join(params, ", "), c.fn.Name, strings.Join(args, ", "))
}

// letter draws a dimension.
func (c *randomCall) letter(name string) string {
	if c.letters[name] == "" {
		c.letters[name] = fmt.Sprint(2 * rapid.IntRange(1, 4).Draw(c.t, name))
	}
	return c.letters[name]
}

// constrain keeps to what operators ask of numbers beside the equality of dimensions.
func (c *randomCall) constrain() {
	switch c.fn.Name {
	case "attend": // heads divide
		c.letters["g"] = "2"
	case "rope":
		c.letters["d"], c.letters["dims"] = "8", "4"
	case "top_k":
		c.letters["n"] = "8"
	case "split":
		c.letters["d"] = "10"
	}
}

func (c *randomCall) typeText(p builtin.Pattern, change bool) string {
	var dims []string
	if p.Rest {
		if c.rest == nil {
			c.rest = []string{"T", "3"}[:rapid.IntRange(1, 2).Draw(c.t, "rank")]
		}
		dims = slices.Clone(c.rest)
	}
	for _, sum := range p.Dims {
		switch a := sum[0]; {
		case a.Name == "":
			dims = append(dims, fmt.Sprint(a.Number))
		default:
			dims = append(dims, c.letter(a.Name))
		}
	}
	d := p.DType
	if d == "act" {
		d = ""
	}
	if change {
		c.wrong = true
		switch i := rapid.IntRange(0, len(dims)+1).Draw(c.t, "dimension"); {
		case i < len(dims):
			dims[i] = "5"
		case i == len(dims):
			dims = append(dims, "5")
		default:
			d = rapid.SampledFrom([]string{"f32", "i32", "f16"}).Draw(c.t, "dtype")
		}
	}
	return d + "[" + strings.Join(dims, ", ") + "]"
}
