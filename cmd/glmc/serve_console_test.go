package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBrowser tries the console of a server with the bundled model in a browser. CHROMIUM names it; where it, node or the packages of
// runtime/serve/console/web are missing, it is left out.
func TestBrowser(t *testing.T) {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		t.Skip("CHROMIUM does not name a browser")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed, and the test runs on it")
	}
	web := filepath.Join(repository(t), "runtime", "serve", "console", "web")
	if _, err := os.Stat(filepath.Join(web, "node_modules", "playwright-core")); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the packages are not installed: npm ci --prefix %s", web)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	server := exec.CommandContext(ctx, "glmc", "serve", "--addr", "127.0.0.1:0", "--log-format", "text")
	log := &readyLog{address: make(chan string, 1)}
	server.Stderr = log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(os.Interrupt)
		if err := server.Wait(); err != nil {
			t.Errorf("the server: %v\n%s", err, log.text.String())
		}
	}()
	select {
	case address := <-log.address:
		cmd := exec.CommandContext(ctx, node, "--test", "test/real.test.mjs")
		cmd.Dir = web
		cmd.Env = append(os.Environ(), "REAL="+address)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	case <-ctx.Done():
		t.Error("the server did not get ready")
	}
}

// readyLog reads a server's log for its address, which it gives when the model is there.
type readyLog struct {
	text    bytes.Buffer
	address chan string
	given   bool
}

func (l *readyLog) Write(p []byte) (int, error) {
	l.text.Write(p)
	if m := listeningAt.FindStringSubmatch(l.text.String()); m != nil && !l.given && strings.Contains(l.text.String(), "msg=ready") {
		l.address <- m[1]
		l.given = true
	}
	return len(p), nil
}

// TestConsolePlan: the console gives out the page of the plan, and its policy lets run what that page consists of.
func TestConsolePlan(t *testing.T) {
	f := compileFlags{}
	files, err := openFiles("")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadModel("", &f, files)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range consoleRoutes(p) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	made := get("/console/plan")
	if made.Code != http.StatusOK || !strings.Contains(made.Body.String(), "fuse_swiglu") {
		t.Fatalf("status %d, %d bytes", made.Code, made.Body.Len())
	}
	own := regexp.MustCompile(`'(sha256-[^']+)'`).FindAllStringSubmatch(strings.ReplaceAll(made.Body.String()[:2000], "&#39;", "'"), -1)
	if len(own) != 2 {
		t.Fatalf("the page's own policy names %v", own)
	}
	policy := get("/").Header().Get("Content-Security-Policy")
	for _, digest := range own {
		if !strings.Contains(policy, digest[1]) {
			t.Errorf("the console's policy lacks %s: %s", digest[1], policy)
		}
	}
}
