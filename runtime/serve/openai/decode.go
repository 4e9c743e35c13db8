package openai

import (
	"errors"
	"math"

	"github.com/glmc/glmc/runtime/jsonparts"
	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
)

// Bounds of a request. They are looked at before anything of that size is made.
const (
	maxChoices  = 128
	maxStops    = 16
	maxStop     = 1024 // characters of one
	maxStopIDs  = 1024
	maxBias     = 1024
	maxTop      = 20
	maxName     = 256 // characters of names and ids that are given
	maxPattern  = 64 << 10
	maxMetadata = 16
)

// decoder reads the fields of a body into what the backend is to do and what the answer has to look like.
type decoder struct {
	*body.Object
	model   service.Model
	request service.Request
	answer  form
	none    bool // a reply may have no tokens: only what there is of the prompt
}

// form is what an answer looks like.
type form struct {
	stream          bool
	usage           bool // a last chunk with the usage
	continuousUsage bool // every chunk has it
	logprobs        bool
	top             int // alternatives to show with logprobs
	promptLogprobs  int // alternatives to show with the prompt's; -1: none of these
	tokenIDs        bool
	reasoning       reasoning
	carried         bool   // thinking in a form that comes back
	echo            string // text in front of every choice's
}

// common reads what chat and text completions share.
func (d *decoder) common() {
	d.named()
	d.sampling()
	d.ending()
	d.streaming()
	d.caller()
	d.refuse()
}

// named looks whether the model is the one that is served. A request that names none means it.
func (d *decoder) named() {
	name := d.String("model", math.MaxInt)
	if name != nil && *name != d.model.Name && d.Err() == nil {
		d.Set(&service.Error{Kind: service.NotFound, Param: "model", Message: notServed(*name, d.model)})
	}
}

func (d *decoder) sampling() {
	s := &d.request.Sampling
	s.Temperature = d.Float("temperature", 0, 2)
	s.TopP = d.Float("top_p", 0, 1)
	s.MinP = d.Float("min_p", 0, 1)
	if k := d.Int("top_k", -1, math.MaxInt32); k != nil {
		all := max(0, int(*k)) // vLLM's word for all tokens is -1
		s.TopK = &all
	}
	s.Presence = d.Float("presence_penalty", -2, 2)
	s.Frequency = d.Float("frequency_penalty", -2, 2)
	s.Repetition = d.Float("repetition_penalty", 0, 2)
	d.positive("top_p", s.TopP)
	d.positive("repetition_penalty", s.Repetition)
	if seed := d.Int("seed", math.MinInt64, math.MaxInt64); seed != nil {
		bits := uint64(*seed)
		s.Seed = &bits
	}
	s.Bias = d.bias()
	if n := d.Int("n", 1, maxChoices); n != nil {
		d.request.Choices = int(*n)
	}
}

func (d *decoder) positive(name string, value *float64) {
	if value != nil && *value == 0 {
		d.Wrong(name, "is 0; must be above 0")
	}
}

func (d *decoder) bias() map[int32]float32 {
	in := d.Object.Object("logit_bias")
	if in == nil {
		return nil
	}
	names := in.Names()
	if len(names) > maxBias {
		d.Wrong("logit_bias", "has %d tokens; at most %d are allowed", len(names), maxBias)
		return nil
	}
	bias := make(map[int32]float32, len(names))
	for _, name := range names {
		id, ok := body.Integer(name)
		if !ok || id < 0 || id >= int64(d.model.VocabSize) {
			d.Wrong("logit_bias", "has the key %.40q; keys are ids of tokens, from 0 to %d", name, d.model.VocabSize-1)
			return nil
		}
		if value := in.Float(name, -100, 100); value != nil {
			bias[int32(id)] = float32(*value)
		}
	}
	return bias
}

// ending reads what ends a choice.
func (d *decoder) ending() {
	r := &d.request
	switch raw := d.Raw("stop"); {
	case raw == nil:
	case jsonparts.Kind(raw) == "a string":
		if s := d.String("stop", maxStop); s != nil {
			r.Stop = []string{*s}
		}
	case jsonparts.Kind(raw) == "an array":
		r.Stop = d.Strings("stop", maxStops, maxStop)
	default:
		d.Wrong("stop", "must be a string or an array of strings, not %s", jsonparts.Kind(raw))
	}
	for _, s := range r.Stop {
		if s == "" {
			d.Wrong("stop", "has an empty string, which every text begins with")
		}
	}
	r.StopIDs = d.Integers("stop_token_ids", maxStopIDs, d.model.VocabSize)
	r.IgnoreEOS = d.True("ignore_eos")
	r.IncludeStop = d.True("include_stop_str_in_output")
	if skip := d.Bool("skip_special_tokens"); skip != nil {
		r.KeepSpecial = !*skip
	}
	low := int64(1)
	if d.none {
		low = 0
	}
	for _, name := range []string{"max_tokens", "max_completion_tokens"} { // the second counts
		if n := d.count(name, low); n != nil {
			r.MaxTokens = n
		}
	}
	r.Fit = true // as many as there is room for
	if n := d.count("min_tokens", 0); n != nil {
		r.MinTokens = *n
	}
	if r.MaxTokens != nil && r.MinTokens > *r.MaxTokens {
		d.Wrong("min_tokens", "is %d, more than the %d tokens that there may be", r.MinTokens, *r.MaxTokens)
	}
}

