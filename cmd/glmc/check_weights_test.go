package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/diag/diagtest"
	"github.com/glmc/glmc/dsl/source"
	"github.com/glmc/glmc/runtime/safetensors"
)

const twoExperts = `model m {
  block mlp(x: [T, 4]) -> [T, 4] {
    return linear(silu(linear(x, gate_proj, 2)) * linear(x, up_proj, 2), down_proj, 4)
  }
  entry forward(tokens: i32[T]) -> [T, 8] {
    x = embed(tokens, embed_tokens, 8, 4)
    for i in 0 .. 3 {
      ids, w = top_k(sigmoid(linear(f32(x), gate, 2) at "layers.{i}"), k = 1)
      x = experts(x, ids, w, 2, mlp(x) at "experts.{e}") at "layers.{i}"
    }
    return linear(rms_norm(x, norm, eps = 1e-5), lm_head, 8)
  }
  checkpoint {
    alias "lm_head.weight" = "embed_tokens.weight"[0 .. 8]
    alias "norm.weight" = "norms"[5]
    ignore "rotary.{x}" because "computed"
  }
}
`

// stored is the header of a tensor whose values do not matter.
type stored struct {
	name, format string
	shape        []int
}

// checkpointOf is a safetensors file with these tensors, all zero.
func checkpointOf(t *testing.T, tensors []stored) *safetensors.Checkpoint {
	t.Helper()
	size := map[string]int{"F32": 4, "BF16": 2, "I64": 8, "F8_E4M3": 1}
	var header []string
	at := 0
	for _, s := range tensors {
		n := size[s.format]
		for _, d := range s.shape {
			n *= d
		}
		header = append(header, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, s.name, s.format,
			strings.ReplaceAll(fmt.Sprint(s.shape), " ", ","), at, at+n))
		at += n
	}
	text := "{" + strings.Join(header, ",") + "}"
	text += strings.Repeat(" ", (8-len(text)%8)%8)
	file := append([]byte{byte(len(text)), byte(len(text) >> 8), 0, 0, 0, 0, 0, 0}, text...)
	ckpt, err := safetensors.FromMemory("model.safetensors", append(file, make([]byte, at)...))
	if err != nil {
		t.Fatal(err)
	}
	return ckpt
}

// complete lists what the model of twoExperts wants.
func complete() []stored {
	list := []stored{{"embed_tokens.weight", "BF16", []int{8, 4}}, {"norm.weight", "F32", []int{4}}}
	for i := range 3 {
		list = append(list, stored{fmt.Sprintf("layers.%d.gate.weight", i), "F32", []int{2, 4}})
		for e := range 2 {
			for _, name := range []string{"gate_proj", "up_proj"} {
				list = append(list, stored{fmt.Sprintf("layers.%d.experts.%d.%s.weight", i, e, name), "BF16", []int{2, 4}})
			}
			list = append(list, stored{fmt.Sprintf("layers.%d.experts.%d.down_proj.weight", i, e), "BF16", []int{4, 2}})
		}
	}
	return list
}

