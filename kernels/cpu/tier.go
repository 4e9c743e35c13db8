package cpu

import (
	"fmt"
	"os"
	"strings"
)

//go:generate go run ./gen

// tierVariable forces a tier.
const tierVariable = "GLMC_CPU"

// tier is a table of inner products and whether this processor can run it.
type tier struct {
	dots  *dots
	needs string // what the processor has to have, for messages
	runs  bool
}

// tierFromEnvironment returns the table that GLMC_CPU names, the best one where it is not set.
func tierFromEnvironment() (*dots, error) { return chooseTier(os.Getenv(tierVariable)) }

// BestTier is the name of the inner products that New takes: the best that the processor has, or what GLMC_CPU names.
func BestTier() (string, error) {
	d, err := tierFromEnvironment()
	if err != nil {
		return "", err
	}
	return d.name, nil
}

// chooseTier returns the table of that name, the first of tiers that runs for "".
func chooseTier(name string) (*dots, error) {
	var choices []string
	for _, t := range tiers() {
		if t.runs && (name == "" || name == t.dots.name) {
			return t.dots, nil
		}
		if t.runs {
			choices = append(choices, t.dots.name)
		} else if name == t.dots.name {
			return nil, fmt.Errorf("%s=%s: this processor lacks %s; leave %s out, and the best that it has is taken",
				tierVariable, name, t.needs, tierVariable)
		}
	}
	return nil, fmt.Errorf("%s=%s: there are no such kernels in this build; this processor runs %s",
		tierVariable, name, strings.Join(choices, ", "))
}
