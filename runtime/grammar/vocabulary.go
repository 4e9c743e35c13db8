package grammar

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// Vocabulary is the tokens of a tokenizer, arranged so that masks are found quickly. It is immutable but for its cache of compiled
// grammars, and safe for concurrent use.
type Vocabulary struct {
	tokens  [][]byte // as the trie has them: markup is escaped
	stops   []int32
	markup  map[string]byte // text of a markup token to the number behind markupByte
	trie    trie
	stopped []uint64 // the mask with only the stops
	longest int32    // bytes of the longest token
	cache   cache

	compiling chan struct{} // holds one for each grammar that is being compiled
}

// markupByte begins the bytes by which a grammar knows a markup token: no UTF-8 text has it. One byte follows, the token's number.
// So a markup token is a sequence of bytes as any other, and cannot be taken for text that happens to look like it.
const markupByte = 0xFF

const maxMarkup = 256

// NewVocabulary makes a vocabulary of the bytes of all tokens, by id. Ids without bytes (nil or empty) are never allowed: special
// tokens and gaps. Stops are the ids that end a text; they are allowed where it may end, and only there. Markup are ids of tokens
// such as <tool_call>, whose bytes are not text where they are allowed: a grammar that names such a tag takes it as this token or
// spelled in ordinary ones, because whoever reads the text cannot tell them apart; nothing else takes the token.
//
// Where all single bytes are tokens, as in every byte-level vocabulary, no state has an empty mask. Only the first 256 markup
// tokens are ever allowed.
func NewVocabulary(tokens [][]byte, stops []int32, markup ...int32) *Vocabulary {
	v := &Vocabulary{
		tokens:  slices.Clone(tokens),
		stops:   slices.DeleteFunc(slices.Clone(stops), func(id int32) bool { return id < 0 }),
		markup:  map[string]byte{},
		stopped: make([]uint64, (len(tokens)+63)/64),

		compiling: make(chan struct{}, maxCompiling),
	}
	for id, b := range v.tokens {
		// No text has this byte, and pieces of an escaped tag would make the tag.
		if bytes.IndexByte(b, markupByte) >= 0 {
			v.tokens[id] = nil
		}
	}
	for _, id := range markup {
		if id < 0 || int(id) >= len(tokens) || len(tokens[id]) == 0 {
			continue
		}
		text := string(tokens[id])
		number, known := v.markup[text]
		if !known && len(v.markup) == maxMarkup {
			v.tokens[id] = nil
			continue
		}
		if !known {
			number = byte(len(v.markup))
			v.markup[text] = number
		}
		v.tokens[id] = []byte{markupByte, number}
	}
	for _, id := range v.stops {
		if int(id) < len(tokens) {
			v.tokens[id] = nil
			v.stopped[id/64] |= 1 << (id % 64)
		}
	}
	for _, b := range v.tokens {
		v.longest = max(v.longest, int32(len(b)))
	}
	v.trie = newTrie(v.tokens)
	return v
}

// Size is the number of ids.
func (v *Vocabulary) Size() int { return len(v.tokens) }

// trie holds all tokens by their bytes. Nodes are numbered in the order of a walk from the root, children by their bytes, so
// that a branch is a range of nodes; tokens are listed in the same order, so that a branch is a range of tokens too.
type trie struct {
	bytes []byte   // by which the node is reached
	depth []uint16 // bytes from the root
	next  []int32  // the first node behind the branch that begins here
	first []int32  // the node's first token in ids; those of a branch reach to the first one of next
	plain []uint8  // bit c: all tokens of the branch go on with nothing but characters of class c, to a character's end
	chars []uint16 // the most characters with which a token of the branch goes on
	ids   []int32
}

// class is a kind of text of which all is taken in certain states.
type class uint8

const (
	inString class = iota // characters that JSON strings hold as they are
	inText                // all characters but '<'
	classes
)

// has says whether a character that is valid is in the class.
func (c class) has(r rune) bool {
	if c == inString {
		return r >= 0x20 && r != '"' && r != '\\'
	}
	return r != '<'
}

// maxToken is the length of the longest token that is ever allowed, in bytes.
const maxToken = math.MaxUint16 - 1

func newTrie(tokens [][]byte) trie {
	sorted := make([]int32, 0, len(tokens))
	total := 1
	for id, b := range tokens {
		if len(b) > 0 && len(b) <= maxToken {
			sorted = append(sorted, int32(id))
			total += len(b)
		}
	}
	sortTokens(sorted, tokens)
	t := trie{ids: sorted}
	t.grow(total / 2)
	path := []int32{t.add(0, 0, 0)} // nodes from the root to the last token
	var previous []byte
	for i, id := range sorted {
		b := tokens[id]
		same := commonPrefix(previous, b)
		t.close(path[same+1:])
		path = path[:same+1]
		for d := same; d < len(b); d++ {
			path = append(path, t.add(b[d], d+1, i))
		}
		t.mark(path, b)
		previous = b
	}
	t.close(path)
	t.first = append(t.first, int32(len(sorted)))
	return t
}

// sortTokens sorts ids by their tokens' bytes. Most are told apart by the first eight, as one number.
func sortTokens(ids []int32, tokens [][]byte) {
	type keyed struct {
		head uint64
		id   int32
	}
	list := make([]keyed, len(ids))
	for i, id := range ids {
		var head [8]byte
		copy(head[:], tokens[id])
		list[i] = keyed{binary.BigEndian.Uint64(head[:]), id}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		if c := bytes.Compare(tokens[a.id], tokens[b.id]); c != 0 {
			return c
		}
		return int(a.id - b.id)
	})
	for i, k := range list {
		ids[i] = k.id
	}
}

func (t *trie) grow(n int) {
	t.bytes, t.depth, t.next = make([]byte, 0, n), make([]uint16, 0, n), make([]int32, 0, n)
	t.first, t.plain, t.chars = make([]int32, 0, n+1), make([]uint8, 0, n), make([]uint16, 0, n)
}

func (t *trie) add(b byte, depth, first int) int32 {
	t.bytes = append(t.bytes, b)
	t.depth = append(t.depth, uint16(depth))
	t.next = append(t.next, 0)
	t.first = append(t.first, int32(first))
	t.plain = append(t.plain, 1<<classes-1)
	t.chars = append(t.chars, 0)
	return int32(len(t.bytes) - 1)
}

// close says of nodes that their branches end before the node that is added next.
func (t *trie) close(nodes []int32) {
	for _, n := range nodes {
		t.next[n] = int32(len(t.bytes))
	}
}

// mark tells the nodes on the path of a token how the token goes on from there. The walk is from the token's end, over
// characters; what no character begins at is inside of one.
func (t *trie) mark(path []int32, token []byte) {
	good := uint8(1<<classes - 1) // classes that all characters to the end have
	chars := uint16(0)
	for end := len(token); end > 0; {
		r, size := utf8.DecodeLastRune(token[:end])
		if r == utf8.RuneError && size <= 1 {
			good = 0
			size = 1
		}
		for c := range classes {
			if !c.has(r) {
				good &^= 1 << c
			}
		}
		for d := end - size + 1; d < end; d++ {
			t.plain[path[d]] = 0
		}
		end -= size
		chars++
		n := path[end]
		t.plain[n] &= good
		t.chars[n] = max(t.chars[n], chars)
	}
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
