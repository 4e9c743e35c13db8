package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/glmc/glmc/runtime/text/chat/internal/jinja"
)

// Files of a checkpoint that hold a chat template.
const (
	templateFile = "chat_template.jinja"
	configFile   = "tokenizer_config.json"
)

// ErrNoTemplate says that a checkpoint has no chat template: its model continues texts.
var ErrNoTemplate = errors.New("no chat template")

// maxConfigBytes bounds tokenizer_config.json, which lists added tokens.
const maxConfigBytes = 16 << 20

// LoadDir reads the chat template of a checkpoint's directory; see [LoadFS]. It
// follows links: in Hugging Face's cache every file of a checkpoint is one.
func LoadDir(dir string) (*Template, error) { return LoadFS(os.DirFS(dir), dir) }

// LoadFS reads the chat template of a checkpoint: chat_template.jinja, or the chat_template of
// tokenizer_config.json, which is a string or a list of {name, template}. Of a list, "default" is used, and
// "tool_use" for conversations with tools. The special tokens come from tokenizer_config.json, which may be
// missing beside a chat_template.jinja. The error is an ErrNoTemplate where there is none. Name is what messages call the directory.
func LoadFS(fsys fs.FS, name string) (*Template, error) {
	config, err := readConfig(fsys)
	if err != nil {
		return nil, fmt.Errorf("chat template: %s in %s: %w", configFile, name, err)
	}
	source, err := readFile(fsys, templateFile, int64(jinja.DefaultLimits().Source))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("chat template: %s in %s: %w", templateFile, name, err)
	default:
		config.templates = map[string]string{"default": string(source)}
	}
	standard, ok := config.templates["default"]
	if !ok {
		return nil, fmt.Errorf("%w: %s has neither %s nor a default chat_template in %s; add one of them",
			ErrNoTemplate, name, templateFile, configFile)
	}
	t, err := New(standard, config.tokens)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if toolUse, ok := config.templates["tool_use"]; ok {
		if t.withTools, err = jinja.Parse(toolUse, jinja.DefaultLimits()); err != nil {
			return nil, fmt.Errorf("%s: chat template tool_use: %w", name, err)
		}
	}
	return t, nil
}

// ReadSpecialTokens reads the special tokens of a checkpoint's tokenizer_config.json, for a template from
// elsewhere. There are none where the file is missing.
func ReadSpecialTokens(fsys fs.FS) (SpecialTokens, error) {
	config, err := readConfig(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	return config.tokens, nil
}

// readFile reads a file of at most limit bytes.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("the file is larger than the limit of %d bytes", limit)
	}
	return data, err
}

// tokenizerConfig is what is used of tokenizer_config.json.
type tokenizerConfig struct {
	templates map[string]string
	tokens    SpecialTokens
}

func readConfig(fsys fs.FS) (tokenizerConfig, error) {
	config := tokenizerConfig{tokens: SpecialTokens{}}
	data, err := readFile(fsys, configFile, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err != nil {
		return config, err
	}
	return parseConfig(data)
}

func parseConfig(data []byte) (tokenizerConfig, error) {
	config := tokenizerConfig{tokens: SpecialTokens{}}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return config, err
	}
	for _, name := range []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"} {
		token, err := parseToken(fields[name])
		if err != nil {
			return config, fmt.Errorf("%s: %w", name, err)
		}
		if token != "" {
			config.tokens[name] = token
		}
	}
	var err error
	config.templates, err = parseTemplates(fields["chat_template"])
	return config, err
}

// parseToken reads a special token: a string, an object with content, or null.
func parseToken(data []byte) (string, error) {
	var text string
	if isNull(data) || json.Unmarshal(data, &text) == nil {
		return text, nil
	}
	var object struct {
		Content string `json:"content"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return "", errors.New("must be a string or an object with content")
	}
	return object.Content, nil
}

// parseTemplates reads chat_template: a string or a list of named ones.
func parseTemplates(data []byte) (map[string]string, error) {
	var text string
	switch {
	case isNull(data):
		return nil, nil
	case json.Unmarshal(data, &text) == nil:
		return map[string]string{"default": text}, nil
	}
	var list []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, errors.New("chat_template must be a string or a list of {name, template}")
	}
	templates := map[string]string{}
	for _, t := range list {
		templates[t.Name] = t.Template
	}
	return templates, nil
}
