package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLogReaderGoes: a server whose log nobody reads any more goes on serving, and ends well.
func TestLogReaderGoes(t *testing.T) {
	c := exec.Command("glmc", "serve", "--addr", "127.0.0.1:0", "--allow-unproven")
	log, logTo, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = logTo
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = logTo.Close() // the server has its own
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	url := ""
	for lines := bufio.NewScanner(log); lines.Scan() && !strings.Contains(lines.Text(), "msg=ready"); {
		if m := listeningAt.FindStringSubmatch(lines.Text()); m != nil {
			url = m[1]
		}
	}
	_ = log.Close()
	for range 2 {
		answer, err := http.Get(url + "/v1/models")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not end")
		_ = c.Process.Kill()
		<-ended
	}
}