func TestCheckWeights(t *testing.T) {
	program, list := source.Load("m.glm", []byte(twoExperts), func(string) ([]byte, error) { return nil, nil })
	checked, more := compiler.CheckModels(program.Root, nil)
	if list.Append(more); list.Len() > 0 || len(checked) != 1 {
		t.Fatal(list.All())
	}
	seen := diagtest.Seen{}
	for _, tt := range []struct {
		name   string
		change func(s stored) []stored
		want   []string
	}{
		{"complete", func(s stored) []stored { return []stored{s} }, nil},
		{"experts under another name", func(s stored) []stored {
			s.name = strings.Replace(s.name, "up_proj", "upper_proj", 1)
			return []stored{s}
		}, []string{
			`m.glm:9:11: error: the checkpoint lacks layers.0..2.experts.0..1.up_proj.weight, 6 tensors [missing-weight]`,
			`  help: the checkpoint has layers.0.experts.0.upper_proj.weight`,
			`model.safetensors: error: nothing of model m uses layers.0..2.experts.0..1.upper_proj.weight, 6 tensors [unused-weight]`,
			`  note: no weight of this model, and no ignore rule in its checkpoint section, has the name`,
			"  help: if that is right, write `ignore \"layers.{n}.experts.{o}.upper_proj.weight\" because \"...\"`",
		}},
		{"another shape", func(s stored) []stored {
			if strings.HasSuffix(s.name, "gate.weight") {
				s.shape = []int{4, 2}
			}
			return []stored{s}
		}, []string{
			`m.glm:8:30: error: layers.0..2.gate.weight, 3 tensors: has shape [4, 2], the model wants [2, 4] [weight-shape]`,
			`  note: stored here`,
			`  help: is this the config.json of this checkpoint?`,
		}},
		{"integers", func(s stored) []stored {
			if s.name == "norm.weight" {
				s.format = "I64"
			}
			return []stored{s}
		}, []string{
			`m.glm:11:19: error: norm.weight: is stored as I64: weights are F32, BF16, F16, F8_E4M3 or I8, or packed I32 [weight-dtype]`,
			`  note: stored here`,
		}},
		{"an alias that leads too far", func(s stored) []stored {
			if s.name == "norm.weight" {
				return []stored{{"norms", "F32", []int{3, 4}}}
			}
			return []stored{s}
		}, []string{
			`m.glm:11:19: error: alias "norm.weight": tensor "norm.weight" in "norms": element 5 is outside of a dimension of 3 [weight-alias]`,
		}},
		{"a name that something else uses is not suggested", func(s stored) []stored {
			if s.name == "layers.1.experts.0.up_proj.weight" {
				return nil
			}
			return []stored{s}
		}, []string{
			`m.glm:9:11: error: the checkpoint lacks layers.1.experts.0.up_proj.weight [missing-weight]`,
		}},
		{"layers that are missing", func(s stored) []stored {
			if !strings.HasPrefix(s.name, "layers.0") && strings.HasPrefix(s.name, "layers.") {
				return nil
			}
			return []stored{s}
		}, []string{
			`m.glm:8:30: error: the checkpoint lacks all of layers.1..2, 14 tensors: it has layers.0 [missing-weight]`,
		}},
		{"layers that are too many", func(s stored) []stored {
			if strings.HasPrefix(s.name, "layers.2") {
				more := s
				more.name = strings.Replace(s.name, "layers.2", "layers.3", 1)
				return []stored{s, more}
			}
			return []stored{s}
		}, []string{
			`model.safetensors: error: nothing of model m uses layers.3, 7 tensors: it reads layers.0..2 [unused-weight]`,
			"  help: is this the config.json of this checkpoint? If it is, write `ignore \"layers.{n}.{name...}\" because \"...\"`",
		}},
		{"nothing is like it", func(s stored) []stored {
			if s.name == "embed_tokens.weight" {
				return nil
			}
			return []stored{s}
		}, []string{
			`m.glm:6:9: error: the checkpoint lacks embed_tokens.weight [missing-weight]`,
			`m.glm:11:12: error: the checkpoint lacks lm_head.weight [missing-weight]`,
			`  note: looked for embed_tokens.weight too`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tensors []stored
			for _, s := range complete() {
				tensors = append(tensors, tt.change(s)...)
			}
			list := &diag.List{}
			if err := checkWeights(list, checked, nil, checkpointOf(t, tensors)); err != nil {
				t.Fatal(err)
			}
			list.Sort()
			seen.Note(list)
			if diff := cmp.Diff(tt.want, lines(list)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
	diagtest.Covered(t, seen, "../../docs/language.md")
}

func lines(list *diag.List) []string {
	var out []string
	for _, d := range list.All() {
		out = append(out, d.String())
		for _, n := range d.Notes {
			out = append(out, "  note: "+n.Message)
		}
		if d.Suggestion != "" {
			out = append(out, "  help: "+d.Suggestion)
		}
	}
	return out
}
