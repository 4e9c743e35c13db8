// Package service is a model as its users see it: conversations and text in, reasoning, text and tool calls out. It puts together
// tokenizer, chat template, engine, grammars and the parsers of replies. The HTTP interfaces are translations of it, and know
// nothing of tokens that it does not tell them.
package service

import (
	"context"
	"time"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/text/chat"
)

// Backend is what the HTTP interfaces need of a model. Service is one.
type Backend interface {
	// Model describes the model that is served.
	Model() Model
	// Start checks a request, turns it into tokens and hands it to the engine. Its errors are *Error. The generation ends
	// when ctx does; whoever started it has to read it to its end or close it.
	Start(ctx context.Context, r Request) (Generation, error)
	// Count is the number of tokens of a request's prompt.
	Count(ctx context.Context, r Request) (int, error)
	// Tokenize gives the ids of a request's prompt.
	Tokenize(ctx context.Context, r Request) ([]int32, error)
	// Detokenize gives the text of ids, special tokens included.
	Detokenize(ids []int32) (string, error)
	// Token is the text of one token, which may be a part of a character.
	Token(id int32) []byte
}

// Model describes what is served.
type Model struct {
	Name         string // as requests name it
	Created      time.Time
	MaxPositions int // prompt and output together, in tokens
	VocabSize    int
	Chat         bool     // it has a chat template
	Thinks       bool     // its template knows enable_thinking
	Defaults     Sampling // where a request says nothing
}

// Request is one request, of one prompt and one or several choices. Exactly one of Conversation, Text and Tokens is set.
type Request struct {
	ID           string // of the request, for logs
	Conversation *chat.Conversation
	Text         *string
	Tokens       []int32

	// Of a conversation.
	Template   map[string]any // template arguments, as chat.ParseKwargs gives them
	Thinking   *bool          // nil: the template's default
	ToolChoice ToolChoice
	// ParallelCalls allows several tool calls in a reply; nil: allowed.
	ParallelCalls *bool
	// Continue continues the last message, the assistant's, instead of beginning a new turn.
	Continue bool

	Choices   int // 0: 1
	Sampling  Sampling
	MaxTokens *int // nil: as many as the model has positions for
	// Fit lowers MaxTokens to what there is room for behind the prompt. Otherwise more than that is an error.
	Fit       bool
	MinTokens int // stop tokens and stop strings count only behind so many
	Stop      []string
	StopIDs   []int32
	IgnoreEOS bool
	// IncludeStop keeps a stop string in the text.
	IncludeStop bool
	Format      Format
	// Logprobs asks for the log probability of every token, and Alternatives for so many of the most probable ones beside.
	Logprobs     bool
	Alternatives int
	// PromptLogprobs asks for those of the prompt too (Generation.Prompt). Nothing of it is then taken from the prefix cache.
	PromptLogprobs bool
	// KeepSpecial keeps the text of special tokens in the reply; without, they are left out.
	KeepSpecial bool

	// Salt separates prefix caches: only requests with equal salts share pages, so that the time of an answer tells nothing
	// about other tenants' prompts.
	Salt     string
	Priority int // lower ones first; 0 is usual
}

// Sampling says how tokens are picked. What is nil is taken from the model's defaults.
type Sampling struct {
	Temperature, TopP, MinP         *float64
	TopK                            *int
	Presence, Frequency, Repetition *float64
	Bias                            map[int32]float32
	Seed                            *uint64 // nil: a random one. Choice i takes the seed plus i
}

// ToolChoice says which tools a reply has to call.
type ToolChoice struct {
	Mode ToolMode
	Name string // of ToolNamed
}

// ToolMode is the kind of a ToolChoice.
type ToolMode uint8

const (
	ToolAuto     ToolMode = iota // the model decides
	ToolNone                     // none: the model does not see the tools
	ToolRequired                 // one at least
	ToolNamed                    // the named one
)

// Format is what form the text of a reply has to have.
type Format struct {
	Kind   FormatKind
	Schema []byte // JSON schema, of FormatSchema
	Regex  string // of FormatRegex
	// Strict says that the schema was given as strict; others are enforced all the same.
	Strict bool
	// Param is what the request calls it, for errors: "guided_regex"; "": response_format.
	Param string
}

// FormatKind is the kind of a Format.
type FormatKind uint8

const (
	FormatText   FormatKind = iota // any
	FormatJSON                     // a JSON object
	FormatSchema                   // a JSON value that a schema describes
	FormatRegex                    // text that matches an expression
)

// Generation is a reply as it comes about. It is not safe for concurrent use, but for Close.
type Generation interface {
	// Next waits for what comes next, of any choice. It is io.EOF after the end of all choices, and an *Error where the
	// generation failed.
	Next(ctx context.Context) (Event, error)
	// Usage counts tokens. It is final after io.EOF.
	Usage() Usage
	// Prompt gives the prompt's tokens with log probabilities, of Request.PromptLogprobs, once the first event came. The
	// first token has none.
	Prompt() []sample.Token
	// Close ends the generation. It may be called at any time, and more than once.
	Close()
}

// EventKind is the kind of an Event.
type EventKind uint8

const (
	Reasoning EventKind = iota // Text of thinking
	Text                       // Text of the reply
	CallStart                  // a tool call begins: Call, ID and Name
	CallArgs                   // Text is the next part of the JSON object of its arguments
	CallEnd                    // the tool call is complete
	Tokens                     // only Logprobs, of tokens that gave no text yet
	Done                       // the choice ended: Finish
)

// Event is the next part of a reply. The texts of the events of a choice make up the same reply however they are cut.
type Event struct {
	Kind   EventKind
	Choice int
	Text   string
	Call   int    // number of the tool call in the choice, from 0
	ID     string // of the tool call, such as call_0123456789abcdef01234567
	Name   string // of the function
	Finish Finish
	// StopString is the stop string that ended the choice, "" where it was none.
	StopString string
	// Logprobs are the tokens that were generated since the last event, of Request.Logprobs.
	Logprobs []sample.Token
}

// Finish says why a choice ended.
type Finish string

const (
	FinishStop   Finish = "stop"       // a stop token or a stop string
	FinishLength Finish = "length"     // MaxTokens, or the model's positions, were used up
	FinishCalls  Finish = "tool_calls" // the reply calls tools
)

// Usage counts the tokens of a request, of all choices.
type Usage struct {
	Prompt    int // of the prompt, once
	Cached    int // of Prompt: taken from the prefix cache
	Output    int
	Reasoning int // of Output: thinking
	Drafted   int // tokens that drafts proposed, 0 without speculative decoding
	Accepted  int // of Drafted: those that became output
}

// ErrorKind is whose fault an Error is, and what can be done.
type ErrorKind uint8

const (
	Invalid     ErrorKind = iota // the request is wrong: another one may do
	TooLong                      // prompt and output are more than the model or the server takes
	NotFound                     // there is no such model
	Busy                         // the server has its hands full: try again after RetryAfter
	Unavailable                  // the server is ending
	Internal                     // the server failed
)

// Error is why a request has no reply.
type Error struct {
	Kind       ErrorKind
	Param      string // what of the request is wrong, by its name in OpenAI's interface; "": none
	Message    string
	RetryAfter time.Duration // of Busy
	Err        error         // the reason, for logs; may be nil
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }
