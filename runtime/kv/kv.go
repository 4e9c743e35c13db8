// Package kv hands out the pages of the KV cache and keeps the page tables of sequences. A page holds the
// keys and values of a fixed number of tokens in every layer; page tables are the same for all layers and
// ranks.
//
// Pages whose tokens are computed stay behind in a prefix tree, and sequences that begin with the same tokens share them. A page
// is always one of three things: free; held, by one sequence or several; or cached, which is in the tree and held by nobody. Cached
// pages are taken back when free ones run out, the least recently held first.
package kv

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// ErrFull says that fewer pages are free or cached than were asked for.
var ErrFull = errors.New("the KV cache is full")

// none is no page, no node and no root.
const none = -1

// Pool owns the pages and the prefix tree. It is not safe for concurrent use.
type Pool struct {
	pageSize int
	pages    []page
	free     []int32
	tree     tree
	idle     list
	live     []*Sequence // those that hold pages or a root
	counts   Counts

	best, way []int32 // of longest, used again
}

// page is what the pool knows of a page. Links are numbers of pages, so that the tree is one array without pointers, however
// many pages it has.
type page struct {
	holders int32 // sequences
	parent  int32 // node of the tree before it; none: the page is not in the tree
	child   int32 // of the node, the one that was last looked up or inserted; none: no hint
	chain   int32 // next page in the same bucket of the tree
	state   int32 // of the node: what it holds beside the model's keys and values
	// In the list of cached pages, where holders is 0 and parent is a node.
	older, newer int32
}

// Counts are sums since the pool was made.
type Counts struct {
	Queried int64 // tokens that Match was asked for, by sequences without pages
	Hit     int64 // tokens that Match attached
	Adopted int64 // pages that Commit found in the tree already
	Evicted int64 // cached pages that were taken for something else, not by Flush
}

// NewPool makes a pool of pages of pageSize tokens each.
func NewPool(pages, pageSize int) *Pool {
	p := &Pool{pageSize: pageSize, pages: make([]page, pages), free: make([]int32, 0, pages), idle: list{oldest: none, newest: none}}
	for i := pages - 1; i >= 0; i-- {
		p.pages[i] = page{parent: none, child: none, chain: none, older: none, newer: none}
		p.free = append(p.free, int32(i))
	}
	p.tree = newTree(pages, pageSize, rand.Uint64(), rand.Uint64())
	return p
}

// PageSize is the number of tokens in a page.
func (p *Pool) PageSize() int { return p.pageSize }

// Size is the number of pages.
func (p *Pool) Size() int { return len(p.pages) }

// Free is the number of pages that nobody holds and that hold nothing.
func (p *Pool) Free() int { return len(p.free) }

// Cached is the number of pages in the tree that nobody holds. Grow may take them as well as free ones.
func (p *Pool) Cached() int { return p.idle.length }

// Usage is the share of pages that sequences hold, 0 to 1.
func (p *Pool) Usage() float64 {
	if len(p.pages) == 0 {
		return 0
	}
	return float64(len(p.pages)-p.Free()-p.Cached()) / float64(len(p.pages))
}

// Counts says what was looked up and evicted so far.
func (p *Pool) Counts() Counts { return p.counts }

// Flush forgets every page that nobody holds.
func (p *Pool) Flush() {
	for p.idle.length > 0 {
		p.evict()
	}
}

// evict frees the cached page that was held least recently. It has no children: whoever holds a page holds those before it,
// and lets go of it before them, so that children stand before their parents in the list.
func (p *Pool) evict() {
	p.forget(p.idle.oldest)
}

// forget frees a cached page without children.
func (p *Pool) forget(n int32) {
	p.idle.remove(p.pages, n)
	p.remove(n)
	p.free = append(p.free, n)
}

// take holds a page that was free.
func (p *Pool) take() int32 {
	last := len(p.free) - 1
	n := p.free[last]
	p.free = p.free[:last]
	p.pages[n].holders = 1
	return n
}

// hold holds a page of the tree once more.
func (p *Pool) hold(n int32) {
	if p.pages[n].holders == 0 {
		p.idle.remove(p.pages, n)
	}
	p.pages[n].holders++
}

// drop ends a hold. The page becomes cached or free where it was the last one.
func (p *Pool) drop(n int32) {
	page := &p.pages[n]
	if page.holders < 1 {
		panic(fmt.Sprintf("kv: page %d is released, and nobody held it", n))
	}
	page.holders--
	switch {
	case page.holders > 0:
	case page.parent != none:
		p.idle.push(p.pages, n)
	default:
		p.free = append(p.free, n)
	}
}

// list is the cached pages, by the time when they were last held. Their links are in the pages.
type list struct {
	oldest, newest int32
	length         int
}

func (l *list) push(pages []page, n int32) {
	pages[n].older, pages[n].newer = l.newest, none
	if l.newest == none {
		l.oldest = n
	} else {
		pages[l.newest].newer = n
	}
	l.newest = n
	l.length++
}

func (l *list) remove(pages []page, n int32) {
	older, newer := pages[n].older, pages[n].newer
	if older == none {
		l.oldest = newer
	} else {
		pages[older].newer = newer
	}
	if newer == none {
		l.newest = older
	} else {
		pages[newer].older = older
	}
	pages[n].older, pages[n].newer = none, none
	l.length--
}
