package config

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/kernels/dtype"
)

// Facts that every Hugging Face config.json has, whatever the model.

// dtypeKeys are what config.json calls the dtype of the weights; the second is the name before transformers 5.
var dtypeKeys = []string{"dtype", "torch_dtype"}

// weightDTypes are the names of dtypes that the weights of a model can be in where nothing quantises them.
var weightDTypes = []string{"float32", "bfloat16", "float16"}

// WeightDType is the dtype that the checkpoint says its weights have: `dtype`, or `torch_dtype` as it was
// called before transformers 5. It is dtype.Invalid where there is neither, or one that weights cannot have.
func (d *Document) WeightDType() dtype.DType {
	t, _ := d.WeightDTypeAt()
	return t
}

// WeightDTypeAt is WeightDType with the place of the key that says so.
func (d *Document) WeightDTypeAt() (dtype.DType, diag.Span) {
	for _, key := range dtypeKeys {
		if item, ok := d.Lookup(key); ok {
			if t := item.weightDType(); t.Valid() {
				return t, item.Key
			}
		}
	}
	return dtype.Invalid, diag.Span{}
}

func (it Item) weightDType() dtype.DType {
	name, _ := it.node.value.(string)
	name = strings.TrimPrefix(name, "torch.")
	t, err := dtype.Parse(name)
	if err != nil || !slices.Contains([]dtype.DType{dtype.F32, dtype.BF16, dtype.F16}, t) {
		return dtype.Invalid
	}
	return t
}

// CheckDType warns of a dtype that is none, as a misspelt one would else be as good as none at all.
func (d *Document) CheckDType() *diag.List {
	list := &diag.List{}
	for _, key := range dtypeKeys {
		item, ok := d.Lookup(key)
		if !ok || item.Null() || item.weightDType().Valid() {
			continue
		}
		w := list.Warnf(item.Key, idUnknownDType, "%s is %s, which is no dtype that weights can have: one of %s", key, item.node.describe(), strings.Join(weightDTypes, ", "))
		name, _ := item.node.value.(string)
		if near := diag.Nearest(strings.TrimPrefix(name, "torch."), weightDTypes); near != "" {
			w.Suggest("did you mean %q?", near)
		}
	}
	return list
}

// Architectures are the names of the model classes that the checkpoint is for: "Glm4MoeForCausalLM".
func (d *Document) Architectures() []string {
	item, ok := d.Lookup("architectures")
	if !ok {
		return nil
	}
	var names []string
	for _, e := range item.node.elems {
		if name, ok := e.value.(string); ok {
			names = append(names, name)
		}
	}
	return names
}
