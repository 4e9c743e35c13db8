package main

import (
	"fmt"

	"github.com/spf13/pflag"
)

// elsewhere are flags of vLLM's and SGLang's servers and load generators, by what does the same here.
var elsewhere = map[string]string{
	"allowed-origins":        "cors-origin",
	"context-length":         "max-model-len",
	"chunked-prefill-size":   "chunk",
	"gpu-memory-utilization": "kv-memory",
	"host":                   "addr",
	"max-num-batched-tokens": "chunk",
	"max-num-seqs":           "max-running",
	"max-running-requests":   "max-running",
	"mem-fraction-static":    "kv-memory",
	"model":                  "weights",
	"model-path":             "weights",
	"port":                   "addr",
	"ssl-certfile":           "tls-cert",
	"ssl-keyfile":            "tls-key",
	"tensor-parallel-size":   "tp",
	"tp-size":                "tp",

	"backend":           "api",
	"base-url":          "url",
	"dataset-path":      "dataset",
	"goodput":           "slo",
	"max-concurrency":   "concurrency",
	"random-input":      "input",
	"random-input-len":  "input",
	"random-output":     "output",
	"random-output-len": "output",
	"request-rate":      "rate",
}

// unasked are flags of theirs for what `glmc serve` does without being asked.
var unasked = map[string]bool{
	"enable-auto-tool-choice":      true,
	"enable-chunked-prefill":       true,
	"enable-prefix-caching":        true,
	"enable-prompt-tokens-details": true,
	"reasoning-parser":             true,
	"tool-call-parser":             true,
}

// fromElsewhere says what to give in place of a flag that others' tools have; "" where there is nothing.
func fromElsewhere(name string, verb string, flags *pflag.FlagSet) string {
	if verb == "serve" && flags.Lookup("addr") != nil && unasked[name] {
		return fmt.Sprintf("there is no flag --%s: glmc does it without being asked", name)
	}
	if f := flags.Lookup(elsewhere[name]); f != nil {
		what, _ := pflag.UnquoteUsage(f)
		return fmt.Sprintf("there is no flag --%s: here it is --%s %s", name, f.Name, what)
	}
	return ""
}
