package importer

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/glmc/glmc/kernels/dtype"
)

// maxTitle bounds the first line of a file, in bytes.
const maxTitle = 200

// file writes the whole text, in the canonical format.
func (w *writer) file(pipelines []Pipeline) []byte {
	var b strings.Builder
	if title := comment(w.Title); title != "" {
		fmt.Fprintf(&b, "// %s\n", title)
	}
	fmt.Fprintf(&b, "// Weights are %s.\n", w.stored())
	fmt.Fprintf(&b, "import %s from %q\n", w.Family.Model.Name.Name, w.Family.Path)
	for _, p := range pipelines {
		b.WriteByte('\n')
		w.pipeline(&b, p)
	}
	return []byte(b.String())
}

// comment makes one line of what may hold anything.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxTitle {
		s = strings.ToValidUTF8(s[:maxTitle], "") + "..."
	}
	return strings.TrimSpace(s)
}

// stored says how the checkpoint stores its weights.
func (w *writer) stored() string {
	d := w.Stored
	if !d.Valid() {
		d = w.Config.WeightDType()
	}
	switch {
	case w.quantised != nil && w.quantised.Dynamic:
		return "fp8_e4m3 with a scale for each channel, for inputs that are quantised per token"
	case w.quantised != nil:
		return withScales(w.quantised.Weights)
	case d.Valid():
		return fmt.Sprintf("served as stored, in %s", d)
	}
	return "served as stored; config.json does not say in which dtype, and bf16 is assumed"
}

func withScales(d dtype.DType) string {
	if d == dtype.I4 {
		return fmt.Sprintf("%s with a scale for each %d values of a channel", d, dtype.Group)
	}
	return d.String() + " with a scale for each channel"
}

// setting is one line of a pipeline.
type setting struct{ name, value string }

func (w *writer) pipeline(b *strings.Builder, p Pipeline) {
	settings := []setting{{"target", fmt.Sprintf("%s { tensor_parallel = %d }", p.Target, p.TensorParallel)}}
	if p.Activations.Valid() {
		settings = append(settings, setting{"activations", p.Activations.String()})
	}
	cache := fmt.Sprintf("{ page = %d }", p.Cache.Page)
	if p.Cache.DType.Valid() {
		cache = p.Cache.DType.String() + " " + cache
	}
	settings = append(settings, setting{"cache", cache})
	if p.Prefill.Rows > 0 {
		settings = append(settings, setting{"prefill", fmt.Sprintf("{ chunk = %d, rows = %d }", p.Prefill.Chunk, p.Prefill.Rows)})
	} else {
		settings = append(settings, setting{"prefill", fmt.Sprintf("{ chunk = %d }", p.Prefill.Chunk)})
	}
	settings = append(settings, setting{"decode", fmt.Sprintf("{ capture = [%s] }", join(p.Decode.Capture))})
	if len(p.Require) > 0 {
		settings = append(settings, setting{"require", strings.Join(p.Require, ", ")})
	}
	if p.DraftSteps > 0 {
		settings = append(settings, setting{"draft", fmt.Sprintf("mtp { steps = %d }", p.DraftSteps)})
	}
	wide := 0
	for _, s := range settings {
		wide = max(wide, len(s.name))
	}
	if p.Memory.Weights > 0 {
		fmt.Fprintf(b, "// %s.\n", p.needs())
	}
	fmt.Fprintf(b, "pipeline %s for %s {\n", p.Name, w.Family.Model.Name.Name)
	for _, s := range settings {
		fmt.Fprintf(b, "  %-*s %s\n", wide, s.name, s.value)
	}
	b.WriteString("}\n")
}

func join(sizes []int) string {
	var s []string
	for _, n := range sizes {
		s = append(s, fmt.Sprint(n))
	}
	return strings.Join(s, ", ")
}
