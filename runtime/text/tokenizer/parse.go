package tokenizer

import (
	"fmt"
	"io"
	"os"
)

// Limits on what a file may hold. The largest public byte-level BPE files have
// about 10 MB and 200,000 tokens.
const (
	maxFileBytes  = 64 << 20
	maxTokens     = 1 << 21
	maxMergeBits  = 21
	maxMerges     = 1 << maxMergeBits
	maxAdded      = 1 << 16
	maxAddedBytes = 1 << 10 // of one added token
	maxIDGaps     = 1 << 16 // ids that no token has
	maxSequence   = 16      // steps of a Sequence
	maxTemplate   = 256     // ids that a post-processor adds
)

// Load reads a tokenizer.json; see [Parse].
func Load(path string) (*Tokenizer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	t, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", path, err)
	}
	return t, nil
}

// Parse reads the contents of a tokenizer.json. It refuses what it cannot
// reproduce exactly, and what Hugging Face would refuse; the package comment
// says what is supported.
func Parse(data []byte) (*Tokenizer, error) {
	t, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return t, nil
}

func parse(data []byte) (*Tokenizer, error) {
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("the file has more than %d bytes", maxFileBytes)
	}
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	file, err := parseObject("tokenizer.json", data, "version", "truncation", "padding", "added_tokens",
		"normalizer", "pre_tokenizer", "post_processor", "decoder", "model")
	if err != nil {
		return nil, err
	}
	if err := checkHeader(file); err != nil {
		return nil, err
	}
	t := &Tokenizer{cache: newWordCache()}
	t.merger.New = func() any { return new(merger) }
	if t.nfc, err = parseNormalizer("normalizer", file.fields["normalizer"], 0); err != nil {
		return nil, err
	}
	if err := t.parseVocabulary(file); err != nil {
		return nil, err
	}
	t.shares = sharesOf(t)
	if t.stages, err = parsePreTokenizer(file.fields["pre_tokenizer"]); err != nil {
		return nil, err
	}
	if err := parseDecoder("decoder", file.fields["decoder"]); err != nil {
		return nil, err
	}
	return t, t.parsePostProcessor(file.fields["post_processor"])
}

func checkHeader(file object) error {
	version, err := required[string](file, "version")
	if err != nil {
		return err
	}
	if version != "1.0" {
		return fmt.Errorf("version is %q; known is \"1.0\"", version)
	}
	for _, key := range []string{"truncation", "padding"} {
		if file.has(key) {
			return fmt.Errorf("%s is set: it would cut or pad every text; set it to null", key)
		}
	}
	return nil
}
