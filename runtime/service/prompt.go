package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/glmc/glmc/runtime/text/chat"
	"github.com/glmc/glmc/runtime/text/tokenizer"
)

// Encode returns the ids of a rendered conversation. Special tokens count only where the template wrote them.
func Encode(t *tokenizer.Tokenizer, segments []chat.Segment, opts ...tokenizer.Option) []int32 {
	parts := make([]tokenizer.Segment, len(segments))
	for i, s := range segments {
		parts[i] = tokenizer.Segment{Text: s.Text, Special: s.Markup}
	}
	return t.EncodeSegments(parts, opts...)
}

// prompt is what the model continues.
type prompt struct {
	ids  []int32
	text string // of a conversation: as rendered
}

// prompt turns a request into ids, no more than most.
func (s *Service) prompt(ctx context.Context, r *Request, most int) (prompt, error) {
	switch {
	case r.Conversation != nil:
		return s.conversation(ctx, r, most)
	case r.Text != nil:
		if s.tokenizer == nil {
			return prompt{}, invalid("prompt", "the model is served without a tokenizer: give the prompt as token ids")
		}
		end, err := s.encodings.begin(ctx, len(*r.Text))
		if err != nil {
			return prompt{}, fault(err)
		}
		defer end()
		ids := s.tokenizer.Encode(*r.Text, tokenizer.PostProcess(), tokenizer.AtMost(most))
		if ids == nil {
			return prompt{}, s.beyond(most)
		}
		return prompt{ids: ids}, nil
	}
	return prompt{ids: r.Tokens}, s.checkTokens("prompt", r.Tokens)
}

func (s *Service) checkTokens(param string, ids []int32) error {
	for i, id := range ids {
		if id < 0 || int(id) >= s.model.VocabSize {
			return invalid(param, "token %d is %d: the model has the tokens from 0 to %d", i, id, s.model.VocabSize-1)
		}
	}
	return nil
}

// counted is the number of tokens up to which prompts that are too long are counted: so that whoever shortens one knows by how much.
// To count all of a large text would cost seconds.
func (s *Service) counted() int { return 2 * s.model.MaxPositions }

// beyond is the error of a prompt that has more tokens than are counted.
func (s *Service) beyond(most int) error {
	return tooLong("the prompt has more than %d tokens, but prompt and reply together may have %d: shorten the prompt", most, s.model.MaxPositions)
}

// conversation renders a conversation.
func (s *Service) conversation(ctx context.Context, r *Request, most int) (prompt, error) {
	if s.template == nil || s.tokenizer == nil {
		return prompt{}, invalid("messages", "the model is served without a chat template or a tokenizer: it continues text (/v1/completions), it does not chat")
	}
	conv := *r.Conversation
	if r.ToolChoice.Mode == ToolNone {
		conv.Tools = nil
	}
	segments, err := s.template.RenderSegments(conv, chat.Options{AddGenerationPrompt: !r.Continue, Kwargs: r.kwargs()})
	if err != nil {
		return prompt{}, asInvalid(err)
	}
	if r.Continue {
		if segments, err = untilEnd(segments, conv.Messages); err != nil {
			return prompt{}, err
		}
	}
	var text strings.Builder
	for _, part := range segments {
		text.WriteString(part.Text)
	}
	end, err := s.encodings.begin(ctx, text.Len())
	if err != nil {
		return prompt{}, fault(err)
	}
	defer end()
	ids := Encode(s.tokenizer, segments, tokenizer.AtMost(most))
	if ids == nil {
		return prompt{}, s.beyond(most)
	}
	return prompt{ids, text.String()}, nil
}

// kwargs are the template's arguments.
func (r *Request) kwargs() map[string]any {
	if r.Thinking == nil {
		return r.Template
	}
	args := maps.Clone(r.Template)
	if args == nil {
		args = map[string]any{}
	}
	args["enable_thinking"] = *r.Thinking
	return args
}

// untilEnd cuts what a template writes behind the content of the last message, so that the model continues it.
func untilEnd(segments []chat.Segment, messages []chat.Message) ([]chat.Segment, error) {
	last := messages[len(messages)-1]
	if last.Role != chat.RoleAssistant || last.Content == "" {
		return nil, invalid("continue_final_message", "the last message is no assistant's with content, there is nothing to continue")
	}
	// Templates may trim what they write.
	content := strings.TrimSpace(last.Content)
	for i, part := range slices.Backward(segments) {
		if part.Markup {
			continue
		}
		if at := strings.LastIndex(part.Text, content); at >= 0 {
			part.Text = part.Text[:at+len(content)]
			return append(slices.Clone(segments[:i]), part), nil
		}
	}
	return nil, invalid("continue_final_message", "the chat template does not write the last message as it is, so that it cannot be continued")
}

// invalid makes an Error of a request that is wrong in one parameter.
func invalid(param, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Param: param, Message: fmt.Sprintf(format, args...)}
}

// asInvalid turns the error of a conversation into one of the request: a template that raises an exception says that the
// conversation does not suit it.
func asInvalid(err error) *Error {
	var input *chat.InputError
	if errors.As(err, &input) {
		return &Error{Kind: Invalid, Param: input.Path, Message: input.Error(), Err: err}
	}
	return &Error{Kind: Invalid, Param: "messages", Message: err.Error(), Err: err}
}

// tooLong makes an Error of a request with too many tokens.
func tooLong(format string, args ...any) *Error {
	return &Error{Kind: TooLong, Param: "max_tokens", Message: fmt.Sprintf(format, args...)}
}
