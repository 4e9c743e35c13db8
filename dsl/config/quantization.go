package config

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/glmc/glmc/kernels/dtype"
)

// Quantization is what a config.json's quantization_config says, of the schemes of compressed-tensors that are
// supported (https://github.com/vllm-project/compressed-tensors):
//
//	float-quantized  8-bit floats (FP8 E4M3), a scale for each output channel; activations as they are, or
//	                 quantised per token when the model runs
//	int-quantized    8-bit integers, symmetric, a scale for each output channel; activations as they are, or in 8-bit
//	                 integers per token
//	pack-quantized   4-bit integers, symmetric, a scale for each 64 values of a row; activations as they are
//
// Activations in 8-bit integers are what a device may do to go faster, and no part of the weights: they are left as they
// are, which is more precise than what the checkpoint asks for.
type Quantization struct {
	Weights dtype.DType // of quantised modules: F8E4M3, I8 or I4
	Dynamic bool        // inputs of quantised modules are quantised to FP8 per token as well

	all     bool // targets every Linear
	targets []matcher
	ignore  []matcher
	names   map[string]bool // ignored by their exact name
}

// matcher is a "re:" entry of a list of modules.
type matcher = *regexp.Regexp

// Bounds of the lists of modules.
const (
	maxPatternSize = 1000
	maxPatterns    = 1000
)

// Ignores reports whether the weight of a module ("model.layers.3.mlp.gate") is stored as it is.
func (q *Quantization) Ignores(module string) bool {
	if q.names[module] || matchAny(q.ignore, module) {
		return true
	}
	return !q.all && !matchAny(q.targets, module)
}

func matchAny(list []matcher, module string) bool {
	for _, m := range list {
		if m.MatchString(module) {
			return true
		}
	}
	return false
}

