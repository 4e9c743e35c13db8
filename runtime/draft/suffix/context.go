package suffix

import "github.com/glmc/glmc/runtime/draft"

// Speculate drafts what follows a context, of which only the end counts. It finds the places of the context from the root
// on; a [Request] keeps them instead.
func (t *Tree) Speculate(context []int32, o Options, into *draft.Draft) {
	var r reader
	var f frontier
	t.reread(&r, context[max(0, len(context)-int(t.depth)+1):])
	least := o.least()
	g := t.best(&r.window, &o, least, &f)
	t.tell(&g, &o, least, &f, into)
}

// Continue drafts what follows the open sequence.
func (t *Tree) Continue(o Options, into *draft.Draft) {
	var f frontier
	least := o.least()
	g := t.best(&t.open, &o, least, &f)
	t.tell(&g, &o, least, &f, into)
}
