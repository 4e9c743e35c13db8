package diff

import "testing"

func TestReplaceLayer(t *testing.T) {
	for _, tt := range []struct{ text, layer, want string }{
		{"model.layers.5.mlp", "5", "model.layers.{n}.mlp"},
		{"model.layers.5", "5", "model.layers.{n}"},
		{"5.mlp", "5", "{n}.mlp"},
		{"weights scaled by 2.5", "5", "weights scaled by 2.5"},
		{"model.layers.15.mlp", "5", "model.layers.15.mlp"},
		{"model.norm", "", "model.norm"},
	} {
		if got := replaceLayer(tt.text, tt.layer); got != tt.want {
			t.Errorf("layer %q of %q: %q, want %q", tt.layer, tt.text, got, tt.want)
		}
	}
}
