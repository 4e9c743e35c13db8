package grammar

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// drawDecimal draws a decimal that is often near others.
func drawDecimal(t *rapid.T, name string) string {
	text := fmt.Sprint(rapid.SampledFrom([]int{0, 1, 2, 9, 10, 11, 19, 20, 99, 100, 101, 129, 130, 1000}).Draw(t, name))
	if rapid.Bool().Draw(t, "fraction") {
		text += "." + rapid.SampledFrom([]string{"0", "00", "01", "1", "10", "09", "9", "99", "5", "50", "05", "129"}).Draw(t, "digits")
	}
	if rapid.Bool().Draw(t, "negative") {
		text = "-" + text
	}
	return text
}

// Numbers are taken where they are within the bounds, and multiples.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number, bound, multiple := drawDecimal(t, "number"), drawDecimal(t, "bound"), rapid.SampledFrom([]string{"1", "3", "0.01", "0.25", "7", "0.5", "10", "1e-1", "2.50"}).Draw(t, "multiple")
		x, ok := new(big.Rat).SetString(number)
		if !ok {
			t.Fatal(number)
		}
		exponent := rapid.IntRange(-3, 3).Draw(t, "exponent")
		bound += fmt.Sprintf("e%d", exponent)
		y, _ := new(big.Rat).SetString(bound)
		m, _ := new(big.Rat).SetString(multiple)
		for keyword, want := range map[string]bool{
			`"minimum":` + bound:           x.Cmp(y) >= 0,
			`"exclusiveMinimum":` + bound:  x.Cmp(y) > 0,
			`"maximum":` + bound:           x.Cmp(y) <= 0,
			`"exclusiveMaximum":` + bound:  x.Cmp(y) < 0,
			`"multipleOf":` + multiple:     new(big.Rat).Quo(x, m).IsInt(),
			`"not known":1,"minimum":-1e9`: true,
		} {
			for _, schema := range []string{`{"type":"number",` + keyword + `}`, `{"enum":[` + number + `,"x"],` + keyword + `}`} {
				g, err := Schema(byteVocabulary(), []byte(schema), Options{})
				if err != nil {
					t.Fatalf("%s: %v", schema, err)
				}
				// Numbers may have more than one spelling, of which not all are taken: zero with a sign, zeros at the end.
				short := parseDecimal(number).String()
				if got := accepts(g, number); got != want && (got || short == number) {
					t.Errorf("%s: %s: %v", schema, number, got)
				}
			}
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.0e5": "0", "12.50": "12.5", "1e3": "1000", "-1.25E+1": "-12.5", "12e-1": "1.2", "5e-3": "0.005", "100e-2": "1",
		"1e999": "1000000000000000000000000000000000000000000000000", "1e-99999999999999999999": "0.000000000000000000000000000000000000000000000001",
	} {
		if got := parseDecimal(text).String(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
