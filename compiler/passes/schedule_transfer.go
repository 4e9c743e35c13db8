package passes

import (
	"slices"

	"github.com/glmc/glmc/compiler/ir"
)

// Streams beside the main one. Each kind of work has one of its own, so that neither has to wait for the other.
const (
	besideStream   = 1 // what runs beside the main stream: overlap_shared_expert
	transferStream = 2 // pages on their way to another machine: schedule_transfer
)

// Transfer is how a pipeline wants the cache to reach the worker that decodes (setting transfer).
type Transfer struct {
	Enabled bool
	Async   bool   // beside the computation
	Per     string // PerLayer or PerRequest
}

// What a transfer may wait for.
const (
	PerLayer   = "layer"   // pages of a layer leave when the layer has written them
	PerRequest = "request" // all pages leave when the prompt is through
)

// scheduleTransfer puts a transfer point behind every write into a cache, so that a layer's pages travel while
// the next layers compute:
//
//	cache' = kv.write(k, v, slots, cache)  =>  ...; kv.send(slots, cache')    on a stream of its own, waiting for the write
//
// It does so in the graphs of prefill alone: a worker that only decodes has nobody to send to. Without it, the
// pages of all layers leave when the last one has been computed, and the first token waits for all of them.
//
// Why it is right: kv.send reads the cache, as the attention of the layer does beside it, and has no result that
// anybody could take. It waits for the write, so it never reads what is not there. Results are the same, bit for
// bit, and so is what is sent whether the stream runs beside the main one or (async = false) within it.
//
// A page lives until its transfer is complete, and complete is when kv.send has ended. Within a step, a second
// write to the same cache waits for the transfer of the first, because it may go to the same slots. Across steps
// nothing is needed: a step ends when all streams have, and whoever frees pages does so between steps. A step
// that ended with its main stream would break that: its last layers' pages could go to another sequence, and be
// written by the next step, while they are still being read; the other machine would decode from a mixture.
//
// per = request leaves nothing to do here: pages leave when the prompt is through, which is between steps.
var scheduleTransfer = &Pass{
	Name:    "schedule_transfer",
	Doc:     "in prefill, each layer's pages leave for the decode worker on a stream of their own",
	Numeric: Exact,
	After: []Order{
		{"fuse_qknorm_rope_kv", "the write into the cache must have its final form"},
		{"shard_tensor_parallel", "each rank sends the heads that it has"},
		{"bucket_graphs", "only steps of prefill send"},
	},
	Remarks: []RemarkKind{
		{"scheduled", true, "a layer's keys and values leave while the next layers are computed"},
		{"mixed", false, "one graph prefills and decodes, because bucket_graphs did not part them"},
		{"request", false, "the pipeline transfers whole requests, between steps"},
	},
	PerBucket: func(c *Context, g *ir.Graph, b ir.Bucket) string {
		if !c.Options.Transfer.Enabled || c.Options.Transfer.Per == PerRequest || b.Phase != ir.Prefill || !writesCache(g) {
			return ""
		}
		return "transfer of each layer's pages"
	},
	Run: func(c *Context) error {
		for _, g := range c.Module.Graphs {
			switch {
			case !c.Options.Transfer.Enabled || !slices.ContainsFunc(g.Buckets, prefills) || !writesCache(g):
			case c.Options.Transfer.Per == PerRequest: // no site: nothing here could be rewritten
				c.missed(g, ir.Origin{Layer: -1}, "request", "the pipeline transfers per request: pages leave when the prompt is through, between steps")
			case slices.ContainsFunc(g.Buckets, decodes):
				c.missed(g, ir.Origin{Layer: -1}, "mixed", "the graph is for steps that decode too (%s), and only prefill sends: bucket_graphs would part them", ir.BucketNames(g.Buckets))
			default:
				if err := sendWritten(c, g); err != nil {
					return err
				}
			}
		}
		return nil
	},
}

func prefills(b ir.Bucket) bool { return b.Phase == ir.Prefill }

func decodes(b ir.Bucket) bool { return b.Phase == ir.Decode }

// writesCache reports whether any node of a graph writes into a cache.
func writesCache(g *ir.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool { return writtenState(n) != nil })
}

// writtenState is the state of the cache that a node leaves, nil where it writes none.
func writtenState(n *ir.Node) *ir.Value {
	i := slices.IndexFunc(n.Out, func(v *ir.Value) bool { return v.Type.State })
	if i < 0 {
		return nil
	}
	return n.Out[i]
}

func sendWritten(c *Context, g *ir.Graph) error {
	rw := ir.NewRewrite(g)
	sending := map[*ir.Cache]*ir.Node{} // the last transfer of each cache
	for _, write := range g.Nodes {
		state := writtenState(write)
		if state == nil || !c.may(g, write.Origin) {
			continue
		}
		cache := state.RootCache()
		if before := sending[cache]; before != nil && before.Stream != write.Stream {
			waitFor(write, before)
		}
		b := &ir.Builder{Graph: g, Origin: write.Origin}
		b.Emit("kv.send", []*ir.Value{write.Arg("slots"), state})
		if err := b.Err(); err != nil {
			return err
		}
		send := b.Nodes[0]
		where := "in the main stream, because the pipeline asks for no async transfer"
		if c.Options.Transfer.Async {
			send.Stream, send.Waits = transferStream, []*ir.Node{write}
			where = "beside what follows"
		}
		sending[cache] = send
		rw.After(write, send)
		c.applied(g, write.Origin, "scheduled", Saves{}, "%d values a token leave %s", cache.Slot(), where)
	}
	rw.Apply()
	return nil
}

// waitFor lets a node wait for a node of another stream that stands behind those of that stream for which it
// waited so far.
func waitFor(n, w *ir.Node) {
	n.Waits = slices.DeleteFunc(n.Waits, func(u *ir.Node) bool { return u.Stream == w.Stream })
	n.Waits = append(n.Waits, w)
}
