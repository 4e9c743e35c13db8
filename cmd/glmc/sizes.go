package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// units of sizes on the command line.
var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// parseSize reads 16MiB, 2.5GB or 4096.
func parseSize(s string) (int64, error) {
	number, factor := strings.TrimSpace(s), 1.0
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !(v >= 0) || v*factor > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is no size: wants a number of bytes, or one such as 16MiB or 2GB", s)
	}
	return int64(v * factor), nil
}

// sizeFlag is a flag that is a size.
type sizeFlag struct {
	text  string
	bytes int64
}

func (f *sizeFlag) register(fs *pflag.FlagSet, name string, def int64, usage string) {
	f.bytes = def
	f.text = binarySize(def)
	fs.Var(f, name, usage)
}

// binarySize writes a size that is whole in its unit: 16MiB.
func binarySize(n int64) string {
	for i := 3; i >= 0; i-- {
		if unit := int64(units[i].bytes); n >= unit && n%unit == 0 {
			return strconv.FormatInt(n/unit, 10) + units[i].name
		}
	}
	return strconv.FormatInt(n, 10)
}

func (f *sizeFlag) String() string { return f.text }
func (f *sizeFlag) Type() string   { return "size" }
func (f *sizeFlag) Set(s string) error {
	n, err := parseSize(s)
	if err == nil {
		f.text, f.bytes = s, n
	}
	return err
}

// shareFlag is a flag that is a size, or a share of what is there: 8GiB, 0.5 or 50%.
type shareFlag struct {
	text  string
	bytes int64   // 0: share
	share float64 // 0: bytes
}

func (f *shareFlag) String() string { return f.text }
func (f *shareFlag) Type() string   { return "share" }
func (f *shareFlag) Set(s string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	switch {
	case err == nil && v > 0 && v <= 1:
		f.text, f.bytes, f.share = s, 0, v
		return nil
	case percent:
		return fmt.Errorf("%q is no share: wants 1%% to 100%%", s)
	}
	n, err := parseSize(s)
	if err == nil && n < 1 {
		err = fmt.Errorf("%q is nothing", s)
	}
	if err != nil {
		return err
	}
	f.text, f.bytes, f.share = s, n, 0
	return nil
}
