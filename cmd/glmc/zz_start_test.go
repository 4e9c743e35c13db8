package main

import (
	"context"
	"testing"
)

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		c := newRoot()
		c.SetArgs([]string{"run", "--prompt", "Hi", "--max-tokens", "1"})
		if err := c.ExecuteContext(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
func BenchmarkStart07(b *testing.B) {
	for b.Loop() {
		c := newRoot()
		c.SetArgs([]string{"run", "--weights", "/tmp/pk", "--ids", "1,2", "--max-tokens", "1", "--packed", "off"})
		if err := c.ExecuteContext(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
