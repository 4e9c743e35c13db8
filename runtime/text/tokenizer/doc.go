// Package tokenizer turns text into token ids and back, exactly as Hugging
// Face's tokenizers library does for a tokenizer.json that holds a byte-level
// BPE model: the kind that GLM-4.5 to 4.7, Qwen 2 and 3, Llama 3 and GPT-2 use.
//
// # What a file may hold
//
// [Load] and [Parse] accept a BPE model (merges as "a b" or as pairs,
// ignore_merges), added tokens with all their flags, NFC or no normalizer, the
// split patterns of the families above, and ByteLevel or TemplateProcessing
// post-processors. Whatever else would change the ids is refused with an error
// that names it. Nothing is skipped in silence, an unknown field included.
//
// # Text that is not trusted
//
// In a rendered conversation the template's markup ("<|user|>") stands for
// added tokens while the same characters inside a message must not: a user who
// writes "<|system|>" must not open a system turn (CVE-2026-44222).
// [Tokenizer.EncodeSegments] takes the rendered conversation as segments and
// recognises added tokens only where a segment is marked as markup.
// [Recognise] makes the same choice for a whole text. Where no message holds the
// text of an added token, both give the ids that Hugging Face gives for the
// plain concatenation: words run across the segments' borders.
//
// That guarantee needs special tokens that merging cannot build. A file in which
// it can is therefore refused, and with ignore_merges no special token is looked
// up as a word: the one place where Hugging Face would give another id, and only
// for a text that spells a special token that is not recognised there.
//
// # Invalid UTF-8
//
// Go strings may hold any bytes, Hugging Face's strings may not. Encode reads
// invalid text as Python does with errors="replace" and Decode writes it as Rust
// does with from_utf8_lossy, which is the same rule (Unicode standard, section
// 3.9, "maximal subparts"): a truncated but so far correct sequence becomes one
// U+FFFD, every other stray byte becomes one U+FFFD of its own.
//
// # Unicode versions
//
// The split patterns, single_word and NFC follow the Unicode versions compiled
// into tokenizers, not those of the Go release: unicode_tables.go is generated
// by asking that library about every code point (testdata/oracle). NFC is
// written here rather than taken from golang.org/x/text, which inserts U+034F
// into runs of more than 30 marks and knows characters that the original's
// tables (Unicode 9) leave alone.
//
// # Time and memory
//
// Encoding takes O(n log n) steps at worst, also for a text that is one word.
// With [AtMost], a text that has far too many ids costs a look at its bytes.
// Short words are remembered, in a cache of bounded size. Parse bounds what a
// file may hold before it allocates.
//
// A [Tokenizer] is immutable and safe for concurrent use; a [Stream] is not.
package tokenizer
