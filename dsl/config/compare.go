package config

import (
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/syntax"
)

// Difference says how far a config.json is one of a model's.
type Difference struct {
	Read    []string  // paths that the model reads, in the order of its declarations
	Missing []string  // keys that the model wants, and the document lacks
	Unread  []string  // paths that the document has, and the model does not read
	Refused []Refusal // what the model's assertions and types say against the values
}

// Refusal is an objection of a model to the values of a config.json.
type Refusal struct {
	Message string   // the assertion's, or that a value is of another type
	Values  []string // what the objection is about: `hidden_act is "gelu" (from config.json)`
}

// Likeness is the share of the keys that both sides know among those that either knows, from 0 to 1.
func (d *Difference) Likeness() float64 {
	all := len(d.Read) + len(d.Missing) + len(d.Unread)
	if all == 0 {
		return 0
	}
	return float64(len(d.Read)) / float64(all)
}

// Compare finds how a document differs from what a model reads. Keys that every config.json may have and that no
// model computes with do not count.
func Compare(m *syntax.Model, doc *Document) Difference {
	b := &binder{Values: &Values{values: map[string]bound{}, doc: doc}}
	var d Difference
	for _, f := range m.Fields() {
		if item, ok := b.find(f); ok {
			d.Read = append(d.Read, item.Path)
		} else if f.Required() {
			d.Missing = append(d.Missing, f.Name.Name)
		}
	}
	for _, path := range leaves(doc.root, "") {
		key, _, _ := strings.Cut(path, ".")
		if !slices.Contains(d.Read, path) && !slices.Contains(commonKeys, key) {
			d.Unread = append(d.Unread, path)
		}
	}
	_, list := Bind(m, doc, nil)
	for _, x := range list.All() {
		if x.ID != idAssertion && x.ID != idWrongType {
			continue
		}
		r := Refusal{Message: x.Message}
		if x.ID == idAssertion {
			for _, n := range x.Notes {
				r.Values = append(r.Values, n.Message)
			}
		}
		d.Refused = append(d.Refused, r)
	}
	return d
}

// leaves returns the paths of the values in an object that are no objects themselves. Null is as good as nothing.
func leaves(n *node, prefix string) []string {
	var list []string
	for _, key := range n.keys {
		v := n.fields[key].value
		switch {
		case v.fields != nil:
			list = append(list, leaves(v, prefix+key+".")...)
		case v.kind() != "null":
			list = append(list, prefix+key)
		}
	}
	return list
}

// commonKeys are keys of transformers' own, which do not change what a model computes when it generates, and those
// that glmc reads itself.
var commonKeys = []string{
	"_name_or_path", "architectures", "attention_dropout", "attn_implementation", "auto_map", "bos_token_id", "dtype",
	"embd_pdrop", "eos_token_id", "hidden_dropout", "initializer_range", "model_type", "output_attentions",
	"output_hidden_states", "output_router_logits", "pad_token_id", "pretraining_tp", "quantization_config", "resid_pdrop",
	"router_aux_loss_coef", "aux_loss_alpha", "seq_aux", "torch_dtype", "transformers_version", "use_cache",
}
