package diag

import (
	"slices"
	"strings"
)

// Rule says what diagnostics are about. The IDs of one rule belong together.
type Rule struct {
	IDs  []string
	What string // for people, with `code` in back-quotes; warnings begin with "warning: "
}

// Rules has every ID, in the order of docs/language.md. A test compares the two.
var Rules = []Rule{
	{[]string{"unexpected-token"}, "something else is expected here"},
	{[]string{"unclosed-brace", "stray-brace"}, "braces do not match; syntax errors behind the place are left out"},
	{[]string{"unclosed-string", "unclosed-comment"}, "a string has no end on its line, a comment none at all"},
	{[]string{"bad-number", "bad-escape", "bad-character"},
		"a number out of range or with letters in it; an unknown escape; a character without a meaning"},
	{[]string{"too-deep"}, "nested too deep, or an expression that is too long"},
	{[]string{"token-too-long"}, "a name or a number of more than 255 bytes"},
	{[]string{"file-too-large", "not-utf8"}, "the file cannot be read"},
	{[]string{"unknown-name", "unknown-function", "unknown-type"}, "nothing has this name; also: it is declared further below"},
	{[]string{"duplicate-name"}, "the name is taken"},
	{[]string{"unused-name"}, "warning: nothing uses the key, let, block, parameter or variable"},
	{[]string{"unassigned-name"}, "a variable has no value on a path that leads here"},
	{[]string{"unexpected-weight-path"}, "a dotted path stands where no weight is wanted"},
	{[]string{"missing-argument", "unknown-argument", "duplicate-argument", "too-many-arguments", "argument-order", "argument-type"},
		"the arguments of a call do not go with the parameters"},
	{[]string{"too-many-parameters"}, "a block has more than 100"},
	{[]string{"type-mismatch"}, "a value of another type is wanted"},
	{[]string{"not-compile-time"}, "a tensor, or a block, stands where a compile-time value is wanted"},
	{[]string{"not-a-tensor"}, "a compile-time value stands where a tensor is wanted"},
	{[]string{"result-count"}, "the number of values is not the number that is wanted"},
	{[]string{"bad-shape"}, "`T` or `B` stands where it cannot"},
	{[]string{"unbound-dimension"}, "no parameter has the dimension that a block names"},
	{[]string{"bad-class-name"}, "what stands behind `for` cannot be a class of Hugging Face's"},
	{[]string{"bad-import-path", "import-unread"}, "the path of an import is not relative or has no `.glm`; the file cannot be read"},
	{[]string{"unknown-import"}, "the imported file does not declare the name outside of its models"},
	{[]string{"import-cycle", "too-many-files"}, "files import each other in a circle; there are more than 100"},
	{[]string{"recursion"}, "a block calls itself, directly or through others"},
	{[]string{"missing-return"}, "a path ends without a return"},
	{[]string{"unreachable-statement"}, "warning: every path has returned before"},
	{[]string{"needless-optional"}, "warning: a key that has an `else` is optional already"},
	{[]string{"missing-default"}, "an optional key has no default"},
	{[]string{"empty-message"}, "an assertion or an ignore gives no reason"},
	{[]string{"bad-pattern", "unbound-hole"}, "a pattern is not well-formed; a hole has no value"},
	{[]string{"unused-alias"}, "warning: no weight of the model, and no other alias, can lead to the name on the left of an alias"},
	{[]string{"missing-config-key"}, "`config.json` lacks a key that is not optional"},
	{[]string{"wrong-config-type"}, "a value of `config.json`, or a default, is not of the key's type"},
	{[]string{"no-config-value"}, "a key has neither a value nor a default"},
	{[]string{"bad-config-flag"}, "`--set` has a value that is not of the key's type"},
	{[]string{"cannot-evaluate"}, "a compile-time expression has no value"},
	{[]string{"assertion-failed"}, "the model does not describe this configuration"},
	{[]string{"architecture-mismatch"}, "warning: the `architectures` of `config.json` are none of the classes behind the model's `for`"},
	{[]string{"unknown-config-dtype"}, "warning: the `dtype` or `torch_dtype` of `config.json` is none that weights can have"},
	{[]string{"unknown-setting", "duplicate-setting", "missing-setting"},
		"a pipeline has a setting that does not exist, or one twice, or lacks its target"},
	{[]string{"bad-setting-value", "bad-setting-form"}, "a setting's value is not allowed; it has too few or too many words"},
	{[]string{"unknown-pass"}, "`require` names a pass that does not exist"},
	{[]string{"required-pass"}, "a required pass does not apply on every layer and rank; notes show where and why"},
	{[]string{"not-divisible"}, "warning: with this `tensor_parallel`, a weight stays whole on every rank"},
	{[]string{"unused-entry"}, "warning: the runtime calls no entry of this name"},
	{[]string{"unknown-input"}, "the runtime has no input of this name for the entry, or of another type"},
	{[]string{"draft-without-entry"}, "warning: a pipeline drafts with an entry that the model does not have"},
	{[]string{"no-kernels"}, "warning: the target has no kernels for weights in the format that `config.json` says they are stored in"},
	{[]string{"cannot-compile"}, "a pipeline cannot be compiled for this `config.json`"},
	{[]string{"shape-mismatch"}, "operands do not go together, or are not what is declared; notes show where they got their shapes"},
	{[]string{"weight-mismatch"}, "two uses of a weight want different shapes of it"},
	{[]string{"bad-dimension"}, "a dimension or a shape is out of range"},
	{[]string{"tensor-operator"}, "an operator does not work on tensors"},
	{[]string{"at-without-call"}, "`at` gives a weight path to something that has no weights"},
	{[]string{"expert-body"}, "what an expert computes is no gated MLP of weights of its own"},
	{[]string{"bad-index"}, "an alias takes elements that no tensor has"},
	{[]string{"reserved-name"}, "an entry's parameter has the name of an input of the runtime"},
	{[]string{"model-too-large"}, "lowering would take too long"},
	{[]string{"missing-weight"}, "the model asks for a tensor, or for all of a layer, that the checkpoint lacks, under its name and its aliases"},
	{[]string{"unused-weight"}, "the checkpoint has a tensor that the model does not read, and no `ignore` rule covers it"},
	{[]string{"weight-shape"}, "a tensor has another shape than the model asks for, or is only used in part"},
	{[]string{"weight-dtype"}, "a tensor is in a format that weights cannot be in, or FP8 without scales"},
	{[]string{"weight-alias"}, "an alias leads to elements that the stored tensor does not have, or to too many names"},
}

// Describe returns what a diagnostic of this ID says is wrong, as plain text; "" for an ID that is not in Rules.
func Describe(id string) string {
	for _, r := range Rules {
		if slices.Contains(r.IDs, id) {
			return strings.ReplaceAll(strings.TrimPrefix(r.What, "warning: "), "`", "")
		}
	}
	return ""
}
