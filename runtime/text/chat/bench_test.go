package chat

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkParseMessages reads an agent's conversation, with files as the results of tools.
func BenchmarkParseMessages(b *testing.B) {
	for _, turns := range []int{10, 1000} {
		b.Run(fmt.Sprint(turns, "-turns"), func(b *testing.B) {
			messages := []string{`{"role": "user", "content": "Fix it."}`}
			for i := range turns {
				messages = append(messages,
					fmt.Sprintf(`{"role": "assistant", "content": null, "tool_calls": [{"id": "c%d", "type": "function", "function": {"name": "read", "arguments": "{\"path\": \"a.go\"}"}}]}`, i),
					fmt.Sprintf(`{"role": "tool", "tool_call_id": "c%d", "content": %q}`, i, strings.Repeat("\tif err != nil {\n", 200)))
			}
			data := []byte("[" + strings.Join(messages, ",") + "]")
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := ParseMessages(data, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
