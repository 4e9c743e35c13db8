package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/kernels/dtype"
)

// setters has the keys of --set with what they take and how they take it.
var setters = map[string]struct {
	takes string
	set   func(s *Settings, value string) error
}{
	"tensor_parallel": {"1 to 64", func(s *Settings, v string) error {
		return setInt(&s.TensorParallel, v, func(n int64) (int, error) { return inRange(n, 1, maxTensorParallel) })
	}},
	"weights": {`a dtype, or "stored"`, func(s *Settings, v string) error {
		var d dtype.DType
		if err := setDType(&d, v, "stored", weightDTypes); err != nil {
			return err
		}
		return s.setWeights(d)
	}},
	"activations": {`fp8_e4m3, or "none"`, func(s *Settings, v string) error {
		return setDType(&s.Activations, v, "none", activations)
	}},
	"cache": {`a dtype, or "computed"`, func(s *Settings, v string) error {
		return setDType(&s.Cache.DType, v, "computed", cacheDTypes)
	}},
	"cache.page": {"a power of two, 1 to 1024", func(s *Settings, v string) error {
		return setInt(&s.Cache.Page, v, checkPage)
	}},
	"precision": {"exact or fast", (*Settings).setPrecision},
	"prefill.chunk": {"1 to 1048576", func(s *Settings, v string) error {
		return setInt(&s.Prefill.Chunk, v, func(n int64) (int, error) { return inRange(n, 1, maxChunk) })
	}},
	"prefill.rows": {"1 to 1048576", func(s *Settings, v string) error {
		return setInt(&s.Prefill.Rows, v, func(n int64) (int, error) { return inRange(n, 1, maxChunk) })
	}},
	"decode.capture": {`batch sizes, "1,2,4"`, setCapture},
	"draft":          {"none, mtp, suffix, tree or hybrid", setDraft},
}

// Keys returns the keys that Set takes, sorted.
func Keys() []string {
	var keys []string
	for key := range setters {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Set changes one setting: key and value of a --set flag. Where it returns an error, the settings are as they
// were.
func (s *Settings) Set(key, value string) error {
	setter, ok := setters[key]
	if !ok {
		return fmt.Errorf("unknown setting %q: one of %s%s", key, strings.Join(Keys(), ", "), didYouMean(key, Keys()))
	}
	if err := setter.set(s, value); err != nil {
		return fmt.Errorf("%s=%s: %w; it takes %s", key, value, err, setter.takes)
	}
	return nil
}

func setInt(target *int, value string, check func(int64) (int, error)) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not an int", value)
	}
	checked, err := check(n)
	if err == nil {
		*target = checked
	}
	return err
}

// setDType sets a dtype; the word none stands for dtype.Invalid.
func setDType(target *dtype.DType, value, none string, allowed []dtype.DType) error {
	if value == none {
		*target = dtype.Invalid
		return nil
	}
	d, err := parseDType(value, allowed)
	if err == nil {
		*target = d
	}
	return err
}

func setCapture(s *Settings, value string) error {
	var sizes []int
	for part := range strings.SplitSeq(value, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not an int", part)
		}
		if sizes, err = addCapture(sizes, n); err != nil {
			return err
		}
	}
	s.Decode.Capture = sizes
	return nil
}

// setDraft chooses the drafts; those that the file describes keep their options.
func setDraft(s *Settings, value string) error {
	kinds := map[string][]string{"none": nil, "mtp": {"mtp"}, "suffix": {"suffix"}, "tree": {"suffix"}, "hybrid": {"mtp", "suffix"}}
	chosen, ok := kinds[value]
	if !ok {
		return oneOf(value, []string{"none", "mtp", "suffix", "tree", "hybrid"})
	}
	var drafts []Draft
	for _, kind := range chosen {
		draft := newDraft(kind)
		for _, d := range s.Drafts {
			if d.Kind == kind {
				draft = d
			}
		}
		if value == "tree" {
			draft.Options = maps.Clone(draft.Options)
			draft.Options["tree"] = config.Bool(true)
		}
		drafts = append(drafts, draft)
	}
	s.Drafts = drafts
	return nil
}
