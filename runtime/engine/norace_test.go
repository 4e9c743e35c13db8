//go:build !race

package engine_test

// raced says that the race detector is on. A sync.Pool then drops a part of what it is given, at random.
const raced = false
