package exec

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// Panic is the error of a step in which a kernel panicked: a mistake of ours, which ends the step and not the process. The
// ranks are as after any other error.
type Panic struct {
	Kernel string // with its place in the model
	Reason string
	Stack  string // of the goroutine, for whoever mends it
}

func (p *Panic) Error() string { return fmt.Sprintf("%s panicked: %s", p.Kernel, p.Reason) }

// panicked is the error of a panic in a step's kernel, or in what is called after it.
func panicked(s *step, reason any) error {
	p := &Panic{Kernel: "the step"}
	if s != nil {
		p.Kernel = fmt.Sprintf("%s of %s (%s)", s.node.Op.Name, s.node.Origin.Path, s.node.Origin.Source)
	}
	// A pool of threads adds the stack of the one that panicked.
	text, stack, _ := strings.Cut(fmt.Sprint(reason), "\n\n")
	if stack == "" {
		stack = string(debug.Stack())
	}
	p.Reason, p.Stack = text, stack
	return p
}
