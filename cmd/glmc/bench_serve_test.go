package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestBenchServeInterrupted: an interrupted run prints what it has, and ends with status 1.
func TestBenchServeInterrupted(t *testing.T) {
	second := make(chan struct{})
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if requests++; requests > 1 {
			close(second)
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		scriptCompletion(w, 4, 2)
	}))
	t.Cleanup(server.Close)
	cmd := exec.Command("glmc", "bench", "serve", "--url", server.URL, "--model", "m", "--vocab", "9", "--warmup", "0", "--num-prompts", "3", "--concurrency", "1",
		"--input", "4", "--output", "2", "--random-range-ratio", "1", "--json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-second
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("status %d\n%s", code, stderr.String())
	}
	var got struct {
		Interrupted bool `json:"interrupted"`
		Succeeded   int  `json:"succeeded"`
		Failed      int  `json:"failed"`
		Unfinished  int  `json:"unfinished"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	if !got.Interrupted || got.Failed != 0 || got.Succeeded != 1 || got.Unfinished != 1 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(stderr.String(), "interrupted: 1 of 3 requests succeeded") {
		t.Errorf("stderr: %s", stderr.String())
	}
}
