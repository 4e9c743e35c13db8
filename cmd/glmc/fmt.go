package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/dsl/format"
	"github.com/glmc/glmc/dsl/syntax"
)

// formatFlags say what fmt does with a file that it has formatted. Without any it prints the result.
type formatFlags struct {
	write, diff, list bool
}

func fmtCommand() *cobra.Command {
	var flags formatFlags
	cmd := &cobra.Command{
		Use:   "fmt FILE.glm...",
		Short: "Lay .glm files out in the canonical way",
		Long: `Fmt formats .glm files: it changes white space and nothing else. It prints the result to stdout, or with -w
writes it back into the file. With -d it prints what would change, with -l the names of the files that are not
formatted; both end with status 1 where there is something to print. A file with syntax errors is reported and
left alone. The name - stands for stdin, and glmc:FAMILY/model.glm for a file that the binary carries.`,
		Example: `  glmc fmt -w models/glm4moe/model.glm
  glmc fmt -d models/glm4moe/model.glm
  glmc fmt glmc:llama3/model.glm`,
		Args: atLeastOneArg("FILE.glm"),
		RunE: func(_ *cobra.Command, files []string) error {
			if flags.write && flags.diff {
				return usagef("-w writes the files that -d only compares: give one of them")
			}
			if flags.write && slices.Contains(files, stdin) {
				return usagef("-w: there is no file to write stdin back into")
			}
			if i := slices.IndexFunc(files, isCarried); i >= 0 && flags.write {
				return usagef("-w: %s is part of the binary: glmc fmt %s > FILE.glm makes a copy", files[i], files[i])
			}
			return flags.run(files)
		},
	}
	cmd.Flags().BoolVarP(&flags.write, "write", "w", false, "write the result back into the file")
	cmd.Flags().BoolVarP(&flags.diff, "diff", "d", false, "print a unified diff of what would change")
	cmd.Flags().BoolVarP(&flags.list, "list", "l", false, "print the names of the files that are not formatted")
	return cmd
}

// run formats the files one after another; one that cannot be does not keep it from the next.
func (f *formatFlags) run(files []string) error {
	list := &diag.List{}
	sources := map[string][]byte{}
	failed := false
	for _, name := range files {
		src, err := readSource(name)
		if err == nil {
			sources[name] = src
			out, diags := format.Source(name, src)
			if list.Append(diags); diags.HasErrors() {
				continue
			}
			var different bool
			if different, err = f.emit(name, src, out); different {
				failed = true
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "glmc: %v\n", err)
			failed = true
		}
	}
	if err := diagnose(list, sources); err != nil {
		return err
	}
	if failed {
		return errReported
	}
	return nil
}

// emit does with a result what the flags say. It reports whether they ask for a failure because the file was not
// formatted.
func (f *formatFlags) emit(name string, src, out []byte) (different bool, err error) {
	changed := !bytes.Equal(src, out)
	if f.list && changed {
		if _, err := fmt.Println(name); err != nil {
			return false, err
		}
	}
	switch {
	case f.diff:
		_, err = os.Stdout.Write(diff.Diff(name, src, name+" (formatted)", out))
	case f.write && changed:
		err = replaceFile(name, out)
	case !f.write && !f.list:
		_, err = os.Stdout.Write(out)
	}
	return changed && (f.diff || f.list && !f.write), err
}

// stdin is the name that stands for it.
const stdin = "-"

// readSource reads a .glm file, one that the binary carries, or stdin.
func readSource(name string) ([]byte, error) {
	if name != stdin {
		src, err := readCarried(name, syntax.MaxFileSize)
		if err == nil && plan.IsPlan(src) {
			err = fmt.Errorf("%s is a plan: fmt takes the .glm file that plans are made from", name)
		}
		return src, err
	}
	src, err := io.ReadAll(io.LimitReader(os.Stdin, syntax.MaxFileSize+1))
	if err == nil && len(src) > syntax.MaxFileSize {
		err = fmt.Errorf("stdin is larger than %d bytes", syntax.MaxFileSize)
	}
	return src, err
}

// replaceFile puts data in the place of a file's content in one step, so that nobody ever sees half of it. The file
// keeps its mode, and where name is a symbolic link, the link stays and the file behind it is replaced.
func replaceFile(name string, data []byte) (err error) {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return writeError(name, err)
	}
	defer func() {
		if err != nil {
			err = writeError(name, errors.Join(err, tmp.Close(), os.Remove(tmp.Name())))
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// writeError names the file that was to be written instead of the temporary one.
func writeError(name string, err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("write %s: %w", name, err)
}
