package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/engine"
)

// tokenPrinter writes tokens to stdout while they are generated.
type tokenPrinter struct {
	next  func(id int32) string // what a token adds to the text
	flush func() string         // what is left at the end
	wrote bool
}

// printer writes text, or without a tokenizer the ids in the form that --ids takes.
func (t *textTools) printer() *tokenPrinter {
	if t.tokenizer != nil {
		s := t.tokenizer.NewStream(true)
		return &tokenPrinter{next: s.Next, flush: s.Flush}
	}
	fmt.Fprintln(os.Stderr, "there is no tokenizer: printing token ids")
	separator := ""
	return &tokenPrinter{
		next: func(id int32) string {
			text := separator + strconv.Itoa(int(id))
			separator = ","
			return text
		},
		flush: func() string { return "" },
	}
}

func (p *tokenPrinter) token(id int32) error { return p.write(p.next(id)) }

// end finishes the line. A generation that failed before it wrote anything leaves stdout empty.
func (p *tokenPrinter) end(complete bool) error {
	if err := p.write(p.flush()); err != nil {
		return err
	}
	if complete || p.wrote {
		return p.write("\n")
	}
	return nil
}

func (p *tokenPrinter) write(text string) error {
	if text == "" {
		return nil
	}
	p.wrote = true
	_, err := os.Stdout.WriteString(text)
	return err
}

// printSpeeds writes how long a generation took.
func printSpeeds(w io.Writer, prompt int, r engine.Response) {
	fmt.Fprintf(w, "\nprompt: %s in %.0f ms", diag.Count(prompt, "token"), float64(r.Prompt.Microseconds())/1e3)
	if generated := len(r.Output); generated > 1 {
		// The first token comes with the prompt.
		fmt.Fprintf(w, "; generated: %s, %.1f tokens/s", diag.Count(generated, "token"), float64(generated-1)/max(r.Generate.Seconds(), 1e-9))
	}
	fmt.Fprintf(w, "; finished: %s\n", r.Finish)
}
