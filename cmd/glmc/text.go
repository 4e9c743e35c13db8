package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/pflag"

	"github.com/glmc/glmc/runtime/service"
	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

const (
	maxTokenizerFile  = 256 << 20
	maxTemplateFile   = 1 << 20
	maxGenerationFile = 1 << 20
	maxMessagesFile   = chat.MaxConversationBytes
)

// textFlags name the files around the text where they are not the checkpoint's.
type textFlags struct {
	tokenizer  string
	template   string
	generation string
}

func (f *textFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.tokenizer, "tokenizer", "", "tokenizer.json `FILE` (default: the checkpoint's)")
	fs.StringVar(&f.template, "chat-template", "", "Jinja `FILE` (default: the checkpoint's)")
	fs.StringVar(&f.generation, "generation-config", "", "generation_config.json `FILE` (default: the checkpoint's)")
}

// textTools turn text into ids and back.
type textTools struct {
	tokenizer *tokenizer.Tokenizer // nil: the checkpoint has none and none is needed
	stop      []int32
	template  func() (*chat.Template, error)
}

// load reads the tokenizer and the stop tokens. A checkpoint without a tokenizer can still run on ids.
func (f *textFlags) load(files checkpointFiles, needTokenizer bool) (*textTools, error) {
	t := &textTools{template: func() (*chat.Template, error) { return f.loadTemplate(files) }}
	data, err := f.read(f.tokenizer, files, "tokenizer.json", maxTokenizerFile)
	absent := errors.Is(err, fs.ErrNotExist) && f.tokenizer == ""
	switch {
	case absent && needTokenizer:
		return nil, fmt.Errorf("%s has no tokenizer.json: name one with --tokenizer FILE, or give token ids with --ids", files.path("."))
	case absent:
	case err != nil:
		return nil, err
	default:
		if t.tokenizer, err = tokenizer.Parse(data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name(f.tokenizer, files, "tokenizer.json"), err)
		}
	}
	t.stop, err = f.stopTokens(files)
	return t, err
}

func (f *textFlags) name(flag string, files checkpointFiles, name string) string {
	if flag != "" {
		return flag
	}
	return files.path(name)
}

func (f *textFlags) read(flag string, files checkpointFiles, name string, limit int64) ([]byte, error) {
	if flag != "" {
		return readLimited(flag, limit)
	}
	return files.read(name, limit)
}

// stopTokens reads eos_token_id of generation_config.json, else of config.json: a number, a list or null.
func (f *textFlags) stopTokens(files checkpointFiles) ([]int32, error) {
	for _, name := range []string{"generation_config.json", "config.json"} {
		flag := ""
		if name == "generation_config.json" {
			flag = f.generation
		}
		data, err := f.read(flag, files, name, maxGenerationFile)
		if errors.Is(err, fs.ErrNotExist) && flag == "" {
			continue
		}
		if err != nil {
			return nil, err
		}
		var c struct {
			EOS json.RawMessage `json:"eos_token_id"`
		}
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name(flag, files, name), err)
		}
		if ids, ok := readStops(c.EOS); ok {
			return ids, nil
		} else if len(c.EOS) > 0 && string(c.EOS) != "null" {
			return nil, fmt.Errorf("%s: eos_token_id is %s, want a token id or a list of them", f.name(flag, files, name), c.EOS)
		}
	}
	return nil, nil
}

func readStops(raw json.RawMessage) ([]int32, bool) {
	var one int32
	var many []int32
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, false
	case json.Unmarshal(raw, &one) == nil:
		return []int32{one}, true
	case json.Unmarshal(raw, &many) == nil:
		return many, true
	}
	return nil, false
}

func (f *textFlags) loadTemplate(files checkpointFiles) (*chat.Template, error) {
	if f.template == "" {
		return chat.LoadFS(files.fs(), files.path("."))
	}
	src, err := readLimited(f.template, maxTemplateFile)
	if err != nil {
		return nil, err
	}
	tokens, err := chat.ReadSpecialTokens(files.fs())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", files.path("."), err)
	}
	t, err := chat.New(string(src), tokens)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.template, err)
	}
	return t, nil
}

// conversation renders messages and returns their ids. Special tokens count only where the template wrote
// them.
func (t *textTools) conversation(conv chat.Conversation) ([]int32, error) {
	tmpl, err := t.template()
	if err != nil {
		return nil, err
	}
	return t.render(tmpl, conv, true)
}

// render does that with a template, and with the header of the assistant's next message only where generate says so.
func (t *textTools) render(tmpl *chat.Template, conv chat.Conversation, generate bool) ([]int32, error) {
	segments, err := tmpl.RenderSegments(conv, chat.Options{AddGenerationPrompt: generate})
	if err != nil {
		return nil, err
	}
	return service.Encode(t.tokenizer, segments), nil
}

// decode returns the text of ids, "" without a tokenizer.
func (t *textTools) decode(ids []int32) string {
	if t.tokenizer == nil {
		return ""
	}
	return t.tokenizer.Decode(ids, true)
}
