package synth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/glmc/glmc/kernels/dtype"
	"github.com/glmc/glmc/models"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

func parsed(t *testing.T, size int) *tokenizer.Tokenizer {
	t.Helper()
	file, err := tokenizerFile(size)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Parse(file)
	if err != nil {
		t.Fatalf("a vocabulary of %d: %v", size, err)
	}
	return tok
}

// TestVocabulary: every id of every size is text of its own, and every piece of a word is what its own text is
// encoded as, so that nothing in the vocabulary is out of reach.
func TestVocabulary(t *testing.T) {
	for _, size := range []int{256 + len(markup), 320, 4096, 32768, 151552} {
		tok := parsed(t, size)
		if tok.VocabSize() != size {
			t.Errorf("a vocabulary of %d has %d tokens", size, tok.VocabSize())
		}
		unreached, texts := 0, map[string]bool{}
		for id := range int32(size) {
			spelt, ok := tok.IDToToken(id)
			if !ok || spelt == "" || texts[spelt] {
				t.Fatalf("id %d of %d is %q, which is unknown, empty or there twice", id, size, spelt)
			}
			texts[spelt] = true
			text := tok.Decode([]int32{id}, false)
			if text == "" {
				t.Fatalf("id %d of %d decodes to nothing", id, size)
			}
			if ids := tok.Encode(text); id >= 256 && (len(ids) != 1 || ids[0] != id) {
				unreached++
			}
		}
		if unreached > 0 {
			t.Errorf("%d of %d tokens are not what their text is encoded as", unreached, size)
		}
	}
}

// TestRoundTrip: any text comes back from its ids.
func TestRoundTrip(t *testing.T) {
	tok := parsed(t, 32768)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-z ]|<think>|<\|user\|>)*`)).Draw(t, "text")
		if got := tok.Decode(tok.Encode(text), false); got != text {
			t.Fatalf("%q came back as %q", text, got)
		}
	})
}

// TestTextOfFewTokens: English takes fewer tokens than it has bytes, by some three to one.
func TestTextOfFewTokens(t *testing.T) {
	const text = "The engine feeds the executor with steps of many sequences, and the scheduler decides whose turn it is."
	if n := len(parsed(t, 32768).Encode(text)); n > len(text)/2 {
		t.Errorf("%d bytes are %d tokens", len(text), n)
	}
}

func TestVocabularySizes(t *testing.T) {
	for _, size := range []int{0, 256 + len(markup) - 1, 1 << 20} {
		if _, err := tokenizerFile(size); err == nil {
			t.Errorf("there is a vocabulary of %d", size)
		}
	}
}

// TestServable: what a server reads of a checkpoint is there and fits together: the tokens that end a reply, the template
// with tools and thinking, and markup that is encoded as single tokens.
func TestServable(t *testing.T) {
	dir := t.TempDir()
	if _, err := Write(t.Context(), dir, planFor(t, "tiny", dtype.BF16), Options{Preset: "tiny", DType: dtype.BF16}); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(filepath.Join(dir, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "generation_config.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			EOS []int32 `json:"eos_token_id"`
			Pad int32   `json:"pad_token_id"`
		}
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, id := range append(got.EOS, got.Pad) {
			text, _ := tok.IDToToken(id)
			texts = append(texts, text)
		}
		if diff := cmp.Diff(append(ends, ends[0]), texts); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	template, err := chat.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	conv, err := chat.ParseConversation([]byte(`{"messages":[{"role":"user","content":"Hello <|user|>"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	segments, err := template.RenderSegments(conv, chat.Options{AddGenerationPrompt: true})
	if err != nil {
		t.Fatal(err)
	}
	var ids []int32
	for _, s := range segments {
		ids = append(ids, tok.EncodeSegments([]tokenizer.Segment{{Text: s.Text, Special: s.Markup}})...)
	}
	count := 0
	for _, id := range ids {
		if tok.Special(id) {
			count++
		}
	}
	if want := 4; count != want { // [gMASK] <sop> <|user|> <|assistant|>
		t.Errorf("%s has %d special tokens, want %d", fmt.Sprint(segments), count, want)
	}
}

// TestTemplate: the chat template is that of the small model, so that what reads replies knows their form.
func TestTemplate(t *testing.T) {
	f, err := models.Tiny().Open("chat_template.jinja")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want bytes.Buffer
	if _, err := want.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(chatTemplate)); diff != "" {
		t.Error(diff)
	}
}
