package grammar

import (
	"fmt"
	"strings"
)

// Bounds of what is compiled. What is beyond one is an *Error.
const (
	MaxSource     = 512 << 10 // bytes of a schema, and of all tools' schemas together
	MaxDepth      = 64        // levels of nesting in a schema's text
	MaxNodes      = 50_000    // nodes of a grammar, references expanded where schemas are merged
	MaxProperties = 1000      // properties of one object
	MaxBranches   = 256       // alternatives of one place, after allOf was multiplied out
	MaxLiterals   = 256 << 10 // bytes of all values of enum and const
	MaxRegex      = 8 << 10   // bytes of a regular expression
	MaxStates     = 20_000    // states of all regular expressions of a grammar
	MaxTools      = 1024
)

// Error is a form that cannot be enforced, and why. It is the fault of whoever asked for it.
type Error struct {
	// Path is the place in the schema as a JSON pointer, "" for all of it.
	Path string
	Msg  string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Msg
	}
	return e.Path + ": " + e.Msg
}

func errorAt(path, format string, args ...any) *Error {
	return &Error{Path: path, Msg: fmt.Sprintf(format, args...)}
}

// below is the JSON pointer of a member.
func below(path, member string) string {
	return path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(member)
}
