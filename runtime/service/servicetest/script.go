package servicetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/glmc/glmc/runtime/sample"
	"github.com/glmc/glmc/runtime/service"
)

// Parse reads a script from text, a step to a line. Strings are Go's. A number and a colon in front of a line are a choice other
// than 0:
//
//	reasoning "I have to look."
//	text "Hello" H=-0.5,J=-1.5 e=-0.25    tokens, which are bytes, with log probabilities; alternatives behind commas
//	tokens x=-1                           tokens that gave no text
//	call call_1 read_file                 begins a tool call
//	args "{\"path\":"
//	end
//	done stop "END"                       why the choice ended, and by which stop string
//	1: text "Hi"
//	wait 30ms
//	hang
//	fail internal "the model fell over"
//	refuse busy 2s "all hands are full"
//	usage prompt=9 cached=4 output=12 reasoning=5 drafted=0 accepted=0
//	prompt H=0 i=-2.5                     tokens of the prompt
func Parse(text string) (Script, error) {
	var s Script
	calls := map[int]int{} // of each choice
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.parse(line, calls); err != nil {
			return s, fmt.Errorf("line %d: %q: %w", n+1, line, err)
		}
	}
	return s, nil
}

var kinds = map[string]service.EventKind{
	"reasoning": service.Reasoning, "text": service.Text, "call": service.CallStart, "args": service.CallArgs,
	"end": service.CallEnd, "tokens": service.Tokens, "done": service.Done,
}

var faults = map[string]service.ErrorKind{
	"invalid": service.Invalid, "toolong": service.TooLong, "notfound": service.NotFound, "busy": service.Busy,
	"unavailable": service.Unavailable, "internal": service.Internal,
}

func (s *Script) parse(line string, calls map[int]int) error {
	choice := 0
	if first, rest, ok := strings.Cut(line, ": "); ok {
		if n, err := strconv.Atoi(first); err == nil {
			choice, line = n, rest
		}
	}
	words, err := split(line)
	if err != nil {
		return err
	}
	switch verb, args := words[0], words[1:]; verb {
	case "wait":
		d, err := time.ParseDuration(args[0])
		s.Steps = append(s.Steps, Step{Wait: d})
		return err
	case "hang":
		s.Steps = append(s.Steps, Step{Hang: true})
		return nil
	case "fail":
		fault, err := parseFault(args)
		s.Steps = append(s.Steps, Step{Fail: fault})
		return err
	case "refuse":
		s.Refuse, err = parseFault(args)
		return err
	case "usage":
		return s.parseUsage(args)
	case "prompt":
		s.Prompt, err = parseTokens(args)
		return err
	default:
		e, err := parseEvent(verb, args, choice, calls)
		s.Steps = append(s.Steps, Step{Event: e})
		return err
	}
}

func parseEvent(verb string, args []string, choice int, calls map[int]int) (service.Event, error) {
	kind, ok := kinds[verb]
	if !ok {
		return service.Event{}, fmt.Errorf("there is no step %q", verb)
	}
	e := service.Event{Kind: kind, Choice: choice}
	take := func() string {
		if len(args) == 0 {
			return ""
		}
		first := args[0]
		args = args[1:]
		return first
	}
	switch kind {
	case service.Reasoning, service.Text, service.CallArgs:
		e.Text = take()
	case service.CallStart:
		e.ID, e.Name = take(), take()
	case service.Done:
		e.Finish, e.StopString = service.Finish(take()), take()
	}
	switch kind {
	case service.CallStart, service.CallArgs, service.CallEnd:
		e.Call = calls[choice]
	}
	if kind == service.CallEnd {
		calls[choice]++
	}
	var err error
	e.Logprobs, err = parseTokens(args)
	return e, err
}

func parseFault(args []string) (*service.Error, error) {
	kind, ok := faults[args[0]]
	if !ok {
		return nil, fmt.Errorf("there is no kind of error %q", args[0])
	}
	fault := &service.Error{Kind: kind, Message: args[len(args)-1]}
	if kind == service.Busy && len(args) == 3 {
		var err error
		fault.RetryAfter, err = time.ParseDuration(args[1])
		return fault, err
	}
	if len(args) == 3 {
		fault.Param = args[1]
	}
	return fault, nil
}

func (s *Script) parseUsage(args []string) error {
	counts := map[string]*int{
		"prompt": &s.Usage.Prompt, "cached": &s.Usage.Cached, "output": &s.Usage.Output, "reasoning": &s.Usage.Reasoning,
		"drafted": &s.Usage.Drafted, "accepted": &s.Usage.Accepted,
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		count := counts[name]
		if count == nil {
			return fmt.Errorf("usage has no %q", name)
		}
		var err error
		if *count, err = strconv.Atoi(value); err != nil {
			return err
		}
	}
	return nil
}

// parseTokens reads tokens such as H=-0.5,J=-1.5: the one that was picked, and others.
func parseTokens(words []string) ([]sample.Token, error) {
	var tokens []sample.Token
	for _, word := range words {
		var token sample.Token
		for i, part := range strings.Split(word, ",") {
			name, value, _ := strings.Cut(part, "=")
			logprob, err := strconv.ParseFloat(value, 32)
			if err != nil || len(name) != 1 {
				return nil, fmt.Errorf("%q is no token with a log probability", part)
			}
			id := int32(name[0])
			if i == 0 {
				token.ID, token.Logprob = id, float32(logprob)
			}
			token.Top = append(token.Top, sample.Alternative{ID: id, Logprob: float32(logprob)})
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// split cuts a line into words and strings in quotes.
func split(line string) ([]string, error) {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, err
			}
			word, _ := strconv.Unquote(quoted)
			words, line = append(words, word), line[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words, line = append(words, word), rest
	}
	return words, nil
}
