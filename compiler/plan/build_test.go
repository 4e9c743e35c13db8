package plan_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/plan/planpb"
	"github.com/glmc/glmc/kernels/dtype"
)

// compile makes a plan of a model with layouts for the given decode batches and a prefill chunk.
func compile(t testing.TB, s lowertest.Setup, o *passes.Options, chunk int, batches ...int) *plan.Plan {
	t.Helper()
	r := lowertest.Lower(t, s)
	ran, err := passes.Run(r.Module, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{
		Model: r.Module.Name, Pipeline: "fast", Target: "cpu", Module: r.Module,
		Facts: plan.Facts{VocabSize: 64, HiddenSize: 32, MaxPositions: 128},
		Cache: plan.CacheFormat{DType: dtype.F8E4M3, PageSize: 16},
		Serving: plan.Serving{Precision: plan.Fast, PrefillChunk: chunk, Transfer: true, TransferAsync: true, TransferPer: "layer", Drafts: []plan.Draft{
			{Kind: "mtp", Options: ir.Attrs{{Key: "steps", Value: int64(3)}}},
			{Kind: "suffix", Options: ir.Attrs{{Key: "factor", Value: 1.5}, {Key: "on", Value: true}, {Key: "tree", Value: "wide"}}},
		}},
		Aliases: r.Aliases, Ignores: r.Ignores,
	}
	for _, x := range ran {
		p.Passes = append(p.Passes, plan.Pass{Name: x.Pass.Name, Doc: x.Pass.Doc, Numeric: string(x.Pass.Numeric), Disabled: x.Disabled,
			Applied: x.Applied, Missed: x.Missed, NodesBefore: x.NodesBefore, NodesAfter: x.NodesAfter})
		for _, k := range x.Remarks {
			p.Remarks = append(p.Remarks, plan.Remark{Pass: k.Pass, ID: k.ID, Applied: k.Applied, Entry: k.Entry, Layer: k.Layer,
				Source: k.Source, Reason: k.Reason, SavesLaunches: k.Saves.Launches, SavesBytes: k.Saves.Bytes})
		}
	}
	for _, g := range r.Module.Graphs {
		q := plan.NewProgram(g)
		for _, n := range batches {
			if err := q.AddLayout("decode", ir.Sizes{Tokens: n, Seqs: n, Rows: n}); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.AddLayout("prefill", ir.Sizes{Tokens: chunk, Seqs: min(chunk, 4), Rows: min(chunk, 4)}); err != nil {
			t.Fatal(err)
		}
		p.Programs = append(p.Programs, q)
	}
	return p
}

func small(t testing.TB) *plan.Plan {
	t.Helper()
	return compile(t, lowertest.Setup{Set: lowertest.Small}, &passes.Options{TensorParallel: 2}, 32, 1, 4)
}

func encode(t testing.TB, p *plan.Plan) []byte {
	t.Helper()
	file, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

const headerSize = 56

// wire returns the message in a plan file.
func wire(t testing.TB, file []byte) *planpb.Plan {
	t.Helper()
	pb := &planpb.Plan{}
	if err := proto.Unmarshal(file[headerSize:], pb); err != nil {
		t.Fatal(err)
	}
	return pb
}

// withHeader puts a right header before a body.
func withHeader(body []byte) []byte {
	file := make([]byte, headerSize, headerSize+len(body))
	copy(file, "GLMPLAN\n")
	binary.LittleEndian.PutUint32(file[8:], plan.FormatVersion)
	binary.LittleEndian.PutUint64(file[16:], uint64(len(body)))
	sum := sha256.Sum256(body)
	copy(file[24:], sum[:])
	return append(file, body...)
}

func marshal(t testing.TB, pb *planpb.Plan) []byte {
	t.Helper()
	body, err := proto.Marshal(pb)
	if err != nil {
		t.Fatal(err)
	}
	return withHeader(body)
}

// hand is a small plan that was made by hand, with one of everything that a decoder looks at.
func hand(t testing.TB) *plan.Plan {
	t.Helper()
	m, err := ir.Parse(`module "hand" ranks=2
cache @"attn" heads=1 dim=4
weight @"embed": bf16[10, 8] = tensor("embed" [10, 8])
weight @"k": fp8_e4m3[4, 8] = shard(concat(slice(tensor("k.0" [6, 8]), 0, 2, 4), tensor("k.1" [4, 8]), 0), 0, 2, 1)
weight @"bias": bf16[4] = lead(tensor("bias" [4]))

graph forward(%1 tokens: i32[T], %2 pos: i32[T], %3 slots: i32[T], %4 seq_start: i32[B+1], %5 pages: i32[B, P]) {
  %8: bf16[T, 8] = embed[6](%1, weight %7 @"embed") {dtype: "bf16"} "m.glm:1:1" "layers.0" 0
  %12: bf16[T, 4] = linear[9](%8, weight %10 @"k", weight %11 @"bias") {act: "fp8_e4m3"} stream 1 waits [6] "m.glm:2:1" "layers.0" 0
  %14: bf16[T, 4] = comm.all_reduce[13](%12) waits [9] "m.glm:2:1" "layers.0" 0
  %16: bf16[T, 1, 4] = reshape[15](%14) {shape: [T, 1, 4]} "m.glm:3:1" "" -1
  %19: cache = kv.write[17](%16, %16, %3, cache %18 @"attn") "m.glm:4:1" "" -1
  %21: bf16[T, 1, 4] = attn.paged[20](%16, %2, %4, %5, %19) {scale: 0.5} "m.glm:4:1" "" -1
  return %21
}
`)
	if err != nil {
		t.Fatal(err)
	}
	q := plan.NewProgram(m.Graphs[0])
	if err := q.AddLayout("decode", ir.Sizes{Tokens: 2, Seqs: 2, Rows: 2}); err != nil {
		t.Fatal(err)
	}
	return &plan.Plan{
		Model: "hand", Target: "cpu", Module: m, Programs: []*plan.Program{q},
		Source:  plan.Source{Device: plan.Device{Source: "here", Figures: ir.Attrs{{Key: "bandwidth", Value: 2.5}, {Key: "tile_rows", Value: int64(1)}}}},
		Cache:   plan.CacheFormat{DType: dtype.BF16, PageSize: 16},
		Serving: plan.Serving{PrefillChunk: 2, Drafts: []plan.Draft{{Kind: "mtp", Options: ir.Attrs{{Key: "steps", Value: int64(1)}}}}},
		Aliases: []plan.Alias{{Name: "k.{n}", Target: "kv", Index: []plan.Index{{Hole: "n"}, {From: 1, To: 3, Range: true}}}},
		Ignores: []plan.Ignore{{Name: "x.{rest...}", Reason: "not used"}},
		Passes:  []plan.Pass{{Name: "fold", Doc: "folds", Numeric: "exact", Applied: 1}},
		Remarks: []plan.Remark{{Pass: "fold", ID: "fold.folded", Applied: true, Entry: "forward", Source: "m.glm:1:1", Reason: "why", SavesLaunches: 1, SavesBytes: 2, SavesDecode: 3, SavesPrefill: -4}},
	}
}

// stepOf is the step of the first program that has an operator.
func stepOf(pb *planpb.Plan, op string) *planpb.Step {
	for _, s := range pb.Programs[0].Steps {
		if s.Op == op {
			return s
		}
	}
	panic(op)
}
