package ir

import (
	"testing"

	"pgregory.net/rapid"
)

func TestCutRange(t *testing.T) {
	for _, c := range []struct{ text, source, end string }{
		{"model.glm:80:9-80:25", "model.glm:80:9", "80:25"},
		{"model.glm:80:9", "model.glm:80:9", ""},
		{"a-1:2.glm:80:9", "a-1:2.glm:80:9", ""},
		{"a-1:2", "a-1:2", ""},
		{"a:x:1-1:2", "a:x:1-1:2", ""},
		{"a:1:1-1:", "a:1:1-1:", ""},
		{"-1:2", "-1:2", ""},
		{"glmc:m.glm:1:1-2:2-3:3", "glmc:m.glm:1:1-2:2-3:3", ""},
		{"", "", ""},
	} {
		if source, end := CutRange(c.text); source != c.source || end != c.end {
			t.Errorf("CutRange(%q) = %q, %q", c.text, source, end)
		}
	}
}

// TestCutRangeLosesNothing: whatever a text is, its parts make it again.
func TestCutRangeLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a:.\-0-9]{0,24}`).Draw(t, "text")
		if got := JoinRange(CutRange(text)); got != text {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}
