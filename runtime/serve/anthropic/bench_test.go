package anthropic

import (
	"fmt"
	"strings"
	"testing"

	"github.com/glmc/glmc/runtime/serve/body"
	"github.com/glmc/glmc/runtime/service/servicetest"
)

// BenchmarkDecode reads the request of an agent in a long conversation: tools, calls, and files as results. The time of a byte should
// not depend on how many there are.
func BenchmarkDecode(b *testing.B) {
	for _, turns := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(turns, "-turns"), func(b *testing.B) {
			data := agentRequest(turns)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				o, err := body.Parse(data)
				if err != nil {
					b.Fatal(err)
				}
				d := &decoder{Object: o, model: servicetest.Model()}
				if d.message(); d.Err() != nil {
					b.Fatal(d.Err())
				}
			}
		})
	}
}

func agentRequest(turns int) []byte {
	var tools, messages []string
	for i := range 20 {
		tools = append(tools, fmt.Sprintf(`{"name": "tool_%d", "description": %q, "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}`, i, strings.Repeat("It does things. ", 50)))
	}
	messages = append(messages, `{"role": "user", "content": "Fix it."}`)
	for i := range turns {
		messages = append(messages,
			fmt.Sprintf(`{"role": "assistant", "content": [{"type": "thinking", "thinking": "I look.", "signature": "s"}, {"type": "tool_use", "id": "c%d", "name": "tool_1", "input": {"path": "a.go"}}]}`, i),
			fmt.Sprintf(`{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c%d", "content": [{"type": "text", "text": %q}]}]}`, i, strings.Repeat("\tif err != nil {\n", 200)))
	}
	return fmt.Appendf(nil, `{"model": "tiny", "max_tokens": 9, "tools": [%s], "messages": [%s]}`, strings.Join(tools, ","), strings.Join(messages, ","))
}
