//go:build !amd64 || purego

package cpu

// tiers lists the tables, best first.
func tiers() []tier { return []tier{{&portableDots, "", true}} }
