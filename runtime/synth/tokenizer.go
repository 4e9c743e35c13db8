package synth

import (
	_ "embed" // the chat template
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A checkpoint of random weights has a tokenizer so that it can be served: whatever it says, every id is text. The
// vocabulary has exactly the model's size: the 256 bytes, then pieces of words that merges make, then the tokens that
// GLM's markup is written with. Nothing is learnt from a text; the pieces are chosen by how frequent letters are in
// English, which gives some three letters to a token of the larger vocabularies.

//go:embed chat_template.jinja
var chatTemplate []byte

// markup are the added tokens of GLM-4.5 to 4.7, in their order. Those in angle brackets alone are not special: they stay
// in decoded text, because replies are read by them.
var markup = []string{
	"<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
	"<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>", "<|begin_of_audio|>", "<|end_of_audio|>",
	"<|begin_of_transcription|>", "<|end_of_transcription|>", "<|code_prefix|>", "<|code_middle|>", "<|code_suffix|>",
	"<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
	"<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "/nothink",
}

// firstPlain is the first of markup that is not special.
const firstPlain = "<think>"

// ends are the tokens of markup that end a reply.
var ends = []string{"<|endoftext|>", "<|user|>", "<|observation|>"}

// splitPattern is GLM's: how text is cut into words before bytes are merged.
const splitPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// letters of the Latin alphabet, the most frequent ones of English first.
const letters = "etaoinshrdlcumwfgypbvkjxqz"

// alphabet is the byte-level alphabet: printable bytes of Latin-1 stand for themselves, others for the characters from
// U+0100 on (GPT-2, encoder.py).
var alphabet = func() (runes [256]rune) {
	next := rune(0x100)
	for b := range runes {
		runes[b] = rune(b)
		if b < '!' || b > '~' && b < 0xA1 || b == 0xAD {
			runes[b] = next
			next++
		}
	}
	return runes
}()

// vocabulary is what a tokenizer.json of some size holds.
type vocabulary struct {
	words  []string    // by id, without markup
	merges [][2]string // by rank
}

// vocabularyOf makes a vocabulary of size tokens, markup included. Behind the bytes come pairs of letters, a space
// with a letter, a space with a pair, and pairs of pairs: every one is what a single merge makes of earlier ones.
func vocabularyOf(size int) (*vocabulary, error) {
	v := &vocabulary{merges: [][2]string{}}
	for _, r := range alphabet {
		v.words = append(v.words, string(r))
	}
	left := size - len(v.words) - len(markup)
	if left < 0 {
		return nil, fmt.Errorf("a vocabulary of %d has no room for the 256 bytes and the %d tokens of GLM's markup", size, len(markup))
	}
	single, space := strings.Split(letters, ""), []string{string(alphabet[' '])}
	two := products(single, single)
	pairs := joined(two)
	for _, parts := range [][][2]string{two, products(space, single), products(space, pairs), whole(products(pairs, pairs), pairs)} {
		more := parts[:min(left, len(parts))]
		left -= len(more)
		v.merges = append(v.merges, more...)
		v.words = append(v.words, joined(more)...)
	}
	if left > 0 {
		return nil, fmt.Errorf("a vocabulary of %d is more than there are pieces of words for: %d are too many", size, left)
	}
	return v, nil
}

// whole leaves out pairs of pairs of letters that no text is encoded as: where the two letters in the middle are more
// frequent than both pairs, they are merged first.
func whole(quads [][2]string, pairs []string) [][2]string {
	rank := make(map[string]int, len(pairs))
	for i, p := range pairs {
		rank[p] = i
	}
	return slices.DeleteFunc(quads, func(q [2]string) bool {
		middle := rank[q[0][1:]+q[1][:1]]
		return middle < rank[q[0]] && middle <= rank[q[1]] // of equal pairs the leftmost is merged
	})
}

// products pairs everything on the left with everything on the right. Both are ordered by frequency, and so is the result:
// by the sum of the places.
func products(left, right []string) [][2]string {
	out := make([][2]string, 0, len(left)*len(right))
	for sum := range len(left) + len(right) - 1 {
		for i := max(0, sum-len(right)+1); i <= min(sum, len(left)-1); i++ {
			out = append(out, [2]string{left[i], right[sum-i]})
		}
	}
	return out
}

func joined(pairs [][2]string) []string {
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p[0] + p[1]
	}
	return out
}

// added is a row of added_tokens in a tokenizer.json, and of added_tokens_decoder in a tokenizer_config.json.
type added struct {
	ID         *int   `json:"id,omitempty"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// special says which tokens of markup are.
func special(i int) bool { return i < slices.Index(markup, firstPlain) }

// markupID is the id of a token of markup in a vocabulary of size tokens: markup comes last.
func markupID(size int, token string) int { return size - len(markup) + slices.Index(markup, token) }

// endIDs are the ids that end a reply.
func endIDs(size int) []int {
	var ids []int
	for _, token := range ends {
		ids = append(ids, markupID(size, token))
	}
	return ids
}

// tokenizerFile is the tokenizer.json of a vocabulary of size tokens.
func tokenizerFile(size int) ([]byte, error) {
	v, err := vocabularyOf(size)
	if err != nil {
		return nil, err
	}
	var rows []added
	for i, token := range markup {
		id := markupID(size, token)
		rows = append(rows, added{ID: &id, Content: token, Special: special(i)})
	}
	vocab := make(map[string]int, len(v.words))
	for id, word := range v.words {
		vocab[word] = id
	}
	type object = map[string]any
	byteLevel := func(prefix, offsets, regex bool) object {
		return object{"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": offsets, "use_regex": regex}
	}
	return indented(object{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": rows, "normalizer": nil,
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []object{
			{"type": "Split", "pattern": object{"Regex": splitPattern}, "behavior": "Isolated", "invert": false},
			byteLevel(false, true, false),
		}},
		"post_processor": byteLevel(true, false, true),
		"decoder":        byteLevel(true, true, true),
		"model": object{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
			"fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": v.merges},
	})
}

// tokenizerConfig is the tokenizer_config.json beside it.
func tokenizerConfig(size, positions int) ([]byte, error) {
	decoder := map[string]added{}
	var specials []string
	for i, token := range markup {
		decoder[strconv.Itoa(markupID(size, token))] = added{Content: token, Special: special(i)}
		if special(i) {
			specials = append(specials, token)
		}
	}
	return indented(map[string]any{
		"added_tokens_decoder": decoder, "additional_special_tokens": specials, "clean_up_tokenization_spaces": false, "do_lower_case": false,
		"eos_token": ends[0], "pad_token": ends[0], "extra_special_tokens": map[string]any{}, "model_input_names": []string{"input_ids", "attention_mask"},
		"model_max_length": positions, "padding_side": "left", "remove_space": false, "tokenizer_class": "PreTrainedTokenizerFast",
	})
}
