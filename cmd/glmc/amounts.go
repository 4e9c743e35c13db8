package main

import "fmt"

// fileSize writes a size of files, which are counted in powers of ten: 0.331 MB, 2.62 GB.
func fileSize(bytes int64) string { return amount(float64(bytes)/1e6, " MB", " GB", " TB") }

// parameters writes how many parameters there are: 11.3 million parameters.
func parameters(n int64) string {
	return amount(float64(n)/1e6, " million parameters", " billion parameters")
}

// amount writes a number with three digits and the first unit of which there are less than a thousand. Each is a
// thousand times the one before.
func amount(v float64, units ...string) string {
	for len(units) > 1 && v >= 999.5 { // from there on it rounds to 1000
		v, units = v/1000, units[1:]
	}
	return threeDigits(v) + units[0]
}

// threeDigits has three digits, and all of those before the point.
func threeDigits(v float64) string {
	if v >= 999.5 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
