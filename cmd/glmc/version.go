package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/diag"
	"github.com/glmc/glmc/runtime/exec"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, build tags and devices",
		Long:    "Version prints what this glmc was built from and with, which plans it reads, and the devices that it runs on.",
		Example: "  glmc version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			return printText(func(w io.Writer) error {
				fmt.Fprintf(w, "glmc %s\n", version())
				fmt.Fprintf(w, "plan format %d\n", plan.FormatVersion)
				fmt.Fprintf(w, "built with %s for %s/%s, tags: %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, buildTags())
				fmt.Fprintf(w, "devices: %s (%s)\n", strings.Join(exec.DeviceNames(), ", "), diag.Count(runtime.NumCPU(), "processor"))
				return nil
			})
		},
	}
}

// version is the module's version, or the commit that a build from a checkout was made of.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel " + s.Value
		}
	}
	return "devel"
}

func buildTags() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" && s.Value != "" {
				return s.Value
			}
		}
	}
	return "none"
}
