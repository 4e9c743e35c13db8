package main

import (
	_ "embed"
	"time"
)

// driver is the other side's program. It has a name that go does not take for a file of its own.
//
//go:embed arctic.cc.txt
var driver []byte

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
