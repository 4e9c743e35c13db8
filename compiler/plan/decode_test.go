package plan_test

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/compiler/plan/planpb"
)

// deepRecipe is a recipe of that depth for a tensor of one value.
func deepRecipe(depth int) *planpb.Recipe {
	r := &planpb.Recipe{Kind: planpb.Recipe_TENSOR, Name: "w", Shape: []uint64{4}}
	for range depth - 1 {
		r = &planpb.Recipe{Kind: planpb.Recipe_LEAD, Args: []*planpb.Recipe{r}}
	}
	return r
}

// TestDecodeErrors makes one change to the message of a valid plan and asks for the error that it causes.
func TestDecodeErrors(t *testing.T) {
	program := func(pb *planpb.Plan) *planpb.Program { return pb.Programs[0] }
	step := stepOf
	value := func(pb *planpb.Plan, id uint32) *planpb.Value {
		for _, v := range pb.Programs[0].Values {
			if v.Id == id {
				return v
			}
		}
		panic(id)
	}
	const entry = `invalid plan: entry "forward": `
	const layout = `invalid plan: entry "forward", layout of decode 2: `
	for _, c := range []struct {
		name   string
		change func(pb *planpb.Plan)
		want   string
	}{
		{"ranks 0", func(pb *planpb.Plan) { pb.Ranks = 0 }, "invalid plan: 0 ranks: wants 1 to 64"},
		{"ranks 65", func(pb *planpb.Plan) { pb.Ranks = 65 }, "invalid plan: 65 ranks: wants 1 to 64"},
		{"other ranks", func(pb *planpb.Plan) { pb.Ranks = 4 }, "invalid plan: weight k: shard into 2 parts for groups of 1 ranks does not cover 4 ranks"},
		{"vocabulary", func(pb *planpb.Plan) { pb.Facts.VocabSize = math.MaxUint32 }, "invalid plan: vocabulary 4294967295, hidden size 0 or positions 0 is out of range"},
		{"no cache format", func(pb *planpb.Plan) { pb.CacheFormat = nil }, "invalid plan: the KV cache's dtype is DTYPE_UNSPECIFIED"},
		{"cache of indices", func(pb *planpb.Plan) { pb.CacheFormat.Dtype = planpb.DType_I32 }, "invalid plan: the KV cache's dtype is I32"},
		{"cache of what", func(pb *planpb.Plan) { pb.CacheFormat.Dtype = 99 }, "invalid plan: the KV cache's dtype is 99"},
		{"page 0", func(pb *planpb.Plan) { pb.CacheFormat.PageSize = 0 }, "invalid plan: a KV page of 0 tokens: wants 1 to 65536"},
		{"page too large", func(pb *planpb.Plan) { pb.CacheFormat.PageSize = 1<<16 + 1 }, "invalid plan: a KV page of 65537 tokens: wants 1 to 65536"},
		{"no serving", func(pb *planpb.Plan) { pb.Serving = nil }, "invalid plan: a prefill chunk of 0 tokens: wants 1 to 1048576"},
		{"chunk", func(pb *planpb.Plan) { pb.Serving.PrefillChunk = 1<<20 + 1 }, "invalid plan: a prefill chunk of 1048577 tokens: wants 1 to 1048576"},
		{"precision", func(pb *planpb.Plan) { pb.Serving.Precision = 2 }, "invalid plan: products in precision 2: wants one of exact, fast"},
		{"draft option without value", func(pb *planpb.Plan) { pb.Serving.Drafts[0].Options[0].Value = nil }, `invalid plan: draft mtp: attribute "steps" has no value`},
		{"draft option twice", func(pb *planpb.Plan) {
			o := pb.Serving.Drafts[0].Options
			pb.Serving.Drafts[0].Options = append(o, o[0])
		}, `invalid plan: draft mtp: attribute "steps" stands there twice`},
		{"too many draft options", func(pb *planpb.Plan) { pb.Serving.Drafts[0].Options = make([]*planpb.Attr, 65) }, `invalid plan: draft mtp: 65 attributes: at most 64 are possible`},

		{"weight dtype", func(pb *planpb.Plan) { pb.Weights[0].Dtype = 0 }, `invalid plan: weight "embed": unknown dtype 0`},
		{"weight of indices", func(pb *planpb.Plan) { pb.Weights[0].Dtype = planpb.DType_I32 }, `invalid plan: weight embed: dtype is i32`},
		{"weight dimension 0", func(pb *planpb.Plan) { pb.Weights[0].Shape[0] = 0 }, `invalid plan: weight "embed": shape [0, 8] is out of range`},
		{"weight dimension", func(pb *planpb.Plan) { pb.Weights[0].Shape[0] = 1<<31 + 1 }, `invalid plan: weight "embed": shape [2147483649, 8] is out of range`},
		{"weight size", func(pb *planpb.Plan) { pb.Weights[0].Shape = []uint64{1 << 31, 1 << 31} }, `invalid plan: weight "embed": shape [2147483648, 2147483648] is out of range`},
		{"weight dimensions", func(pb *planpb.Plan) { pb.Weights[0].Shape = make([]uint64, 9) }, `invalid plan: weight "embed": 9 dimensions`},
		{"weight of another shape", func(pb *planpb.Plan) { pb.Weights[0].Shape[1] = 9 }, `invalid plan: weight embed: recipe yields [10, 8], shape is [10, 9]`},
		{"weight twice", func(pb *planpb.Plan) { pb.Weights[2].Name = "embed" }, `invalid plan: weight embed: declared twice`},
		{"no recipe", func(pb *planpb.Plan) { pb.Weights[0].Recipe = nil }, `invalid plan: weight "embed": a recipe is missing`},
		{"recipe kind 0", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Kind = 0 }, `invalid plan: weight "embed": recipe kind 0 with 0 parts and name "embed"`},
		{"recipe kind 8", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Kind = 8 }, `invalid plan: weight "embed": recipe kind 8 with 0 parts and name "embed"`},
		{"recipe without name", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Name = "" }, `invalid plan: weight "embed": recipe kind 1 with 0 parts and name ""`},
		{"tensor of parts", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Args = []*planpb.Recipe{deepRecipe(1)} }, `invalid plan: weight "embed": recipe kind 1 with 1 parts and name "embed"`},
		{"lead of nothing", func(pb *planpb.Plan) { pb.Weights[2].Recipe.Args = nil }, `invalid plan: weight "bias": recipe kind 7 with 0 parts and name ""`},
		{"recipe depth", func(pb *planpb.Plan) { pb.Weights[2].Recipe = deepRecipe(65) }, `invalid plan: weight "bias": its recipe is nested deeper than 64`},
		{"recipe far too deep", func(pb *planpb.Plan) { pb.Weights[2].Recipe = deepRecipe(300) }, `damaged plan: messages are nested deeper than 200`},
		{"recipe count", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Count = 1<<16 + 1 }, `invalid plan: weight "embed": a number in its recipe is out of range`},
		{"recipe dim", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Dim = 8 }, `invalid plan: weight "embed": a number in its recipe is out of range`},
		{"recipe start", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Start = 1 << 40 }, `invalid plan: weight "embed": a number in its recipe is out of range`},
		{"recipe size", func(pb *planpb.Plan) { pb.Weights[0].Recipe.Size = math.MaxUint64 }, `invalid plan: weight "embed": a number in its recipe is out of range`},
		{"recipe parts", func(pb *planpb.Plan) { pb.Weights[1].Recipe.Parts = 65 }, `invalid plan: weight "k": a number in its recipe is out of range`},
		{"recipe group", func(pb *planpb.Plan) { pb.Weights[1].Recipe.Group = 65 }, `invalid plan: weight "k": a number in its recipe is out of range`},
		{"recipe shape", func(pb *planpb.Plan) { pb.Weights[2].Recipe.Args[0].Shape = []uint64{0} }, `invalid plan: weight "bias": shape [0] is out of range`},
		{"recipe parts 0", func(pb *planpb.Plan) { pb.Weights[1].Recipe.Parts = 0 }, `invalid plan: weight k: dimension 0 of shape [8, 8] does not divide into 0 parts for groups of 1 ranks`},
		{"slice out of range", func(pb *planpb.Plan) { pb.Weights[1].Recipe.Args[0].Args[0].Start = 3 }, `invalid plan: weight k: slice of 4 from 3 on is outside of dimension 0 of shape [6, 8]`},

		{"cache without heads", func(pb *planpb.Plan) { pb.Caches[0].Heads = 0 }, `invalid plan: cache "attn": 0 heads of 4 values`},
		{"cache without values", func(pb *planpb.Plan) { pb.Caches[0].HeadDim = 0 }, `invalid plan: cache "attn": 1 heads of 0 values`},
		{"cache too large", func(pb *planpb.Plan) { pb.Caches[0].Heads = math.MaxUint32 }, `invalid plan: cache "attn": 4294967295 heads of 4 values`},
		{"cache of large values", func(pb *planpb.Plan) { pb.Caches[0].ValueDim = math.MaxUint32 }, `invalid plan: cache "attn": values of 4294967295`},
		{"cache of other values", func(pb *planpb.Plan) { pb.Caches[0].ValueDim = 2 }, `holds 1 heads of 4 and 2`},
		{"cache of other heads", func(pb *planpb.Plan) { pb.Caches[0].HeadDim = 8 }, `holds 1 heads of 8`},
		{"cache twice", func(pb *planpb.Plan) { pb.Caches = append(pb.Caches, pb.Caches[0]) }, `invalid plan: cache attn: declared twice`},

		{"alias index", func(pb *planpb.Plan) { pb.Aliases[0].Index[1].To = 1 << 40 }, `invalid plan: alias "k.{n}": index 1 .. 1099511627776`},
		{"alias range", func(pb *planpb.Plan) { pb.Aliases[0].Index[1].To = 0 }, `invalid plan: alias "k.{n}": index 1 .. 0`},
		{"alias indices", func(pb *planpb.Plan) { pb.Aliases[0].Index = make([]*planpb.Index, 9) }, `invalid plan: alias "k.{n}" has 9 indices`},

		{"entry twice", func(pb *planpb.Plan) { pb.Programs = append(pb.Programs, pb.Programs[0]) }, `invalid plan: graph "forward": the bucket decode 2 stands there twice`},
		{"entry name", func(pb *planpb.Plan) { program(pb).Entry = "for ward" }, `invalid plan: graph "for ward": its name is no identifier`},
		{"stream", func(pb *planpb.Plan) { step(pb, "linear").Stream = 8 },
			entry + `step 1 (linear): runs on stream 8 and waits for 1 steps: at most 8 streams are possible`},
		{"waits", func(pb *planpb.Plan) { step(pb, "linear").Waits = make([]uint32, 8) },
			entry + `step 1 (linear): runs on stream 1 and waits for 8 steps: at most 8 streams are possible`},
		{"wait for itself", func(pb *planpb.Plan) { step(pb, "linear").Waits[0] = 1 },
			entry + `step 1 (linear): waits for step 1, which does not stand before it`},
		{"wait out of range", func(pb *planpb.Plan) { step(pb, "linear").Waits[0] = math.MaxUint32 },
			entry + `step 1 (linear): waits for step 4294967295, which does not stand before it`},
		{"wait on its own stream", func(pb *planpb.Plan) { step(pb, "linear").Stream = 0 },
			`node 9 (linear, m.glm:2:1): waits for node 6, which runs on its own stream`},
		{"input index", func(pb *planpb.Plan) { program(pb).Inputs[0] = 99 }, entry + `an input is value 99 of 15`},
		{"input twice", func(pb *planpb.Plan) { program(pb).Inputs[1] = program(pb).Inputs[0] }, entry + `value %1 stands among the inputs: its name "tokens" is empty or taken`},
		{"result as input", func(pb *planpb.Plan) { program(pb).Inputs[0] = 7 }, `its name "" is empty or taken`},
		{"input name", func(pb *planpb.Plan) { value(pb, 1).Name = "a-b" }, `input %1: its name "a-b" is no identifier, or taken`},
		{"cache as input", func(pb *planpb.Plan) { value(pb, 1).Dtype = 0 }, `input tokens is no tensor that a caller could provide`},
		{"output index", func(pb *planpb.Plan) { program(pb).Outputs[0] = math.MaxUint32 }, entry + `an output is value 4294967295 of 15`},
		{"weight as output", func(pb *planpb.Plan) { program(pb).Outputs[0] = 5 }, `output 0 is not defined`},
		{"cache as output", func(pb *planpb.Plan) { program(pb).Outputs[0] = step(pb, "kv.write").Out[0] }, `output 0 is a cache, which the caller cannot read`},
		{"value kind", func(pb *planpb.Plan) { value(pb, 8).Kind = 0 }, entry + `value 6: has kind 0`},
		{"value kind 5", func(pb *planpb.Plan) { value(pb, 8).Kind = 5 }, entry + `value 6: has kind 5`},
		{"value dtype", func(pb *planpb.Plan) { value(pb, 8).Dtype = 77 }, entry + `value 6: unknown dtype 77`},
		{"value weight", func(pb *planpb.Plan) { value(pb, 7).Index = 3 }, entry + `value 5: is weight 3 of 3`},
		{"value cache", func(pb *planpb.Plan) { value(pb, 18).Index = 1 }, entry + `value 12: is cache 1 of 1`},
		{"value number", func(pb *planpb.Plan) { value(pb, 8).Id = math.MaxUint32 }, entry + `value 6: has number 4294967295: at most 2147483647 is possible`},
		{"value number twice", func(pb *planpb.Plan) { value(pb, 8).Id = 1 }, `value %1 is defined twice`},
		{"value dimensions", func(pb *planpb.Plan) { value(pb, 8).Shape = make([]*planpb.Dim, 9) }, entry + `value 6: 9 dimensions`},
		{"value symbol", func(pb *planpb.Plan) { value(pb, 8).Shape[0].Symbol = 256 }, entry + `value 6: dimension 0 is 1 * symbol 256 + 0`},
		{"value factor", func(pb *planpb.Plan) { value(pb, 8).Shape[0].Mul = -1 }, entry + `value 6: dimension 0 is -1 * symbol 1 + 0`},
		{"value offset", func(pb *planpb.Plan) { value(pb, 8).Shape[0].Add = math.MaxInt64 }, entry + `value 6: dimension 0 is 1 * symbol 1 + 9223372036854775807`},
		{"value dimension 0", func(pb *planpb.Plan) { value(pb, 8).Shape[1].Add = 0 }, entry + `value 6: shape [T, 0]: dimension 0 is out of range`},
		{"value constant with factor", func(pb *planpb.Plan) { value(pb, 8).Shape[1].Mul = 1 }, entry + `value 6: shape [T, 8]: dimension 8 is out of range`},
		{"value size", func(pb *planpb.Plan) { value(pb, 8).Shape[0].Mul, value(pb, 8).Shape[1].Add = 1<<31, 1<<31 }, entry + `value 6: shape [2147483648*T, 2147483648] is too large`},
		{"value of another shape", func(pb *planpb.Plan) { value(pb, 8).Shape[1].Add = 9 }, `result 0 is bf16[T, 9], its rule gives bf16[T, 8]`},
		{"step operator", func(pb *planpb.Plan) { step(pb, "embed").Op = "no.such" }, entry + `step 0 (no.such): this glmc has no such operator`},
		{"step number", func(pb *planpb.Plan) { step(pb, "embed").Id = math.MaxUint32 }, entry + `step 0 (embed): has number 4294967295: at most 2147483647 is possible`},
		{"step numbers", func(pb *planpb.Plan) { step(pb, "linear").Id = step(pb, "embed").Id }, `node 6 (linear, m.glm:2:1): its number is taken`},
		{"step source", func(pb *planpb.Plan) { step(pb, "embed").Source = 99 }, entry + `step 0 (embed): names source 99 of 4, path 0 of 2`},
		{"step path", func(pb *planpb.Plan) { step(pb, "embed").Path = 99 }, entry + `step 0 (embed): names source 0 of 4, path 99 of 2`},
		{"step operand", func(pb *planpb.Plan) { step(pb, "embed").In[0] = 17 }, entry + `step 0 (embed): an operand is value 16 of 15`},
		{"step without operand", func(pb *planpb.Plan) { step(pb, "embed").In[0] = 0 }, `operand tokens is missing`},
		{"step without operands", func(pb *planpb.Plan) { step(pb, "embed").In = nil }, `has 0 operands, wants 2`},
		{"step before its operand", func(pb *planpb.Plan) {
			s := program(pb).Steps
			s[0], s[1] = s[1], s[0]
			s[0].Waits = nil
		}, `operand x, %8, is not defined before its use`},
		{"step result", func(pb *planpb.Plan) { step(pb, "embed").Out[0] = 16 }, entry + `step 0 (embed): a result is value 16 of 15`},
		{"step result twice", func(pb *planpb.Plan) { step(pb, "linear").Out[0] = step(pb, "embed").Out[0] }, entry + `step 1 (linear): result %8 is defined elsewhere`},
		{"input as result", func(pb *planpb.Plan) { step(pb, "linear").Out[0] = 0 }, entry + `step 1 (linear): result %1 is defined elsewhere`},
		{"weight as result", func(pb *planpb.Plan) { step(pb, "linear").Out[0] = 5 }, entry + `step 1 (linear): result %7 is defined elsewhere`},
		{"step without results", func(pb *planpb.Plan) { step(pb, "attn.paged").Out = nil }, `has 0 results, its rule gives 1`},
		{"stale cache", func(pb *planpb.Plan) { step(pb, "attn.paged").In[4] = step(pb, "kv.write").In[3] }, `operand cache is the cache as it was before node 17 wrote to it`},
		{"attribute without value", func(pb *planpb.Plan) { step(pb, "attn.paged").Attrs[0].Value = nil }, `attribute "scale" has no value`},
		{"attribute twice", func(pb *planpb.Plan) { a := step(pb, "attn.paged"); a.Attrs = append(a.Attrs, a.Attrs[0]) }, `attribute "scale" stands there twice`},
		{"attribute of another kind", func(pb *planpb.Plan) { step(pb, "attn.paged").Attrs[0].Value = &planpb.Attr_Bool{Bool: true} }, `attribute scale is bool, wants a float`},
		{"attribute NaN", func(pb *planpb.Plan) { step(pb, "attn.paged").Attrs[0].Value = &planpb.Attr_Float{Float: math.NaN()} }, `attribute scale is NaN, wants a finite number`},
		{"attribute unknown", func(pb *planpb.Plan) { step(pb, "attn.paged").Attrs[0].Key = "slope" }, `has no attribute "slope"`},
		{"attribute shape", func(pb *planpb.Plan) { step(pb, "reshape").Attrs[0].GetShape().Dims[1].Add = 0 }, `attribute shape is no shape: shape [T, 0, 4]: dimension 0 is out of range`},
		{"attribute shape missing", func(pb *planpb.Plan) { step(pb, "reshape").Attrs[0].Value = &planpb.Attr_Shape{} }, `bf16[T, 4] has 4*T elements, [] has 1`},
		{"too many steps", func(pb *planpb.Plan) {
			for len(program(pb).Steps) <= 1<<16 {
				program(pb).Steps = append(program(pb).Steps, program(pb).Steps...)
			}
		}, entry + `98304 steps: at most 65536 are possible`},

		{"no layouts", func(pb *planpb.Plan) { program(pb).Layouts = nil }, `invalid plan: entry "forward" has no layout`},
		{"no tokens", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxTokens = 0 }, `a bucket is for 0 tokens, 2 sequences, 2 rows`},
		{"too many tokens", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxTokens = 1<<20 + 1 }, `a layout is for 1048577 tokens, sequences or rows`},
		{"no sequences", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxSequences = 0 }, `graph "forward": a bucket is for 2 tokens, 0 sequences, 2 rows`},
		{"more sequences than tokens", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxSequences = 3 }, `graph "forward": a bucket is for 2 tokens, 3 sequences, 2 rows`},
		{"no rows", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxRows = 0 }, `graph "forward": a bucket is for 2 tokens, 2 sequences, 0 rows`},
		{"more rows than tokens", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxRows = 3 }, `graph "forward": a bucket is for 2 tokens, 2 sequences, 3 rows`},
		{"no layout", func(pb *planpb.Plan) { program(pb).Layouts[0] = &planpb.Layout{} }, `a bucket has the phase ""`},
		{"arena out of range", func(pb *planpb.Plan) { program(pb).Layouts[0].ArenaBytes = math.MaxUint64 }, layout + `an arena of 18446744073709551615 bytes`},
		{"arena too large", func(pb *planpb.Plan) { program(pb).Layouts[0].ArenaBytes = 1 << 40 }, layout + `the arena has 1099511627776 bytes, its buffers end at `},
		{"arena too small", func(pb *planpb.Plan) { program(pb).Layouts[0].ArenaBytes = 8 }, `its 32 bytes at offset 0 are not inside of the arena of 8 bytes`},
		{"arena for more tokens", func(pb *planpb.Plan) { program(pb).Layouts[0].MaxTokens = 1000 }, `its 16000 bytes at offset 0 are not inside of the arena of 128 bytes`},
		{"offset missing", func(pb *planpb.Plan) { o := &program(pb).Layouts[0].Offsets; *o = (*o)[1:] }, layout + `3 offsets for 4 results`},
		{"offset too many", func(pb *planpb.Plan) { o := &program(pb).Layouts[0].Offsets; *o = append(*o, 0) }, layout + `5 offsets for 4 results`},
		{"offset out of range", func(pb *planpb.Plan) { program(pb).Layouts[0].Offsets[0] = math.MaxUint64 }, layout + `offset 18446744073709551615`},
		{"offset out of the arena", func(pb *planpb.Plan) { program(pb).Layouts[0].Offsets[0] = 1 << 20 }, `at offset 1048576 are not inside of the arena`},
		{"offset not aligned", func(pb *planpb.Plan) { program(pb).Layouts[0].Offsets[1] = 4 }, `or not aligned to 64`},
		{"overlap", func(pb *planpb.Plan) { program(pb).Layouts[0].Offsets = []uint64{0, 0, 0, 0} }, layout + `%12 (linear, m.glm:2:1) at [0, 16) is written over %8 (embed, m.glm:1:1) at [0, 32), which the node reads: the operator does not work in place there`},

		{"remark pass", func(pb *planpb.Plan) { pb.Remarks[0].Pass = 1 }, `invalid plan: remark 0 names pass 1 of 1, source 0 of 4`},
		{"remark source", func(pb *planpb.Plan) { pb.Remarks[0].Source = 4 }, `invalid plan: remark 0 names pass 0 of 1, source 4 of 4`},
		{"figure twice", func(pb *planpb.Plan) { pb.Device.Figures = append(pb.Device.Figures, pb.Device.Figures[0]) }, `figures of the device: `},
		{"figure without a value", func(pb *planpb.Plan) { pb.Device.Figures[0].Value = nil }, `figures of the device: attribute "bandwidth" has no value`},
	} {
		t.Run(c.name, func(t *testing.T) {
			pb := wire(t, encode(t, hand(t)))
			c.change(pb)
			p, err := plan.Decode(marshal(t, pb))
			if err == nil || p != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v\nwant      %s", err, c.want)
			}
		})
	}
}

