//go:build !purego

package cpu

// pause tells the processor that this is a loop that waits for memory to change. It leaves the core to a hyperthread
// meanwhile, saves power, and makes the end of the loop cheaper.
func pause()
