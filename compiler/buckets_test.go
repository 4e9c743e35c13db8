package compiler

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/pipeline"
)

// TestBucketsHoldDrafts: for each captured batch there is a bucket in which every sequence has its drafts, where none has as many tokens already.
func TestBucketsHoldDrafts(t *testing.T) {
	var s pipeline.Settings
	s.Decode.Capture, s.Prefill.Chunk, s.Prefill.Rows = []int{1, 2, 4, 16}, 512, 64
	decode := func(tokens, seqs int) ir.Bucket {
		return ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: tokens, Seqs: seqs, Rows: tokens}}
	}
	prefill := ir.Bucket{Phase: ir.Prefill, Max: ir.Sizes{Tokens: 512, Seqs: 16, Rows: 64}}
	plain := []ir.Bucket{decode(1, 1), decode(2, 2), decode(4, 4), decode(16, 16), prefill}
	if diff := cmp.Diff(plain, buckets(s)); diff != "" {
		t.Errorf("without drafts (-want +got):\n%s", diff)
	}
	s.Drafts = []pipeline.Draft{{Kind: "suffix"}, {Kind: "mtp", Options: map[string]config.Value{"steps": config.Int(3)}}}
	want := []ir.Bucket{decode(1, 1), decode(2, 2), decode(4, 4), decode(8, 2), decode(16, 16), decode(64, 16), prefill}
	if diff := cmp.Diff(want, buckets(s)); diff != "" {
		t.Errorf("with three drafts (-want +got):\n%s", diff)
	}
}
