package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// contract lists the flags that scripts rely on.
var contract = map[string][]string{
	"bench":       nil,
	"bench model": {"weights", "prompt", "gen", "batch", "runs", "device", "threads", "tp", "disable-pass", "json"},
	"bench draft": {"dataset", "tokenizer", "max-depth", "max-spec-factor", "max-spec-offset", "min-token-prob", "tree", "max-tokens", "cache-requests", "concurrency", "json"},
	"bench serve": {"url", "input", "output", "rate", "num-prompts", "dataset", "json", "html"},
	"bisect":      {"config", "weights", "pipeline", "target", "tp", "set", "disable-pass", "seed", "json"},
	"compile":     {"config", "weights", "pipeline", "target", "tp", "set", "disable-pass", "stop-after", "output", "json", "device-figures", "remarks", "verify"},
	"devices":     {"json", "calibrate", "device-figures"},
	"diff":        {"config", "weights", "pipeline", "target", "tp", "set", "disable-pass", "json"},
	"check":       {"config", "weights", "json", "sarif"},
	"import":      {"output", "force", "target", "json"},
	"inspect":     {"pass", "layer", "json", "dot", "entry", "graph", "full", "sarif"},
	"quantize":    {"dtype", "output", "skip", "calibration", "no-kl", "force", "json"},
	"run": {"weights", "prompt", "messages", "ids", "max-tokens", "temperature", "seed", "tp", "logits", "json",
		"device", "draft", "disable-pass"},
	"serve": {"weights", "addr", "role", "device", "draft", "disable-pass", "api-key", "api-key-file", "tls-cert", "tls-key", "config-file",
		"max-running", "max-waiting", "max-model-len", "chunk", "mixed-chunk", "keep-responses", "kv-memory", "kv-tokens", "served-model-name", "drain-timeout", "debug-addr", "log-format"},
	"synth":   {"preset", "dtype", "seed", "output", "force", "json"},
	"verify":  {"config", "weights", "pipeline", "target", "tp", "set", "disable-pass", "output", "seed", "ablate", "json"},
	"lsp":     nil,
	"version": nil,
}

func TestContract(t *testing.T) {
	for verb, flags := range contract {
		cmd, _, err := newRoot().Find(strings.Fields(verb))
		if err != nil {
			t.Errorf("%s: %v", verb, err)
			continue
		}
		for _, name := range flags {
			if cmd.Flags().Lookup(name) == nil {
				t.Errorf("%s has no flag --%s", verb, name)
			}
		}
	}
}

// TestHelpIsConsistent: every verb says what it does, in a sentence and at length, and shows how; every flag is
// described in the same style, with a name for its value.
func TestHelpIsConsistent(t *testing.T) {
	for _, cmd := range verbs() {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s lacks a short text, a long one or an example", cmd.Name())
		}
		if !unicode.IsUpper(rune(cmd.Short[0])) || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: %q is no headline", cmd.Name(), cmd.Short)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len(line) > 120 {
				t.Errorf("%s: the line is too long for a terminal: %s", cmd.Name(), line)
			}
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.HasPrefix(line, "  "+cmd.CommandPath()) {
				t.Errorf("%s has an example of something else: %s", cmd.Name(), line)
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			value, usage := pflag.UnquoteUsage(f)
			if f.Value.Type() != "bool" && !regexp.MustCompile(`^[A-Z]+(=VALUE)?$|^1,2,3$`).MatchString(value) {
				t.Errorf("%s --%s calls its value %q: put a name into back-quotes", cmd.Name(), f.Name, value)
			}
			if usage == "" || strings.HasSuffix(usage, ".") {
				t.Errorf("%s --%s: %q is no description", cmd.Name(), f.Name, usage)
			}
		})
	}
}

func verbs() []*cobra.Command { return verbsOf(newRoot()) }

// verbsOf are the verbs below a command, and those below them.
func verbsOf(parent *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			list = append(append(list, c), verbsOf(c)...)
		}
	}
	return list
}

// TestExamples runs the examples of the help texts, but for those that need files which do not exist.
func TestExamples(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(repository(t), "models"), filepath.Join(dir, "models")); err != nil {
		t.Skip(err) // on Windows, links take a privilege
	}
	server := newScriptServer(t)
	ran := map[string]int{}
	for _, cmd := range append(verbs(), newRoot()) {
		for line := range strings.Lines(cmd.Example) {
			args := splitCommand(line)
			if i := slices.Index(args, "URL"); i >= 0 {
				args[i] = server.URL
			}
			if needsFiles(dir, args) {
				continue
			}
			t.Run(strings.TrimSpace(line), func(t *testing.T) {
				c := exec.Command(args[0], args[1:]...)
				c.Dir = dir
				if cmd.CommandPath() == "glmc serve" {
					if err := runServer(c); err != nil {
						t.Error(err)
					}
					return
				}
				out, err := c.CombinedOutput()
				if cmd.Name() == "diff" && c.ProcessState.ExitCode() == exitFailed {
					err = nil // the plans differ, as plans do
				}
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
			ran[strings.TrimPrefix(cmd.CommandPath(), "glmc ")]++
		}
	}
	for verb := range contract {
		if ran[verb] == 0 {
			t.Errorf("no example of %s could be run", verb)
		}
	}
}

// needsFiles reports whether a command line names a directory or a file to read that does not exist.
func needsFiles(dir string, args []string) bool {
	for i, arg := range args {
		if arg == "DIR" || arg == "FILE" {
			return true
		}
		if (strings.HasSuffix(arg, ".json") || strings.HasSuffix(arg, ".jsonl") || strings.HasSuffix(arg, ".plan")) && i > 0 && args[i-1] != "-o" {
			if _, err := os.Stat(filepath.Join(dir, arg)); err != nil {
				return true
			}
		}
	}
	return false
}

// splitCommand splits a command line at spaces outside of double quotes.
func splitCommand(line string) []string {
	var args []string
	for i, part := range strings.Split(strings.TrimSpace(line), `"`) {
		if i%2 == 1 {
			args = append(args, part)
			continue
		}
		args = append(args, strings.Fields(part)...)
	}
	return args
}
