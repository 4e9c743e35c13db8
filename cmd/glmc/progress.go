package main

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressBar shows on stderr how many of n things are done; nil where that is no terminal.
func progressBar(n int, things string, more ...progressbar.Option) *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	return progressbar.NewOptions(n, append([]progressbar.Option{progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(things), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth()}, more...)...)
}