// Quantization returns nil where the checkpoint is not quantised. The error is a *DocumentError that names
// what is not supported, and what is.
func (d *Document) Quantization() (*Quantization, error) {
	item, ok := d.Lookup("quantization_config")
	if !ok || item.Null() {
		return nil, nil
	}
	r := &quantizationReader{doc: d}
	q := r.read("quantization_config")
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

// quantizationReader keeps the first error, so that the checks read as a list.
type quantizationReader struct {
	doc    *Document
	scheme scheme
	err    error
}

// scheme is one of the supported formats.
type scheme struct {
	format      string
	weights     dtype.DType
	bits        string // of a code
	kind        string // of a code: "float", "int"
	strategy    string // of the weights' scales
	group       string // values of a row that share a scale; "" for all
	activations bool   // may be quantised per token, in 8 bits of the same kind
}

var schemes = []scheme{
	{format: "float-quantized", weights: dtype.F8E4M3, bits: "8", kind: "float", strategy: "channel", activations: true},
	{format: "int-quantized", weights: dtype.I8, bits: "8", kind: "int", strategy: "channel", activations: true},
	{format: "pack-quantized", weights: dtype.I4, bits: "4", kind: "int", strategy: "group", group: strconv.Itoa(dtype.Group)},
}

const supportedQuantization = `supported is quant_method "compressed-tensors" with symmetric weights: format "float-quantized" ` +
	`(8-bit float, strategy "channel"), "int-quantized" (8-bit int, strategy "channel") or "pack-quantized" (4-bit int, ` +
	`strategy "group", group_size 64), and activations not quantised or, for the first two, 8 bits of the same type ` +
	`with strategy "token", dynamic`

func (r *quantizationReader) fail(item Item, format string, args ...any) {
	if r.err == nil {
		r.err = &DocumentError{item.Key, fmt.Sprintf(format, args...) + "; " + supportedQuantization}
	}
}

func (r *quantizationReader) read(path string) *Quantization {
	q := &Quantization{names: map[string]bool{}}
	config, _ := r.doc.Lookup(path)
	if block, ok := r.doc.Lookup(path + ".weight_block_size"); ok && !block.Null() {
		r.fail(block, "%s says that weights have one scale for each block of rows and columns (DeepSeek-V3's format), which "+
			"is not supported: convert the checkpoint to bf16, without quantization_config", block.Path)
	}
	r.value(config, "quant_method", "compressed-tensors")
	r.format(config)
	q.Weights = r.scheme.weights
	r.absent(path, "kv_cache_scheme")
	r.absent(path, "sparsity_config")
	r.modules(path+".ignore", func(name string) { q.names[name] = true }, &q.ignore)
	groups, ok := r.doc.Lookup(path + ".config_groups")
	if !ok || len(groups.node.keys) == 0 {
		r.fail(config, "%s has no config_groups", path)
		return q
	}
	for i, name := range groups.node.keys {
		r.group(groups, name, q, i == 0)
	}
	return q
}

// format finds the scheme by its name. Where there is none, the first stands in for the checks behind.
func (r *quantizationReader) format(config Item) {
	r.scheme = schemes[0]
	if f := config.node.fields["format"]; f != nil {
		for _, s := range schemes {
			if f.value.value == s.format {
				r.scheme = s
				return
			}
		}
	}
	r.value(config, "format", r.scheme.format)
}

// group reads one of config_groups. All groups have to agree on whether activations are quantised.
func (r *quantizationReader) group(groups Item, name string, q *Quantization, first bool) {
	f := groups.node.fields[name]
	g := Item{Path: groups.Path + "." + name, Key: f.key, node: f.value}
	if f := g.node.fields["format"]; f != nil && f.value.kind() != "null" {
		r.value(g, "format", r.scheme.format)
	}
	if s, ok := r.tensors(g, "weights", r.scheme.bits, r.scheme.strategy, false); ok {
		r.groupSize(s)
		r.orderless(s)
	}
	r.nullIn(g, "output_activations")
	dynamic := false
	if f := g.node.fields["input_activations"]; f != nil && f.value.kind() != "null" {
		if !r.scheme.activations {
			r.nullIn(g, "input_activations")
		} else if s, ok := r.tensors(g, "input_activations", "8", "token", true); ok {
			r.nullIn(s, "group_size")
		}
		dynamic = r.scheme.kind == "float"
	}
	if !first && dynamic != q.Dynamic {
		r.fail(g, "%s and the group before it do not treat activations alike", g.Path)
	}
	q.Dynamic = dynamic
	if f := g.node.fields["targets"]; f != nil {
		r.list(Item{Path: g.Path + ".targets", Key: f.key, node: f.value}, func(target string) {
			if target != "Linear" {
				r.fail(g, "the target %q of %s is neither \"Linear\" nor \"re:...\"", target, g.Path)
			}
			q.all = true
		}, &q.targets)
	}
}

// tensors checks how one kind of tensor is quantised.
func (r *quantizationReader) tensors(group Item, kind, bits, strategy string, dynamic bool) (Item, bool) {
	f := group.node.fields[kind]
	if f == nil || f.value.fields == nil {
		r.fail(group, "%s has no %s", group.Path, kind)
		return Item{}, false
	}
	s := Item{Path: group.Path + "." + kind, Key: f.key, node: f.value}
	r.value(s, "num_bits", json.Number(bits))
	r.value(s, "type", r.scheme.kind)
	r.value(s, "strategy", strategy)
	r.value(s, "dynamic", dynamic)
	r.value(s, "symmetric", true)
	r.nullIn(s, "block_structure")
	return s, true
}

// groupSize checks how many values share a scale of the weights.
func (r *quantizationReader) groupSize(weights Item) {
	if r.scheme.group == "" {
		r.nullIn(weights, "group_size")
		return
	}
	r.value(weights, "group_size", json.Number(r.scheme.group))
}

// orderless refuses weights whose columns were put into another order (weight_g_idx). "static" and "weight" put them back.
func (r *quantizationReader) orderless(weights Item) {
	if f := weights.node.fields["actorder"]; f != nil && f.value.value != "static" && f.value.value != "weight" && f.value.value != false {
		r.nullIn(weights, "actorder")
	}
}

func (r *quantizationReader) value(of Item, key string, want any) {
	f := of.node.fields[key]
	if f == nil {
		r.fail(of, "%s has no %s", of.Path, key)
		return
	}
	if f.value.value != want {
		item := Item{Path: of.Path + "." + key, Key: f.key, node: f.value}
		r.fail(item, "%s is %s", item.Path, f.value.describe())
	}
}

func (r *quantizationReader) nullIn(of Item, key string) {
	if f := of.node.fields[key]; f != nil && f.value.kind() != "null" {
		r.fail(Item{Key: f.key}, "%s.%s is %s", of.Path, key, f.value.describe())
	}
}

// absent refuses a key with content: an empty object is as good as null.
func (r *quantizationReader) absent(path, key string) {
	item, ok := r.doc.Lookup(path + "." + key)
	if ok && !item.Null() && !(item.node.fields != nil && len(item.node.keys) == 0) {
		r.fail(item, "%s is %s", item.Path, item.node.describe())
	}
}

func (r *quantizationReader) modules(path string, exact func(string), patterns *[]matcher) {
	if item, ok := r.doc.Lookup(path); ok && !item.Null() {
		r.list(item, exact, patterns)
	}
}

// list reads a list of exact names and "re:" patterns. As in compressed-tensors, a pattern is anchored at the
// beginning of the name (Python's re.match).
func (r *quantizationReader) list(item Item, exact func(string), patterns *[]matcher) {
	if !item.node.isList {
		r.fail(item, "%s is %s, not a list", item.Path, item.node.describe())
		return
	}
	for _, e := range item.node.elems {
		name, ok := e.value.(string)
		if !ok {
			r.fail(item, "%s has %s in it", item.Path, e.describe())
			return
		}
		pattern, ok := strings.CutPrefix(name, "re:")
		if !ok {
			exact(name)
			continue
		}
		if len(pattern) > maxPatternSize || len(*patterns) == maxPatterns {
			r.fail(item, "%s has a pattern of more than %d bytes, or more than %d patterns", item.Path, maxPatternSize, maxPatterns)
			return
		}
		rx, err := regexp.Compile("^(?:" + pattern + ")")
		if err != nil {
			r.fail(item, "the pattern %q of %s cannot be compiled: %v", shorten(pattern), item.Path, err)
			return
		}
		*patterns = append(*patterns, rx)
	}
}
