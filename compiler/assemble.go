package compiler

import (
	"maps"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
	"github.com/glmc/glmc/compiler/lower"
	"github.com/glmc/glmc/compiler/passes"
	"github.com/glmc/glmc/compiler/plan"
	"github.com/glmc/glmc/dsl/config"
	"github.com/glmc/glmc/dsl/pipeline"
)

// assemble puts a plan together from the final module.
func assemble(l *lower.Result, v *config.Values, s pipeline.Settings, ran []passes.Result) (*plan.Plan, error) {
	p := &plan.Plan{
		Model: l.Module.Name, Pipeline: s.Name, Target: s.Target, Module: l.Module,
		Facts:   plan.Facts{VocabSize: fact(v, "vocab_size"), HiddenSize: fact(v, "hidden_size"), MaxPositions: fact(v, "max_position_embeddings")},
		Cache:   plan.CacheFormat{DType: s.Cache.DType, PageSize: s.Cache.Page},
		Serving: serving(s),
		Aliases: l.Aliases, Ignores: l.Ignores,
	}
	var err error
	if p.Programs, err = programs(l.Module, ran); err != nil {
		return nil, err
	}
	report(p, ran)
	return p, nil
}

// programs are the graphs with their layouts, as plan_memory has made them. Where it is disabled, results lie side by side;
// where the passes ended before it, the graphs are laid out as they are.
func programs(m *ir.Module, ran []passes.Result) ([]*plan.Program, error) {
	apart := false
	for _, r := range ran {
		if r.Programs != nil {
			return r.Programs, nil
		}
		apart = apart || r.Disabled && r.Pass.Name == "plan_memory"
	}
	var out []*plan.Program
	for _, g := range m.Graphs {
		p := plan.NewProgram(g)
		for _, b := range g.Buckets {
			layOut := p.LayOut
			if apart {
				layOut = p.LayOutApart
			}
			if err := layOut(b); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// fact reads a configuration key that Hugging Face gives the same name in every family; 0 where the model
// does not declare it.
func fact(v *config.Values, key string) int {
	n, _ := v.Get(key)
	i, _ := n.(config.Int)
	return int(i)
}

func serving(s pipeline.Settings) plan.Serving {
	out := plan.Serving{PrefillChunk: s.Prefill.Chunk, Transfer: s.Transfer.Enabled, TransferAsync: s.Transfer.Async, TransferPer: s.Transfer.Per}
	if s.Precision == plan.Fast.String() {
		out.Precision = plan.Fast
	}
	for _, d := range s.Drafts {
		w := plan.Draft{Kind: d.Kind}
		for _, key := range slices.Sorted(maps.Keys(d.Options)) {
			w.Options = append(w.Options, ir.Attr{Key: key, Value: attrValue(d.Options[key])})
		}
		out.Drafts = append(out.Drafts, w)
	}
	return out
}

func attrValue(v config.Value) any {
	switch v := v.(type) {
	case config.Int:
		return int64(v)
	case config.Float:
		return float64(v)
	case config.Bool:
		return bool(v)
	}
	return v.Text()
}

// buckets are the step sizes that get a layout: one for each captured decode batch, one for the same batch with the drafts of the
// model's own layer beside the token of each sequence, where no other decode batch has as many tokens, and the prefill chunk,
// which may hold some sequences that decode. In prefill, logits are wanted for no more rows than the settings
// say, because they are by far the largest value of a step.
func buckets(s pipeline.Settings) []ir.Bucket {
	var out []ir.Bucket
	for _, n := range s.Decode.Capture {
		out = append(out, ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: n, Seqs: n, Rows: n}})
	}
	for _, n := range s.Decode.Capture {
		tokens := n * (1 + ownDrafts(s))
		if tokens <= ir.MaxTokens && !slices.ContainsFunc(out, func(b ir.Bucket) bool { return b.Max.Tokens == tokens }) {
			out = append(out, ir.Bucket{Phase: ir.Decode, Max: ir.Sizes{Tokens: tokens, Seqs: n, Rows: tokens}})
		}
	}
	seqs := 1
	if len(s.Decode.Capture) > 0 {
		seqs = slices.Max(s.Decode.Capture)
	}
	chunk := s.Prefill.Chunk
	rows := max(s.Prefill.Rows, seqs)
	out = append(out, ir.Bucket{Phase: ir.Prefill, Max: ir.Sizes{Tokens: chunk, Seqs: min(seqs, chunk), Rows: min(rows, chunk)}})
	slices.SortStableFunc(out, func(a, b ir.Bucket) int { return a.Max.Tokens - b.Max.Tokens })
	return out
}

// ownDrafts is how many tokens the model's own layer drafts for a sequence.
func ownDrafts(s pipeline.Settings) int {
	for _, d := range s.Drafts {
		if d.Kind == "mtp" {
			return d.Int("steps")
		}
	}
	return 0
}

func report(p *plan.Plan, ran []passes.Result) {
	for _, r := range ran {
		p.Passes = append(p.Passes, plan.Pass{Name: r.Pass.Name, Doc: r.Pass.Doc, Numeric: string(r.Pass.Numeric), Disabled: r.Disabled,
			Applied: r.Applied, Missed: r.Missed, NodesBefore: r.NodesBefore, NodesAfter: r.NodesAfter})
		for _, k := range r.Remarks {
			p.Remarks = append(p.Remarks, plan.Remark{Pass: k.Pass, ID: k.ID, Applied: k.Applied, Entry: k.Entry, Layer: k.Layer,
				Buckets: k.Buckets, Source: k.Source, End: k.End, Reason: k.Reason, SavesLaunches: k.Saves.Launches, SavesBytes: k.Saves.Bytes,
				SavesDecode: k.Saves.Decode, SavesPrefill: k.Saves.Prefill})
		}
	}
}
