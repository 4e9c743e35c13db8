package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/glmc/glmc/dsl/diag"
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// errNoVerb ends a glmc without arguments, below its help.
var errNoVerb = usagef("which verb?")

// knownVerb refuses the arguments of a command line whose verb cobra did not find.
func knownVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownVerb(root, args[0])
}

func unknownVerb(root *cobra.Command, name string) error {
	var verbs []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	return usagef("there is no verb %s%s", name, didYouMean(name, verbs))
}

// didYouMean ends a sentence about a word that is not known: with the most similar of the known ones, or all.
func didYouMean(word string, known []string) string {
	if near := diag.Nearest(word, known); near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ": one of " + strings.Join(known, ", ")
}

// helpCommand is cobra's own, but that a topic which does not exist is a mistake.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Say what a verb does and which flags it has",
		RunE: func(_ *cobra.Command, args []string) error {
			verb, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownVerb(root, strings.Join(args, " "))
			}
			verb.InitDefaultHelpFlag() // so that it is listed
			return verb.Help()
		},
	}
}

// oneArg wants exactly one argument, such as "MODEL".
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("%s wants a %s", cmd.Name(), what)
		case len(args) > 1:
			return usagef("%s wants one %s, not %d: %s", cmd.Name(), what, len(args), strings.Join(args, " "))
		}
		return nil
	}
}

// twoArgs wants exactly two arguments.
func twoArgs(first, second string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 2 {
			return usagef("%s wants two plans or .glm files, %s and %s, not %d", cmd.Name(), first, second, len(args))
		}
		return nil
	}
}

// atLeastOneArg wants one argument or more.
func atLeastOneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s wants at least one %s", cmd.Name(), what)
		}
		return nil
	}
}

// atMostOneArg wants one argument or none.
func atMostOneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("%s takes one %s, not %d: %s (text with spaces needs quotes)", cmd.Name(), what, len(args), strings.Join(args, " "))
		}
		return nil
	}
}

// noArgs wants none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments: %s", cmd.Name(), strings.Join(args, " "))
	}
	return nil
}

// flagError says in the words of the other messages what pflag found wrong.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return usagef("--%s %s: wants %s", f.Name, invalid.GetValue(), flagWants(f))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		if there := fromElsewhere(unknown.GetSpecifiedName(), cmd.Name(), cmd.Flags()); there != "" {
			return usagef("%s", there)
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := diag.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			return usagef("there is no flag --%s: did you mean --%s?", unknown.GetSpecifiedName(), near)
		}
		return usagef("there is no flag --%s", unknown.GetSpecifiedName())
	}
	return &usageError{err}
}

// flagWants says what a flag's value has to be.
func flagWants(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int":
		return "a whole number"
	case "intSlice":
		return "whole numbers with commas between them"
	case "uint64":
		return "a whole number from 0 on"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a time such as 30s or 2m"
	case "size":
		return "a number of bytes, or a size such as 16MiB or 2GB"
	case "share":
		return "a size such as 8GiB, or a share such as 0.5 or 50%"
	case "string":
		return "text"
	}
	return f.Value.Type()
}
