package tokenizer

import (
	"math"
	"slices"
	"sort"
	"strings"
)

// Added selects the added tokens that are recognised in a text.
type Added uint8

const (
	// AddedAll recognises every added token, as a rendered template needs.
	AddedAll Added = iota
	// AddedOrdinary recognises those not marked special. It is Hugging Face's
	// encode_special_tokens = True. Many files do not mark structural tokens
	// such as <tool_call> and <think>, so it is no protection from a hostile
	// text.
	AddedOrdinary
	// AddedNone recognises none: the text is plain text throughout.
	AddedNone
)

// Option changes how a text is encoded.
type Option func(*encodeOptions)

type encodeOptions struct {
	added       Added
	postProcess bool
	most        int
}

// Recognise selects the added tokens to recognise; the default is [AddedAll].
func Recognise(which Added) Option { return func(o *encodeOptions) { o.added = which } }

// PostProcess adds the ids that the file's post-processor puts around a text,
// such as Llama 3's <|begin_of_text|> (Hugging Face's add_special_tokens=True).
// Without it they are left out: chat templates write them.
func PostProcess() Option { return func(o *encodeOptions) { o.postProcess = true } }

// AtMost ends the work when there are more than n ids, which is often known
// long before they are there. The result then is nil. Whoever refuses texts with
// more ids need not wait for all of a large one.
func AtMost(n int) Option { return func(o *encodeOptions) { o.most = n } }

// Encode returns the ids of text.
func (t *Tokenizer) Encode(text string, opts ...Option) []int32 {
	return t.EncodeSegments([]Segment{{Text: text, Special: true}}, opts...)
}

// Segment is a part of a rendered conversation.
type Segment struct {
	Text string
	// Special says that added tokens are recognised in Text: it is the
	// template's markup and not what somebody wrote.
	Special bool
}

// EncodeSegments returns the ids of the concatenation of segments, recognising
// added tokens (as [Recognise] says) only where all of a token's text lies in
// special segments. A token may reach across the border of two special
// segments, never into a plain one; space that an lstrip or rstrip token takes
// with it may be plain. Everything else, normalization and words, runs across
// the borders as if they were not there. So the result
//
//   - is that of [Tokenizer.Encode] for the concatenation if all segments are
//     special, or if no added token's text overlaps a plain segment, and
//   - holds no special token that a plain segment spells, and no other added
//     token that it spells unless the model's merges build it anyway.
//
// With an NFC normalizer, a token marked normalized is looked for after
// normalization, in the characters that were made of special segments only.
// Invalid UTF-8 is replaced in each run of segments of the same kind, so that
// no character is put together from markup and content.
func (t *Tokenizer) EncodeSegments(segments []Segment, opts ...Option) []int32 {
	o := encodeOptions{most: math.MaxInt}
	for _, opt := range opts {
		opt(&o)
	}
	text, special := join(segments)
	if o.added == AddedNone {
		special = nil
	}
	e := encoder{t: t, merger: t.merger.Get().(*merger), most: o.most}
	e.out = make([]int32, 0, len(t.prefix)+min(len(text)/4, o.most)+len(t.suffix)+1)
	if o.postProcess {
		e.out = append(e.out, t.prefix...)
	}
	e.text(text, special, o.added)
	if o.postProcess {
		e.out = append(e.out, t.suffix...)
	}
	e.release()
	if e.full() {
		return nil
	}
	return e.out
}

// join concatenates segments, made valid UTF-8, and returns the ranges of the
// special ones.
func join(segments []Segment) (string, []byteRange) {
	var text strings.Builder
	var special []byteRange
	for len(segments) > 0 {
		kind := segments[0].Special
		n := slices.IndexFunc(segments, func(s Segment) bool { return s.Special != kind })
		if n < 0 {
			n = len(segments)
		}
		var run strings.Builder
		for _, s := range segments[:n] {
			run.WriteString(s.Text)
		}
		segments = segments[n:]
		lo := text.Len()
		text.WriteString(toValid(run.String()))
		if kind {
			special = append(special, byteRange{lo, text.Len()})
		}
	}
	return text.String(), special
}

// encoder carries one text through the pipeline.
type encoder struct {
	t      *Tokenizer
	merger *merger
	out    []int32
	most   int  // more ids are not asked for
	more   bool // there would be more
}

// full reports whether there are more ids than are asked for.
func (e *encoder) full() bool { return e.more || len(e.out) > e.most }

// text encodes s; added tokens are looked for within ranges. First those that
// are matched literally are cut out, then what lies between is normalized, then
// those that are matched in normalized text are cut out.
func (e *encoder) text(s string, ranges []byteRange, which Added) {
	for _, f := range e.t.literal.split(s, ranges, which) {
		if e.full() {
			return
		}
		if f.token != noToken {
			e.out = append(e.out, f.token)
			continue
		}
		between := s[f.lo:f.hi]
		var inside []byteRange
		if e.t.normalized != nil {
			inside = clip(ranges, f.byteRange)
		}
		if e.t.nfc {
			between, inside = nfc(between, inside)
		}
		for _, f := range e.t.normalized.split(between, inside, which) {
			if f.token != noToken {
				e.out = append(e.out, f.token)
				continue
			}
			e.fragment(between[f.lo:f.hi])
		}
	}
}

// fragment encodes text without added tokens, unless it has too many ids.
func (e *encoder) fragment(s string) {
	if e.full() {
		return
	}
	if e.t.atLeast(s) > e.most-len(e.out) {
		e.more = true
		return
	}
	e.words(s, e.t.stages)
}

// clip returns the parts of ranges, which are sorted, that lie in within,
// relative to its start.
func clip(ranges []byteRange, within byteRange) []byteRange {
	first := sort.Search(len(ranges), func(i int) bool { return ranges[i].hi > within.lo })
	var out []byteRange
	for _, r := range ranges[first:] {
		if r.lo >= within.hi {
			break
		}
		out = append(out, byteRange{max(r.lo, within.lo) - within.lo, min(r.hi, within.hi) - within.lo})
	}
	return out
}

// stage is a step of the pre-tokenizer: it may put a space before a text and
// may split it into words.
type stage struct {
	prefixSpace bool
	split       splitter // nil: keep the text whole
}

func (e *encoder) words(s string, stages []stage) {
	if len(stages) == 0 {
		e.word(s)
		return
	}
	first := stages[0]
	if first.prefixSpace && s[0] != ' ' {
		s = " " + s
	}
	if first.split == nil {
		e.words(s, stages[1:])
		return
	}
	table := classes()
	for len(s) > 0 && !e.full() {
		n := first.split(table, s)
		e.words(s[:n], stages[1:])
		s = s[n:]
	}
}

func (e *encoder) word(s string) {
	model := e.t.model
	if id, ok := model.words[s]; ok {
		e.out = append(e.out, id)
		return
	}
	if len(s) == 1 {
		e.out = append(e.out, model.bytes[s[0]])
		return
	}
	if len(s) > cacheWordBytes {
		e.out = e.merger.append(e.out, model, s)
		return
	}
	ids := e.t.cache.get(s)
	if ids == nil {
		ids = e.merger.append(nil, model, s)
		e.t.cache.put(s, ids)
	}
	e.out = append(e.out, ids...)
}

// maxKeptSymbols bounds the scratch space that is kept between texts.
const maxKeptSymbols = 1 << 16

func (e *encoder) release() {
	if cap(e.merger.symbols) <= maxKeptSymbols && cap(e.merger.queue) <= maxKeptSymbols {
		e.t.merger.Put(e.merger)
	}
}
