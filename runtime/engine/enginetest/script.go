package enginetest

import "strings"

// replies remember which reply a context is in the middle of.
type replies struct {
	script func(prompt []int32) []int32
	// By the hash of a context, what comes behind it. Old ones are forgotten in halves.
	young, old map[uint64]reply
}

// reply is what a script says, from some token on.
type reply struct {
	tokens []int32
}

// remembered bounds the contexts in each half.
const remembered = 1 << 15

// next is the token that comes behind a context. One that went on otherwise than the script says, because something else was
// sampled, goes on with what the script has left; it is known by its step of one token alone.
func (r *replies) next(hash uint64, v view, pos int32, alone bool) int32 {
	now, ok := r.find(hash)
	if !ok && pos > 0 && alone {
		now, ok = r.find(v.at(pos - 1).hash)
	}
	if !ok {
		now = reply{r.script(v.tokens(pos))}
	}
	r.keep(hash, now)
	if len(now.tokens) == 0 {
		return 0
	}
	token := now.tokens[0]
	if len(now.tokens) > 1 {
		now.tokens = now.tokens[1:]
	}
	r.keep(mix(hash, token), now)
	return token
}

func (r *replies) find(hash uint64) (reply, bool) {
	if now, ok := r.young[hash]; ok {
		return now, true
	}
	now, ok := r.old[hash]
	return now, ok
}

func (r *replies) keep(hash uint64, now reply) {
	if len(r.young) >= remembered || r.young == nil {
		r.old, r.young = r.young, make(map[uint64]reply)
	}
	r.young[hash] = now
}

// Between makes a script that says what stands in the prompt between the last open and the close behind it, and then the
// token stop. Where a prompt has neither, it says otherwise. decode and encode are a tokenizer's.
func Between(open, end, otherwise string, stop int32, decode func([]int32) string, encode func(string) []int32) func([]int32) []int32 {
	return func(prompt []int32) []int32 {
		text := decode(prompt)
		say := otherwise
		if at := strings.LastIndex(text, open); at >= 0 {
			if part, _, ok := strings.Cut(text[at+len(open):], end); ok {
				say = part
			}
		}
		return append(encode(say), stop)
	}
}
