// Package pipeline turns the pipelines of .glm files into settings: the target, the dtypes, the sizes that
// plans are compiled for, the fusions that must fire, and how tokens are drafted.
package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/pattern"
	"github.com/glmc/glmc/kernels/dtype"
)

// Settings says how a model is compiled and served.
type Settings struct {
	Name           string // of the pipeline; empty for Default's
	Model          string // that the pipeline is for
	Target         string // "cpu", "h100" or "h200"
	TensorParallel int    // ranks, 1 to 64
	Weights        Weights
	Activations    dtype.DType // that inputs of FP8 weights are quantised to per token; Invalid: they are not
	Cache          Cache
	Precision      string // of products with narrow weights: "exact" or "fast"; empty on targets that leave no choice
	Prefill        Prefill
	Decode         Decode
	Require        []string    // passes that have to fire on every layer and every rank
	RequiredAt     []diag.Span // where the file demands them, in the order of Require
	Drafts         []Draft
	Transfer       Transfer
}

// Weights says how weights are held on the device.
type Weights struct {
	DType dtype.DType       // Invalid: as stored
	Scale string            // "channel": an FP8 or int8 weight has a scale for each output channel; "group": an int4 one for 64 values
	Skip  []pattern.Pattern // modules whose weights keep their stored dtype
}

// Cache says how keys and values are held.
type Cache struct {
	DType dtype.DType // Invalid: as the model computes, which its configuration says
	Page  int         // tokens a page: a power of two from 1 to 1024
}

// Prefill bounds one prefill step.
type Prefill struct {
	Chunk int // tokens, 1 to 1<<20
	Rows  int // tokens whose logits can be had; 0: as many as the largest decode batch
}

// Decode lists the batch sizes that a program is compiled for, ascending, each once: 1 to 65536, at most 64.
type Decode struct {
	Capture []int
}

// Draft is a way to propose tokens that the model then verifies. Its options are all there, with their
// defaults where the file says nothing; draftOptions has the list.
type Draft struct {
	Kind    string // "mtp" or "suffix"
	Options map[string]config.Value
}

// Int returns an integer option.
func (d Draft) Int(name string) int {
	v, _ := d.Options[name].(config.Int)
	return int(v)
}

// Transfer says how the cache moves from a prefill worker to a decode worker.
type Transfer struct {
	Enabled bool
	Async   bool
	Per     string // "layer": as soon as a layer's pages are written; "request": when prefill is done
}

// Bounds of the numbers in settings.
const (
	maxTensorParallel = 64
	maxPage           = 1024
	maxChunk          = 1 << 20
	maxCapture        = 65536
	maxCaptures       = 64
)

// Allowed words.
var (
	targets      = []string{"cpu", "h100", "h200"}
	weightDTypes = []dtype.DType{dtype.F32, dtype.BF16, dtype.F16, dtype.F8E4M3, dtype.I8, dtype.I4}
	cacheDTypes  = weightDTypes[:4]
	activations  = []dtype.DType{dtype.F8E4M3}
	scales       = []string{"channel", "group"}
	precisions   = []string{"exact", "fast"}
	transferPer  = []string{"layer", "request"}
)

// Default returns the settings for a target for which a file has no pipeline: one rank, weights as they are
// stored, a cache as the model computes (cpu) or in bf16, no drafts.
func Default(target string) (Settings, error) {
	s := Settings{
		Target: target, TensorParallel: 1,
		Weights:  Weights{Scale: "channel"},
		Cache:    Cache{Page: 16},
		Prefill:  Prefill{Chunk: 512},
		Decode:   Decode{Capture: []int{1, 2, 4, 8, 16}},
		Transfer: Transfer{Per: "layer"},
	}
	switch target {
	case "cpu":
		s.Precision = "exact"
	case "h100", "h200":
		s.Cache = Cache{DType: dtype.BF16, Page: 128}
		s.Prefill.Chunk = 8192
		s.Decode.Capture = []int{1, 2, 4, 8, 16, 32, 64, 128, 256}
	default:
		return Settings{}, fmt.Errorf("unknown target %q: one of %s%s", target, strings.Join(targets, ", "), didYouMean(target, targets))
	}
	return s, nil
}

func didYouMean(name string, candidates []string) string {
	if near := diag.Nearest(name, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// The functions below check one value each, for files and flags alike. Their errors say what is allowed.

func parseDType(word string, allowed []dtype.DType) (dtype.DType, error) {
	var names []string
	for _, d := range allowed {
		if d.String() == word {
			return d, nil
		}
		names = append(names, d.String())
	}
	return dtype.Invalid, oneOf(word, names)
}

func parseWord(word string, allowed []string) (string, error) {
	if slices.Contains(allowed, word) {
		return word, nil
	}
	return "", oneOf(word, allowed)
}

// wordError is an error about a word that stands where one of a few is allowed.
type wordError struct {
	word    string
	allowed []string
}

func (e *wordError) Error() string {
	if len(e.allowed) == 1 {
		return fmt.Sprintf("%q is not allowed here: only %s is", e.word, e.allowed[0])
	}
	return fmt.Sprintf("%q is not one of %s", e.word, strings.Join(e.allowed, ", "))
}

func oneOf(word string, allowed []string) error { return &wordError{word, allowed} }

func inRange(n int64, low, high int) (int, error) {
	if n < int64(low) || n > int64(high) {
		return 0, fmt.Errorf("%d is not between %d and %d", n, low, high)
	}
	return int(n), nil
}

// setWeights sets the dtype of weights, Invalid for as stored.
func (s *Settings) setWeights(d dtype.DType) error {
	if err := CheckWeights(s.Target, d); err != nil {
		return err
	}
	s.Weights.DType, s.Weights.Scale = d, "channel"
	if d == dtype.I4 {
		s.Weights.Scale = "group"
	}
	return nil
}

// NoKernelsError says that a target cannot multiply weights in a dtype.
type NoKernelsError struct {
	Target  string
	Weights dtype.DType
}

func (e *NoKernelsError) Error() string {
	return fmt.Sprintf("%s has no kernels for %s weights: only cpu has", e.Target, e.Weights)
}

// CheckWeights refuses weights in a dtype for which a target has no kernels, with a *NoKernelsError.
func CheckWeights(target string, d dtype.DType) error {
	if d.IsInt() && target != "cpu" {
		return &NoKernelsError{target, d}
	}
	return nil
}

// setPrecision sets how products with narrow weights are computed.
func (s *Settings) setPrecision(word string) error {
	if s.Target != "cpu" {
		return fmt.Errorf("%s leaves no choice: only cpu has exact and fast products", s.Target)
	}
	p, err := parseWord(word, precisions)
	if err == nil {
		s.Precision = p
	}
	return err
}

func checkPage(n int64) (int, error) {
	page, err := inRange(n, 1, maxPage)
	if err == nil && page&(page-1) != 0 {
		err = fmt.Errorf("%d is not a power of two", page)
	}
	return page, err
}

// addCapture inserts n into an ascending list.
func addCapture(list []int, n int64) ([]int, error) {
	size, err := inRange(n, 1, maxCapture)
	if err != nil {
		return list, err
	}
	at, twice := slices.BinarySearch(list, size)
	if twice {
		return list, fmt.Errorf("%d is there twice", size)
	}
	if len(list) == maxCaptures {
		return list, fmt.Errorf("more than %d sizes", maxCaptures)
	}
	return slices.Insert(list, at, size), nil
}
