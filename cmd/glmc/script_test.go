package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the outputs that scripts compare with cmp")

// TestMain makes this test binary a glmc too: scripts run it as a command of that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"glmc": main})
}

// TestScript runs the scripts of testdata/script; the README there tells how to write one.
func TestScript(t *testing.T) {
	root := repository(t)
	server := newScriptServer(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(root, "testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("MODELS", filepath.Join(root, "models"))
			env.Setenv("GOLDEN", filepath.Join(root, "testdata", "golden"))
			env.Setenv("SERVER", server.URL)
			env.Setenv("CONFIGS", filepath.Join(root, "testdata", "configs"))
			setupServe(env)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":       ends(exitFailed),
			"misuse":      ends(exitUsage),
			"differs":     differs,
			"interrupt":   interrupt,
			"serve":       startServe,
			"endserve":    endServe,
			"ask":         ask,
			"closestdout": closeStdout,
			"json":        jsonCommand,
			"logits":      logitsCommand,
			"replace":     replaceText,
			"truncate":    truncateFile,
			"flipbyte":    flipByte,
			"droptensor":  dropTensor,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
	})
}

// repository is the root of the checkout.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}