// count is a number of tokens.
func (d *decoder) count(name string, low int64) *int {
	value := d.Int(name, low, math.MaxInt32)
	if value == nil {
		return nil
	}
	n := int(*value)
	return &n
}

func (d *decoder) streaming() {
	d.answer.stream = d.True("stream")
	d.answer.tokenIDs = d.True("return_token_ids")
	d.answer.promptLogprobs = -1
	if n := d.Int("prompt_logprobs", 0, maxTop); n != nil {
		d.answer.promptLogprobs = int(*n)
		d.request.PromptLogprobs = true
		if d.answer.stream {
			d.Wrong("prompt_logprobs", "is not given in a stream")
		}
	}
	options := d.Object.Object("stream_options")
	if options == nil {
		return
	}
	if !d.answer.stream {
		d.Wrong("stream_options", "is only allowed with stream")
	}
	d.answer.usage = options.True("include_usage")
	d.answer.continuousUsage = options.True("continuous_usage_stats")
	options.Bool("include_obfuscation") // for connections whose packets are counted; nothing here pads
}

// caller reads who asks, and how urgently.
func (d *decoder) caller() {
	if salt := d.String("cache_salt", maxName); salt != nil {
		d.request.Salt = *salt
	}
	if priority := d.Int("priority", math.MinInt32, math.MaxInt32); priority != nil {
		d.request.Priority = int(*priority)
	}
	// These tell OpenAI whom to bill and whom to blame. They have to be of the right kind, and change nothing here.
	for _, name := range []string{"user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"} {
		d.String(name, math.MaxInt)
	}
	d.Word("service_tier", "auto", "default", "flex", "scale", "priority")
	d.metadata()
}

// unstored refuses to store what comes of a request.
func (d *decoder) unstored() {
	if d.True("store") {
		d.Wrong("store", "is true, but this server keeps no completions: leave it out or say false")
	}
}

func (d *decoder) metadata() {
	in := d.Object.Object("metadata")
	if in == nil {
		return
	}
	names := in.Names()
	if len(names) > maxMetadata {
		d.Wrong("metadata", "has %d keys; at most %d are allowed", len(names), maxMetadata)
	}
	for _, name := range names {
		in.String(name, 512)
	}
}

// unsupported are fields that ask for something that the server does not do. To pass over them would give answers of another
// kind than was asked for.
var unsupported = []struct{ name, why string }{
	{"use_beam_search", "there is no beam search"},
	{"chat_template", "templates come with the model, never with a request"},
	{"documents", "put them into messages"},
	{"truncate_prompt_tokens", "prompts are never cut"},
	{"allowed_token_ids", "use structured_outputs"},
	{"bad_words", "use logit_bias"},
	{"logits_processors", "code does not come with a request"},
	{"ebnf", "use json_schema or regex"},
	{"guided_grammar", "use guided_json or guided_regex"},
	{"structural_tag", "use tools"},
	{"functions", "it was replaced by tools"},
	{"function_call", "it was replaced by tool_choice"},
	{"audio", "the model gives text"},
	{"web_search_options", "the server does not search the web"},
	{"lora_path", "the server has one model"},
}

// refuse fails where one of them is there and says more than that it is not wanted.
func (d *decoder) refuse() {
	for _, f := range unsupported {
		switch string(d.Raw(f.name)) {
		case "", "false", "[]", "{}", `""`:
		default:
			d.Wrong(f.name, "is not supported: %s", f.why)
		}
	}
}

// wrongInput keeps an error of package chat.
func (d *decoder) wrongInput(err error) {
	var wrong *chat.InputError
	if errors.As(err, &wrong) {
		d.Set(&service.Error{Kind: service.Invalid, Param: wrong.Path, Message: wrong.Error(), Err: err})
	} else if err != nil {
		d.Fail("", "%v", err)
	}
}
