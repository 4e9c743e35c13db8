package reply

import (
	"strings"
	"testing"
)

// BenchmarkReply reads replies of two lengths, token by token and at once: the time of a byte should be the same.
func BenchmarkReply(b *testing.B) {
	for name, unit := range map[string]string{
		"text":     "A sentence of some words, as models write them.\n\n",
		"brackets": "<<<<tool_",
		"blanks":   "\n\n\n\n",
		"calls":    "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value><arg_key>days</arg_key><arg_value>3</arg_value></tool_call>\n",
		"string":   "<tool_call>get_weather<arg_key>city</arg_key><arg_value>" + strings.Repeat("\tif err != nil {\n", 4000),
		"object":   "<tool_call>get_weather<arg_key>at</arg_key><arg_value>" + strings.Repeat(`{"a": [`, 8000),
		"objects":  `<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>`,
	} {
		for size, n := range map[string]int{"64KiB": 64 << 10, "1MiB": 1 << 20} {
			reply := strings.Repeat(unit, n/len(unit)+1)[:n]
			for way, step := range map[string]int{"tokens": 4, "once": n} {
				b.Run(name+"/"+size+"/"+way, func(b *testing.B) {
					b.SetBytes(int64(n))
					for b.Loop() {
						p := New(glm)
						for i := 0; i < n; i += step {
							p.Write(reply[i:min(i+step, n)])
						}
						p.Close(false)
					}
				})
			}
		}
	}
}