func TestDamagedMessages(t *testing.T) {
	whole := encode(t, hand(t))[headerSize:]
	for _, c := range []struct {
		name, want string
		body       []byte
	}{
		{"nothing", "invalid plan: 0 ranks", nil},
		{"half", "damaged plan: ", whole[:len(whole)/2]},
		{"a tag alone", "damaged plan: unexpected EOF", []byte{0x0a}},
		{"field number 0", "damaged plan: ", []byte{0x02, 0x00}},
		{"text that is none", "damaged plan: ", append(bytes.Clone(whole), 0x0a, 1, 0xff)},
		{"a string as a number", "invalid plan: ", []byte{0x22, 1, 'x'}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := plan.Decode(withHeader(c.body))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %s", err, c.want)
			}
		})
	}
	t.Run("fields of a newer version", func(t *testing.T) {
		body := protowire.AppendTag(bytes.Clone(whole), 999, protowire.BytesType)
		body = protowire.AppendBytes(body, make([]byte, 1000))
		p, err := plan.Decode(withHeader(body))
		if err != nil || p.Model != "hand" {
			t.Errorf("got %v, %v", p, err)
		}
	})
}

// TestDecodeIsBounded: small files that would take a lot of memory are refused before they do.
func TestDecodeIsBounded(t *testing.T) {
	const size = 8 << 20
	repeated := func(field protowire.Number, value []byte) []byte {
		one := protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), value)
		return bytes.Repeat(one, size/len(one))
	}
	inner := func(field protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), value)
	}
	for _, c := range []struct {
		name string
		body []byte
	}{
		{"empty weights", repeated(8, nil)},
		{"empty programs", repeated(12, nil)},
		{"empty values in a program", inner(12, repeated(2, nil))},
		{"empty strings", bytes.Repeat(repeated(15, nil), 3)},
		{"packed operands", inner(12, inner(5, inner(2, make([]byte, 3*size))))},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := withHeader(c.body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := plan.Decode(file)
			runtime.ReadMemStats(&after)
			if want := "damaged plan: its messages take more than 134217728 bytes of memory"; err == nil || err.Error() != want {
				t.Errorf("got error %v, want %s", err, want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
				t.Errorf("decoding took %d bytes of memory", took)
			}
		})
	}
}

// TestVerifierErrorsAreBounded: a plan in which everything is wrong does not make an error of the plan's size.
func TestVerifierErrorsAreBounded(t *testing.T) {
	pb := wire(t, encode(t, hand(t)))
	for i := range 5000 {
		pb.Weights = append(pb.Weights, &planpb.Weight{Name: fmt.Sprint("w", i), Dtype: planpb.DType_F32, Shape: []uint64{2}, Recipe: deepRecipe(1)})
	}
	_, err := plan.Decode(marshal(t, pb))
	if err == nil || !strings.HasSuffix(err.Error(), "... and 4950 more violations") || len(err.Error()) > 10000 {
		t.Errorf("got an error of %d bytes", len(fmt.Sprint(err)))
	}
}
