package main

import (
	"bufio"
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
	stderr, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1) // its address
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		address := ""
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := listeningAt.FindStringSubmatch(lines.Text()); m != nil {
				address = m[1]
			}
			if strings.Contains(lines.Text(), "msg=ready") {
				ready <- address
			}
		}
	}()
	defer func() {
		_ = server.Process.Signal(os.Interrupt)
		<-drained
		if err := server.Wait(); err != nil {
			t.Errorf("the server: %v", err)
		}
	}()
	select {
	case address := <-ready:
		cmd := exec.CommandContext(ctx, node, "--test", "test/real.test.mjs")
		cmd.Dir = web
		cmd.Env = append(os.Environ(), "REAL="+address)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	case <-drained:
		t.Error("the server ended before it was ready")
	}
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
