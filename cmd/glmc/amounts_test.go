package main

import "testing"

// TestAmounts: no amount is written with an exponent, and none with more digits than say something.
func TestAmounts(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{fileSize(331_000), "0.331 MB"},
		{fileSize(714_436_608), "714 MB"},
		{fileSize(999_600_000), "1 GB"},
		{fileSize(2_617_000_000), "2.62 GB"},
		{fileSize(716e9), "716 GB"},
		{fileSize(12_345e12), "12345 TB"},
		{parameters(165_000), "0.165 million parameters"},
		{parameters(11_320_992), "11.3 million parameters"},
		{parameters(2_610_000_000), "2.61 billion parameters"},
		{parameters(1_600_000_000_000), "1600 billion parameters"},
		{threeDigits(10_612.3), "10612"},
		{threeDigits(72.46), "72.5"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
