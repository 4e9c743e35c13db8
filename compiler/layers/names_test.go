package layers

import "testing"

func TestReplace(t *testing.T) {
	for _, tt := range []struct{ text, layer, want string }{
		{"model.layers.5.mlp", "5", "model.layers.{n}.mlp"},
		{"model.layers.5", "5", "model.layers.{n}"},
		{"5.mlp", "5", "{n}.mlp"},
		{"weights scaled by 2.5", "5", "weights scaled by 2.5"},
		{"model.layers.15.mlp", "5", "model.layers.15.mlp"},
		{"model.norm", "", "model.norm"},
	} {
		if got := Replace(tt.text, tt.layer); got != tt.want {
			t.Errorf("layer %q of %q: %q, want %q", tt.layer, tt.text, got, tt.want)
		}
	}
}

func TestGeneric(t *testing.T) {
	for _, c := range []struct{ name, want, layer string }{
		{"model.layers.3.mlp.gate.weight", "model.layers.{n}.mlp.gate.weight", "3"},
		{"model.layers.3", "model.layers.{n}", "3"},
		{"3.weight", "{n}.weight", "3"},
		{"model.layers.3.experts.4.weight", "model.layers.{n}.experts.4.weight", "3"},
		{"model.layers.3.x + model.layers.3.y @0/8", "model.layers.{n}.x + model.layers.{n}.y @0/8", "3"},
		{"lm_head.weight", "lm_head.weight", ""},
		{"layer3.weight", "layer3.weight", ""},
		{"", "", ""},
	} {
		if got, layer := Generic(c.name); got != c.want || layer != c.layer {
			t.Errorf("Generic(%q) = %q, %q, want %q, %q", c.name, got, layer, c.want, c.layer)
		}
	}
}

func TestWhere(t *testing.T) {
	for _, c := range []struct {
		list         []int
		ranges, text string
	}{
		{nil, "", "forward"},
		{[]int{-1}, "-1", "forward"},
		{[]int{4}, "4", "forward, layer 4"},
		{[]int{0, 1}, "0..1", "forward, layers 0..1, 2 x"},
		{[]int{0, 2, 4}, "0, 2, 4", "forward, layers 0, 2, 4, 3 x"},
		{[]int{0, 3, 4, 5, 91}, "0, 3..5, 91", "forward, layers 0, 3..5, 91, 5 x"},
	} {
		if got := Ranges(c.list); got != c.ranges {
			t.Errorf("Ranges(%v) = %q, want %q", c.list, got, c.ranges)
		}
		if got := At("forward", c.list); got != c.text {
			t.Errorf("At(%v) = %q, want %q", c.list, got, c.text)
		}
	}
}
