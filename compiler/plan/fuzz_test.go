package plan_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower/lowertest"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/plan/planpb"
)

// FuzzDecode changes the bodies of small plans; the harness makes a right header for them, so that the fuzzer
// gets past the digest. Whatever is accepted must be what Decode promises.
func FuzzDecode(f *testing.F) {
	f.Add(encode(f, hand(f))[headerSize:])
	f.Add(encode(f, small(f))[headerSize:])
	f.Add(encode(f, compile(f, lowertest.Setup{Set: lowertest.With(lowertest.Small, "num_hidden_layers", "1", "first_k_dense_replace", "0")},
		&passes.Options{}, 4))[headerSize:])
	for _, change := range []func(pb *planpb.Plan){
		func(pb *planpb.Plan) { pb.Weights[2].Recipe = deepRecipe(64) },
		func(pb *planpb.Plan) { pb.Programs[0].Layouts[0].ArenaBytes += 64 },
		func(pb *planpb.Plan) { pb.Programs[0].Values[5].Shape = pb.Programs[0].Values[6].Shape },
		func(pb *planpb.Plan) {
			pb.Programs = append(pb.Programs, &planpb.Program{Entry: "draft", Layouts: pb.Programs[0].Layouts})
		},
		func(pb *planpb.Plan) { pb.Ranks = 64 },
	} {
		pb := wire(f, encode(f, hand(f)))
		change(pb)
		body, err := proto.Marshal(pb)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := plan.Decode(withHeader(body))
		if err != nil {
			return
		}
		checkAccepted(t, p)
	})
}

// checkAccepted asserts what the runtime relies on.
func checkAccepted(t *testing.T, p *plan.Plan) {
	t.Helper()
	if err := p.Module.Verify(); err != nil {
		t.Fatal(err)
	}
	if back, err := ir.Parse(p.Module.String()); err != nil || back.String() != p.Module.String() {
		t.Fatalf("the module does not survive its text form: %v", err)
	}
	if len(p.Programs) != len(p.Module.Graphs) {
		t.Fatalf("%d programs for %d graphs", len(p.Programs), len(p.Module.Graphs))
	}
	for _, q := range p.Programs {
		for _, l := range q.Layouts {
			if err := q.Check(&l); err != nil {
				t.Fatal(err)
			}
		}
	}
	again, err := plan.Decode(encode(t, p))
	if err != nil {
		t.Fatalf("the plan, written again: %v", err)
	}
	if again.Module.String() != p.Module.String() {
		t.Fatal("the plan, written again, has another module")
	}
}

// FuzzDecodeFile changes whole files, headers included.
func FuzzDecodeFile(f *testing.F) {
	file := encode(f, hand(f))
	f.Add(file)
	f.Add(file[:headerSize])
	f.Add(append([]byte(nil), file[:len(file)/2]...))
	f.Add([]byte("GLMPLAN\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, err := plan.Decode(file); err == nil {
			checkAccepted(t, p)
		}
	})
}
