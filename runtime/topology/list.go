package topology

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxNumber bounds the numbers of processors and memory nodes: eight times what Linux can be built for.
const maxNumber = 1 << 16

// parseList reads a list of numbers as Linux writes them, "0-3,8,10-11", and returns them in rising order. The empty list is
// one too.
func parseList(text string) ([]int, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		lo, err := parseNumber(first)
		if err != nil {
			return nil, err
		}
		hi := lo
		if isRange {
			if hi, err = parseNumber(last); err != nil {
				return nil, err
			}
		}
		if hi < lo || len(out)+hi-lo >= maxNumber {
			return nil, fmt.Errorf("%q is no range of numbers", part)
		}
		for n := lo; n <= hi; n++ {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func parseNumber(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n >= maxNumber {
		return 0, fmt.Errorf("%q is no number below %d", text, maxNumber)
	}
	return int(n), nil
}
